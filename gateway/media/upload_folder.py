"""Resumable uploads on disk: `<data_dir>/uploads/<owner>/<id>/` with `data`, `state.json` and `lock`.

How far an upload has come is the size of `data`, so it is right after a crash too, and what was received is not lost. Only bytes that a
checksum has still to vouch for do not count: `unverified_from` in the state says where they begin.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gateway.media.upload_errors import UnknownUpload, UploadExpired, UploadLocked
from shared.media.ids import is_id, is_owner, new_id

STATE, DATA, LOCK, TRASH = "state.json", "data", "lock", ".trash"


class UploadState(BaseModel):
    """What is remembered of an upload. Sizes and offsets are in bytes."""

    model_config = ConfigDict(frozen=True)

    name: str
    metadata: str
    length: int
    unverified_from: int | None = None
    media_id: str | None = None
    """Kept from before the medium is published, so that it is published once however often that is tried."""
    done: bool = False


class Upload:
    """One upload. All methods block on the disk."""

    def __init__(self, folder: Path, *, owner: str, ttl: timedelta):
        self.folder, self.owner, self._ttl = folder, owner, ttl
        self.data = folder / DATA

    @property
    def id(self) -> str:
        return self.folder.name

    def read(self) -> UploadState:
        """Its state. Raises UnknownUpload where it is gone, UploadExpired where nobody continued it in time."""
        try:
            state = UploadState.model_validate_json((self.folder / STATE).read_bytes())
            if self.expires_at() < datetime.now(UTC):
                raise UploadExpired(f"The upload {self.id} was not continued in time: begin a new one.")
        except FileNotFoundError:
            raise _unknown(self.id) from None
        return state

    def write(self, state: UploadState) -> UploadState:
        """Replace its state, whole or not at all."""
        fresh = self.folder / f"{STATE}.new"
        try:
            fresh.write_text(state.model_dump_json(), encoding="utf-8")
            os.replace(fresh, self.folder / STATE)
        except FileNotFoundError:
            raise _unknown(self.id) from None
        return state

    def offset(self, state: UploadState) -> int:
        """How many bytes have come and count."""
        if state.done:
            return state.length
        return self.data.stat().st_size if state.unverified_from is None else state.unverified_from

    def settled(self) -> UploadState:
        """Its state once bytes that no checksum vouched for are cut off. The lock has to be held."""
        state = self.read()
        if state.unverified_from is None:
            return state
        os.truncate(self.data, state.unverified_from)
        return self.write(state.model_copy(update={"unverified_from": None}))

    def expires_at(self) -> datetime:
        """When it may be removed: so long after the last byte. FileNotFoundError where it is gone."""
        last = (self.folder / STATE).stat().st_mtime
        with contextlib.suppress(FileNotFoundError):  # it has become a medium
            last = max(last, self.data.stat().st_mtime)
        return datetime.fromtimestamp(last, UTC) + self._ttl

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one, of all processes, to change this upload. Raises UploadLocked at once where somebody else is.

        The lock is the kernel's, so that it ends with the process that holds it.
        """
        try:
            file = (self.folder / LOCK).open("rb")
        except FileNotFoundError:
            raise _unknown(self.id) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                detail = f"Another request is writing to the upload {self.id}: try again when it has ended."
                raise UploadLocked(detail, headers={"Retry-After": "1"}) from error
            if not (self.folder / STATE).exists():  # removed between opening and locking
                raise _unknown(self.id)
            yield

    def remove(self) -> None:
        """Delete it and what was received. The lock has to be held."""
        grave = self.folder.parent.parent / TRASH / new_id()
        grave.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.folder, grave)
        shutil.rmtree(grave, ignore_errors=True)


class Uploads:
    """All uploads under one folder, which lies on the volume of the media store."""

    def __init__(self, root: Path, *, ttl_s: float):
        self.root = root.absolute()
        self._ttl = timedelta(seconds=ttl_s)

    def create(self, owner: str, state: UploadState) -> Upload:
        """Begin an upload."""
        upload = self._upload(owner, new_id())
        upload.folder.mkdir(parents=True)
        (upload.folder / LOCK).touch()
        upload.data.touch()
        upload.write(state)
        return upload

    def find(self, owner: str, upload_id: str) -> Upload:
        """An upload of `owner`. Raises UnknownUpload."""
        if not is_owner(owner) or not is_id(upload_id) or not (self.root / owner / upload_id / STATE).exists():
            raise _unknown(upload_id[:64])
        return self._upload(owner, upload_id)

    def sweep(self, now: datetime) -> list[str]:
        """Remove uploads that have expired by `now` and are not being written to; gives their ids."""
        removed = []
        for folder in self.root.glob("*/*"):
            owner, upload_id = folder.parent.name, folder.name
            if owner == TRASH:
                shutil.rmtree(folder, ignore_errors=True)
            if not is_owner(owner) or not is_id(upload_id):
                continue
            upload = self._upload(owner, upload_id)
            with contextlib.suppress(FileNotFoundError, UploadLocked, UnknownUpload):
                if upload.expires_at() < now:
                    with upload.locked():
                        upload.remove()
                    removed.append(upload_id)
        return removed

    def _upload(self, owner: str, upload_id: str) -> Upload:
        return Upload(self.root / owner / upload_id, owner=owner, ttl=self._ttl)


def _unknown(upload_id: str) -> UnknownUpload:
    return UnknownUpload(f"There is no upload {upload_id!r}: it was ended, refused or has expired. Begin a new one.")
