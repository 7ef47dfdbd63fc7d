"""Declarations of operations and services.

REST endpoints, API pages, command line, pipelines and web forms are all made from these declarations.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.config import JsonDict

from shared.declarations.cards import LookCard, ToolGroup
from shared.declarations.vocabulary import Group, InputRole, OperationRole, OutputRole, ParamRole, Unit, Widget
from shared.errors import ModelMissing
from shared.json_digest import json_digest
from shared.memory_need import PROCESS_BYTES, FrameSize


class Kind(StrEnum):
    """Kind of a media item."""

    VIDEO = "video"
    IMAGE = "image"
    IMAGES = "images"
    JSON = "json"
    HTML = "html"
    ARCHIVE = "archive"


AUTO = "auto"
"""Value of an input that another operation makes first. The input's declaration names that operation."""


def makes_unasked(auto_if: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Return whether the server makes an input that a request leaves out.

    `auto_if`: of the input, param values under which the server makes it; `params`: all params of the operation.
    """
    return bool(auto_if) and all(params.get(name) == value for name, value in auto_if.items())


def params_of_maker(params: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the params for the operation that makes an "auto" input.

    They select the part of the clip that is used. If the making operation has `start` and `keep_times`, it works on that part only, and its
    output keeps the clip's times. If not, it works from the clip's first frame to the part's end. `params`: of the operation that takes
    the input; `names`: params of the operation that makes it. Empty for the whole clip, and for a part that is not known yet.
    """
    start, duration = params.get("start") or 0, params.get("duration")
    if not isinstance(start, int | float) or not isinstance(duration, int | float | None) or min(start, duration or 0) < 0:
        return {}
    if start and {"start", "keep_times"} <= set(names):
        part = {"start": start, "duration": duration, "keep_times": True}
    else:
        part = {"duration": start + duration if duration else None}
    return {name: value for name, value in part.items() if name in names and value is not None}


class Sample(StrEnum):
    """A sample medium that every installation has, for use in examples."""

    CLIP = "clip"
    PICTURE = "picture"
    MATTE = "matte"
    PLATE = "plate"


SUFFIXES: Mapping[Kind, str] = {
    Kind.VIDEO: ".mp4",
    Kind.IMAGE: ".png",
    Kind.IMAGES: ".zip",
    Kind.JSON: ".json",
    Kind.HTML: ".html",
    Kind.ARCHIVE: ".zip",
}
"""File name suffix of an output of each kind."""


def form(
    group: Group,
    *,
    unit: Unit | None = None,
    labels: Mapping[str, str] | None = None,
    widget: Widget | None = None,
    role: ParamRole | None = None,
    clip_pixels: bool = False,
    share_of_part: bool = False,
    one_per: str = "",
    taken_from: Sequence[str] = (),
    only_with: Mapping[str, str] | None = None,
) -> JsonDict:
    """Return JSON Schema extras that place and style a parameter in forms.

    They are the `json_schema_extra` of its Field. `labels`: words for each value of a choice. `taken_from`: fields of results that fit,
    as service.operation.field, which a form offers to take over. `only_with`: values of other parameters that this one needs; with other
    values, it must have its default. `Params` checks that. For previews, which run on a smaller copy of a part of the clip:
    `clip_pixels`, the number counts pixels of the clip; `share_of_part`, it is proportional to the length of the part; `one_per`, name of
    the parameter with the seconds that each value of the list covers, from `start` on.
    """
    extra: JsonDict = {"group": group, **cell(unit=unit, labels=labels, widget=widget)}
    if role is not None:
        extra["role"] = role
    if taken_from:
        extra["taken_from"] = list(taken_from)
    if clip_pixels:
        extra["pixels"] = "clip"
    if share_of_part:
        extra["share_of_part"] = True
    if one_per:
        extra["one_per"] = one_per
    if only_with:
        extra["only_with"] = dict(only_with)
    return extra


def cell(*, unit: Unit | None = None, labels: Mapping[str, str] | None = None, widget: Widget | None = None) -> JsonDict:
    """Return the JSON schema extras for a value's look within a list.

    They are the `json_schema_extra` of the item's Field, beside its `title`.
    """
    extra: JsonDict = {}
    if unit is not None:
        extra["unit"] = unit
    if labels is not None:
        extra["labels"] = dict(labels)
    if widget is not None:
        extra["widget"] = widget
    return extra


class Params(BaseModel):
    """Base class of every operation's parameters.

    They are immutable, and an unknown name is an error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_only_with(self) -> Self:
        for name, declared in type(self).model_fields.items():
            extra = declared.json_schema_extra
            needed = extra.get("only_with") if isinstance(extra, dict) else None
            if not isinstance(needed, dict) or getattr(self, name) == declared.default:
                continue
            for other, value in needed.items():
                if getattr(self, other) != value:
                    raise ValueError(f"{name} needs {other} {value}, not {getattr(self, other)}")
        return self


class Progress(Protocol):
    """Receiver of a running operation's progress reports.

    Cheap to call for every frame.
    """

    def __call__(self, done: float, total: float) -> None:
        """Report that `done` of `total` units (usually frames) are finished."""

    def part(self, stage: str, start: float, end: float) -> "Progress":
        """Return a Progress for `stage` that fills part of this Progress.

        The part goes from `start` to `end` (0 to 1).
        """

    def warn(self, message: str) -> None:
        """Add a sentence to the job's warnings.

        The sentence names a property of the source that the result changes or lacks.
        """


class Silent:
    """A Progress that ignores all reports."""

    def __call__(self, done: float, total: float) -> None: ...

    def part(self, stage: str, start: float, end: float) -> Progress:  # noqa: ARG002 the names belong to the protocol
        return self

    def warn(self, message: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of an operation.

    `also`: a second accepted kind, such as a zip file of images beside an image. `many`: the input is one id or a list of at most
    `max_items` ids, and `run` gets a list of paths. `auto`: the output, as service.operation.output, that "auto" in place of an id stands
    for: the gateway makes it first. `auto_if`: params with which the gateway also makes this optional input if a request leaves it out; the
    operation runs without it if it cannot be made. `example`: the operation's example gives this optional input. `title`: a label of two or
    three words; `description`: a sentence. `sets`: params that a form sets when the user draws this mask.
    """

    kind: Kind
    title: str = ""
    description: str = ""
    also: Kind | None = None
    optional: bool = False
    many: bool = False
    max_items: int = 1000
    role: InputRole | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    auto: str = ""
    auto_if: Mapping[str, str] = field(default_factory=dict)
    example: bool = False

    @property
    def sample(self) -> Sample:
        """The sample medium that examples use for this input."""
        if self.kind is Kind.IMAGE:
            return Sample.PLATE if self.role == "plate" else Sample.PICTURE
        return Sample.MATTE if self.role == "matte" else Sample.CLIP

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All accepted kinds."""
        return (self.kind,) if self.also is None else (self.kind, self.also)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Named params of an operation, shown as a card in the studio.

    `title`: two or three words. `sentence`: description of the result. `params`: an instance of the operation's params, or of a base class
    of them. Required params that the base class lacks come from the user.
    """

    name: str
    title: str
    sentence: str
    params: Params


PreviewKind = Literal["part", "cut", "whole"]
"""Part of the proxies that a preview reads.

In this order: the part that `start` and `duration` select; a part that is cut out before the operation runs; the whole.
"""


@dataclass(frozen=True, kw_only=True)
class KeptMeasurement:
    """A measurement file that operations of a service share.

    With it, the same content is measured once. `run` gets its path as the argument `name`: it reads the file if it exists, and
    otherwise writes it. `input`: the measured input. `depends_on`: returns what the measurements depend on besides the content, None if
    `run` needs none with these params. `version`: raise it whenever they change.
    """

    name: str
    input: str
    depends_on: Callable[[Any], dict[str, Any] | None]
    version: int = 1

    def key(self, service: str, params: BaseModel, content: Callable[[], Any]) -> str | None:
        """Return the key of the measurement file.

        None if `params` need no measurements. `content`: returns the digest of the measured input; called only if needed.
        """
        depends_on = self.depends_on(params)
        return None if depends_on is None else json_digest([service, self.name, self.version, content(), depends_on])


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a service.

    `run(params, *, <inputs>, <outputs>, progress) -> result` is an ordinary function on files. Each input is a path, under its own name;
    an optional input that is not given is None. A single output is the path `output`; several are `outputs`, a mapping of names to paths.
    An output that `run` does not write is left out of the job. `needs`: at least one of these optional inputs must be given. `version`:
    raise it whenever the same inputs and params give a different result, because results are remembered by it.
    """

    name: str
    summary: str
    params: type[Params]
    result: type[BaseModel]
    inputs: Mapping[str, Input | Kind]
    outputs: Mapping[str, Kind] = field(default_factory=dict)
    output_roles: Mapping[str, OutputRole] = field(default_factory=dict)
    """Name of an output -> its role. Most outputs have none."""
    run: Callable[..., BaseModel]
    example: Params
    version: int = 1
    title: str = ""
    """Label of two or three words."""
    role: OperationRole | None = None
    """What the operation does for the studio's editors."""
    is_tool: bool = True
    """Whether the studio lists the operation among its tools. Other operations are run by the studio's viewers and editors."""
    look: LookCard | None = None
    presets: tuple[Preset, ...] = ()
    cut_in_previews: bool = False
    """Whether a preview gets only a part of its videos. For operations without `start` and `duration` that read whole clips."""
    needs: tuple[str, ...] = ()
    measurement: KeptMeasurement | None = None
    remembered: bool = True
    """Whether a result may be returned again for the same content and params."""
    names_inputs: bool = False
    """Whether the result contains file names of inputs. If so, a result is reused only for inputs of the same names."""
    refuse: Callable[[Any, Mapping[str, Any]], None] = lambda _params, _inputs: None
    """Raise Invalid for params that contradict each other or the inputs. The inputs are name -> media ids or paths.

    Called before a job is queued."""
    bytes_per_pixel: Callable[[Any], float] = lambda _params: 0
    """Return the memory of a job per pixel of its largest picture. The params determine it (benchmarks/suite/bench_memory.py)."""
    process_bytes: Callable[[Any], int] | int = PROCESS_BYTES
    """Memory of a job without its pictures: its process with libraries and networks. A function returns it from the params."""
    refuse_sizes: Callable[[Any, Mapping[str, FrameSize]], None] = lambda _params, _sizes: None
    """Raise Invalid for params that need too much memory for the inputs. The inputs are name -> size of the largest medium.

    Called before a job is queued, for inputs whose size is known."""
    unavailable: Callable[[Any], str | None] = lambda _params: None
    """Return the command that installs what `params` need; None if nothing is missing."""
    file_prefix: Callable[[Any], str] | None = None
    """Return the prefix of output file names on the command line. The result determines it: "rvm_" gives rvm_alpha.mp4."""

    @property
    def service(self) -> str:
        """The service's URL name, the part before the dot."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The operation's URL name within its service, the part after the dot."""
        return self.name.partition(".")[2]

    def check_available(self, params: Params) -> None:
        """Raise ModelMissing if `params` need a missing model or package.

        The message has the command to run.
        """
        if command := self.unavailable(params):
            raise ModelMissing(f"These parameters need something that is not installed. Run: {command}")

    @property
    def ports(self) -> dict[str, Input]:
        """All inputs, each as an `Input`."""
        return {name: port if isinstance(port, Input) else Input(kind=port) for name, port in self.inputs.items()}

    @property
    def preview_kind(self) -> PreviewKind | None:
        """Way in which a preview reads proxies (small video copies).

        None without video input. "part": the operation reads a part by itself. "cut": it gets cut proxies. "whole": it reads whole proxies.
        """
        if not any(Kind.VIDEO in port.kinds for port in self.ports.values()):
            return None
        if {"start", "duration"} <= self.params.model_fields.keys():
            return "part"
        return "cut" if self.cut_in_previews else "whole"

    @property
    def example_inputs(self) -> dict[str, Input]:
        """All required inputs, the first input of `needs`, and inputs marked `example`."""
        first = next(iter(self.needs), None)
        return {name: port for name, port in self.ports.items() if not port.optional or port.example or name == first}


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: URL name, title, table of operations, and heading of its tools.

    The table is `OPERATIONS` in `module`. `commands`: "module:function" that adds more commands to the service's group of the command line:
    it gets the group (a `typer.Typer`) and a function that reads the settings, with changes as keywords, and makes them current.
    `packages`: import name of a package that not every machine has -> what needs it.
    """

    name: str
    title: str
    module: str
    operations: tuple[Operation, ...]
    tools: ToolGroup | None = None
    commands: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
