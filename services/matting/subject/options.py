"""Params that choose the subject."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from services.matting.subject.first_frame import SUBJECTS
from services.matting.subject.pointing import Pointing
from shared.choices import OneOf, described
from shared.operation import form


class SubjectOptions(Pointing):
    """Params that choose the subject to keep."""

    subject: Annotated[str, OneOf(SUBJECTS)] = Field(
        "all",
        description=f"Part of the matte to keep. It is followed through each shot. {described(SUBJECTS.values(), colon=True)}.",
        title="Keep",
        json_schema_extra=form("basics", labels={row.name: row.label for row in SUBJECTS.values()}),
    )

    @model_validator(mode="after")
    def _marked(self) -> Self:
        if self.subject == "point" and not any(label == 1 for *_, label in self.points):
            raise ValueError("`subject` point needs `points` with at least one click on the subject, [x, y, 1]")
        if self.subject == "box" and self.box is None:
            raise ValueError("`subject` box needs a `box`")
        return self
