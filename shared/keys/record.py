"""The stored record of one API key."""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.keys.access import Access, Scope

PREFIX = "rw_"
NAME = re.compile(r"[\w.@ -]{1,64}")


class KeyRecord(BaseModel):
    """Name, hash, rights and quotas of one API key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="Short id, for `reelwright keys revoke`.")
    name: str
    hash: str = Field(description="SHA-256 of the key.")
    owner: str = Field(description="Owner of what is made with the key.")
    scopes: tuple[Scope, ...] = ("read", "run")
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    max_jobs: Annotated[int, Field(ge=1)] | None = None
    max_requests: Annotated[int, Field(ge=1)] | None = None

    def refusal(self, now: datetime) -> str | None:
        """Return the reason why the key is invalid.

        None if the key is valid.
        """
        if self.revoked_at is not None:
            return f"The API key {self.name!r} was revoked at {self.revoked_at:%Y-%m-%d %H:%M} UTC."
        if self.expires_at is not None and self.expires_at <= now:
            return f"The API key {self.name!r} expired at {self.expires_at:%Y-%m-%d %H:%M} UTC."
        return None

    @property
    def access(self) -> Access:
        """The access that the key grants."""
        return Access(
            owner=self.owner,
            name=self.name,
            scopes=self.scopes,
            max_bytes=self.max_bytes,
            max_jobs=self.max_jobs,
            max_requests=self.max_requests,
        )


def new_key() -> str:
    """Create an API key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """Return the hash of an API key.

    A plain SHA-256 is enough: keys are random, so that they cannot be guessed from it.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def now() -> datetime:
    """Return the current time, in whole seconds of UTC."""
    return datetime.now(UTC).replace(microsecond=0)
