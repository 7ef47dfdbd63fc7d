"""Limits set by environment variables, in uploads, workers and operations."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from shared.errors import TooLarge
from shared.file_calls import INSPECT, THUMBNAIL, FileRequest, ThumbnailRequest
from shared.settings import Settings
from shared.testing import suite
from shared.video import Limits, VideoWriter, probe, read_audio, read_frames, remux
from shared.worker import Limits as CallLimits
from shared.worker import Slot
from shared.worker.operation_run import PERFORM, OperationCall
from shared.worker_call import Target
from tests.shared.video.video_clips import run_ffmpeg

TOO_LARGE = "640x360 pixels; at most 1000 pixels"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wide") / "wide.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", str(path))
    return path


@pytest.fixture
def lowered(use_settings: Callable[..., None]) -> None:
    use_settings(max_pixels=1000, max_streams=1)


def test_the_default_limits_are_those_of_the_default_settings() -> None:
    assert Limits() == Limits.from_settings(Settings())


@pytest.mark.usefixtures("lowered")
def test_every_function_that_opens_a_file_keeps_to_the_settings(wide: Path, tmp_path: Path) -> None:
    for opened in (
        lambda: probe(wide),
        lambda: list(read_frames(wide)),
        lambda: list(read_audio(wide)),
        lambda: remux(wide, tmp_path / "a.mp4"),
    ):
        with pytest.raises(TooLarge, match="2 streams; at most 1"):
            opened()
    writer = VideoWriter(tmp_path / "b.mp4", width=64, height=64, frame_rate=Fraction(25))
    with pytest.raises(TooLarge):
        writer.copy_audio(wide)


async def refused(target: Target[Any, Any], request: Any) -> None:
    slot = Slot(CallLimits(timeout_s=60, memory_bytes=2 << 30))
    try:
        with pytest.raises(TooLarge, match=TOO_LARGE):
            await slot.call(target, request)
    finally:
        await slot.kill()


async def test_worker_processes_inherit_the_limits(wide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELWRIGHT_MAX_PIXELS", "1000")
    await refused(INSPECT, FileRequest(path=str(wide)))
    await refused(THUMBNAIL, ThumbnailRequest(path=str(wide), output=str(tmp_path / "t.jpg"), width=64))
    job = OperationCall(
        module="services.speed_ramp.operations",
        operation="speed-ramp.render",
        params={"speeds": [2.0]},
        inputs={"video": str(wide)},
        folder=str(tmp_path),
    )
    await refused(PERFORM, job)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_server_refuses_at_the_upload(wide: Path, tmp_path: Path) -> None:
    with suite(tmp_path, MAX_PIXELS="1000") as running, wide.open("rb") as file:
        answer = running.client.post("/v1/media", files={"file": ("wide.mp4", file)})
    assert answer.status_code == 413
    assert TOO_LARGE in answer.json()["detail"]
