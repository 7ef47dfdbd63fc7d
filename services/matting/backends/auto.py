"""Choice of a backend for a clip."""

from dataclasses import dataclass

from services.matting.backends.backend import Backend, Sample
from services.matting.backends.difference import plate_problem
from services.matting.backends.table import BACKENDS, BY_NAME
from shared.errors import Invalid, ModelMissing
from shared.models.folder import install_command, installed

ORDER = ("difference", "chroma", "matanyone2", "rvm-resnet50", "rvm", "birefnet", "u2netp")
"""Backends that `auto` considers, in this order."""
FIRST_TO_INSTALL = "rvm-mobilenetv3"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A chosen backend and the reason for it.

    `reason`: a clause. `plate_problem`: why the user's plate does not fit; None if it fits.
    """

    backend: Backend
    reason: str
    plate_problem: str | None = None


def missing(name: str) -> str | None:
    """Return the command that installs what a backend needs.

    None if nothing is missing, and for `auto`.
    """
    backend = BY_NAME.get(name)
    if backend is None:
        return None
    if backend.models and not any(installed(model) for model in backend.models):
        return install_command(backend.models[0])
    return backend.missing()


def named(name: str) -> Choice:
    """Return the backend that the request names.

    Raises Invalid for an unknown name.
    """
    if name not in BY_NAME:
        raise Invalid.field("params.backend", "unknown", f"The backend {name} is not part of this installation.")
    return Choice(backend=BY_NAME[name], reason="the request names it")


def choose(sample: Sample) -> Choice:
    """Return the first backend of ORDER that suits the clip.

    Raises ModelMissing if no suitable backend is installed.
    """
    for name in ORDER:
        backend = BY_NAME.get(name)
        if backend is None or (backend.models and missing(name)):
            continue
        if reason := backend.suits(sample):
            return Choice(backend=backend, reason=reason, plate_problem=plate_problem(sample))
    rest = [
        row for row in BACKENDS if row.name in ORDER and row.models and row.commercial_use and not row.needs_mask and not missing(row.name)
    ]
    if rest:
        reason = "nothing else is installed that could do better"
        return Choice(backend=rest[0], reason=reason, plate_problem=plate_problem(sample))
    raise ModelMissing(f"No backend that is installed suits this clip. Run: {install_command(FIRST_TO_INSTALL)}")
