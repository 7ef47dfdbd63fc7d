"""A model and its files, as the catalog describes them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """A file inside a published wheel.

    `wheel`: pip's requirement with an exact version; `member`: path inside; `sha256`: of the wheel.
    """

    wheel: str
    member: str
    sha256: str

    def __str__(self) -> str:
        return f"pip: {self.wheel}, {self.member}"


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a model, with its sources.

    `path`: in the model's folder. Sources, tried in this order: `url`, `hub_path` in the model's hub repository, and `wheel`, which pip
    downloads. `checksum`: published `sha256:<hex>` or `md5:<hex>`, or None; the file must match it whatever its source. `size`: bytes, if
    known for certain. A file of a wheel needs both (ValueError).
    """

    path: str
    url: str = ""
    hub_path: str = ""
    wheel: WheelMember | None = None
    checksum: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.wheel and not (self.checksum and self.size):
            raise ValueError(f"{self.path} comes out of a wheel: its checksum and size must be given")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of the catalog: licence, purpose and files.

    `source`: web page of the model; `repository` and `revision`: of its hub files. `package`: an importable package that contains the files
    (nothing is downloaded; `extra` of this project installs it). `gated`: the hub requires an account that accepted the licence (HF_TOKEN).
    `about_bytes`: approximate size, for display; `File.size` is checked. `converts`: jobs keep converted networks beside the files.
    """

    name: str
    title: str
    purpose: str
    services: tuple[str, ...]
    source: str
    licence: str
    commercial_use: bool
    files: tuple[File, ...]
    repository: str = ""
    revision: str = "main"
    package: str = ""
    extra: str = ""
    gated: bool = False
    about_bytes: int | None = None
    notes: str = ""
    converts: bool = False

    @property
    def command(self) -> str:
        """The command that installs the model.

        A model that its licence bars from commercial use needs an explicit flag.
        """
        if self.package:
            return f"pip install 'reelwright[{self.extra}]'"
        return f"reelwright models pull {self.name}" + ("" if self.commercial_use else " --non-commercial")


def hub_files(*paths: str) -> tuple[File, ...]:
    """Return files whose local paths equal their paths on the hub.

    `paths`: in the model's folder and in its hub repository.
    """
    return tuple(File(path=path, hub_path=path) for path in paths)
