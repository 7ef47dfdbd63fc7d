"""The network that rates pictures, loaded once and kept for the next job."""

import importlib.util
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.keras_model import load_keras
from services.aesthetics.nima.keras_to_openvino import converted, fastest_precision, openvino, runner
from services.aesthetics.nima.scores import ARCHITECTURES, CATALOG_NAMES, Architecture, prepared
from services.aesthetics.params import ModelUsed, ScoreParams
from shared.errors import Invalid, ReelwrightError, Unavailable
from shared.models.batching import batch_size, smaller_on_out_of_memory
from shared.models.cache import loaded
from shared.models.device import CPU, Device, choose_device
from shared.models.files import model_files
from shared.models.folder import ModelFolder
from shared.models.gpu_lock import hold_gpu
from shared.operation import Progress, Silent
from shared.settings import current

log = logging.getLogger(__name__)

MIB = 1024 * 1024
_TAKES = {"inception-resnet-v2": 700 * MIB, "mobilenet": 150 * MIB}
_PICTURE_TAKES = {"inception-resnet-v2": 40 * MIB, "mobilenet": 20 * MIB}

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network that is ready. `batch`: how many pictures it is given at once."""

    run: Run
    preprocessing: str
    batch: int
    used: ModelUsed

    def rate(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Ten probabilities for each of the pictures ((224, 224, 3) uint8): (n, 10). Fewer at once where memory runs out."""
        batch = prepared(pictures, self.preprocessing)

        def in_pieces(size: int) -> NDArray[np.float32]:
            return np.concatenate([self.run(batch[at : at + size]) for at in range(0, len(batch), size)])

        rated = smaller_on_out_of_memory(min(self.batch, len(batch)), in_pieces)[0]
        # In bf16 the shares add up to 1 only to two digits.
        return np.asarray(rated / rated.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What runs a network, and in which precision."""

    run: Run
    precision: str


@contextmanager
def network(params: ScoreParams, progress: Progress = Silent()) -> Iterator[Network]:
    """The network that `params` ask for, for the length of the block. It stays loaded for the next job of this process.

    Raises ModelMissing, ModelDamaged, Invalid for a precision that this machine has not.
    """
    name, architecture = CATALOG_NAMES[params.model], ARCHITECTURES[params.model]
    weights = next(iter(model_files(name, progress).values()))
    folder = ModelFolder.in_force()
    model = folder.model(name)
    sha256 = folder.check(model, model.files[0]).sha256
    device, backend, precision = _chosen(params)

    def load() -> _Loaded:
        progress.part("loading the network", 0, 0)(0, 1)
        return _loaded(architecture, weights, sha256, backend, precision, device)

    key = ("nima", sha256, backend, precision, str(device))
    with hold_gpu(device, progress), loaded(key, load, size=_TAKES[architecture], device=device) as ready:
        yield Network(
            run=ready.run,
            preprocessing=params.preprocessing,
            batch=batch_size(_PICTURE_TAKES[architecture], device, most=params.batch_size),
            used=ModelUsed(
                name=name,
                backend=backend,
                precision=ready.precision,
                device=str(device),
                licence=model.licence,
                commercial_use=model.commercial_use,
            ),
        )


def has_bf16() -> bool:
    """Whether OpenVINO computes in bf16 on this processor."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _chosen(params: ScoreParams) -> tuple[Device, str, str]:
    """Device, backend and precision; the precision of OpenVINO stays `auto` where it is, since it depends on the weights."""
    device, backend = choose_device(), params.backend
    if backend in ("auto", "tensorflow") and device.kind != "cpu" and params.precision != "bf16":
        if _tensorflow_uses_gpu():
            return device, "tensorflow", "f16" if params.precision in ("auto", "f16") else "f32"
        if backend == "tensorflow" and current().device != "auto":
            raise Unavailable(
                f"The TensorFlow that is installed cannot use {device} ({device.title}). Install it with pip install "
                "'reelwright[aesthetics-gpu]', or ask for backend auto."
            )
        device = CPU
    if backend == "auto":
        backend = next((name for name in ("openvino", "onnxruntime", "tensorflow") if importlib.util.find_spec(name)), "tensorflow")
    elif not importlib.util.find_spec(backend):
        raise Unavailable(f"backend {backend} is not installed here. Run: pip install {backend}, or ask for backend auto.")
    if backend != "tensorflow":
        device = CPU
    if params.precision == "f16":
        raise Invalid("precision f16 needs TensorFlow on a GPU, and there is none that it can use. Choose auto or f32.")
    if params.precision == "bf16" and (backend != "openvino" or not has_bf16()):
        raise Invalid("precision bf16 needs OpenVINO and a processor that has it. Choose auto or f32.")
    if params.precision == "auto" and backend != "openvino":
        return device, backend, "f32"
    return device, backend, params.precision


def _loaded(architecture: Architecture, weights: Path, sha256: str, backend: str, precision: str, device: Device) -> _Loaded:
    if backend == "tensorflow":
        return _Loaded(_tensorflow_runner(architecture, weights, device, half=precision == "f16"), precision)
    try:
        return _converted(architecture, weights, sha256, backend, precision, anew=False)
    except (ReelwrightError, MemoryError):
        raise
    except Exception as error:  # each library has its own
        log.warning("the converted network cannot be loaded (%s); it is converted anew", str(error).strip()[-200:])
        return _converted(architecture, weights, sha256, backend, precision, anew=True)


def _converted(architecture: Architecture, weights: Path, sha256: str, backend: str, precision: str, *, anew: bool) -> _Loaded:
    with converted(architecture, weights, sha256, "openvino" if backend == "openvino" else "onnx", anew=anew) as path:
        precision = fastest_precision(path) if precision == "auto" else precision
        return _Loaded(runner(path, precision=precision), precision)


def _tensorflow_runner(architecture: Architecture, weights: Path, device: Device, *, half: bool) -> Run:
    import tensorflow as tf

    where = "/CPU:0" if device.kind == "cpu" else f"/GPU:{device.index}"
    with tf.device(where):
        model = load_keras(architecture, weights, half=half)
    compute = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)

    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        with tf.device(where):
            return np.asarray(compute(tf.constant(pictures)).numpy(), np.float32)

    return run


def _tensorflow_uses_gpu() -> bool:
    """Whether the TensorFlow that is installed can compute on a GPU."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    return bool(tf.config.list_physical_devices("GPU"))
