"""Text on the contact sheet: letters of every script, or their code points."""

import numpy as np
import pytest

from services.aesthetics.output import text
from services.aesthetics.output.text import draw_text, text_width


def drawn(words: str) -> np.ndarray:
    picture = np.zeros((40, 900, 3), np.uint8)
    draw_text(picture, words, (4, 28), (255, 255, 255), 17)
    return picture


def test_letters_that_no_font_has_are_drawn_as_code_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_system_font", lambda _char: None)
    assert [run for run, _ in text._runs("a ก हि")] == ["a \\u0e01 \\u0939\\u093f"]
    assert not np.array_equal(drawn("ก"), drawn("ข"))
    assert text_width("ก", 17) == text_width("\\u0e01", 17)
    assert np.array_equal(drawn("写真 фото"), drawn("写真 фото"))
    assert [run for run, _ in text._runs("写真 фото عربى é")] == ["写真 фото عربى é"]


def test_letters_are_drawn_with_a_font_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = [file for file in text._font_files() if "DejaVuSans.ttf" in file or "Sans" in file]
    if not fonts:
        pytest.skip("no font is installed")
    monkeypatch.setattr(text, "_opencv_has", lambda char: char != "g")
    assert [run for run, _ in text._runs("ag")] == ["a", "g"]
    picture = drawn("agga")
    assert picture[:, 4 : 4 + text_width("agga", 17)].any()
    assert not picture[:, 8 + text_width("agga", 17) :].any()
