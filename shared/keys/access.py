"""The owner of a request, and the rights of its API key."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from shared.errors import ScopeMissing

Scope = Literal["read", "run", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "run", "admin")


@dataclass(frozen=True, kw_only=True)
class Access:
    """The owner, scopes and quotas of a request.

    `max_bytes`: stored media; `max_jobs`: unfinished jobs; `max_requests`: requests in a minute; None: no limit. `internal`: the request
    comes from another process of the suite.
    """

    owner: str
    name: str = ""
    scopes: tuple[Scope, ...] = SCOPES
    max_bytes: int | None = None
    max_jobs: int | None = None
    max_requests: int | None = None
    internal: bool = False

    def require(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the request has `scope`.

        `run` includes `read`; `admin` includes both.
        """
        if not any(SCOPES.index(own) >= SCOPES.index(scope) for own in self.scopes):
            raise ScopeMissing(f"The API key {self.name!r} lacks the scope {scope!r}; it has {', '.join(self.scopes)}. Use another key.")


CURRENT_ACCESS: ContextVar[Access] = ContextVar("access")
"""The access of the current request."""
