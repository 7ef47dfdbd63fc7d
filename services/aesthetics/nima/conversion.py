"""Conversion of Keras networks to the formats of faster backends.

The network is converted once per weights file, in a separate process:

python -m services.aesthetics.nima.conversion ARCHITECTURE WEIGHTS FORMAT FOLDER
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from services.aesthetics.nima.formats import NETWORK_FORMATS, trial_pictures
from services.aesthetics.nima.scores import RATINGS
from shared.errors import ModelDamaged, OperationFailed
from shared.models.preparation import CONVERTED

TOLERANCE = 1e-3
"""Largest difference of a score after conversion. Rounding causes a hundredth of that, a faulty conversion far more."""

_VERSION = 1
_ABANDONED_S = 3600.0


@contextmanager
def converted(architecture: str, weights: Path, sha256: str, network_format: str, *, anew: bool = False) -> Iterator[Path]:
    """Yield the file of a network in another format, converted on first use.

    The result is kept in the folder `converted` beside the weights; if that folder
    cannot be written, the network is converted each time. `anew`: replace an earlier result. Raises ModelDamaged for weights that do not
    fit, OperationFailed if the conversion fails.
    """
    file_name = NETWORK_FORMATS[network_format].file_name
    target = weights.parent / CONVERTED / f"{sha256[:16]}-{network_format}-{_VERSION}"
    if not anew and (target / file_name).is_file():
        yield target / file_name
        return
    shutil.rmtree(target, ignore_errors=True)
    try:
        target.parent.mkdir(exist_ok=True)
        _remove_abandoned(target.parent)
        folder = str(target.parent / f".{uuid.uuid4().hex}")  # `mkdtemp` would close it to other users, and the sandbox keeps modes
        os.mkdir(folder)
    except OSError:
        folder = tempfile.mkdtemp(prefix="reelwright-")
    try:
        _in_own_process(architecture, weights, network_format, Path(folder))
        if Path(folder).parent == target.parent:
            _keep(Path(folder), target)
            yield target / file_name
        else:
            yield Path(folder) / file_name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def convert(architecture: str, weights: Path, network_format: str, folder: Path) -> None:
    """Convert a network, write it into `folder` and verify its scores.

    Raises ModelDamaged for weights that do not fit, OperationFailed if the scores differ by more than TOLERANCE.
    """
    from services.aesthetics.nima.keras_model import load_keras

    model = load_keras(architecture, weights)
    row = NETWORK_FORMATS[network_format]
    path = folder / row.file_name
    row.write(model, path)
    pictures = trial_pictures()
    off = float(np.abs((row.run(path, "f32")(pictures) - model(pictures, training=False).numpy()) @ RATINGS).max())
    if not off <= TOLERANCE:
        raise OperationFailed(
            f"After conversion to {network_format}, the scores of the network differ by {off:.2g}. Use backend tensorflow."
        )


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary folders of killed conversions."""
    for path in folder.glob(".*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


def _in_own_process(architecture: str, weights: Path, network_format: str, folder: Path) -> None:
    """Convert a network in a child process, whose exit frees TensorFlow's memory."""
    command = [sys.executable, "-m", __name__, architecture, str(weights), network_format, str(folder)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if process.returncode:
        last_line = (process.stderr.strip().splitlines() or [f"its process exited with code {process.returncode}"])[-1]
        kind, _, message = last_line.partition(": ")
        if kind == ModelDamaged.__name__:
            raise ModelDamaged(message)
        raise OperationFailed(f"The network could not be converted to {network_format}: {last_line[:500]}")


def _keep(folder: Path, target: Path) -> None:
    """Move a finished conversion to the folder `target`.

    If another process was quicker, its folder stays.
    """
    try:
        for path in folder.iterdir():  # otherwise a power loss could leave an empty file under its final name
            with path.open("rb") as file:
                os.fsync(file.fileno())
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise


def main() -> None:
    """Convert the network given on the command line.

    An error becomes the last line on stderr.
    """
    architecture, weights, network_format, folder = sys.argv[1:5]
    try:
        convert(architecture, Path(weights), network_format, Path(folder))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
