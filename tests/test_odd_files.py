"""Every operation on users' odd files: a success, or a clear refusal."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

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
from tests.odd_files import ODD_FILES
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
    updates: list[Update] = []
    try:
        operation.run(PARAMS.get(operation.name, operation.example), **arguments, progress=Report(updates.append))
    except ReelwrightError as refused:
        assert not isinstance(refused, OperationFailed), refused.detail
        assert refused.status < 500 or refused.status == 503
        assert refused.detail[-1] in ".)"
        assert not any((folder / f"{output}{SUFFIXES[kind]}").exists() for output, kind in operation.outputs.items() if kind == Kind.VIDEO)
        return False
    assert all((folder / f"{output}{SUFFIXES[kind]}").stat().st_size > 0 for output, kind in operation.outputs.items())
    said = [update.text for update in updates if isinstance(update, JobWarning)]
    assert [warning for warning in probe_video(odd_files[name]).warnings if not any(warning in text for text in said)] == []
    return True


@pytest.mark.parametrize(("number", "name"), list(enumerate(ODD_FILES)))
def test_usual_operations_share_the_odd_files(number, name, odd_files, samples, tmp_path):
    run(QUICK_OPERATIONS[number % len(QUICK_OPERATIONS)], name, odd_files, samples, tmp_path)


@pytest.mark.usefixtures("weights")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_passes_on_the_warnings_of_a_file(operation, odd_files, samples, tmp_path):
    assert run(operation, "restarts.ts", odd_files, samples, tmp_path)
    assert any("timestamps in the file jump" in warning for warning in probe_video(odd_files["restarts.ts"]).warnings)


@pytest.mark.slow
@pytest.mark.usefixtures("weights")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_takes_every_odd_file(operation, name, odd_files, samples, tmp_path):
    run(operation, name, odd_files, samples, tmp_path)
