"""Saved pipelines on disk: a folder per owner, a JSON file per pipeline."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field

from gateway.pipelines.steps import Step
from shared.errors import Conflict, UnknownPipeline
from shared.media.disk import write_atomically

MOST_SAVED = 200
"""Maximum number of pipelines per owner."""


class SavedPipeline(BaseModel):
    """A pipeline that its owner saved under a name."""

    name: str = Field(description="Name of the pipeline.")
    description: str = Field(description="Free-form notes about the pipeline.")
    steps: list[Step] = Field(description="Steps of the pipeline, with `<name>` as placeholders for media.")
    changed_at: datetime = Field(description="Time of the last change.")


class SavedPipelines:
    """Store of the saved pipelines of all owners, in one folder.

    All methods block, so they are called in threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self, owner: str) -> list[SavedPipeline]:
        """Return all saved pipelines of an owner, sorted by name."""
        paths = (self._folder / owner).glob("*.json")
        saved = [pipeline for path in paths if (pipeline := _read(path))]
        return sorted(saved, key=lambda pipeline: pipeline.name.casefold())

    def get(self, owner: str, name: str) -> SavedPipeline:
        """Return a saved pipeline. Raises UnknownPipeline."""
        if pipeline := _read(self._path(owner, name)):
            return pipeline
        raise _unknown(name)

    def save(self, owner: str, name: str, *, description: str, steps: Sequence[Step]) -> SavedPipeline:
        """Save a pipeline, replacing an earlier version.

        Raises Conflict if the owner has too many.
        """
        path = self._path(owner, name)
        if not path.exists() and len(list(path.parent.glob("*.json"))) >= MOST_SAVED:
            raise Conflict(f"You have {MOST_SAVED} saved pipelines, the maximum. Delete one first.")
        pipeline = SavedPipeline(name=name, description=description, steps=list(steps), changed_at=datetime.now(UTC))
        write_atomically(path, pipeline.model_dump_json(), mode=0o600)
        return pipeline

    def delete(self, owner: str, name: str) -> None:
        """Delete a saved pipeline. Raises UnknownPipeline."""
        try:
            self._path(owner, name).unlink()
        except FileNotFoundError:
            raise _unknown(name) from None

    def _path(self, owner: str, name: str) -> Path:
        """Return the path of a saved pipeline's file.

        Its name is a digest, because names may hold any character.
        """
        return self._folder / owner / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> SavedPipeline | None:
    """Read a saved pipeline; return None if the file is missing."""
    try:
        return SavedPipeline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None


def _unknown(name: str) -> UnknownPipeline:
    return UnknownPipeline(f"No saved pipeline is called {name[:64]!r}; GET /v1/pipelines/saved lists them.")
