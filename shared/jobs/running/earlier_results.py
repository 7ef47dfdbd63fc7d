"""Reuse of earlier jobs' results.

A result is found again by everything that it depends on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import UnknownMedia
from shared.jobs.database.history import EarlierResult, History
from shared.json_digest import json_digest
from shared.media.store import MediaStore
from shared.models.folder import ModelFolder
from shared.models.state import installed_state
from shared.operation import Operation

FORMAT = 1
"""Version of the format of result keys. Raise it if keys must no longer match those of earlier releases."""

Inputs = Mapping[str, str | list[str] | None]


@dataclass(frozen=True)
class ResultMemory:
    """Lookup of earlier results among an installation's stored jobs.

    Every method blocks on the disk or the database.
    """

    history: History
    media: MediaStore
    models: ModelFolder

    def find(self, operation: Operation, *, owner: str, inputs: Inputs, params: dict[str, Any]) -> EarlierResult | None:
        """Return an earlier result of `operation` with these inputs and params, or None."""
        key = self.key(operation, owner=owner, inputs=inputs, params=params)
        return self.recall(owner, key) if key else None

    def key(self, operation: Operation | None, *, owner: str, inputs: Inputs, params: dict[str, Any]) -> str | None:
        """Return the key of a result: a digest of everything it depends on.

        It depends on operation and version, content of the inputs, params with defaults, and installed models. None for an
        operation that is not remembered, or if an input is gone.
        """
        if operation is None or not operation.remembered:
            return None
        try:
            content = {name: self._content(owner, source, named=operation.names_inputs) for name, source in inputs.items() if source}
            models = installed_state(self.models, operation.service)
        except (UnknownMedia, FileNotFoundError):
            return None
        return json_digest([FORMAT, operation.name, operation.version, content, params, models])

    def recall(self, owner: str, key: str) -> EarlierResult | None:
        """Return the newest earlier result with this key, or None.

        Only results whose outputs still exist count.
        """
        return next((past for past in self.history.remembered(owner, key) if self._exists(owner, past.outputs)), None)

    def _content(self, owner: str, source: str | list[str], *, named: bool) -> Any:
        """Return the SHA-256 of the medium `source`, as [SHA-256, name] if `named`.

        A list of media ids gives a list.
        """
        if isinstance(source, list):
            return [self._content(owner, media_id, named=named) for media_id in source]
        record = self.media.get(owner, source)
        return [record.sha256, record.name] if named else record.sha256

    def _exists(self, owner: str, outputs: dict[str, Any]) -> bool:
        try:
            for output in outputs.values():
                self.media.content_path(owner, output["id"])
        except UnknownMedia:
            return False
        return True
