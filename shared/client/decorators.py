"""Decorators that give the client's methods the type signatures of all operations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from shared.client.signatures import RunMethod, SubmitMethod

R = TypeVar("R")


def typed_run(method: Callable[..., R]) -> "RunMethod[R]":
    """Return `method` unchanged, typed with the signatures of `run`."""
    return cast("RunMethod[R]", method)


def typed_submit(method: Callable[..., R]) -> "SubmitMethod[R]":
    """Return `method` unchanged, typed with the signatures of `submit`."""
    return cast("SubmitMethod[R]", method)
