"""Cutting of keyframe-only videos."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.errors import BrokenMedia, Invalid
from shared.video import cut_keyframes, probe_video
from shared.video.reading.open_input import open_input
from tests.shared.video.video_clips import Make

KEYFRAMES = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v mjpeg"


def test_a_part_is_cut_at_its_frames(make: Make, tmp_path: Path) -> None:
    source, output = make("keyframes.mp4", KEYFRAMES), tmp_path / "part.mp4"
    cut_keyframes(source, output, start_s=0.4, end_s=1.2)
    assert probe_video(output).frames == 20


def test_a_failed_cut_leaves_no_file(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, output = make("keyframes.mp4", KEYFRAMES), tmp_path / "part.mp4"
    with pytest.raises(Invalid, match="No frame"):
        cut_keyframes(source, output, start_s=5, end_s=6)
    assert list(tmp_path.iterdir()) == [source]

    @contextmanager
    def damaged(*arguments: object, **options: object) -> Iterator[SimpleNamespace]:
        with open_input(*arguments, **options) as container:  # type: ignore[arg-type]

            def demux(stream: object) -> Iterator[object]:
                yield from islice(container.demux(stream), 15)  # type: ignore[call-overload]
                raise BrokenMedia("damaged")

            yield SimpleNamespace(demux=demux, seek=container.seek, streams=container.streams, format=container.format)

    monkeypatch.setattr(sys.modules[cut_keyframes.__module__], "open_input", damaged)
    with pytest.raises(BrokenMedia):
        cut_keyframes(source, output, start_s=0.0, end_s=1.2)
    assert list(tmp_path.iterdir()) == [source]
