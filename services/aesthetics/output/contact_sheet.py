"""Contact sheet of the chosen pictures with ranks, times and reasons."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from services.aesthetics.output.items import Item
from services.aesthetics.output.text import draw_text, text_width
from services.aesthetics.selection.reasons import clock
from shared.video import upright_rgb
from shared.video.stills.image import file_start

Rgb = NDArray[np.uint8]

MAX_PICTURES = 60
"""Maximum number of pictures on the sheet. Of more pictures only the best are shown."""

_CELL, _HEIGHT, _GAP = 320, 240, 12
_TITLE, _LINE, _MAX_LINES = 44, 16, 7
"""Heights in pixels of a title and a line, and maximum number of lines."""
_LARGE, _SMALL, _FINE = 17, 13, 12
"""Letter sizes in pixels."""
_PAPER, _INK, _FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)


def draw_sheet(items: Sequence[Item], folder: Path, output: Path) -> None:
    """Draw a contact sheet and save it as PNG.

    `items`: at least one chosen picture. `folder`: folder with the picture files that the items name.
    """
    best = sorted(sorted(items, key=lambda item: item.rank)[:MAX_PICTURES], key=lambda item: items.index(item))
    reasons = [_lines(item.reason) for item in best]
    columns = min(len(best), 5)
    rows = -(-len(best) // columns)
    across, down = _CELL + _GAP, _HEIGHT + _TITLE + max(map(len, reasons)) * _LINE + 2 * _GAP
    sheet = np.full((rows * down + _GAP, columns * across + _GAP, 3), _PAPER, np.uint8)
    for number, (item, lines) in enumerate(zip(best, reasons, strict=True)):
        left, top = _GAP + number % columns * across, _GAP + number // columns * down
        thumbnail = _thumbnail(folder / item.image)
        height, width = thumbnail.shape[:2]
        y, x = top + (_HEIGHT - height) // 2, left + (_CELL - width) // 2
        sheet[y : y + height, x : x + width] = thumbnail
        caption = item.image if item.timestamp_s is None else f"{clock(item.timestamp_s)}   {item.source}"
        under = top + _HEIGHT
        draw_text(sheet, f"#{item.rank}   {item.merit:.2f}", (left, under + 19), _INK, _LARGE)
        draw_text(sheet, _fitted(caption), (left, under + 38), _FAINT, _SMALL)
        for place, line in enumerate(lines):
            draw_text(sheet, line, (left, under + _TITLE + 14 + place * _LINE), _FAINT, _FINE)
    Image.fromarray(sheet).save(output, "PNG")


def _thumbnail(path: Path) -> Rgb:
    """Read a picture file, scaled to fit into a cell.

    Returns (height, width, 3) uint8.
    """
    with Image.open(path) as picture:
        picture.draft("RGB", (_CELL, _HEIGHT))
        return np.asarray(ImageOps.contain(upright_rgb(picture, head=file_start(path)), (_CELL, _HEIGHT)))


def _lines(text: str) -> list[str]:
    """Wrap a text to the width of a cell."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, _FINE) <= _CELL:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= _MAX_LINES else [*lines[: _MAX_LINES - 1], lines[_MAX_LINES - 1] + "…"]


def _fitted(text: str) -> str:
    """Shorten a caption to the width of a cell."""
    while text_width(text, _SMALL) > _CELL:
        text = text[:-2] + "…"
    return text
