"""Every score of a job as JSON and CSV, in an archive. Held in a few bytes a picture, since there may be a great many."""

import csv
import io
import json
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from services.aesthetics.measures.blank_frames import Shows
from services.aesthetics.reading.sources import Source
from services.aesthetics.selection.scoring import Scored
from shared.media.zip_writer import ZipWriter

_MEASURES = ("sharpness", "exposure", "steadiness", "cleanness")
_SHOWS: tuple[str, ...] = get_args(Shows)
_NUMBERS = ("timestamp_s", "group", "merit", "score", "std", "technical", *_MEASURES, "shows", *(f"p{rating}" for rating in range(1, 11)))
COLUMNS = ("source", "picture", *_NUMBERS, "image")
"""Columns of the CSV, names of the JSON's objects. `image` is the chosen picture's name, empty where it was not chosen."""


class ScoreTable:
    """The scores of all pictures that were looked at, in order."""

    def __init__(self) -> None:
        self._numbers, self._sources = array("d"), array("l")
        self._pictures: dict[int, str] = {}
        self._images: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def add(self, one: Scored, group: int | None) -> int:
        """Add a picture; its row."""
        row, look = len(self), one.look
        self._sources.append(look.source)
        if look.name is not None:
            self._pictures[row] = look.name
        rated = [math.nan] * 10 if one.distribution is None else one.distribution.tolist()
        optional = (math.nan if value is None else float(value) for value in (look.time_s, group))
        measures = (getattr(look.technical, name) for name in _MEASURES)
        std = math.nan if one.std is None else one.std
        shows = _SHOWS.index(look.technical.shows)
        self._numbers.extend((*optional, one.merit, one.score, std, look.technical.score, *measures, shows, *rated))
        return row

    def choose(self, row: int, image: str) -> None:
        """Note under which name a picture was written."""
        self._images[row] = image

    def write(self, path: Path, sources: list[Source]) -> None:
        """Write `scores.json` and `scores.csv` into an archive, row by row."""
        names = [source.path.name for source in sources]
        with ZipWriter(path, packed=True) as archive:
            with archive.entry("scores.csv") as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
                lines = csv.DictWriter(text, COLUMNS)
                lines.writeheader()
                lines.writerows(self._rows(names))
            with archive.entry("scores.json") as file, io.TextIOWrapper(file, "utf-8") as text:
                between = "[\n"
                for row in self._rows(names):
                    text.write(between + json.dumps(row))
                    between = ",\n"
                text.write("\n]\n" if len(self) else "[]\n")

    def _rows(self, names: list[str]) -> Iterator[dict[str, Any]]:
        width = len(_NUMBERS)
        for row, source in enumerate(self._sources):
            numbers = dict(zip(_NUMBERS, self._numbers[row * width : (row + 1) * width], strict=True))
            found: dict[str, Any] = {name: None if math.isnan(value) else round(value, 6) for name, value in numbers.items()}
            found["group"] = None if found["group"] is None else int(found["group"])
            found["shows"] = _SHOWS[int(found["shows"])]
            yield {"source": names[source], "picture": self._pictures.get(row), **found, "image": self._images.get(row)}
