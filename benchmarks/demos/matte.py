"""Demo of matting over HTTP (`make demo-matte`).

Pulls RVM, starts the suite, cuts a person out of a real clip through the gateway, checks and shows the result.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.material.clips import sample_clip
from shared.errors import FetchFailed
from shared.models.folder import ModelFolder
from shared.models.install.pull import pull
from shared.testing import suite
from shared.video import read_frames

FOLDER = Path("demo")
MODEL = "rvm-mobilenetv3"
PARAMS: dict[str, Any] = {"backend": "auto", "subject": "main", "composite_over": "checkerboard"}
out = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo.

    Returns 0 only if the result exists and passes the checks.
    """
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 else sample_clip("carphone_pristine.mp4")
    if not clip.is_file():
        out.print(f"[red]There is no file {clip}[/]")
        return 2
    FOLDER.mkdir(exist_ok=True)
    folder = ModelFolder((FOLDER / "models").absolute())
    model = folder.model(MODEL)
    out.print(f"model    {model.title}: licence {model.licence}, code and weights ({model.source})")
    try:
        fetched = pull(folder, model)
    except FetchFailed as error:
        out.print(f"[red]{error.detail}[/]")
        return 1
    record = folder.check(model, model.files[0])
    out.print(f"         {'fetched from' if fetched else 'there already, from'} {record.source}")
    with suite(FOLDER.absolute() / "var", MODELS_DIR=str(folder.root)) as running:
        media = running.upload(clip)
        facts = media["media"]
        out.print(f"clip     {clip.name}, {facts['width']}x{facts['height']}, {facts['frames']} frames")
        job = running.wait(running.start("matting.matte", {"video": media["id"]}, PARAMS)["id"], timeout_s=3600)
        if job["status"] != "succeeded":
            out.print(f"[red]failed: {job['error']['detail']}[/]")
            return 1
        files = {}
        for name, record_of in job["outputs"].items():
            files[name] = FOLDER / f"{clip.stem}-{name}.mp4"
            with running.client.stream("GET", record_of["urls"]["content"]) as answer, files[name].open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
    result, metrics = job["result"], job["metrics"]
    backend = result["backend"]
    if trouble := check(files["alpha"], result):
        out.print(f"[red]The matte is not in order: {trouble}[/]")
        return 1
    out.print(
        f"backend  {backend['name']} because {backend['reason']}; "
        f"{backend['library']}, {backend['precision']}, {backend['device']}; {backend['licence']}"
    )
    out.print(f"matte    {result['frames']} frames, the subject covers {result['coverage']:.1%} of the picture")
    out.print(f"speed    {metrics['fps']:.1f} frames a second; {metrics['run_s']:.2f} s for the whole job")
    out.print(f"memory   {metrics['peak_memory_bytes'] / 1e6:.0f} MB at the most, in the worker")
    for warning in job["warnings"]:
        out.print(f"note     {warning}")
    out.print(f"result   [bold]{files['alpha']}[/] and [bold]{files['composite']}[/] (checked: every frame decodes)")
    return 0


def check(path: Path, result: dict[str, Any]) -> str | None:
    """Decode every frame of the matte; return the first fault, or None."""
    with read_frames(path) as frames:
        levels = [frame.luma()[::4, ::4] for frame in frames]
    if len(levels) != result["frames"]:
        return f"{len(levels)} frames decode, {result['frames']} were announced"
    solid = float(np.mean([np.mean(level > 125) for level in levels]))
    return None if 0.01 < solid < 0.99 else f"{solid:.1%} of it is subject"


if __name__ == "__main__":
    sys.exit(main())
