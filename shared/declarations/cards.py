"""Cards and headings under which the studio lists operations."""

from dataclasses import dataclass

from shared.declarations.vocabulary import Icon


@dataclass(frozen=True, kw_only=True)
class LookCard:
    """A card that suggests an operation on the studio's first screens.

    It chooses the operation's first preset. `place`: its place among the cards, from 1; `sentence`: description of the result, by default
    the preset's sentence; `of_people`: whether the look needs a person in the clip; `pipeline`: a named pipeline without
    which the look is not offered, because both need the same models.
    """

    place: int
    title: str
    icon: Icon
    sentence: str = ""
    of_people: bool = False
    pipeline: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolGroup:
    """The heading of a service's tools in the studio.

    `place`: in the list, from 1.
    """

    place: int
    title: str
    icon: Icon
