"""Backends `matanyone` and `matanyone2`: mattes of subjects marked by a mask.

Both run the user's installation of the package.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import numpy as np

from services.matting.backends.backend import Matte, Open, OpenedBackend, Runtime, Sample, Setup, View, limited_size
from services.matting.backends.options import NetworkOptions
from services.matting.matanyone.package import MatAnyone, Package, load_matanyone
from services.matting.matanyone.stream import Stream, large_enough
from shared.errors import Invalid
from shared.models.cache import loaded
from shared.models.devices.device import CPU, Device, torch_device
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.devices.precision import has_bf16
from shared.models.files import model_files
from shared.operation import Progress

_LINES = 720
"""Default of the param `resolution`, in pixels. At this size a frame takes 3 s on two cores."""
_WEIGHTS_BYTES, _BYTES_PER_PIXEL = 600 * 1024**2, 1700  # bytes of the loaded network, and bytes per input pixel while it runs
MEMORY_BYTES = _WEIGHTS_BYTES + _BYTES_PER_PIXEL * 1280 * 720
"""Memory of the network with its default resolution and one subject."""


def matanyone(package: Package) -> Open:
    """Return the function that opens the backend of a MatAnyone package."""
    return partial(_open, package)


def inference_size(width: int, height: int, resolution: int | None) -> tuple[int, int]:
    """Return the size to which a clip's frames are scaled for the network.

    Small clips are enlarged, because the network needs 30 patches.
    """
    return large_enough(*limited_size(width, height, resolution or _LINES))


def suits(sample: Sample) -> str | None:
    """Return why MatAnyone suits the clip, or None without a mask."""
    return "a mask shows the subject" if sample.mask else None


def _open(package: Package, setup: Setup, options: NetworkOptions, progress: Progress) -> AbstractContextManager[OpenedBackend]:
    return _opened(package, setup, options, progress)


@contextmanager
def _opened(package: Package, setup: Setup, options: NetworkOptions, progress: Progress) -> Iterator[OpenedBackend]:
    path = next(iter(model_files(package, progress).values()))
    device = torch_device()
    precision = _precision(options, device)

    def load() -> MatAnyone:
        progress.part("loading the network", 0, 0)(0, 1)
        return load_matanyone(package, path, str(device))

    size = _WEIGHTS_BYTES + _BYTES_PER_PIXEL * setup.width * setup.height
    key = (package, path.stat().st_mtime_ns, str(device))
    with hold_gpu(device, progress), loaded(key, load, size=size, device=device) as network:
        runtime = Runtime(model=package, library="torch", precision=precision, device=str(device))
        yield OpenedBackend(mattes=partial(_mattes, network, precision), runtime=runtime)


def _mattes(network: MatAnyone, precision: str, views: Iterator[View]) -> Iterator[Matte]:
    stream = Stream(network, precision)
    for view in views:
        alphas = stream.step(view.rgb, view.masks)
        # The mattes of several subjects are joined. Where they overlap, the larger value counts.
        yield Matte(np.maximum.reduce(list(alphas.values())) if alphas else np.zeros(view.rgb.shape[:2], np.float32))


def _precision(options: NetworkOptions, device: Device) -> str:
    """Choose the network's precision.

    Raises Invalid for a precision that the device does not support.
    """
    if device != CPU:
        return "f16" if options.precision == "auto" else options.precision
    if options.precision == "auto":
        return "bf16" if has_bf16() else "f32"
    if options.precision == "f16" or (options.precision == "bf16" and not has_bf16()):
        detail = f"precision {options.precision} needs a device that this machine does not have: choose auto"
        raise Invalid.field("params.precision", detail, f"{detail[:1].upper()}{detail[1:]}.")
    return options.precision
