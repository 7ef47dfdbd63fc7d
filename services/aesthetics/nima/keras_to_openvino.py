"""From Keras to what runs fast on a processor: done once for each file of weights, in a process of its own, and kept beside them.

python -m services.aesthetics.nima.keras_to_openvino ARCHITECTURE WEIGHTS FORMAT FOLDER
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.scores import RATINGS, Architecture
from services.aesthetics.reading.small_views import SIDE
from shared.errors import ModelDamaged, OperationFailed

Format = Literal["openvino", "onnx"]
FILES: dict[Format, str] = {"openvino": "nima.xml", "onnx": "nima.onnx"}
TOLERANCE = 1e-3
"""How far a score may be off after the conversion for it to be kept. Rounding is a hundredth of it; a fault is far more."""

BF16_TOLERANCE = 0.01
"""How far a score may be off in bf16 for that to be taken by itself: how far it is depends on the weights."""

_VERSION = 1
_OPSET = 17
_ABANDONED_S = 3600.0


@contextmanager
def converted(architecture: Architecture, weights: Path, sha256: str, form: Format, *, anew: bool = False) -> Iterator[Path]:
    """The network in another format, converted now if it never was: a file that is there for the length of the block.

    It is kept in `converted` beside the weights; where nothing can be written there, it is made anew each time. `anew`: what is kept is
    replaced. Raises ModelDamaged for weights that do not fit, OperationFailed where the conversion fails.
    """
    kept = weights.parent / "converted" / f"{sha256[:16]}-{form}-{_VERSION}"
    if not anew and (kept / FILES[form]).is_file():
        yield kept / FILES[form]
        return
    shutil.rmtree(kept, ignore_errors=True)
    try:
        kept.parent.mkdir(exist_ok=True)
        _clear_away(kept.parent)
        folder = tempfile.mkdtemp(prefix=".", dir=kept.parent)
    except OSError:
        folder = tempfile.mkdtemp(prefix="reelwright-")
    try:
        _in_own_process(architecture, weights, form, Path(folder))
        if Path(folder).parent == kept.parent:
            _keep(Path(folder), kept)
            yield kept / FILES[form]
        else:
            yield Path(folder) / FILES[form]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_away(folder: Path) -> None:
    """Remove what conversions left that were killed."""
    for left in folder.glob(".*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


def convert(architecture: Architecture, weights: Path, form: Format, folder: Path) -> None:
    """Write the network into an existing folder, and see that it computes the same. Raises ModelDamaged or OperationFailed."""
    from services.aesthetics.nima.keras_model import load_keras

    model = load_keras(architecture, weights)
    path = folder / FILES[form]
    (_to_openvino if form == "openvino" else _to_onnx)(model, path)
    pictures = _trial_pictures()
    off = float(np.abs((runner(path)(pictures) - model(pictures, training=False).numpy()) @ RATINGS).max())
    if not off <= TOLERANCE:
        raise OperationFailed(f"Converted to {form}, the network computes something else ({off:.2g} off). Use backend tensorflow.")


def runner(path: Path, *, precision: str = "f32") -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """A converted network as a function (n, 224, 224, 3) -> (n, 10)."""
    return _openvino_runner(path, precision) if path.suffix == ".xml" else _onnx_runner(path)


def fastest_precision(path: Path) -> str:
    """ "bf16" for an OpenVINO network where the processor has it and its scores stay the same in it, else "f32"; found out once."""
    if "BF16" not in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "f32"
    known = path.with_name("bf16.json")
    try:
        off = float(json.loads(known.read_text())["score_off"])
    except (OSError, ValueError, KeyError, TypeError):
        pictures = _trial_pictures()
        exact, rounded = (_normal(runner(path, precision=precision)(pictures)) for precision in ("f32", "bf16"))
        off = float(np.abs((rounded - exact) @ RATINGS).max())
        with suppress(OSError):
            known.write_text(json.dumps({"score_off": round(off, 6)}) + "\n")
    return "bf16" if off <= BF16_TOLERANCE else "f32"


def openvino() -> Any:
    """The library, without its telemetry, which tells its maker of every import and needs somebody to turn it off."""
    missing = cast(Any, None)  # an entry of None makes an import fail; the library then goes without
    sys.modules.setdefault("openvino_telemetry", missing)
    import openvino

    return openvino


def _trial_pictures() -> NDArray[np.float32]:
    """Eight pictures with structure of all sizes, (8, 224, 224, 3) from -1 to 1, always the same."""
    random = np.random.default_rng(0)
    pictures = np.zeros((8, SIDE, SIDE, 3))
    for size in (7, 14, 28, 56, 112):
        count = SIDE // size
        pictures += np.kron(random.uniform(-1, 1, (8, count, count, 3)), np.ones((1, size, size, 1)))
    return np.clip(pictures / 2, -1, 1).astype(np.float32)


def _normal(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _to_openvino(model: Any, path: Path) -> None:
    library = openvino()
    with tempfile.TemporaryDirectory(dir=path.parent) as saved:
        model.export(saved, verbose=False)
        # Not convert_model: it is slower, and reports what it does.
        library.serialize(library.Core().read_model(saved), path)


def _to_onnx(model: Any, path: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="pictures")]
    function = tf.function(lambda pictures: model(pictures, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, input_signature=signature, opset=_OPSET, output_path=str(path))


def _openvino_runner(path: Path, precision: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino().Core().compile_model(path, "CPU", settings)
    return lambda pictures: np.array(compiled(pictures)[0], np.float32)


def _onnx_runner(path: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0], np.float32)


def _in_own_process(architecture: Architecture, weights: Path, form: Format, folder: Path) -> None:
    """Convert where TensorFlow's memory is given back afterwards."""
    command = [sys.executable, "-m", __name__, architecture, str(weights), form, str(folder)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"])[-1]
        kind, _, said = last.partition(": ")
        if kind == ModelDamaged.__name__:
            raise ModelDamaged(said)
        raise OperationFailed(f"The network could not be converted to {form}: {last[:500]}")


def _keep(folder: Path, kept: Path) -> None:
    """Put a finished conversion under its name; another process may have been quicker."""
    try:
        for path in folder.iterdir():  # a loss of power must not leave a file under its name that is empty
            with path.open("rb") as file:
                os.fsync(file.fileno())
        os.chmod(folder, 0o755)
        os.rename(folder, kept)
    except OSError:
        if not kept.is_dir():
            raise


def main() -> None:
    """Convert, as the command line says; what goes wrong is the last line on stderr."""
    architecture, weights, form, folder = sys.argv[1:5]
    try:
        convert(cast(Architecture, architecture), Path(weights), cast(Format, form), Path(folder))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
