"""Drawing of text on pictures, in any script with an installed font."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = NDArray[np.uint8]
Color = tuple[int, int, int]

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts", Path.home() / ".fonts")
_FONTS = ("*.ttf", "*.otf", "*.ttc")
_MAX_FONTS = 500
_SAMPLE_SIZE = 24
_NO_LETTER = "\uffff"
"""A code point that no font has. Fonts draw it like any missing letter."""


def draw_text(picture: Rgb, text: str, place: tuple[int, int], color: Color, size: int) -> None:
    """Draw a text on a picture.

    `place`: x of the text's left end, y of its base line. Letters come from OpenCV's font, else from a font of the system. A letter that
    neither has is written as its code point, such as \\u0e01.
    """
    x, y = place
    for run, font in _runs(text):
        if font is None:
            cv2.putText(picture, run, (x, y), color, _opencv_font(), size)
        else:
            image = Image.fromarray(picture)
            ImageDraw.Draw(image).text((x, y), run, color, ImageFont.truetype(font, size), anchor="ls")
            picture[:] = np.asarray(image)
        x += _run_width(run, font, size)


def text_width(text: str, size: int) -> int:
    """Return the width of a text in pixels."""
    return sum(_run_width(run, font, size) for run, font in _runs(text))


def _run_width(run: str, font: str | None, size: int) -> int:
    if font is None:
        return int(cv2.getTextSize((0, 0), run, (0, 0), _opencv_font(), size)[2])
    return round(ImageFont.truetype(font, size).getlength(run))


def _runs(text: str) -> Iterator[tuple[str, str | None]]:
    """Split a text by font; yield each part with its font file.

    None is OpenCV's own font.
    """
    letters: list[tuple[str, str | None]] = []
    has_font, font = True, None
    for char in text:
        # Marks, such as Indian vowels, take the font of their letter.
        if unicodedata.category(char)[0] != "M" or not letters:
            font = None if _opencv_has(char) else _system_font(char)
            has_font = font is not None or _opencv_has(char)
        letters.append((char if has_font else _escaped(char), font))
    for font_file, chars in groupby(letters, key=lambda part: part[1]):
        yield "".join(char for char, _ in chars), font_file


def _escaped(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode()


@lru_cache(maxsize=1)
def _opencv_font() -> cv2.FontFace:
    """Return the font included in OpenCV.

    It has the letters of many scripts, which Pillow's has not.
    """
    return cv2.FontFace("uni")


@lru_cache(maxsize=4096)
def _opencv_has(char: str) -> bool:
    """Return whether OpenCV's font has a glyph for a character.

    OpenCV draws a question mark for missing letters.
    """
    return char == "?" or char.isspace() or not np.array_equal(_opencv_letter(char), _opencv_letter("?"))


def _opencv_letter(char: str) -> Rgb:
    picture = np.zeros((2 * _SAMPLE_SIZE, 2 * _SAMPLE_SIZE, 3), np.uint8)
    cv2.putText(picture, char, (4, _SAMPLE_SIZE + 8), (255, 255, 255), _opencv_font(), _SAMPLE_SIZE)
    return picture


@lru_cache(maxsize=4096)
def _system_font(char: str) -> str | None:
    """Return a system font with a glyph for a character, or None."""
    for path in _font_files():
        try:
            font = ImageFont.truetype(path, _SAMPLE_SIZE)
            if bytes(font.getmask(char)) != bytes(font.getmask(_NO_LETTER)):
                return path
        except (OSError, ValueError):
            continue  # not a font that FreeType can scale
    return None


@lru_cache(maxsize=1)
def _font_files() -> tuple[str, ...]:
    """Return the system's font files, regular upright fonts first."""
    files = [path for folder in _FOLDERS if folder.is_dir() for pattern in _FONTS for path in folder.rglob(pattern)]
    styled = ("bold", "italic", "oblique", "black", "light", "thin", "mono")
    ordered = sorted(files, key=lambda path: (any(style in path.name.lower() for style in styled), path.name))
    return tuple(map(str, ordered[:_MAX_FONTS]))
