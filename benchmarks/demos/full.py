"""Demo of matting, a studio background and motion trails in one request (`make demo-full`).

The clip is real, the studio's background a picture. The result is checked and shown.
"""

import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.material.clips import sample_clip
from benchmarks.material.drawn_scene import evening
from shared.errors import FetchFailed
from shared.models.folder import ModelFolder
from shared.models.install.pull import pull
from shared.testing import RunningSuite, suite
from shared.video import Frame, read_frames

FOLDER = Path("demo")
MODEL = "rvm-mobilenetv3"
PRESET = "studio-over-picture"
TIMEOUT_S = 3600
MATTE = "matte.alpha"
OUTPUTS = ("working.video", MATTE, "studio.video", "trails.video")
SMALL = (64, 48)
out = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo.

    Returns 0 only if the result was made and checked.
    """
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] else sample_clip("carphone_pristine.mp4")
    background = Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else FOLDER / "evening.png"
    FOLDER.mkdir(exist_ok=True)
    if background == FOLDER / "evening.png":
        cv2.imwrite(str(background), evening())
    for path in (clip, background):
        if not path.is_file():
            out.print(f"[red]There is no file {path}[/]")
            return 2
    folder = ModelFolder((FOLDER / "models").absolute())
    model = folder.model(MODEL)
    try:
        pull(folder, model)
    except FetchFailed as error:
        out.print(f"[red]{error.detail}[/]")
        return 1
    out.print(f"model    {model.title}: licence {model.licence}, from {folder.check(model, model.files[0]).source}")
    with suite(FOLDER.absolute() / "var", MODELS_DIR=str(folder.root)) as running:
        job = run(running, clip, background)
        if job["status"] != "succeeded":
            out.print(f"[red]failed: {job['error']['detail']}[/]")
            return 1
        files = {name: FOLDER / f"{clip.stem}-{name.replace('.', '-')}.mp4" for name in OUTPUTS}
        for name, path in files.items():
            with running.client.stream("GET", job["outputs"][name]["urls"]["content"]) as answer, path.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
    for step in job["result"]["steps"]:
        out.print(f"{step['id']:8} {figures(step)}")
    for warning in job["warnings"]:
        out.print(f"note     {warning}")
    if trouble := check(files, job):
        out.print(f"[red]The result is not in order: {trouble}[/]")
        return 1
    out.print(f"result   [bold]{files['trails.video']}[/] (checked: every frame decodes, the subject is there, the place is new)")
    return 0


def run(running: RunningSuite, clip: Path, background: Path) -> dict[str, Any]:
    """Upload `clip` and `background`, run the preset, and return the ended job."""
    media, picture = running.upload(clip), running.upload(background)
    facts = media["media"]
    out.print(f"clip     {clip.name}, {facts['width']}x{facts['height']}, {facts['frames']} frames; background {background.name}")
    body = {"inputs": {"video": media["id"], "background": picture["id"]}, "cache": False}
    began = time.perf_counter()
    answer = running.client.post(f"/v1/pipelines/presets/{PRESET}/jobs", json=body)
    if answer.status_code != 202:
        return {"status": "refused", "error": answer.json()}
    job = running.wait(answer.json()["id"], timeout_s=TIMEOUT_S)
    out.print(f"pipeline {PRESET}: {job['status']} after {time.perf_counter() - began:.1f} s")
    return job


def figures(step: dict[str, Any]) -> str:
    """Format a step's figures as one line."""
    metrics = step["metrics"]
    speed = f", {metrics['fps']:.1f} frames a second" if metrics.get("fps") else ""
    result = step["result"]
    about = {
        "media.transcode": lambda: f"{result['width']}x{result['height']}, {result['frames']} frames",
        "matting.matte": lambda: f"{result['backend']['name']}, the subject covers {result['coverage']:.1%} of the picture",
        "background.studio": lambda: f"{result['width']}x{result['height']}, the camera drifts {result['drift_px']:.1f} px",
        "effects.motion-trails": lambda: f"{result['frames']} frames, {len(result['cuts'])} cuts",
    }[step["operation"]]()
    return f"{step['operation']}: {about}; {metrics['run_s']:.2f} s{speed}, {metrics['peak_memory_bytes'] / 1e6:.0f} MB"


def check(files: dict[str, Path], job: dict[str, Any]) -> str | None:
    """Decode all output files; return the first fault, or None.

    Faults are, for example, a missing subject, or the clip's own place behind the subject.
    """
    steps = {step["id"]: step["result"] for step in job["result"]["steps"]}
    small = {}
    for name, path in files.items():
        with read_frames(path) as frames:
            views = [_matte(frame) if name == MATTE else frame.small_luma(*SMALL) for frame in frames]
        small[name] = np.stack(views).astype(np.int16)
        announced = steps[name.partition(".")[0]]["frames"]
        if len(small[name]) != announced:
            return f"{name}: {len(small[name])} frames decode, {announced} were announced"
    clip, matte, studio, trails = (small[name] for name in OUTPUTS)
    subject, place = matte > 250, matte < 5
    if not 0.01 < subject.mean() < 0.99:
        return f"{subject.mean():.1%} of the picture is subject"
    if np.abs(clip - studio)[place].mean() < 5:
        return "the place behind the subject is the old one"
    if np.abs(clip - studio)[subject].mean() > 40:
        return "the subject is not the clip's"
    return None if np.abs(studio - trails).max() > 5 else "there are no trails"


def _matte(frame: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(frame.matte(), SMALL, interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
