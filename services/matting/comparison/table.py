"""Zip file of the comparison table, as JSON, CSV and a picture."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from shared.media.zip_files.writer import ZipWriter

Row = Mapping[str, str | int | float | bool | None]

_TITLES = {
    "backend": "backend",
    "frames_per_second": "frames/s",
    "peak_memory_bytes": "memory, MB",
    "flicker": "flicker",
    "mad": "MAD",
    "mse": "MSE",
    "grad": "Grad",
    "conn": "Conn",
    "dtssd": "dtSSD",
}
"""Columns of the table's picture, with their titles. The other files have all columns."""
_BETTER_HIGH = frozenset({"frames_per_second"})
_LINE, _GAP, _SIZE = 40, 28, 19
_PAPER, _INK, _BEST, _RULE = (250, 250, 249), (28, 25, 23), (4, 120, 87), (214, 211, 209)


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the comparison table to a zip file.

    All rows have the same keys.
    """
    with ZipWriter(path, packed=True) as archive:
        archive.add("comparison.json", json.dumps(list(rows), indent=2) + "\n")
        text = io.StringIO(newline="")
        lines = csv.DictWriter(text, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)
        archive.add("comparison.csv", text.getvalue())
        picture = io.BytesIO()
        draw_table(rows).save(picture, "PNG")
        archive.add("comparison.png", picture.getvalue())


def draw_table(rows: Sequence[Row]) -> Image.Image:
    """Draw the table as a picture.

    The best value of a column is green. Columns without a value are left out.
    """
    font = ImageFont.load_default(_SIZE)
    names = [name for name in _TITLES if any(row.get(name) is not None for row in rows)]
    cells = [[_TITLES[name] for name in names], *([_cell(name, row.get(name)) for name in names] for row in rows)]
    widths = [max(round(font.getlength(line[column])) for line in cells) + _GAP for column in range(len(names))]
    sheet = Image.new("RGB", (sum(widths) + _GAP, _LINE * len(cells) + _LINE // 2), _PAPER)
    draw = ImageDraw.Draw(sheet)
    best = {name: _best(name, rows) for name in names[1:]}
    for number, line in enumerate(cells):
        left, top = _GAP, _LINE // 4 + _LINE * number
        for column, (name, text) in enumerate(zip(names, line, strict=True)):
            shift = 0 if column == 0 else widths[column] - _GAP - round(font.getlength(text))
            is_best = number > 0 and len(rows) > 1 and column > 0 and rows[number - 1].get(name) == best[name]
            draw.text((left + shift, top + 8), text, _BEST if is_best else _INK, font)
            left += widths[column]
        draw.line((_GAP // 2, top + _LINE, sheet.width - _GAP // 2, top + _LINE), _RULE)
    return sheet


def _cell(name: str, value: str | float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value / 1e6:.0f}" if name == "peak_memory_bytes" else f"{value:.2f}"


def _best(name: str, rows: Sequence[Row]) -> float | None:
    values = [float(value) for row in rows if (value := row.get(name)) is not None]
    return (max if name in _BETTER_HIGH else min)(values, default=None)
