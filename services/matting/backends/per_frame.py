"""Backends `birefnet`, `u2netp` and `rmbg2`, which matte each frame independently."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice

from services.matting.backends.backend import Matte, Open, OpenedBackend, Runtime, Setup, View, limited_size
from services.matting.backends.birefnet_models import BIREFNET_CHOICES, BIREFNET_MODELS
from services.matting.backends.options import NetworkOptions
from services.matting.networks.engine import choose_engine
from services.matting.networks.saliency import Saliency, load_saliency
from shared.models.cache import loaded
from shared.models.devices.batching import batch_size
from shared.models.devices.device import CPU
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.models.folder import installed
from shared.operation import Progress

_MIB = 1024**2
_MAX_AT_ONCE = 8  # maximum number of pictures in a batch


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of network: its input size, memory and output.

    `side`: side of the square input in pixels; `logits`: whether the output needs a sigmoid; `model(options)`: returns the catalog name.
    """

    side: int
    logits: bool
    bytes_loaded: int
    bytes_a_picture: int
    model: Callable[[NetworkOptions], str]


def chosen_birefnet(options: NetworkOptions) -> str | None:
    """Return the catalog name of the requested BiRefNet model, or None for `auto`."""
    return BIREFNET_CHOICES[options.birefnet].model


def birefnet_model(options: NetworkOptions) -> str:
    """Return the catalog name of the BiRefNet model to use."""
    if chosen := chosen_birefnet(options):
        return chosen
    return next((name for name in BIREFNET_MODELS if installed(name)), BIREFNET_MODELS[-1])


U2NETP = Kind(side=320, logits=False, bytes_loaded=200 * _MIB, bytes_a_picture=100 * _MIB, model=lambda _options: "u2netp")
BIREFNET = Kind(side=1024, logits=True, bytes_loaded=2500 * _MIB, bytes_a_picture=3000 * _MIB, model=birefnet_model)
RMBG2 = Kind(side=1024, logits=False, bytes_loaded=2500 * _MIB, bytes_a_picture=3000 * _MIB, model=lambda _options: "rmbg-2.0")


def per_frame(kind: Kind) -> Open:
    """Return the function that opens the backend of a kind of network."""
    return partial(_open, kind)


def size_for(side: int, width: int, height: int, resolution: int | None) -> tuple[int, int]:
    """Return the size to which a clip's frames are scaled for the network.

    The shorter side is at most `side` (the side of the network's input) and at most `resolution`.
    """
    return limited_size(width, height, min(side, resolution or side))


def _open(kind: Kind, setup: Setup, options: NetworkOptions, progress: Progress) -> AbstractContextManager[OpenedBackend]:
    return _opened(kind, setup, options, progress)


@contextmanager
def _opened(kind: Kind, _setup: Setup, options: NetworkOptions, progress: Progress) -> Iterator[OpenedBackend]:
    name = kind.model(options)
    path = next(iter(model_files(name, progress).values()))
    engine = choose_engine(options.precision)
    # On a CPU batches are not faster and only hold more frames in memory.
    batch = 1 if engine.device == CPU else batch_size(kind.bytes_a_picture, engine.device, max_size=_MAX_AT_ONCE)

    def load() -> Saliency:
        progress.part("loading the network", 0, 0)(0, 1)
        return load_saliency(path, engine, side=kind.side, batch=batch, logits=kind.logits)

    key = (name, path.stat().st_mtime_ns, engine, batch)
    with hold_gpu(engine.device, progress), loaded(key, load, size=kind.bytes_loaded, device=engine.device) as network:
        runtime = Runtime(model=name, library=engine.library, precision=network.precision, device=network.device)
        yield OpenedBackend(mattes=partial(_mattes, network), runtime=runtime)


def _mattes(network: Saliency, views: Iterator[View]) -> Iterator[Matte]:
    while batch := list(islice(views, network.batch)):
        yield from (Matte(alpha) for alpha in network.mattes([view.rgb for view in batch]))
