"""What an operation is: a name, two models, its files and one plain function.

REST, the API pages, the command line, pipelines and the web form are all read from this one declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from shared.errors import ModelMissing


class Kind(StrEnum):
    """What a media record holds."""

    VIDEO = "video"
    IMAGE = "image"
    IMAGES = "images"
    JSON = "json"
    HTML = "html"
    ARCHIVE = "archive"


SUFFIXES: Mapping[Kind, str] = {
    Kind.VIDEO: ".mp4",
    Kind.IMAGE: ".png",
    Kind.IMAGES: ".zip",
    Kind.JSON: ".json",
    Kind.HTML: ".html",
    Kind.ARCHIVE: ".zip",
}
"""The file name suffix that an output of each kind is written under."""


class Params(BaseModel):
    """Base of every operation's parameters: an unknown name is an error, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Progress(Protocol):
    """How a running operation tells where it is. Cheap to call for every frame."""

    def __call__(self, done: float, total: float) -> None:
        """Report that `done` of `total` (frames, usually) are finished."""

    def part(self, stage: str, start: float, end: float) -> "Progress":
        """A Progress for one stage, which covers the fractions `start` to `end` (0 to 1) of this one."""

    def warn(self, message: str) -> None:
        """Add a sentence to the job's warnings, for what was changed about the file or could not be kept."""


class Silent:
    """A Progress that ignores every report."""

    def __call__(self, done: float, total: float) -> None: ...

    def part(self, stage: str, start: float, end: float) -> Progress:  # noqa: ARG002 the names belong to the protocol
        return self

    def warn(self, message: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of an operation.

    `also`: a second kind that is taken as well, such as a zip file of pictures where pictures are. `many`: an id or a list of at most
    `most` ids is taken, and `run` gets a list of paths.
    """

    kind: Kind
    also: Kind | None = None
    optional: bool = False
    many: bool = False
    most: int = 1000

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind that is taken."""
        return (self.kind,) if self.also is None else (self.kind, self.also)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One capability.

    `run(params, *, <inputs>, <outputs>, progress) -> result` is an ordinary function on files: each input comes as the path under
    its name (None where an optional one was not given); one output comes as `output`, several come as `outputs`, a mapping of their
    names to paths. An output that `run` leaves unwritten is not part of the job's result. `needs`: of these optional inputs at least
    one has to be given. `version` grows by one whenever equal inputs and params give another result than before, since results are
    remembered.
    """

    name: str
    summary: str
    params: type[Params]
    result: type[BaseModel]
    inputs: Mapping[str, Input | Kind]
    outputs: Mapping[str, Kind] = field(default_factory=dict)
    run: Callable[..., BaseModel]
    example: Params
    version: int = 1
    needs: tuple[str, ...] = ()
    unavailable: Callable[[Any], str | None] = lambda _params: None
    """Whether these params ask for something that is not installed: then the one command that would install it."""

    @property
    def service(self) -> str:
        """URL name of the service, the part before the dot."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """URL name of the operation within its service, the part after the dot."""
        return self.name.partition(".")[2]

    def check_available(self, params: Params) -> None:
        """Raise ModelMissing, with the command that installs it, where what `params` ask for is missing."""
        if command := self.unavailable(params):
            raise ModelMissing(f"{self.name} cannot run yet with these parameters. Run: {command}")

    @property
    def ports(self) -> dict[str, Input]:
        """The inputs, each as an `Input`."""
        return {name: port if isinstance(port, Input) else Input(kind=port) for name, port in self.inputs.items()}

    @property
    def example_inputs(self) -> dict[str, Input]:
        """The inputs that an example gives: those that have to be, and the first of those of which one has to."""
        return {name: port for name, port in self.ports.items() if not port.optional or name == next(iter(self.needs), None)}


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: its URL name, its title and its table of operations, which stand as `OPERATIONS` in `module`.

    `commands`: "module:function" that adds more commands to the service's group of the command line: it gets the group (a `typer.Typer`)
    and a function that reads the settings, with changes as keywords, and puts them in force.
    """

    name: str
    title: str
    module: str
    operations: tuple[Operation, ...]
    commands: str = ""
