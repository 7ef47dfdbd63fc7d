"""Characters that may stay in texts from files: names, titles, subtitles."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible characters in the spelling of Persian and Indian words, and in emoji."""
_LINE_SEPARATORS = "\u2028\u2029"


def is_readable(character: str) -> bool:
    """Return whether a character is visible, separates words or joins letters.

    False for controls, line breaks, unassigned characters, and formats such as those that turn the direction of text. True for all spaces,
    also those that forbid a line break.
    """
    return character in JOINERS or (unicodedata.category(character)[0] != "C" and character not in _LINE_SEPARATORS)
