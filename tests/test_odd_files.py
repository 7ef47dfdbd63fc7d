"""Every operation on users' odd files: a success, or a clear refusal."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reelwright import ROOMS
from shared.errors import OperationFailed, ReelwrightError
from shared.operation import SUFFIXES, Kind, Operation, Sample
from shared.video import VideoWriter, ffmpeg_path, read_frames
from shared.worker.progress import Report
from tests.odd_files import ODD_FILES
from tests.repeated_runs import example_arguments

NEED_WEIGHTS = {"background.generate"}
"""Operations whose examples need weights that tests do not have."""

OPERATIONS = [
    operation
    for room in ROOMS
    for operation in room.service.operations
    if operation.name not in NEED_WEIGHTS and any(port.sample == Sample.CLIP for port in operation.ports.values())
]
QUICK_OPERATIONS = ("speed-ramp.render", "effects.motion-trails", "keyframes.detect", "speed-ramp.export", "media.transcode")
"""Operations that share the files in each test run. Each file meets one of them. All meet all with `make test-all`."""


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


def run(operation: Operation, name: str, odd_files: dict[str, Path], samples: dict[Sample, Path], folder: Path) -> None:
    """Run an operation's example with an odd file as its clip.

    Fails for an error that is not the project's own.
    """
    if name not in odd_files:
        odd_files[name] = ODD_FILES[name](odd_files[""] / name, ffmpeg_path())
    files = samples | {Sample.CLIP: odd_files[name]} | shaped(odd_files[name], operation, folder)
    arguments = example_arguments(operation, files, folder)
    messages: list[str] = []
    try:
        operation.run(operation.example, **arguments, progress=Report(lambda update: messages.append(str(update))))
    except ReelwrightError as refused:
        assert not isinstance(refused, OperationFailed), refused.detail
        assert refused.status < 500 or refused.status == 503
        assert refused.detail[-1] in ".)"
        assert not any((folder / f"{output}{SUFFIXES[kind]}").exists() for output, kind in operation.outputs.items() if kind == Kind.VIDEO)
        return
    assert all((folder / f"{output}{SUFFIXES[kind]}").stat().st_size > 0 for output, kind in operation.outputs.items())


@pytest.mark.parametrize(("number", "name"), list(enumerate(ODD_FILES)))
def test_usual_operations_share_the_odd_files(number, name, odd_files, samples, tmp_path):
    wanted = QUICK_OPERATIONS[number % len(QUICK_OPERATIONS)]
    run(next(operation for operation in OPERATIONS if operation.name == wanted), name, odd_files, samples, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_takes_every_odd_file(operation, name, odd_files, samples, tmp_path):
    run(operation, name, odd_files, samples, tmp_path)
