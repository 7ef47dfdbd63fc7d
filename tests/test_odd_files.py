"""Every operation on users' odd files: a success, or a clear refusal."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reelwright import ROOMS
from services.background.generate import GenerateParams
from services.matting.mask import MaskParams
from services.media.reel import Moment, ReelParams
from shared.errors import OperationFailed, ReelwrightError
from shared.models.cache import model_cache
from shared.operation import SUFFIXES, Kind, Operation, Params, Sample
from shared.settings import Settings
from shared.video import VideoWriter, ffmpeg_path, probe_video, read_frames
from shared.worker.progress import Report
from shared.worker.protocol import JobWarning, Update
from tests.odd_files import ODD_FILES, ODD_PICTURES
from tests.repeated_runs import example_arguments
from tests.services.background.diffusion.tiny_diffusion import write_pipeline

OPERATIONS = [
    operation
    for room in ROOMS
    for operation in room.service.operations
    if any(port.sample == Sample.CLIP for port in operation.ports.values())
]
PARAMS: dict[str, Params] = {
    "background.generate": GenerateParams(prompt="a beach", steps=2, resolution=64),
    "media.reel": ReelParams(moments=[Moment(timestamp_s=0.5, score=1.0)], around=0.3),
    "matting.mask": MaskParams(backend="difference", time_s=0.4),
}
"""Params in place of the example's, where those take long or are made for a longer clip."""

PICTURE_INPUTS = [
    (operation, name, kind)
    for operation in OPERATIONS
    if operation.name != "background.generate"
    for name, port in operation.ports.items()
    for kind in port.kinds
    if kind in (Kind.IMAGE, Kind.IMAGES)
]
"""Each input that takes a picture or a zip file of pictures."""

QUICK_OPERATIONS = [operation for operation in OPERATIONS if operation.name != "background.generate"]
"""Operations that share the files in each test run: each file meets one of them. All meet all with `make test-all`."""


@pytest.fixture(scope="session")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the cache of odd files by name, at first without files.

    The entry "" is the folder in which `run` makes each file on its first use.
    """
    return {"": tmp_path_factory.mktemp("odd")}


def shaped(clip: Path, operation: Operation, folder: Path) -> dict[Sample, Path]:
    """Write a plate and true matte of a clip's shape, if needed.

    The operation may need them. Some operations refuse another shape.
    """
    if not operation.name.startswith("matting."):
        return {}
    with read_frames(clip, to_sdr8=True, opaque=True) as frames:
        picture = next(frames).rgb()
    plate, matte = folder / "clip-plate.png", folder / "clip-matte.mp4"
    Image.fromarray(picture[:, ::-1]).save(plate)
    with VideoWriter(matte, width=picture.shape[1], height=picture.shape[0], frame_rate=Fraction(25), pixel_format="gray") as writer:
        for number in range(25):
            writer.write((np.full(picture.shape[:2], 10 * number, np.uint8),), number)
    return {Sample.PLATE: plate, Sample.MATTE: matte}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install a tiny Stable Diffusion network with random weights."""
    folder = tmp_path_factory.mktemp("models")
    write_pipeline(folder / "sd15-inpainting")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shared.settings._Process.settings", Settings(models_dir=folder, device="cpu"))
        yield
    model_cache().drop()


def run(operation: Operation, name: str, odd_files: dict[str, Path], samples: dict[Sample, Path], folder: Path) -> bool:
    """Run an operation with an odd file as its clip; return whether it succeeds.

    Fails for an error that is not the project's own, and for a warning of the file that the job does not have.
    """
    if name not in odd_files:
        odd_files[name] = ODD_FILES[name](odd_files[""] / name, ffmpeg_path())
    files = samples | {Sample.CLIP: odd_files[name]} | shaped(odd_files[name], operation, folder)
    arguments = example_arguments(operation, files, folder)
    if not any(port.sample == Sample.CLIP for port in operation.example_inputs.values()):  # its example has pictures instead
        arguments |= {port_name: [odd_files[name]] if port.sample == Sample.CLIP else None for port_name, port in operation.ports.items()}
    said = outcome(operation, arguments, folder)
    if said is not None:
        assert [warning for warning in probe_video(odd_files[name]).warnings if not any(warning in text for text in said)] == []
    return said is not None


def outcome(operation: Operation, arguments: dict[str, Any], folder: Path) -> list[str] | None:
    """Run an operation; return its warnings, or None if it refuses the files.

    Checks that a refusal is one of the project's errors, in a sentence.
    """
    updates: list[Update] = []
    try:
        operation.run(PARAMS.get(operation.name, operation.example), **arguments, progress=Report(updates.append))
    except ReelwrightError as refused:
        assert not isinstance(refused, OperationFailed), refused.detail
        assert refused.status < 500 or refused.status == 503
        assert refused.detail[-1] in ".)"
        assert not any((folder / f"{output}{SUFFIXES[kind]}").exists() for output, kind in operation.outputs.items() if kind == Kind.VIDEO)
        return None
    assert all((folder / f"{output}{SUFFIXES[kind]}").stat().st_size > 0 for output, kind in operation.outputs.items())
    return [update.text for update in updates if isinstance(update, JobWarning)]


def run_with_picture(operation: Operation, port_name: str, path: Path, samples: dict[Sample, Path], folder: Path) -> list[str] | None:
    """Run an operation's example with another picture or zip file at one input; return what `outcome` returns."""
    arguments = example_arguments(operation, samples | shaped(samples[Sample.CLIP], operation, folder), folder)
    if port_name == "images":
        arguments["video"] = None
    return outcome(operation, arguments | {port_name: [path] if operation.ports[port_name].many else path}, folder)


def kind_of(name: str) -> Kind:
    return Kind.IMAGES if name.endswith(".zip") else Kind.IMAGE


@pytest.mark.parametrize(("number", "name"), list(enumerate(ODD_FILES)))
def test_usual_operations_share_the_odd_files(number, name, odd_files, samples, tmp_path):
    run(QUICK_OPERATIONS[number % len(QUICK_OPERATIONS)], name, odd_files, samples, tmp_path)


@pytest.mark.usefixtures("weights")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_passes_on_the_warnings_of_a_file(operation, odd_files, samples, tmp_path):
    assert run(operation, "restarts.ts", odd_files, samples, tmp_path)
    assert any("timestamps in the file jump" in warning for warning in probe_video(odd_files["restarts.ts"]).warnings)


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_usual_operations_share_the_odd_pictures(name, samples, tmp_path):
    path = ODD_PICTURES[name](tmp_path / name, ffmpeg_path())
    kind, alike = kind_of(name), [other for other in ODD_PICTURES if kind_of(other) == kind_of(name)]
    inputs = [(operation, port_name) for operation, port_name, accepted in PICTURE_INPUTS if accepted == kind]
    for place, (operation, port_name) in enumerate(inputs):
        # Each input meets one picture, and each zip file.
        if kind == Kind.IMAGES or place % len(alike) == alike.index(name):
            folder = tmp_path / f"{operation.name}-{port_name}"
            folder.mkdir()
            run_with_picture(operation, port_name, path, samples, folder)


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_a_picture_in_place_of_a_clip_is_refused(name, samples, tmp_path):
    path = ODD_PICTURES[name](tmp_path / name, ffmpeg_path())
    operation = QUICK_OPERATIONS[list(ODD_PICTURES).index(name) % len(QUICK_OPERATIONS)]
    arguments = example_arguments(operation, samples, tmp_path)
    clips = [port_name for port_name, port in operation.ports.items() if port_name == "video"]
    assert outcome(operation, arguments | {port: [path] if operation.ports[port].many else path for port in clips}, tmp_path) is None


@pytest.mark.parametrize("name", ["phone.heic", "phone.avif", "print.jpg", "album.zip"])
def test_the_best_of_odd_pictures_are_chosen(name, samples, tmp_path):
    (operation,) = (operation for operation in OPERATIONS if operation.name == "aesthetics.top-images")
    path = ODD_PICTURES[name](tmp_path / name, ffmpeg_path())
    said = run_with_picture(operation, "images", path, samples, tmp_path)
    assert said is not None
    assert any("notes.txt" in warning for warning in said) == (name == "album.zip")


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD_PICTURES)
@pytest.mark.parametrize(("operation", "port_name", "kind"), PICTURE_INPUTS, ids=lambda item: getattr(item, "name", item))
def test_every_input_for_pictures_takes_every_odd_picture(operation, port_name, kind, name, samples, tmp_path):
    if kind == kind_of(name):
        run_with_picture(operation, port_name, ODD_PICTURES[name](tmp_path / name, ffmpeg_path()), samples, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("weights")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_takes_every_odd_file(operation, name, odd_files, samples, tmp_path):
    run(operation, name, odd_files, samples, tmp_path)
