"""Table of every score of a job, as JSON and CSV.

The table takes less than 200 bytes per picture and its name, because there can be 200,000 pictures.
"""

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
from services.aesthetics.selection.scoring import ScoredView
from shared.media.zip_files.writer import ZipWriter

_MEASURES = ("sharpness", "exposure", "steadiness", "cleanness")
_SHOWS: tuple[str, ...] = get_args(Shows)
_NUMBERS = ("timestamp_s", "group", "merit", "score", "std", "technical", *_MEASURES, "shows", *(f"p{rating}" for rating in range(1, 11)))
COLUMNS = ("source", "picture", *_NUMBERS, "image")
"""Columns of the CSV and keys of the JSON objects. `image` is the name of a chosen picture and empty for others."""


class ScoreTable:
    """Table of all examined pictures' scores, in the order of examination."""

    def __init__(self) -> None:
        self._numbers, self._sources = array("d"), array("l")
        self._pictures: dict[int, str] = {}
        self._images: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def add(self, picture: ScoredView, group: int | None) -> int:
        """Add a picture's scores and return its row number.

        `group`: number of the picture's group, if any.
        """
        row, view = len(self), picture.view
        self._sources.append(view.source)
        if view.name is not None:
            self._pictures[row] = view.name
        distribution = [math.nan] * 10 if picture.distribution is None else picture.distribution.tolist()
        optional = (math.nan if value is None else float(value) for value in (view.time_s, group))
        measures = (getattr(view.technical, name) for name in _MEASURES)
        std = math.nan if picture.std is None else picture.std
        shows = _SHOWS.index(view.technical.shows)
        self._numbers.extend((*optional, picture.merit, picture.score, std, view.technical.score, *measures, shows, *distribution))
        return row

    def mark_chosen(self, row: int, image: str) -> None:
        """Mark a row as chosen, with the picture's file name `image`."""
        self._images[row] = image

    def write(self, path: Path, sources: list[Source]) -> None:
        """Write `scores.csv` and `scores.json`, row by row, into a zip archive."""
        names = [source.path.name for source in sources]
        with ZipWriter(path, packed=True) as archive:
            with archive.entry("scores.csv") as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
                lines = csv.DictWriter(text, COLUMNS)
                lines.writeheader()
                lines.writerows(self._rows(names))
            with archive.entry("scores.json") as file, io.TextIOWrapper(file, "utf-8") as text:
                separator = "[\n"
                for row in self._rows(names):
                    text.write(separator + json.dumps(row))
                    separator = ",\n"
                text.write("\n]\n" if len(self) else "[]\n")

    def _rows(self, names: list[str]) -> Iterator[dict[str, Any]]:
        width = len(_NUMBERS)
        for row, source in enumerate(self._sources):
            numbers = dict(zip(_NUMBERS, self._numbers[row * width : (row + 1) * width], strict=True))
            scores: dict[str, Any] = {name: None if math.isnan(value) else round(value, 6) for name, value in numbers.items()}
            scores["group"] = None if scores["group"] is None else int(scores["group"])
            scores["shows"] = _SHOWS[int(scores["shows"])]
            yield {"source": names[source], "picture": self._pictures.get(row), **scores, "image": self._images.get(row)}
