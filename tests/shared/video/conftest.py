"""Fixtures of the video tests: clips made with ffmpeg."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.shared.video.video_clips import Make, run_ffmpeg


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a clip with ffmpeg and returns its path.

    For example `make("name.mp4", "-f lavfi -i testsrc2 ...", ...)`.
    """

    def made(name: str, *arguments: str | Iterable[str]) -> Path:
        words: list[str] = []
        for argument in arguments:
            words += argument.split() if isinstance(argument, str) else list(argument)
        run_ffmpeg(*words, str(tmp_path / name))
        return tmp_path / name

    return made


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clip of 2 s, 96x64, 25 fps.

    H.264 with B-frames and a keyframe every half second, AAC stereo at 44.1 kHz.
    """
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2", "-f", "lavfi", "-i", "sine=440:d=2:sample_rate=44100"]
    coding = ["-c:v", "libx264", "-g", "12", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"]
    run_ffmpeg(*source, *coding, str(path))
    return path


@pytest.fixture(scope="session")
def flash_and_beep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clip of 3 s with flashes and beeps.

    Black and silent, except for a white flash and a 1 kHz beep at 1.0 s and at 2.0 s.
    """
    path = tmp_path_factory.mktemp("sync") / "sync.mp4"
    flash = "color=black:s=64x48:r=50:d=3,drawbox=color=white:t=fill:enable='between(mod(t,1),0,0.039)*gte(t,0.5)'"
    beep = "aevalsrc='sin(2*PI*1000*t)*lt(mod(t,1),0.04)*gte(t,0.5)':d=3:s=48000"
    coding = ["-c:v", "libx264", "-g", "25", "-c:a", "aac", "-b:a", "128k"]
    run_ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *coding, str(path))
    return path
