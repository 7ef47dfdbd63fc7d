"""Metadata tags of written files."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from shared.video import VideoWriter, probe, read_frames, remux
from shared.video.reading.metadata import kept_tags, track_title
from tests.shared.video.video_clips import Make

CREATED = "2024-05-06T07:08:09.000000Z"
LIBRARY = {"major_brand", "minor_version", "compatible_brands", "creation_time", "encoder"}


@pytest.fixture
def tagged(make: Make) -> Path:
    """Make a rotated clip with two sound tracks and a recording location.

    One track is German, the other is an English commentary.
    """
    words = [
        "-metadata",
        "title=My clip",
        "-metadata",
        "comment=äöü",
        "-metadata",
        f"creation_time={CREATED}",
        "-metadata",
        "location=+48.1+011.5/",
    ]
    tracks = "-metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -metadata:s:a:1 handler_name=Director -disposition:a:1 comment"
    sounds = "-f lavfi -i sine=d=0.4 -f lavfi -i sine=d=0.4:f=600"
    source = make(
        "flat.mp4", "-f lavfi -i testsrc2=s=48x32:r=25:d=0.4", sounds, "-map 0 -map 1 -map 2 -c:v libx264 -c:a aac", words, tracks
    )
    return make(
        "tagged.mp4", f"-display_rotation 90 -i {source} -map 0 -c copy -metadata creation_time={CREATED} -movflags use_metadata_tags"
    )


def written(source: Path, output: Path) -> Path:
    with read_frames(source) as frames:
        first = next(frames)
        with VideoWriter(output, width=first.width, height=first.height, frame_rate=Fraction(25), time_base=first.time_base) as writer:
            writer.copy_audio(source)
            writer.copy_tags(source)
            for frame in (first, *frames):
                writer.write(frame.picture, frame.pts, duration=frame.duration)
    return output


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "copy.mp4"])
def test_only_tags_about_the_content_are_kept(tagged: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    if name == "copy.mp4":
        remux(tagged, output)
    else:
        written(tagged, output)
    with av.open(str(output)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
        assert (tags["creation_time"], tags["title"], tags["comment"]) == (CREATED, "My clip", "äöü")
        assert set(tags) <= LIBRARY | {"title", "comment"}
        assert not any(character.isdigit() for character in tags.get("encoder", ""))
        german, english = container.streams.audio
        assert (german.language, english.language) == ("ger", "eng")
        assert track_title(german.metadata) is None
        assert track_title(english.metadata) == "Director"
        assert german.disposition & av.stream.Disposition.default
        # QuickTime has no word for it.
        assert name == "out.mov" or english.disposition & av.stream.Disposition.comment
    info = probe(output)
    assert info.kind == "video"
    assert (info.rotation, info.width, info.height) == (270 if name == "copy.mp4" else 0, 32, 48)
    with read_frames(output) as frames:
        shown = next(frames)
    assert (shown.width, shown.height) == (32, 48)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_same_pictures_give_the_same_file(tagged: Path, tmp_path: Path, suffix: str) -> None:
    first, other = (written(tagged, tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "other"))
    assert first == other


def test_sound_that_is_encoded_again_keeps_its_language_and_name(tagged: Path, tmp_path: Path) -> None:
    with av.open(str(written(tagged, tmp_path / "a.webm"))) as container:
        assert [stream.language for stream in container.streams.audio] == ["ger", "eng"]
        assert track_title(container.streams.audio[1].metadata) == "Director"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("2024-05-06T07:08:09Z", CREATED),
        ("2024-05-06T09:08:09+02:00", CREATED),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("1904-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        ("9999-99-99", None),
        ("9999-12-31T23:00:00-05:00", None),
    ],
)
def test_impossible_times_are_left_out(tag: str, expected: str | None) -> None:
    assert kept_tags({"Creation_Time": tag}).get("creation_time") == expected


def test_texts_of_tags_are_cut_and_cleaned() -> None:
    assert kept_tags({"TITLE": "a\x00b\x1b[0m", "comment": "x" * 5000, "artist": " \x07 ", "make": "Camera"}) == {
        "title": "ab[0m",
        "comment": "x" * 2000,
    }


def test_tags_must_be_copied_before_the_first_picture(tagged: Path, tmp_path: Path) -> None:
    with read_frames(tagged) as frames:
        first = next(frames)
    with VideoWriter(tmp_path / "a.mp4", width=32, height=48, frame_rate=Fraction(25)) as writer:
        writer.write(first.picture, 0)
        with pytest.raises(ValueError, match="before the first picture"):
            writer.copy_tags(tagged)
