"""The contact sheet: the chosen pictures with their ranks, merits and times."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from services.aesthetics.output.items import Item
from services.aesthetics.selection.reasons import clock
from shared.video import upright_rgb

MAX_PICTURES = 60
"""Most pictures on the sheet. Of more pictures only the best are shown."""

_CELL, _HEIGHT, _GAP, _CAPTION = 320, 240, 12, 44
_PAPER, _INK, _FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)


def draw_sheet(items: Sequence[Item], folder: Path, output: Path) -> None:
    """Draw a sheet of pictures and save it as PNG.

    `items`: at least one chosen picture. `folder`: folder with the picture files that the items name.
    """
    best = sorted(sorted(items, key=lambda item: item.rank)[:MAX_PICTURES], key=lambda item: items.index(item))
    columns = min(len(best), 5)
    rows = -(-len(best) // columns)
    across, down = _CELL + _GAP, _HEIGHT + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(17), ImageFont.load_default(13)
    for number, item in enumerate(best):
        left, top = _GAP + number % columns * across, _GAP + number // columns * down
        with Image.open(folder / item.image) as picture:
            picture.draft("RGB", (_CELL, _HEIGHT))
            thumbnail = ImageOps.contain(upright_rgb(picture), (_CELL, _HEIGHT))
        sheet.paste(thumbnail, (left + (_CELL - thumbnail.width) // 2, top + (_HEIGHT - thumbnail.height) // 2))
        draw.text((left, top + _HEIGHT + 4), f"#{item.rank}   {item.merit:.2f}", _INK, large)
        caption = item.image if item.timestamp_s is None else f"{clock(item.timestamp_s)}   {item.source}"
        draw.text((left, top + _HEIGHT + 25), _fitted(caption, small), _FAINT, small)
    sheet.save(output, "PNG")


def _fitted(text: str, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont") -> str:
    """Shorten a text to fit the width of a cell."""
    while font.getlength(text) > _CELL:
        text = text[:-2] + "…"
    return text
