"""Storage of resumable uploads, one folder per upload.

Layout: `<data_dir>/uploads/<owner>/<id>/` with `data`, `state.json` and `lock`.

The size of `data` is the offset of the upload, so the offset stays correct after a crash and no received byte is lost. The exception is
bytes whose checksum has not been verified yet: they begin at `unverified_from` of the state and are not part of the offset.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gateway.uploads.errors import UnknownUpload, UploadExpired, UploadLocked
from shared.media.ids import is_id, is_owner, new_id
from shared.media.reservations import UPLOAD_DATA, UPLOADS

STATE, DATA, LOCK, TRASH = "state.json", UPLOAD_DATA, "lock", ".trash"


class UploadState(BaseModel):
    """State of an upload, as stored in `state.json`.

    Sizes and offsets are in bytes.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    metadata: str
    length: int
    unverified_from: int | None = None
    media_id: str | None = None
    """Id of the medium. Stored before the medium is published, so that repeated attempts publish one medium."""
    done: bool = False


class Upload:
    """Storage of one upload: its bytes, state and lock.

    All methods block on the disk.
    """

    def __init__(self, folder: Path, *, owner: str, ttl: timedelta):
        self.folder, self.owner, self._ttl = folder, owner, ttl
        self.data = folder / DATA

    @property
    def id(self) -> str:
        return self.folder.name

    def read(self) -> UploadState:
        """Read the upload's state.

        Raises UnknownUpload, or UploadExpired if the client did not continue in time.
        """
        try:
            state = UploadState.model_validate_json((self.folder / STATE).read_bytes())
            if self.expires_at() < datetime.now(UTC):
                raise UploadExpired(f"The upload {self.id} has expired: start a new one.")
        except FileNotFoundError:
            raise _unknown(self.id) from None
        return state

    def write(self, state: UploadState) -> UploadState:
        """Replace the upload's state atomically."""
        fresh = self.folder / f"{STATE}.new"
        try:
            fresh.write_text(state.model_dump_json(), encoding="utf-8")
            os.replace(fresh, self.folder / STATE)
        except FileNotFoundError:
            raise _unknown(self.id) from None
        return state

    def offset(self, state: UploadState) -> int:
        """Return the number of received bytes, without unverified bytes."""
        if state.done:
            return state.length
        return self.data.stat().st_size if state.unverified_from is None else state.unverified_from

    def drop_unverified(self) -> UploadState:
        """Drop the unverified bytes, and return the new state.

        The caller holds the lock.
        """
        state = self.read()
        if state.unverified_from is None:
            return state
        os.truncate(self.data, state.unverified_from)
        return self.write(state.model_copy(update={"unverified_from": None}))

    def expires_at(self) -> datetime:
        """Return when the upload expires, counted from its last change.

        A change is a received byte or a new state.

        Raises FileNotFoundError if the upload was removed.
        """
        last = (self.folder / STATE).stat().st_mtime
        with contextlib.suppress(FileNotFoundError):  # a finished upload has no `data`
            last = max(last, self.data.stat().st_mtime)
        return datetime.fromtimestamp(last, UTC) + self._ttl

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the upload's lock while the block runs.

        Only one request of all processes can hold it. Raises UploadLocked at once if another request holds it. The kernel releases the
        lock when the process that holds it dies.
        """
        try:
            file = (self.folder / LOCK).open("rb")
        except FileNotFoundError:
            raise _unknown(self.id) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                detail = f"Another request is writing to the upload {self.id}: try again when that request has ended."
                raise UploadLocked(detail, headers={"Retry-After": "1"}) from error
            if not (self.folder / STATE).exists():  # removed between opening and locking
                raise _unknown(self.id)
            yield

    def remove(self) -> None:
        """Delete the upload and all received bytes.

        The caller holds the lock.
        """
        trash = self.folder.parent.parent / TRASH / new_id()
        trash.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.folder, trash)
        shutil.rmtree(trash, ignore_errors=True)


def uploads_in(data_dir: Path, *, ttl_s: float) -> "Uploads":
    """Return the storage of all uploads below a data folder."""
    return Uploads(data_dir / UPLOADS, ttl_s=ttl_s)


class Uploads:
    """Storage of all uploads, on the media store's volume."""

    def __init__(self, root: Path, *, ttl_s: float):
        self.root = root.absolute()
        self._ttl = timedelta(seconds=ttl_s)

    def create(self, owner: str, state: UploadState) -> Upload:
        """Create an empty upload for `owner`, with the given state."""
        upload = self._upload(owner, new_id())
        upload.folder.mkdir(parents=True)
        (upload.folder / LOCK).touch()
        upload.data.touch()
        upload.write(state)
        return upload

    def find(self, owner: str, upload_id: str) -> Upload:
        """Return an upload of `owner`. Raises UnknownUpload."""
        if not is_owner(owner) or not is_id(upload_id) or not (self.root / owner / upload_id / STATE).exists():
            raise _unknown(upload_id[:64])
        return self._upload(owner, upload_id)

    def sweep(self, now: datetime) -> list[str]:
        """Remove all uploads that expired before `now`; return their ids.

        Uploads that a request is writing to stay.
        """
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
    return UnknownUpload(f"There is no upload {upload_id!r}: it was deleted, refused or has expired. Start a new one.")
