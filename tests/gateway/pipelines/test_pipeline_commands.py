"""`reelwright pipeline run|check|presets`, run locally and against a suite."""

import json
from pathlib import Path

import pytest

from shared.testing import RunningSuite
from shared.video import probe
from tests.shared.cli.test_cli import reelwright

PIPELINE = """\
# A working resolution, then a ramp of it.
steps:
  - id: small
    operation: media.transcode
    inputs: {video: <video>}
    params: {height: 90, duration: 1, frame_rate: 15}
  - id: ramp
    operation: speed-ramp.render
    inputs: {video: small.video}
    params: {speeds: [2], audio: drop}
"""
AGAIN = """\
  - id: again
    operation: media.transcode
    inputs: {video: <video>}
    params: {height: 72, duration: 1, frame_rate: 15}
  - id: motion
    operation: speed-ramp.analyze
    inputs: {video: again.video}
  - id: analysed
    operation: speed-ramp.render
    inputs: {video: small.video}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "look.yaml"
    path.write_text(PIPELINE)
    return path


def test_a_pipeline_file_runs_on_this_machine(pipeline, clip, tmp_path):
    pipeline.write_text(PIPELINE + AGAIN)
    done = reelwright("pipeline", "run", pipeline, "--video", clip, "--output", tmp_path / "made", "--set", "small.height=72", "--json")
    assert done.returncode == 0, done.stderr
    assert "[1/5] small: media.transcode" in done.stderr
    target = tmp_path / "made"
    assert sorted(path.name for path in target.iterdir() if path.suffix == ".mp4") == [
        f"{step}.video.mp4" for step in ("again", "analysed", "ramp", "small")
    ]
    assert target.joinpath("again.video.mp4").samefile(target / "small.video.mp4"), "an equal step is not run again"
    info = probe(tmp_path / "made" / "ramp.video.mp4")
    assert (info.height, info.duration_s, info.audio) == (72, pytest.approx(0.5, abs=0.07), ())
    results = json.loads(done.stdout)
    assert (list(results), results["small"]["frames"]) == (["small", "ramp", "again", "motion", "analysed"], 15)


def test_a_pipeline_file_runs_on_a_suite(pipeline, clip, tmp_path, running: RunningSuite):
    done = reelwright("pipeline", "run", pipeline, "--video", clip, "--output", tmp_path / "made", "--remote", running.url)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["ramp.video.mp4", "small.video.mp4"]
    newest = running.client.get("/v1/jobs", params={"service": "pipelines", "limit": 1}).json()["items"][0]
    assert [step["id"] for step in newest["params"]["steps"]] == ["small", "ramp"]
    checked = reelwright("pipeline", "check", pipeline, "--remote", running.url)
    assert checked.returncode == 0, checked.stderr
    assert "can run: 2 steps" in checked.stdout


def test_a_batch_runs_once_for_each_file(pipeline, clip, tmp_path):
    second = tmp_path / "second.mp4"
    second.write_bytes(clip.read_bytes())
    one_step = pipeline.read_text().partition("  - id: ramp")[0]
    pipeline.write_text(one_step)
    done = reelwright("pipeline", "run", pipeline, "--video", clip, f"--video={second}", "--batch", "--output", tmp_path / "made")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [clip.stem, "second"]
    second.write_text("no video")
    done = reelwright("pipeline", "run", pipeline, "--video", second, "--video", clip, "--batch", "--output", tmp_path / "again")
    assert done.returncode == 1
    assert "1 of 2 clips failed" in done.stderr
    assert (tmp_path / "again" / clip.stem / "small.video.mp4").is_file()


def test_check_runs_nothing_and_lists_the_steps(pipeline, tmp_path):
    done = reelwright("pipeline", "check", pipeline, REELWRIGHT_DATA_DIR=str(tmp_path / "var"))
    assert done.returncode == 0, done.stderr
    assert "speed-ramp.render" in done.stdout
    assert not (tmp_path / "var").exists()


def test_presets_say_what_is_missing(tmp_path):
    done = reelwright("pipeline", "presets", COLUMNS="300", REELWRIGHT_MODELS_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "ramp-trails" in done.stdout
    assert "reelwright models pull rvm-mobilenetv3" in done.stdout
    refused = reelwright("pipeline", "check", "clean-plate", REELWRIGHT_MODELS_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert "Step 'matte' (matting.matte)" in refused.stderr
    assert "reelwright models pull rvm-mobilenetv3" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"small.video": "small.vidoe"}, "'small.vidoe' is not an output of an earlier step"),
        ({"media.transcode": "media.transcod"}, "no operation is called 'media.transcod'"),
        ({"speeds": "speedz"}, "speedz"),
        ({"height: 90": "height: 91"}, "multiple of 2"),
        ({"<video>": "/no/such/file.mp4"}, "/no/such/file.mp4"),
        ({"- id: ramp": "- name: ramp"}, "steps.1.id: is required"),
        ({"steps:": "steps: ["}, "is not YAML or JSON"),
    ],
)
def test_wrong_pipeline_files_are_refused_with_a_readable_message(pipeline, clip, tmp_path, changes, message):
    text = pipeline.read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    pipeline.write_text(text)
    files = ["--video", clip] if "<video>" in text else []
    done = reelwright("pipeline", "run", pipeline, *files, "--output", tmp_path / "made")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "inputs.video: video must be given"),
        (("--vidoe", "CLIP"), "no step takes an input 'vidoe'"),
        (("--video", "none.mp4"), "none.mp4 does not exist"),
        (("--video", "CLIP", "--set", "big.height=2"), "no step is called 'big'. Steps: small, ramp"),
        (("--video", "CLIP", "--set", "height=2"), "write STEP.PARAM=VALUE"),
    ],
)
def test_wrong_options_are_refused_with_a_readable_message(pipeline, clip, tmp_path, arguments, message):
    command = [clip if argument == "CLIP" else argument for argument in arguments]
    done = reelwright("pipeline", "run", pipeline, *command, "--output", tmp_path / "made")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_step_is_named_and_earlier_outputs_stay(pipeline, clip, tmp_path):
    pipeline.write_text(pipeline.read_text().replace("speeds: [2]", "start: 100"))
    done = reelwright("pipeline", "run", pipeline, "--video", clip, "--output", tmp_path / "made")
    assert done.returncode == 1
    assert "Step 'ramp' (speed-ramp.render)" in done.stderr
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["small.video.mp4"]
