"""References to inputs that other jobs make."""

from dataclasses import dataclass

_MAKING, _OPTIONAL = "made:", "?"


@dataclass(frozen=True)
class Making:
    """Reference to an output that another job makes, in place of an input.

    It is written `made:<job id>.<output>`, with `?` at the end if the input is left out when its job fails.
    """

    job: str
    output: str
    is_optional: bool = False

    def __str__(self) -> str:
        """Return the reference as an input."""
        return f"{_MAKING}{self.job}.{self.output}{_OPTIONAL if self.is_optional else ''}"

    @classmethod
    def read(cls, source: object) -> "Making | None":
        """Read an input. Returns None if the input is given."""
        if not isinstance(source, str) or not source.startswith(_MAKING):
            return None
        job, _, output = source.removeprefix(_MAKING).removesuffix(_OPTIONAL).partition(".")
        return cls(job, output, source.endswith(_OPTIONAL))
