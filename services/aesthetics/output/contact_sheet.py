"""The contact sheet: the chosen pictures with their ranks, merits, times and reasons."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from services.aesthetics.output.items import Item
from services.aesthetics.selection.reasons import clock
from shared.video import upright_rgb
from shared.video.image import file_start

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MAX_PICTURES = 60
"""Most pictures on the sheet. Of more pictures only the best are shown."""

_CELL, _HEIGHT, _GAP = 320, 240, 12
_TITLE, _LINE, _MOST_LINES = 44, 16, 7
"""Heights of rank and name, and of a line of the reason, in pixels."""
_PAPER, _INK, _FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)


def draw_sheet(items: Sequence[Item], folder: Path, output: Path) -> None:
    """Draw a sheet of pictures and save it as PNG.

    `items`: at least one chosen picture. `folder`: folder with the picture files that the items name.
    """
    best = sorted(sorted(items, key=lambda item: item.rank)[:MAX_PICTURES], key=lambda item: items.index(item))
    large, small, fine = (ImageFont.load_default(size) for size in (17, 13, 12))
    reasons = [_lines(item.reason, fine) for item in best]
    columns = min(len(best), 5)
    rows = -(-len(best) // columns)
    across, down = _CELL + _GAP, _HEIGHT + _TITLE + max(map(len, reasons)) * _LINE + 2 * _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (item, lines) in enumerate(zip(best, reasons, strict=True)):
        left, top = _GAP + number % columns * across, _GAP + number // columns * down
        thumbnail = _thumbnail(folder / item.image)
        sheet.paste(thumbnail, (left + (_CELL - thumbnail.width) // 2, top + (_HEIGHT - thumbnail.height) // 2))
        draw.text((left, top + _HEIGHT + 4), f"#{item.rank}   {item.merit:.2f}", _INK, large)
        caption = item.image if item.timestamp_s is None else f"{clock(item.timestamp_s)}   {item.source}"
        draw.text((left, top + _HEIGHT + 25), _fitted(caption, small), _FAINT, small)
        for place, line in enumerate(lines):
            draw.text((left, top + _HEIGHT + _TITLE + 4 + place * _LINE), line, _FAINT, fine)
    sheet.save(output, "PNG")


def _thumbnail(path: Path) -> Image.Image:
    """Open a picture file in the size of a cell."""
    with Image.open(path) as picture:
        picture.draft("RGB", (_CELL, _HEIGHT))
        return ImageOps.contain(upright_rgb(picture, head=file_start(path)), (_CELL, _HEIGHT))


def _lines(text: str, font: Font) -> list[str]:
    """Break a text into lines of the width of a cell."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= _CELL:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1] + "…"]


def _fitted(text: str, font: Font) -> str:
    """Shorten a text to fit the width of a cell."""
    while font.getlength(text) > _CELL:
        text = text[:-2] + "…"
    return text
