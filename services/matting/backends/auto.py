"""Choice of a matting backend for a clip."""

from dataclasses import dataclass

from services.matting.backends.backend import Backend, Sample, SubjectKind
from services.matting.backends.difference import plate_problem
from services.matting.backends.options import NetworkOptions
from services.matting.backends.table import BACKENDS, BY_NAME
from shared.errors import Invalid, ModelMissing
from shared.models.folder import install_command, installed

ORDER = ("difference", "chroma", "matanyone2", "rvm-resnet50", "rvm", "birefnet", "u2netp")
"""Backends that `auto` considers, in this order."""
PROCESS_BYTES = 350 * 1000**2
"""Bytes used by a job with a small network, without its pictures. Measured by benchmarks/suite/bench_memory.py."""
FIRST_TO_INSTALL = "rvm-mobilenetv3"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A chosen backend, and the reason for the choice.

    `reason`: a clause. `plate_problem`: why the user's plate does not fit; None if it fits.
    """

    backend: Backend
    reason: str
    plate_problem: str | None = None

    def unused_plate(self, plate: object | None) -> str | None:
        """Return why `plate` is unused, or None if it is used or not given.

        `plate`: the user's clean plate. The reason is a clause.
        """
        if plate is None or self.plate_problem or self.backend.uses_plate:
            return self.plate_problem
        return f"the backend {self.backend.name} uses none"


def missing(name: str, options: NetworkOptions) -> str | None:
    """Return the command that installs a backend's missing model or package.

    Returns None if nothing is missing, or if `name` is `auto`.
    """
    backend = BY_NAME.get(name)
    if backend is None:
        return None
    chosen = backend.chosen(options)
    models = (chosen,) if chosen else backend.models
    if models and not any(installed(model) for model in models):
        return install_command(models[0])
    return backend.missing()


def named(name: str) -> Choice:
    """Return the `Choice` for a backend that the request names.

    Raises Invalid for an unknown name.
    """
    if name not in BY_NAME:
        raise Invalid.field("params.backend", f"there is no backend {name} here", f"The backend {name} is not part of this installation.")
    return Choice(backend=BY_NAME[name], reason="the request names this backend")


def check_needs(backend: Backend, *, mask: bool, plate: bool) -> None:
    """Raise Invalid if the backend needs a mask or plate that is missing."""
    if backend.needs_mask and not mask:
        sentence = f"The backend {backend.name} needs a mask of the subject on the first frame. Draw one, or make one with matting.mask."
        raise Invalid.field("inputs.mask", f"the backend {backend.name} needs a mask", sentence)
    backend.check_plate(has_plate=plate)


def memory_bytes(name: str) -> int:
    """Estimate the memory of a job with backend `name`, without its pictures, in bytes.

    For `auto`, the estimate is for a small network: the backend is chosen only in the job.
    """
    return PROCESS_BYTES + (BY_NAME[name].memory_bytes if name in BY_NAME else 0)


def choose(sample: Sample, options: NetworkOptions) -> Choice:
    """Choose the first backend of ORDER that suits the clip.

    If none suits, takes the first installed network that needs no mask. Raises ModelMissing if there is none.
    """
    looked_for_people = False
    for name in ORDER:
        backend = BY_NAME.get(name)
        if backend is None or (backend.models and missing(name, options)):
            continue
        looked_for_people = looked_for_people or backend.finds == SubjectKind.PEOPLE
        if reason := backend.suits(sample):
            if backend.finds == SubjectKind.OBJECTS:
                reason = f"{'no people were found' if looked_for_people else 'no network for people is installed'}, and {reason}"
            return Choice(backend=backend, reason=reason, plate_problem=plate_problem(sample))
    rest = [
        row
        for row in BACKENDS
        if row.name in ORDER and row.models and row.commercial_use and not row.needs_mask and not missing(row.name, options)
    ]
    if rest:
        reason = "no people were found, but no network for other objects is installed"
        return Choice(backend=rest[0], reason=reason, plate_problem=plate_problem(sample))
    raise ModelMissing(f"No installed backend suits this clip. To install one, run: {install_command(FIRST_TO_INSTALL)}")
