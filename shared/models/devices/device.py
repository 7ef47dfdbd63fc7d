"""The CPU and the GPUs of this machine.

They are found without loading any machine learning library.
"""

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from shared.errors import Unavailable
from shared.settings import current
from shared.worker.processes.process_tree import memory_bytes

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class Device:
    """The CPU or a GPU.

    `index`: as CUDA counts in this process; `uuid`: the same in all processes and containers.
    """

    kind: str = "cpu"
    index: int = 0
    uuid: str = ""
    title: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


CPU = Device(title="CPU")


def choose_device(name: str | None = None) -> Device:
    """Choose the device that models run on.

    `name`: `auto` (the GPU with most free memory, else the CPU), `cpu`, `cuda` or `cuda:N`; None: the `device` setting. Raises
    Unavailable for a GPU that does not exist.
    """
    name = name or current().device
    if name == "cpu":
        return CPU
    devices = gpus()
    if name == "auto":
        return max(devices, key=free_bytes, default=CPU)
    index = int(name.partition(":")[2] or 0)
    if index >= len(devices):
        listed = ", ".join(f"{gpu} ({gpu.title})" for gpu in devices) or "no GPU"
        raise Unavailable(f"REELWRIGHT_DEVICE={name}, but this machine has {listed}. Use auto or cpu.")
    return devices[index]


def torch_device(name: str | None = None) -> Device:
    """Choose the device that torch models run on.

    As `choose_device`, but `auto` gives the CPU if torch was installed without CUDA. Raises Unavailable for a GPU that torch cannot use.
    """
    device = choose_device(name)
    if device.kind == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return device
    if (name or current().device) == "auto":
        return CPU
    raise Unavailable(
        f"{device} ({device.title}) cannot be used: torch {torch.__version__} was built without CUDA, or for another version of it."
    )


def torch_has_gpu_code() -> bool:
    """Check, without importing torch, whether the installed torch was built for GPUs."""
    with suppress(PackageNotFoundError):
        return not version("torch").endswith("+cpu")
    return False


def gpus() -> list[Device]:
    """Return the GPUs that this process may use, in CUDA's order.

    Empty without an NVIDIA driver.
    """
    with _nvml() as nvml:
        if nvml is None:
            return []
        uuids = _visible(list(_uuids(nvml)), os.environ.get("CUDA_VISIBLE_DEVICES"))
        return [Device(kind="cuda", index=index, uuid=uuid, title=_title(nvml, uuid)) for index, uuid in enumerate(uuids)]


def free_bytes(device: Device) -> int:
    """Return a device's free memory in bytes.

    For the CPU: the least of three values, the free memory of the machine, of the container, and below the job's limit.
    """
    if device.kind == "cuda":
        return _gpu_memory(device)[1]
    limit = current().job_memory_bytes - memory_bytes(os.getpid())
    return max(0, min(machine_free_bytes(), limit))


def machine_free_bytes() -> int:
    """Return the free memory of the machine or container, whichever is less, in bytes."""
    return max(0, min([int(psutil.virtual_memory().available), *_container_room()]))


def total_bytes(device: Device) -> int:
    """Return a device's total memory in bytes."""
    return _gpu_memory(device)[0] if device.kind == "cuda" else int(psutil.virtual_memory().total)


def _container_room() -> list[int]:
    """Return how many bytes the container may still use, as a one-item list.

    The list is empty if the container has no memory limit.
    """
    try:
        limit, usage = (CGROUP / "memory.max").read_text().strip(), int((CGROUP / "memory.current").read_text())
        cached = re.search(r"^inactive_file (\d+)$", (CGROUP / "memory.stat").read_text(), re.MULTILINE)
        return [] if limit == "max" else [int(limit) - usage + (int(cached[1]) if cached else 0)]
    except (OSError, ValueError):
        return []


def _visible(uuids: list[str], visible: str | None) -> list[str]:
    """Select the GPUs that `visible`, the value of CUDA_VISIBLE_DEVICES, lists.

    Entries are an index or a prefix of a UUID; the list ends at the first invalid entry.
    """
    if visible is None:
        return uuids
    selected: list[str] = []
    for word in filter(None, (part.strip() for part in visible.split(","))):
        named = [uuid for uuid in uuids if uuid.startswith(word)] if not word.isdecimal() else uuids[int(word) : int(word) + 1]
        if len(named) != 1:
            break
        selected += named
    return selected


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


@contextmanager
def _nvml() -> Iterator[ctypes.CDLL | None]:
    """Open NVIDIA's management library (NVML); yield None without a working driver."""
    nvml = None
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libnvidia-ml.so.1")
        nvml = library if library.nvmlInit_v2() == 0 else None
    try:
        yield nvml
    finally:
        if nvml is not None:
            nvml.nvmlShutdown()


def _uuids(nvml: ctypes.CDLL) -> Iterator[str]:
    count = ctypes.c_uint()
    if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return
    for index in range(count.value):
        handle, text = ctypes.c_void_p(), ctypes.create_string_buffer(96)
        if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)) == 0 and nvml.nvmlDeviceGetUUID(handle, text, 96) == 0:
            yield text.value.decode()


def _handle(nvml: ctypes.CDLL, uuid: str) -> ctypes.c_void_p | None:
    handle = ctypes.c_void_p()
    return handle if nvml.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(handle)) == 0 else None


def _title(nvml: ctypes.CDLL, uuid: str) -> str:
    text = ctypes.create_string_buffer(96)
    handle = _handle(nvml, uuid)
    return text.value.decode() if handle and nvml.nvmlDeviceGetName(handle, text, 96) == 0 else uuid


def _gpu_memory(device: Device) -> tuple[int, int]:
    """Return a GPU's total and free memory in bytes.

    (0, 0) if the GPU does not report them.
    """
    memory = _Memory()
    with _nvml() as nvml:
        handle = _handle(nvml, device.uuid) if nvml is not None else None
        if nvml is None or handle is None or nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) != 0:
            return 0, 0
    return int(memory.total), int(memory.free)
