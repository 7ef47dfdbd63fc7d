"""The models folder: one folder per model, and records of its files.

`reelwright models pull` or the operator fills it. Files put there by hand work without further steps: `<models folder>/<model>/<path>`.
`manifest.json` beside a model's files records the source and the SHA-256 of each when it is pulled or first used. From then on the file
must match: its checksum is computed again whenever its size or modification time differs from the last check.
"""

import importlib.util
import json
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from shared.errors import ModelDamaged, ModelMissing, UnknownModel
from shared.media.disk import write_atomically
from shared.models.catalog.table import CATALOG
from shared.models.digest import digests
from shared.models.model import File, Model
from shared.settings import current

MANIFEST = "manifest.json"


class FileRecord(BaseModel):
    """Record of a model file, made by its last check."""

    sha256: str
    size: int
    changed_ns: int = Field(description="Modification time at the last check.")
    source: str = Field("", description="Where it was pulled from; empty: put there by hand.")
    revision: str = ""


class Manifest(BaseModel):
    """The content of `manifest.json`: a record of each of a model's files, by path."""

    files: dict[str, FileRecord] = {}


@dataclass(frozen=True)
class ModelFolder:
    """The models folder of an installation."""

    root: Path
    catalog: tuple[Model, ...] = CATALOG

    @classmethod
    def current(cls) -> "ModelFolder":
        """Return the models folder of the current settings."""
        return cls(current().models_folder)

    def model(self, name: str) -> Model:
        """Return the model `name`. Raises UnknownModel."""
        for model in self.catalog:
            if model.name == name:
                return model
        raise UnknownModel(f"No model is called {name[:64]!r}. `reelwright models list` shows all models.")

    def path(self, model: Model, file: File) -> Path:
        """Return the path of a model's file, existing or not."""
        if model.package:
            spec = importlib.util.find_spec(model.package)
            return Path(spec.origin).parent / file.path if spec and spec.origin else self.root / model.name / file.path
        return self.root / model.name / file.path

    def installed(self, model: Model) -> bool:
        """Return whether all files of a model exist, with the expected sizes where known.

        Reads no file: quick enough for every request.
        """
        return all(_present(self.path(model, file), file.size) for file in model.files)

    def bytes_on_disk(self, model: Model) -> int:
        """Return the total size of a model's files."""
        paths = (self.path(model, file) for file in model.files)
        return sum(path.stat().st_size for path in paths if path.is_file())

    def manifest(self, model: Model) -> Manifest:
        """Return the recorded state of a model's files; empty without a record.

        Raises ModelDamaged for an unreadable record: without it, a changed file could pass for the recorded one.
        """
        path = self.root / model.name / MANIFEST
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except (OSError, ValidationError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise ModelDamaged(
                f"{model.name}/{MANIFEST}, which records the checksums of {model.title}, cannot be read ({why}). "
                f"To download the model again, run: {model.command} --renew. To keep its current files, run: {_record_command(model)}"
            ) from error

    def record(self, model: Model, file: File, **values: Any) -> None:
        """Record the state of a model's file; `values` are fields of FileRecord.

        A read-only folder is left unchanged.
        """
        manifest = self.manifest(model)
        files = manifest.files | {file.path: FileRecord(**values)}
        target = self.root / model.name / MANIFEST
        with suppress(OSError):
            listed = {path: file.model_dump() for path, file in sorted(files.items())}
            write_atomically(target, json.dumps({"files": listed}, indent=2) + "\n")

    def forget(self, model: Model) -> None:
        """Delete the recorded state of a model's files."""
        with suppress(OSError):
            (self.root / model.name / MANIFEST).unlink()

    def check(self, model: Model, file: File, *, again: bool = False) -> FileRecord:
        """Verify a file against its published and its recorded checksum.

        Returns the file's record. Raises ModelMissing or ModelDamaged. A file is read only if it has changed since the last check, or with
        `again`.
        """
        path = self.path(model, file)
        name = f"{model.name}/{file.path}"  # clients see errors, and learn no paths of the server
        try:
            state = path.stat()
        except OSError:
            raise missing_error(model) from None
        if not stat.S_ISREG(state.st_mode):
            raise ModelDamaged(f"{name} is not a file. {_remedy(model)}")
        record = self.manifest(model).files.get(file.path)
        if record and not again and (record.size, record.changed_ns) == (state.st_size, state.st_mtime_ns):
            return record
        try:
            sha256, published = digests(path, file.checksum)
        except OSError as error:
            raise ModelDamaged(f"{name} cannot be read: {error.strerror}. {_remedy(model)}") from error
        if published != file.checksum:
            raise ModelDamaged(f"{name} is damaged: its checksum is {published}, but {file.checksum} is published. {_remedy(model)}")
        if record and sha256 != record.sha256:
            raise ModelDamaged(
                f"{name} has changed: its checksum is sha256:{sha256}, but sha256:{record.sha256} is recorded. {_remedy(model)}"
            )
        values = {"sha256": sha256, "size": state.st_size, "changed_ns": state.st_mtime_ns}
        origin = {"source": record.source, "revision": record.revision} if record else {}
        if not model.package:
            self.record(model, file, **values, **origin)
        return FileRecord(**values, **origin)


def installed(name: str) -> bool:
    """Return whether the model `name` is installed.

    Reads no file, so API processes can call it for every request.
    """
    folder = ModelFolder.current()
    return folder.installed(folder.model(name))


def install_command(*names: str) -> str | None:
    """Return the command that installs the missing models of `names`, or None.

    None if no model is missing. With REELWRIGHT_MODELS_AUTO_PULL, models that a job may pull by itself do not count as missing.
    """
    settings = current()
    folder = ModelFolder(settings.models_folder)
    missing = [model for name in names if not folder.installed(model := folder.model(name))]
    commands = [model.command for model in missing if not (settings.models_auto_pull and pulled_by_jobs(model))]
    return " && ".join(commands) or None


def pulled_by_jobs(model: Model) -> bool:
    """Return whether auto-pull may install this model within a job.

    The setting is REELWRIGHT_MODELS_AUTO_PULL; the model must be free for commercial use and need no account.
    """
    return model.commercial_use and not model.gated and not model.package


def missing_error(model: Model) -> ModelMissing:
    """Return the error for a model that is not installed."""
    return ModelMissing(f"The weights of {model.title} are not installed. Run: {model.command}")


def _remedy(model: Model) -> str:
    return f"To download it again, run: {model.command}. If you changed it yourself, run: {_record_command(model)}"


def _record_command(model: Model) -> str:
    return f"reelwright models verify {model.name} --record"


def _present(path: Path, size: int | None) -> bool:
    try:
        state = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size > 0 and (size is None or state.st_size == size)
