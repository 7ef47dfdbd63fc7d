"""Names of media: cleaned on upload, and sent with downloads."""

import pytest

from shared.media.names import content_disposition, download_name, safe_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.mp4", "clip.mp4"),
        ("a\r\nSet-Cookie: x.mp4", "aSet-Cookie: x.mp4"),
        ("gpj.\u202epm4", "gpj.pm4"),
        ("zero\u200bwidth\x00\x7f.mov", "zerowidth.mov"),
        ("  ..  ", "unnamed"),
        ("/", "unnamed"),
        ("", "unnamed"),
        ("\ud800.mp4", "mp4"),
        ("Tänzerin 東京.webm", "Tänzerin 東京.webm"),
    ],
)
def test_unsafe_parts_of_a_name_are_removed(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_long_names_keep_their_suffix() -> None:
    name = safe_name("x" * 5000 + ".mp4")
    assert len(name) == 200
    assert name.endswith("x.mp4")


@pytest.mark.parametrize(
    ("name", "content_type", "suffix", "saved_as"),
    [
        ("photo.jpeg", "image/jpeg", ".jpg", "photo.jpeg"),
        ("CLIP.MP4", "video/mp4", ".mp4", "CLIP.MP4"),
        ("page.html", "video/mp4", ".mp4", "page.html.mp4"),
        ("clip", "video/quicktime", ".mov", "clip.mov"),
    ],
)
def test_a_download_is_named_after_its_content(name: str, content_type: str, suffix: str, saved_as: str) -> None:
    assert download_name(name, content_type=content_type, suffix=suffix) == saved_as


def test_content_disposition_encodes_characters_outside_ascii() -> None:
    assert content_disposition("clip.mp4", download=True) == 'attachment; filename="clip.mp4"'
    assert content_disposition("東 1.mp4", download=False) == "inline; filename=\"_ 1.mp4\"; filename*=UTF-8''%E6%9D%B1%201.mp4"
    assert content_disposition('a"b\\c%d', download=True) == "attachment; filename=\"a_b_c_d\"; filename*=UTF-8''a%22b%5Cc%25d"


@pytest.mark.parametrize("name", ["می‌روم.mp4", "👩‍👧 🏖️.mp4", "दीवाली.mp4", "ภาพถ่าย.mp4"])
def test_names_of_every_script_are_kept(name: str) -> None:
    assert safe_name(name) == name
