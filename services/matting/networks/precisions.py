"""Table of the number formats in which networks compute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionChoice:
    """A number format, as a row of PRECISIONS."""

    name: str
    label: str
    """Label in a form."""
    description: str


PRECISIONS = {
    row.name: row
    for row in (
        PrecisionChoice(name="auto", label="Automatic", description="bf16 on a processor that supports it, else f32, also on a GPU"),
        PrecisionChoice(name="f32", label="32 bits", description="32 bits"),
        PrecisionChoice(name="bf16", label="bfloat16", description="16 bits with the range of 32"),
        PrecisionChoice(name="f16", label="16 bits", description="16 bits, on a GPU"),
    )
}
"""Name -> number format, in the order of the API reference."""
