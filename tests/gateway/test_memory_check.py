"""Refusal, on submission, of jobs that need too much memory."""

import subprocess
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from reelwright import ROOMS
from services.background.studio import STUDIO, StudioParams
from services.effects.motion_trails import MOTION_TRAILS, MotionTrailsParams
from services.matting.matte import MATTE, MatteParams
from shared.errors import Invalid, TooLarge
from shared.jobs.memory_check import check_job_memory
from shared.memory_need import FrameSize, check_frame_memory
from shared.operation import Operation
from shared.settings import Settings
from shared.testing import RunningSuite
from shared.video import ffmpeg_path

OPERATIONS = tuple(operation for room in ROOMS for operation in room.service.operations)
REFUSED_AT_8K = {
    *("speed-ramp.render", "effects.motion-trails", "effects.strobe", "matting.matte", "matting.compare"),
    *("background.generate", "background.composite"),
}
"""Operations whose example exceeds a job's default memory with 8K clips."""
WITHOUT_PICTURES = {"media.peaks", "speed-ramp.export"}
"""Operations that decode sound only, or read times."""


@pytest.fixture(scope="module")
def large(running: RunningSuite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a clip of two 8K frames; return the media id."""
    path = tmp_path_factory.mktemp("8k") / "8k.mp4"
    source = ("-f", "lavfi", "-i", "color=gray:s=7680x4320:r=24", "-frames:v", "2", "-pix_fmt", "yuv420p", "-preset", "ultrafast")
    subprocess.run([ffmpeg_path(), "-v", "error", *source, str(path)], check=True)
    return str(running.upload(path)["id"])


def test_an_8k_render_is_refused_with_sizes_and_a_remedy(running: RunningSuite, large: str) -> None:
    body = {"inputs": {"video": large}, "params": {"speeds": [0.5]}}
    for endpoint in ("check", "jobs"):
        answer = running.client.post(f"/v1/speed-ramp/render/{endpoint}", json=body)
        assert answer.status_code == 413, answer.text
        problem = answer.json()
        assert [error["field"] for error in problem["errors"]] == ["inputs.video"]
        for part in ("7680x4320", "4.4 GB", "4.3 GB", "REELWRIGHT_JOB_MEMORY_BYTES", "media.transcode"):
            assert part in problem["detail"]
    pipeline = {"steps": [{"id": "r", "operation": "speed-ramp.render", "inputs": {"video": large}, "params": {"speeds": [0.5]}}]}
    assert "7680x4320" in running.client.post("/v1/pipelines/check", json=pipeline).text


def test_networks_and_several_outputs_need_more_memory(running: RunningSuite, large: str) -> None:
    few, more = (MatteParams(backend="chroma", foreground=foreground) for foreground in ("off", "straight"))
    assert MATTE.bytes_per_pixel(few) < MATTE.bytes_per_pixel(more)
    answer = running.client.post(
        "/v1/matting/matte/check", json={"inputs": {"video": large}, "params": few.model_dump(exclude_defaults=True)}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "inputs.video"), answer.text
    sizes = {"video": FrameSize(width=1920, height=1080, pixel_format="yuv420p", frame_rate=Fraction(30))}
    check_frame_memory("a.b", sizes, bytes_per_pixel=400, limit_bytes=10**9)
    with pytest.raises(TooLarge):
        check_frame_memory("a.b", sizes, bytes_per_pixel=400, limit_bytes=10**9, process_bytes=250 * 1000**2)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_knows_at_submit_whether_8k_fits(operation: Operation) -> None:
    picture = {"width": 7680, "height": 4320, "pixel_format": "yuv420p", "frame_rate": "30"}
    records = {name: [SimpleNamespace(media=picture)] for name, port in operation.ports.items() if set(port.kinds) & {"video", "image"}}
    fits = True
    try:
        check_job_memory(operation, operation.example, set(records), records, limit_bytes=Settings().job_memory_bytes)  # type: ignore[arg-type]
    except (TooLarge, Invalid) as refusal:
        fits = False
        named = "REELWRIGHT_JOB_MEMORY_BYTES" in refusal.detail or any(error.field.startswith("params.") for error in refusal.errors)
        assert named, refusal.detail
    assert fits == (operation.name not in REFUSED_AT_8K)
    assert operation.bytes_per_pixel(operation.example) > 0 or operation.name in WITHOUT_PICTURES


@pytest.mark.parametrize(("params", "fits"), [({}, True), ({"depth": "plane"}, True), ({"sd_model": "sdxl"}, False)], ids=str)
def test_painting_by_the_small_model_fits_by_default(params: dict[str, str], fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a processor with bf16, or on a GPU. Without either, its networks need twice as much.
    monkeypatch.setattr("services.background.params.has_bf16", lambda: True)
    picture = {"width": 1920, "height": 1080, "pixel_format": "yuv420p", "frame_rate": "30"}
    records = {name: [SimpleNamespace(media=picture)] for name in ("video", "alpha")}
    request = StudioParams.model_validate({"prompt": "a beach"} | params)
    compose = yaml.safe_load(Path(__file__).parents[2].joinpath("docker-compose.yaml").read_text())["services"]["background"]["environment"]
    in_containers = int(compose["REELWRIGHT_JOB_MEMORY_BYTES"].partition(":-")[2].removesuffix("}"))
    for limit in (Settings().job_memory_bytes, in_containers):
        with nullcontext() if fits else pytest.raises(TooLarge, match=r"ask the operator to raise the limit to 1\d{10}"):
            check_job_memory(STUDIO, request, set(records), records, limit_bytes=limit)  # type: ignore[arg-type]


def test_networks_that_never_fit_are_refused_without_a_size() -> None:
    with pytest.raises(TooLarge, match=r"needs about 9\.2 GB of memory with these parameters") as refusal:
        check_frame_memory("a.b", {}, bytes_per_pixel=0, limit_bytes=4 * 10**9, process_bytes=92 * 10**8)
    assert "REELWRIGHT_JOB_MEMORY_BYTES" in refusal.value.detail


def test_trails_that_hold_too_much_name_the_params_at_fault() -> None:
    size = FrameSize(width=3840, height=2160, pixel_format="yuv420p", frame_rate=Fraction(30))
    few, many = (
        MotionTrailsParams.model_validate({"ghost": "normal", "mask": False, "layers": layers, "spacing": 12}) for layers in (4, 20)
    )
    MOTION_TRAILS.refuse_sizes(few, {"video": size})
    with pytest.raises(Invalid) as refusal:
        MOTION_TRAILS.refuse_sizes(many, {"video": size})
    assert [error.field for error in refusal.value.errors] == ["params.layers", "params.spacing"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [("media/transcode", {"height": 2160}), ("speed-ramp/render", {"speeds": [1.0]}), ("media/proxy", {}), ("keyframes/detect", {})],
)
def test_what_fits_is_accepted(running: RunningSuite, large: str, operation: str, params: dict[str, object]) -> None:
    answer = running.client.post(f"/v1/{operation}/check", json={"inputs": {"video": large}, "params": params})
    assert answer.status_code == 200, answer.text


def test_inputs_without_a_size_are_not_checked() -> None:
    assert FrameSize.of({"kind": "images", "pictures": 3}) is None
    check_frame_memory("a.b", {}, bytes_per_pixel=1e9, limit_bytes=10**9)
