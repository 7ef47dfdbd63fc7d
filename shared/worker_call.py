"""Typed calls of functions in worker processes.

Requests and answers are frozen dataclasses; they cross the border between processes as JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Request = TypeVar("Request", bound="DataclassInstance")
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Target(Generic[Request, Answer]):
    """A function that worker processes call as `function(request, progress)`.

    `name`: "package.module:function", a text because the server need not import the module. `reads`, `writes`: fields of the request that
    are paths of files to read and to write; the process can open no others.
    """

    name: str
    request: type[Request]
    answer: type[Answer]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the pydantic adapter of a request or answer type."""
    return _adapter(kind)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def request_type(function: Callable[..., Any]) -> Any:
    """Return the type annotation of a function's first argument."""
    return next(iter(get_type_hints(function).values()))
