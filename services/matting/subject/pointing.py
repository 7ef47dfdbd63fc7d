"""Clicks and a box that mark an object on a frame."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.errors import Invalid
from shared.operation import Params, cell, form

Across = Annotated[float, Field(title="From the left", examples=[0.5])]
Down = Annotated[float, Field(title="From the top", examples=[0.5])]
Mark = Annotated[Literal[1, -1], Field(title="Marks", json_schema_extra=cell(labels={"1": "The subject", "-1": "What to leave out"}))]
Left = Annotated[float, Field(title="Left", examples=[0.25])]
Top = Annotated[float, Field(title="Top", examples=[0.25])]
Right = Annotated[float, Field(title="Right", examples=[0.75])]
Bottom = Annotated[float, Field(title="Bottom", examples=[0.75])]


class Pointing(Params):
    """Clicks and a box on a frame."""

    points: list[tuple[Across, Down, Mark]] = Field(
        [], max_length=64, description="Clicks on the subject (1) and beside it (-1), such as `[[0.5, 0.4, 1], [0.1, 0.9, -1]]`: "
        "pixels of the upright picture, or fractions of its width and height if all are at most 1.",
        title="Clicks", json_schema_extra=form("basics", widget="points"),
    )  # fmt: skip
    box: tuple[Left, Top, Right, Bottom] | None = Field(
        None,
        description="Box `[left, top, right, bottom]` around the subject, in the units of `points`.",
        title="Box",
        json_schema_extra=form("basics", widget="box"),
    )

    @model_validator(mode="after")
    def _box_is_a_box(self) -> Self:
        if self.box and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"box {list(self.box)} must have left < right and top < bottom")
        if any(value < 0 for point in self.points for value in point[:2]) or (self.box and min(self.box) < 0):
            raise ValueError("coordinates of points and box must not be negative")
        return self

    def check_inside(self, width: int, height: int) -> None:
        """Raise Invalid if a click or the box lies outside the picture."""
        wide, high = (1.0, 1.0) if self._fractions else (float(width), float(height))
        for x, y, _ in self.points:
            if x > wide or y > high:
                raise _outside("points", f"the click at {x:g}, {y:g} lies outside the picture of {width}x{height}")
        if self.box and (self.box[0] >= wide or self.box[1] >= high):
            raise _outside("box", f"the box from {self.box[0]:g}, {self.box[1]:g} lies outside the picture of {width}x{height}")

    def scaled_points(self, width: int, height: int, size: tuple[int, int]) -> list[tuple[int, int, int]]:
        """Return the clicks in pixels of a scaled picture.

        `width`, `height`: size of the clip; `size`: (width, height) of the scaled picture.
        """
        wide, high = (1.0, 1.0) if self._fractions else (float(width), float(height))
        return [
            (min(int(x / wide * size[0]), size[0] - 1), min(int(y / high * size[1]), size[1] - 1), label) for x, y, label in self.points
        ]

    def scaled_box(self, width: int, height: int, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
        """Return the box in pixels of a scaled picture.

        The arguments are those of `scaled_points`.
        """
        if self.box is None:
            return None
        wide, high = (1.0, 1.0) if self._fractions else (float(width), float(height))
        left, top, right, bottom = self.box
        return (
            round(left / wide * size[0]), round(top / high * size[1]),
            max(round(right / wide * size[0]), 1), max(round(bottom / high * size[1]), 1),
        )  # fmt: skip

    @property
    def _fractions(self) -> bool:
        return all(value <= 1 for point in self.points for value in point[:2]) and (self.box is None or max(self.box) <= 1)


def _outside(field: str, detail: str) -> Invalid:
    return Invalid.field(f"params.{field}", detail, f"{detail.capitalize()}.")
