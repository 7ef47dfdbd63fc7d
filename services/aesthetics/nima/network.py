"""Loading and running of the NIMA network.

The network is loaded once and kept for later jobs of the process.
"""

import importlib.util
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from services.aesthetics.nima.backends import BACKENDS, NetworkParams
from services.aesthetics.nima.conversion import converted
from services.aesthetics.nima.formats import NETWORK_FORMATS, Run, fastest_precision, has_bf16
from services.aesthetics.nima.keras_model import load_keras
from services.aesthetics.nima.models import ARCHITECTURES, NIMA_MODELS
from services.aesthetics.nima.scores import prepared
from shared.errors import Invalid, ReelwrightError, Unavailable
from shared.models.cache import loaded
from shared.models.devices.batching import batch_size, smaller_on_out_of_memory
from shared.models.devices.device import CPU, Device, choose_device
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.models.folder import ModelFolder
from shared.operation import Progress, Silent
from shared.settings import current

log = logging.getLogger(__name__)


class ModelUsed(BaseModel):
    """Name, backend and precision of the network that rated pictures."""

    name: str = Field(description="Name of the network in `reelwright models list`.")
    backend: str = Field(description="Library that ran the network.")
    precision: str = Field(description="Number format of the network's computation.")
    device: str = Field(description="Device that ran the network.")
    licence: str = Field(description="Licence of the weights.")
    commercial_use: bool = Field(description="Whether the licence allows commercial use.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A loaded NIMA network."""

    run: Run
    preprocessing: str
    batch: int
    """Maximum number of pictures in a batch."""
    model_used: ModelUsed

    def rate(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Predict the rating distributions of n pictures.

        `pictures`: (224, 224, 3) uint8 each. Returns the probabilities of the ratings 1 to 10, (n, 10). If memory runs out, smaller batches
        are tried.
        """
        batch = prepared(pictures, self.preprocessing)

        def in_pieces(size: int) -> NDArray[np.float32]:
            return np.concatenate([self.run(batch[at : at + size]) for at in range(0, len(batch), size)])

        rated = smaller_on_out_of_memory(min(self.batch, len(batch)), in_pieces)[0]
        # In bf16, the sum of the probabilities is 1 only to two digits.
        return np.asarray(rated / rated.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A function that runs a network, and the precision it uses."""

    run: Run
    precision: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """Device, backend and precision with which a network runs.

    OpenVINO's precision may be `auto`, because it depends on the weights.
    """

    device: Device
    backend: str
    precision: str


@contextmanager
def network(params: NetworkParams, progress: Progress = Silent()) -> Iterator[Network]:
    """Load the network of `params` for the duration of the block.

    The network stays loaded for later jobs of this process. Raises ModelMissing, ModelDamaged, Unavailable for a missing backend or GPU,
    Invalid for a precision that this machine lacks.
    """
    row = NIMA_MODELS[params.model]
    architecture = ARCHITECTURES[row.architecture]
    weights = next(iter(model_files(row.catalog_name, progress).values()))
    folder = ModelFolder.current()
    model = folder.model(row.catalog_name)
    sha256 = folder.check(model, model.files[0]).sha256
    plan = _plan(params)

    def load() -> _Loaded:
        progress.part("loading the network", 0, 0)(0, 1)
        return _load(architecture.name, weights, sha256, plan)

    key = ("nima", sha256, plan.backend, plan.precision, str(plan.device))
    with hold_gpu(plan.device, progress), loaded(key, load, size=architecture.model_bytes, device=plan.device) as ready:
        yield Network(
            run=ready.run,
            preprocessing=params.preprocessing,
            batch=batch_size(architecture.picture_bytes, plan.device, max_size=params.batch_size),
            model_used=ModelUsed(
                name=row.catalog_name,
                backend=plan.backend,
                precision=ready.precision,
                device=str(plan.device),
                licence=model.licence,
                commercial_use=model.commercial_use,
            ),
        )


def _plan(params: NetworkParams) -> _Plan:
    """Choose the device, backend and precision for a network.

    Raises Unavailable for a missing backend or GPU, Invalid for a precision that this machine lacks.
    """
    device, backend = choose_device(), params.backend
    if backend in ("auto", "tensorflow") and device.kind != "cpu" and params.precision != "bf16":
        if _prepare_tensorflow_gpu():
            return _Plan(device, "tensorflow", "f16" if params.precision in ("auto", "f16") else "f32")
        if backend == "tensorflow" and current().device != "auto":
            raise Unavailable(
                f"The installed TensorFlow cannot use {device} ({device.title}). Install it with pip install "
                "'reelwright[aesthetics-gpu]', or choose backend auto."
            )
        device = CPU
    if backend == "auto":
        backend = next((name for name in BACKENDS if importlib.util.find_spec(name)), "tensorflow")
    elif not importlib.util.find_spec(backend):
        raise Unavailable(f"Backend {backend} is not installed. Run: pip install {backend}, or choose backend auto.")
    if backend != "tensorflow":
        device = CPU
    if params.precision == "f16":
        raise Invalid("precision f16 needs TensorFlow and a GPU that it supports, and there is none. Choose auto or f32.")
    if params.precision == "bf16" and (backend != "openvino" or not has_bf16()):
        raise Invalid("precision bf16 needs OpenVINO and a processor with bf16. Choose auto or f32.")
    if params.precision == "auto" and backend != "openvino":
        return _Plan(device, backend, "f32")
    return _Plan(device, backend, params.precision)


def _load(architecture: str, weights: Path, sha256: str, plan: _Plan) -> _Loaded:
    """Load a network's weights into the backend of `plan`.

    If an earlier conversion cannot be loaded, the network is converted again.
    """
    network_format = BACKENDS[plan.backend].network_format
    if network_format is None:
        return _Loaded(_run_tensorflow(architecture, weights, plan.device, half=plan.precision == "f16"), plan.precision)

    def load_converted(*, anew: bool) -> _Loaded:
        with converted(architecture, weights, sha256, network_format, anew=anew) as path:
            precision = fastest_precision(path) if plan.precision == "auto" else plan.precision
            return _Loaded(NETWORK_FORMATS[network_format].run(path, precision), precision)

    try:
        return load_converted(anew=False)
    except (ReelwrightError, MemoryError):
        raise
    except Exception as error:  # each library has its own exceptions
        log.warning("the converted network cannot be loaded (%s); it is converted anew", str(error).strip()[-200:])
        return load_converted(anew=True)


def _run_tensorflow(architecture: str, weights: Path, device: Device, *, half: bool) -> Run:
    """Return a function that runs the network with TensorFlow."""
    import tensorflow as tf

    where = "/CPU:0" if device.kind == "cpu" else f"/GPU:{device.index}"
    with tf.device(where):
        model = load_keras(architecture, weights, half=half)
    compute = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)

    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        with tf.device(where):
            return np.asarray(compute(tf.constant(pictures)).numpy(), np.float32)

    return run


def _prepare_tensorflow_gpu() -> bool:
    """Let TensorFlow allocate GPU memory as needed; return whether a GPU works.

    If the process has used TensorFlow's GPU already, TensorFlow keeps its way of taking memory.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as error:
            log.info("TensorFlow does not change how it takes GPU memory: %s", error)
    return bool(gpus)
