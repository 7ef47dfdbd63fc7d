"""Formats of converted networks, with their writers and runners."""

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.scores import RATINGS
from services.aesthetics.reading.small_views import SIDE

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A function that runs a network. Pictures (n, 224, 224, 3) -> probabilities (n, 10)."""

BF16_TOLERANCE = 0.01
"""Largest difference of a score in bf16 at which `precision: auto` uses bf16. The difference depends on the weights."""

_OPSET = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFormat:
    """A format of converted networks, as a row of `NETWORK_FORMATS`."""

    name: str
    file_name: str
    write: Callable[[Any, Path], None]
    """`write(model, path)`: converts a Keras model and writes it to a file."""
    run: Callable[[Path, str], Run]
    """`run(path, precision)`: loads the written network and returns a function that runs it."""


def openvino() -> Any:
    """Return the module `openvino`, imported with its telemetry disabled.

    By default, OpenVINO reports every import to its maker.
    """
    blocked = cast(Any, None)  # None makes the import of the telemetry fail, and OpenVINO then works without it
    sys.modules.setdefault("openvino_telemetry", blocked)
    import openvino

    return openvino


def has_bf16() -> bool:
    """Return whether OpenVINO supports bf16 on this processor."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def fastest_precision(path: Path) -> str:
    """Return the fastest precision that preserves the scores of the network at `path`.

    Returns "bf16" if the processor has it and no score differs by more than BF16_TOLERANCE, otherwise "f32". The difference is measured
    once and kept in a file beside the network.
    """
    if not has_bf16():
        return "f32"
    record = path.with_name("bf16.json")
    try:
        off = float(json.loads(record.read_text())["score_off"])
    except (OSError, ValueError, KeyError, TypeError):
        pictures = trial_pictures()
        exact, rounded = (_normalized(_run_openvino(path, precision)(pictures)) for precision in ("f32", "bf16"))
        off = float(np.abs((rounded - exact) @ RATINGS).max())
        with suppress(OSError):
            record.write_text(json.dumps({"score_off": round(off, 6)}) + "\n")
    return "bf16" if off <= BF16_TOLERANCE else "f32"


def trial_pictures() -> NDArray[np.float32]:
    """Return eight fixed test pictures with detail at all scales.

    Returns (8, 224, 224, 3), -1 to 1.
    """
    random = np.random.default_rng(0)
    pictures = np.zeros((8, SIDE, SIDE, 3))
    for size in (7, 14, 28, 56, 112):
        count = SIDE // size
        pictures += np.kron(random.uniform(-1, 1, (8, count, count, 3)), np.ones((1, size, size, 1)))
    return np.clip(pictures / 2, -1, 1).astype(np.float32)


def _normalized(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _write_openvino(model: Any, path: Path) -> None:
    library = openvino()
    with tempfile.TemporaryDirectory(dir=path.parent) as saved:
        model.export(saved, verbose=False)
        # `convert_model` is slower and sends telemetry.
        library.serialize(library.Core().read_model(saved), path)


def _write_onnx(model: Any, path: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="pictures")]
    function = tf.function(lambda pictures: model(pictures, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, input_signature=signature, opset=_OPSET, output_path=str(path))


def _run_openvino(path: Path, precision: str) -> Run:
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino().Core().compile_model(path, "CPU", settings)
    return lambda pictures: np.array(compiled(pictures)[0], np.float32)


def _run_onnx(path: Path, _precision: str) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0], np.float32)


NETWORK_FORMATS = {
    row.name: row
    for row in (
        NetworkFormat(name="openvino", file_name="nima.xml", write=_write_openvino, run=_run_openvino),
        NetworkFormat(name="onnx", file_name="nima.onnx", write=_write_onnx, run=_run_onnx),
    )
}
"""Name -> format."""
