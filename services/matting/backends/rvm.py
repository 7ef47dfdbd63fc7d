"""Backends `rvm` and `rvm-resnet50`: mattes of people by recurrent networks."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from services.matting.backends.backend import Matte, Open, OpenedBackend, Runtime, Sample, Setup, View
from services.matting.backends.options import NetworkOptions
from services.matting.networks.engine import choose_engine
from services.matting.networks.rvm import Rvm, downsample_ratio, load_rvm
from shared.models.cache import loaded
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.operation import Progress

_LOOKS = 2
"""Number of times that the network gets each picture of a sample. The first result is the worst, because the network has no memory yet."""
_SOLID, _MIN_SHARE = 0.7, 0.004  # alpha above which a pixel shows people, and minimum share of such pixels in a picture of people
_BYTES_PER_PIXEL, _WEIGHTS_BYTES = 300, 300 * 1024**2  # bytes per input pixel while the network runs, and bytes of the loaded network


def rvm(name: str) -> Open:
    """Return the function that opens the backend with the model `name`."""
    return partial(_open, name)


def suits(name: str, sample: Sample) -> str | None:
    """Return why RVM suits the clip, or None without people.

    The network itself is run on the pictures of the sample.
    """
    path = next(iter(model_files(name).values()))
    engine = choose_engine("auto")
    with hold_gpu(engine.device):
        height, width = sample.pictures[0].shape[:2]
        network = load_rvm(path, width, height, engine, ratio=downsample_ratio(width, height), foreground=False)
        for picture in sample.pictures:
            clip = network.start()
            *_, (alpha, _) = (clip.step(picture) for _ in range(_LOOKS))
            if float((alpha > _SOLID).mean()) > _MIN_SHARE:
                return "people are in the picture"
    return None


def _open(name: str, setup: Setup, options: NetworkOptions, progress: Progress) -> AbstractContextManager[OpenedBackend]:
    return _opened(name, setup, options, progress)


@contextmanager
def _opened(name: str, setup: Setup, options: NetworkOptions, progress: Progress) -> Iterator[OpenedBackend]:
    path = next(iter(model_files(name, progress).values()))
    engine = choose_engine(options.precision)
    ratio = options.downsample_ratio or downsample_ratio(setup.width, setup.height)

    def load() -> Rvm:
        progress.part("loading the network", 0, 0)(0, 1)
        return load_rvm(path, setup.width, setup.height, engine, ratio=ratio, foreground=setup.foreground)

    key = (name, path.stat().st_mtime_ns, setup.width, setup.height, engine, ratio, setup.foreground)
    size = _WEIGHTS_BYTES + _BYTES_PER_PIXEL * setup.width * setup.height
    with hold_gpu(engine.device, progress), loaded(key, load, size=size, device=engine.device) as network:
        runtime = Runtime(model=name, library=engine.library, precision=network.precision, device=network.device)
        yield OpenedBackend(mattes=partial(_mattes, network), runtime=runtime)


def _mattes(network: Rvm, views: Iterator[View]) -> Iterator[Matte]:
    clip = network.start()
    for view in views:
        if view.cut:
            clip.reset()
        alpha, foreground = clip.step(view.rgb)
        yield Matte(alpha, foreground)
