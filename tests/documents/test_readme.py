"""Documented commands and Python examples, run as written.

README.md, docs/client.md and every service's README.

Placeholders (`<media id>`, file names, the port) are filled in. CANNOT_RUN lists the commands that cannot run in a test, with the reason.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.operation import Sample
from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs/client.md", *sorted((ROOT / "services").glob("*/README.md"))]
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)
CLIPS, MATTES = ("in.mp4", "clip.mp4", "two-hours.mp4"), ("alpha.mp4", "matte.mp4")
"""Videos that the documents name as inputs: clips, and mattes. They are copies of the test clip and its matte."""

CANNOT_RUN = {
    r"^make ": "starts another suite; tests/documents/test_reference.py checks that the target exists",
    r"^docker |^docker-compose ": "needs a Docker engine; tests/deployment covers it",
    r"^pip install|^\.venv/bin/pip ": "changes the environment of the tests",
    r"reelwright (up|serve)\b": "runs until it is stopped; the fixture `running` covers it",
    r"reelwright models (pull|verify)": "needs the internet, or weights; tests/shared/models covers it",
    r"https://example\.com": "needs the internet; tests/gateway/test_gateway_url_inputs.py covers it",
    r"aesthetics (best-frames|top-images)(?!.*--scorer technical)": "needs the weights of NIMA",
    r"reelwright matting matte .*--backend chroma": "needs a clip in front of a green screen; tests/services/matting covers it",
    r"reelwright matting (?!.*--backend chroma)": "needs the weights of a matting network",
    r"background (generate|studio .*--prompt)": "needs the weights of Stable Diffusion",
    r"MatteParams\(backend=\"rvm\"": "needs the weights of RVM",
}


@dataclass(frozen=True)
class Example:
    """A command or a Python block of a document."""

    document: Path
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}: {self.code.splitlines()[0][:60]}"


def examples() -> Iterator[Example]:
    """Yield every command and Python block of the documents."""
    for document in DOCUMENTS:
        for language, block in BLOCK.findall(document.read_text()):
            if language == "python":
                yield Example(document, language, block)
                continue
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip() and not line.startswith("#"):
                    yield Example(document, language, line)


def reason_not_to_run(example: Example) -> str | None:
    """Return why a command cannot run in tests; None if it can."""
    return next((reason for pattern, reason in CANNOT_RUN.items() if re.search(pattern, example.code)), None)


RUNNABLE = [example for example in examples() if reason_not_to_run(example) is None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clip: Path, picture: Path, samples: dict[Sample, Path]) -> Path:
    """Make a folder with the input files that the documents name."""
    folder = tmp_path_factory.mktemp("readme")
    for name in CLIPS:
        shutil.copy(clip, folder / name)
    for name in MATTES:
        shutil.copy(samples[Sample.MATTE], folder / name)
    Image.open(picture).convert("RGB").save(folder / "beach.jpg")
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for number in range(4):
            archive.write(picture, f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def placeholders(running: RunningSuite) -> dict[str, str]:
    """Return replacements for the documents' placeholders."""
    job = running.wait(running.start("speed-ramp.render", {"video": SAMPLE_ID})["id"])
    return {
        "http://127.0.0.1:8080": running.url,
        "<media id>": SAMPLE_ID,
        "<job id>": job["id"],
        "<output id>": job["outputs"]["video"]["id"],
        ".venv/bin/reelwright": "reelwright",
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "example", [pytest.param(example, marks=pytest.mark.slow if "transnet" in example.code else ()) for example in RUNNABLE], ids=str
)
def test_an_example_runs(example: Example, folder: Path, placeholders: dict[str, str]) -> None:
    code = example.code
    for name, value in placeholders.items():
        code = code.replace(name, value)
    assert not re.search(r"<[a-z ]+>", code) or example.language == "python", "a placeholder that this test does not know"
    env = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
    # Several commands write to the same name.
    env |= {"REELWRIGHT_OVERWRITE": "1", "REELWRIGHT_DATA_DIR": str(folder / "var"), "PYTHONPATH": str(ROOT)}
    if example.language == "python":
        command = [sys.executable, "-c", code]
    else:
        code = re.sub(r"\bcurl ", "curl --silent --show-error --fail-with-body --max-time 200 ", code)
        command = ["bash", "-c", f'reelwright() {{ "{sys.executable}" -m reelwright "$@"; }}; {code}']
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    if "/jobs" in code and code.startswith("curl") and "-d" in code:
        assert _job(done.stdout)["status"] in ("queued", "running", "succeeded"), done.stdout


def _job(text: str) -> dict[str, Any]:
    job: dict[str, Any] = json.loads(text)
    return job


def test_make_commands_are_excluded_and_other_examples_run() -> None:
    texts = [example.code for example in examples()]
    needed = {pattern for pattern in CANNOT_RUN for text in texts if re.search(pattern, text)}
    assert {r"^make "} <= needed
    assert len(RUNNABLE) > 10


def test_every_service_shows_a_command() -> None:
    shown = {example.document for example in examples() if example.language == "sh"}
    assert set(DOCUMENTS) == {*shown, ROOT / "docs/client.md"}
