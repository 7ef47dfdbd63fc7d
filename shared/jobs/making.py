"""References to inputs that other jobs make."""

from dataclasses import dataclass

_MAKING, _OPTIONAL = "made:", "?"
_FAILED = _MAKING + _OPTIONAL
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Making:
    """Reference to an output that another job makes, in place of an input.

    It is written `made:<job id>.<output>`, with `?` at the end if the input is left out when its job fails. `made:?<reason>` is an optional
    input whose job could not be started.
    """

    job: str
    output: str
    is_optional: bool = False
    reason: str = ""

    @classmethod
    def failed(cls, reason: str) -> "Making":
        """Return the reference to an optional input whose job could not be started."""
        return cls("", "", is_optional=True, reason="".join(filter(str.isprintable, reason))[:LONGEST_REASON])

    def __str__(self) -> str:
        """Return the text that stands for the reference in a request's inputs."""
        return f"{_MAKING}{self.job}.{self.output}{_OPTIONAL if self.is_optional else ''}" if self.job else _FAILED + self.reason

    @classmethod
    def read(cls, source: object) -> "Making | None":
        """Parse a reference to another job's output; return None for other inputs."""
        if not isinstance(source, str) or not source.startswith(_MAKING):
            return None
        if source.startswith(_FAILED):
            return cls.failed(source.removeprefix(_FAILED))
        job, _, output = source.removeprefix(_MAKING).removesuffix(_OPTIONAL).partition(".")
        return cls(job, output, source.endswith(_OPTIONAL))
