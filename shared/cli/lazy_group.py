"""A command group that is built on first use."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperGroup


def lazy_group(build: Callable[[], typer.Typer]) -> type[TyperGroup]:
    """Return a Typer group class whose commands are built on first use.

    It is for `typer.Typer(cls=...)`. Its commands are those of `build()`, which is called when one of them runs or when the group's own
    help is printed. So the help of the whole program does not import the code of every group.
    """

    class LazyGroup(TyperGroup):
        @cached_property
        def _built(self) -> Any:
            return typer.main.get_group(build())

        def list_commands(self, ctx: Any) -> list[str]:
            names: list[str] = self._built.list_commands(ctx)
            return names

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return self._built.get_command(ctx, cmd_name)

    return LazyGroup
