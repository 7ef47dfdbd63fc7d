"""Videos read in step: matching frames for all rates, lengths and starts."""

import threading
from fractions import Fraction
from pathlib import Path

import pytest

from shared.errors import BrokenMedia, NotFound
from shared.video import Frame, VideoWriter, read_frames, read_together
from tests.shared.video.video_clips import Make

# The picture's brightness is its number: 0, 4, 8, ...
NUMBERED = "format=yuv420p,geq=lum='16+4*mod(N,50)':cb=128:cr=128"


def number(frame: Frame) -> int:
    return round((float(frame.small_luma(8, 8).mean()) - 16) / 4)


@pytest.fixture
def numbered(make: Make):  # type: ignore[no-untyped-def]
    def made(name: str, rate: str = "25", seconds: float = 2, more: str = "") -> Path:
        source = f"color=black:s=32x32:r={rate}:d={seconds}"
        return make(name, ["-f", "lavfi", "-i", source, "-vf", NUMBERED], f"-c:v libx264 -g 12 -bf 2 -qp 2 {more}")

    return made


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize("rate", ["25", "30000/1001", "60"])
def test_a_clip_and_its_matte_meet_frame_by_frame(numbered, suffix: str, rate: str) -> None:
    clip, matte = numbered("clip.mp4", rate, 0.8), numbered(f"matte.{suffix}", rate, 0.8)
    for paths in ((clip, matte), (matte, clip)):
        with read_together(*paths) as pairs:
            met = [(number(frame), number(other), frame.index) for frame, other in pairs]
        assert met == [(index, index, index) for index in range(len(met))]
        assert len(met) >= 20


@pytest.mark.parametrize("start", [0.4, Fraction(2, 5), 1.0, 1.96])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_meet_from_any_start(numbered, suffix: str, start: float) -> None:
    clip, matte = numbered("clip.mp4"), numbered(f"matte.{suffix}")
    with read_together(clip, matte, start=start, duration=0.2) as pairs:
        met = [(number(frame), number(other)) for frame, other in pairs]
    first = round(start * 25)
    assert met == [(index, index) for index in range(first, min(first + 5, 50))]


@pytest.mark.parametrize(
    ("rate", "start"), [("10", None), ("10", 0.5), ("10", 0.55), ("50", None), ("50", 0.73), ("30000/1001", None), ("1", 1.5)]
)
def test_at_another_rate_the_frame_shown_at_that_time_is_used(numbered, rate: str, start: float | None) -> None:
    with read_together(numbered("clip.mp4", "25", 1.8), numbered("other.mp4", rate, 2 if rate != "50" else 0.99), start=start) as pairs:
        met = [(frame.time, number(other)) for frame, other in pairs]
    last = 49 if rate == "50" else 1000
    assert len(met) == len([index for index in range(45) if index / 25 >= (start or 0) - 1e-6])
    assert [shown for _, shown in met] == [min(int((time + Fraction(1, 1000)) * Fraction(rate)), last) % 50 for time, _ in met]


def test_after_the_end_of_a_video_its_last_frame_is_held_or_all_end(numbered) -> None:
    clip, short, long = numbered("clip.mp4"), numbered("short.mp4", "25", 1.2), numbered("long.mp4", "25", 3)
    with read_together(clip, short, long) as trios:
        held = [(number(frame), number(two), number(three) % 50) for frame, two, three in trios]
    assert held == [(index, min(index, 29), index) for index in range(50)]
    with read_together(clip, short, long, end="shortest") as trios:
        assert len(list(trios)) == 30
    with read_together(long, clip, end="shortest") as pairs:
        assert len(list(pairs)) == 50
    with read_together(clip, short, start=1.6) as pairs:
        assert [number(other) for _, other in pairs] == [29] * 10


def test_sampling_applies_to_the_first_video(numbered) -> None:
    clip, matte = numbered("clip.mp4"), numbered("matte.mkv")
    with read_together(clip, matte, per_second=2) as pairs:
        assert [(number(frame), number(other)) for frame, other in pairs] == [(0, 0), (13, 13), (25, 25), (38, 38)]
    with read_together(clip, matte, every=20) as pairs:
        assert [(number(frame), number(other)) for frame, other in pairs] == [(0, 0), (20, 20), (40, 40)]


@pytest.mark.parametrize("steady", [False, True])
def test_a_picture_that_starts_after_its_sound_meets_its_matte(steady: bool, numbered, make: Make, tmp_path: Path) -> None:
    plain = numbered("plain.mp4")
    late = make("late.mp4", f"-itsoffset 0.4 -i {plain} -f lavfi -i sine=d=2 -map 0:v -map 1:a -c:v copy -c:a aac")
    with read_frames(late) as frames:
        first = next(frames)
        assert abs(first.time - Fraction(2, 5)) < Fraction(1, 500)
        matte = tmp_path / "matte.mp4"
        with VideoWriter(
            matte, width=32, height=32, frame_rate=Fraction(25), time_base=first.time_base, quality=95, steady=steady
        ) as writer:
            for frame in (first, *frames):
                writer.write(frame.picture, frame.pts, duration=frame.duration)
    assert writer.repeated == (10 if steady else 0)
    for start in (None, 1):
        with read_together(late, matte, start=start) as pairs:
            met = [(number(frame), number(other)) for frame, other in pairs]
        assert met == [(index, index) for index in range(0 if start is None else 15, 50)]
    with read_together(late, plain, align="timeline") as pairs:
        assert [number(other) for _, other in pairs][:3] == [10, 11, 12]


def test_closing_early_ends_all_threads(numbered) -> None:
    clip, matte = numbered("clip.mp4"), numbered("matte.mp4")
    before = threading.active_count()
    with read_together(clip, matte, clip, prefetch=2) as trios:
        next(trios)
        assert threading.active_count() == before + 3
    assert threading.active_count() == before
    assert list(trios) == []


def test_a_failing_video_ends_all_threads(numbered, tmp_path: Path) -> None:
    clip = numbered("clip.mp4")
    before = threading.active_count()
    with pytest.raises(NotFound):
        read_together(clip, tmp_path / "missing.mp4")
    with pytest.raises(NotFound):
        list(read_together(clip, tmp_path / "missing.mp4", align="timeline"))
    short = numbered("short.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(short[: len(short) - 400])
    with pytest.raises(BrokenMedia), read_together(clip, tmp_path / "cut.mp4") as pairs:
        list(pairs)
    assert threading.active_count() == before


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(ValueError, match="one video or more"):
        read_together()
