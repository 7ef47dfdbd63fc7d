"""Decoding of file names in zip files, in any script."""

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable

from shared.media.names import safe_name

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
"""Extra field with a name in UTF-8 (Info-ZIP)."""
_OLD = "cp437"
"""Code page of names without a flag (APPNOTE.TXT, appendix D)."""


def decoded_names(entries: Iterable[zipfile.ZipInfo]) -> list[str]:
    """Decode the entry names of one zip file.

    A name that is not flagged as UTF-8 is decoded by the first that fits: its extra field, UTF-8, the code page in which all such names
    consist of one country's letters, code page 437.
    """
    listed = list(entries)
    raw = [entry.orig_filename.encode(_OLD) if not entry.flag_bits & _UTF8_FLAG else b"" for entry in listed]
    foreign = [name for name, entry in zip(raw, listed, strict=True) if not name.isascii() and _in_utf8(name, entry) is None]
    page = _code_page(foreign)
    return [
        entry.orig_filename if name.isascii() else _in_utf8(name, entry) or name.decode(page)
        for name, entry in zip(raw, listed, strict=True)
    ]


def plain_name(name: str) -> str | None:
    """Return an entry's name with `/` between folders; None if unusable.

    None for a name that leads out of the folder, or has control characters. Invisible characters are removed; combining accents are kept.
    """
    parts = name.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") for part in parts) or any(unicodedata.category(char) == "Cc" for char in name):
        return None
    plain = [part if unicodedata.normalize("NFC", part) == safe_name(part) else safe_name(part, default="") for part in parts]
    return "/".join(plain) if all(plain) else None


def _in_utf8(name: bytes, entry: zipfile.ZipInfo) -> str | None:
    """Decode an entry's name as UTF-8; None if that fails.

    A valid name in the extra field comes first.
    """
    try:
        return _unicode_path(name, entry.extra) or name.decode()
    except UnicodeDecodeError:
        return None


def _unicode_path(name: bytes, extra: bytes) -> str | None:
    """Return the Unicode name in `extra`, an entry's extra field, or None.

    None also if the field belongs to another name.
    """
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1 and int.from_bytes(body[1:5], "little") == zlib.crc32(name):
            return body[5:].decode()
    return None


def _code_page(names: list[bytes]) -> str:
    """Guess the code page of names from the script of their letters.

    Code page 437 if none fits.
    """
    for page, is_letter, is_typical in _PAGES:
        try:
            texts = [name.decode(page) for name in names]
        except UnicodeDecodeError:
            continue
        letters = [char for text in texts for char in text if ord(char) > 127]
        # Accented Western letters, decoded by another page, become foreign letters in the middle of Latin words.
        mixed = any(_LATIN_BESIDE_OTHERS.search(text) for text in texts)
        if len(letters) > 1 and not mixed and all(map(is_letter, letters)) and any(map(is_typical, letters)):
            return page
    return _OLD


def _between(*spans: tuple[int, int]) -> Callable[[str], bool]:
    return lambda char: any(low <= ord(char) <= high for low, high in spans)


_LATIN_BESIDE_OTHERS = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")
_KANA, _SIGNS, _MARKS = (0x3041, 0x30FE), (0x4E00, 0x9FFF), ((0x3000, 0x301F), (0xFF00, 0xFF60))

_PAGES = (
    ("cp932", _between(_KANA, _SIGNS, *_MARKS), _between(_KANA)),
    ("euc_kr", _between((0xAC00, 0xD7A3)), _between((0xAC00, 0xD7A3))),
    ("cp866", _between((0x0400, 0x045F)), _between((0x0400, 0x045F))),
    ("gb2312", _between(_SIGNS, *_MARKS), _between(_SIGNS)),
    ("big5", _between(_SIGNS, *_MARKS), _between(_SIGNS)),
)
"""Code pages to try in order, with tests for allowed and typical letters.

A page fits if all letters beyond ASCII are allowed, and at least one is typical.
"""
