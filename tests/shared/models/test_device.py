"""Detection of GPUs and the CPU, without torch."""

import os
import subprocess
import sys

import psutil
import pytest

from shared.errors import Unavailable
from shared.models.devices import device as module
from shared.models.devices.device import CPU, Device, _visible, choose_device, free_bytes, torch_device, total_bytes
from shared.worker.processes.process_tree import memory_bytes

TWO = [Device(kind="cuda", index=index, uuid=f"GPU-{index}{index}", title=f"Card {index}") for index in range(2)]


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(module, "gpus", lambda: TWO)
    monkeypatch.setattr(module, "_gpu_memory", lambda device: (100, 10 + device.index))


def test_without_a_gpu_the_cpu_is_chosen(monkeypatch):
    monkeypatch.setattr(module, "gpus", lambda: [])
    assert choose_device("auto") == CPU == choose_device("cpu")
    for name in ("cuda", "cuda:0"):
        with pytest.raises(Unavailable, match=r"no GPU. Use auto or cpu"):
            choose_device(name)


@pytest.mark.usefixtures("two_gpus")
def test_auto_takes_the_gpu_with_most_free_memory():
    assert str(choose_device("auto")) == "cuda:1"
    assert choose_device("cuda") is TWO[0]
    assert choose_device("cuda:1") is TWO[1]
    assert choose_device("cpu") is CPU
    with pytest.raises(Unavailable, match=r"cuda:0 \(Card 0\), cuda:1 \(Card 1\)"):
        choose_device("cuda:2")


@pytest.mark.usefixtures("two_gpus")
def test_torch_without_cuda_runs_on_the_cpu_unless_a_gpu_is_asked_for(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert torch_device("auto") == torch_device("cpu") == CPU
    with pytest.raises(Unavailable, match="without CUDA"):
        torch_device("cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert torch_device("auto") is TWO[1]


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("variable", ["REELWRIGHT_DEVICE", "DEVICE"])
def test_a_variable_of_the_environment_chooses_the_device(monkeypatch, use_settings, variable):
    monkeypatch.delenv("REELWRIGHT_DEVICE", raising=False)
    monkeypatch.setenv(variable, "cuda:0")
    use_settings()
    assert choose_device() is TWO[0]
    monkeypatch.setenv(variable, "gpu")
    with pytest.raises(ValueError, match="should match pattern"):
        use_settings()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, "ab"), ("", ""), ("1", "b"), ("1,0", "ba"), ("-1", ""), ("0,7,1", "a"), ("GPU-b", "b"), ("GPU-", ""), (" 1 , GPU-a", "ba")],
)
def test_gpus_are_counted_as_cuda_counts_them(visible, expected):
    assert _visible(["GPU-a", "GPU-b"], visible) == [f"GPU-{letter}" for letter in expected]


def test_free_memory_is_what_this_process_may_still_take(monkeypatch, use_settings, tmp_path):
    assert 0 < free_bytes(CPU) <= psutil.virtual_memory().total == total_bytes(CPU)
    used = memory_bytes(os.getpid())
    use_settings(job_memory_bytes=used + 200 * 2**20)
    assert free_bytes(CPU) <= 250 * 2**20
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    for name, text in (("memory.max", "1000000"), ("memory.current", "900000"), ("memory.stat", "anon 5\ninactive_file 50000\n")):
        (tmp_path / name).write_text(text)
    assert free_bytes(CPU) == 150_000
    (tmp_path / "memory.max").write_text("max")
    assert free_bytes(CPU) > 150_000


def test_looking_for_devices_loads_no_heavy_library():
    code = """
import sys
from shared.models import cache, folder
from shared.models.devices import device
device.choose_device()
device.gpus()
print(sorted(sys.modules))
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'psutil'" in output
    assert not [name for name in ("torch", "tensorflow", "huggingface_hub", "numpy") if f"'{name}'" in output]


class Driver:
    """A stand-in for NVIDIA's management library (NVML) with two cards."""

    cards = (("GPU-aa", "Card A", 80, 10), ("GPU-bb", "Card B", 40, 30))

    def nvmlInit_v2(self):
        return 0

    def nvmlShutdown(self):
        return 0

    def nvmlDeviceGetCount_v2(self, count):
        count._obj.value = len(self.cards)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        handle._obj.value = index + 1
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, handle):
        numbers = [number for number, card in enumerate(self.cards, 1) if card[0].encode() == uuid]
        handle._obj.value = numbers[0] if numbers else None
        return 0 if numbers else 6

    def nvmlDeviceGetUUID(self, handle, text, size):
        text.value = self.cards[handle.value - 1][0].encode()
        return 0

    def nvmlDeviceGetName(self, handle, text, size):
        text.value = self.cards[handle.value - 1][1].encode()
        return 0

    def nvmlDeviceGetMemoryInfo(self, handle, memory):
        _, _, memory._obj.total, memory._obj.free = self.cards[handle.value - 1]
        return 0


def test_answers_of_the_driver_are_parsed(monkeypatch):
    monkeypatch.setattr(module.ctypes, "CDLL", lambda name: Driver() if name == "libnvidia-ml.so.1" else None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [(str(gpu), gpu.uuid, gpu.title, total_bytes(gpu), free_bytes(gpu)) for gpu in module.gpus()] == [
        ("cuda:0", "GPU-aa", "Card A", 80, 10),
        ("cuda:1", "GPU-bb", "Card B", 40, 30),
    ]
    assert choose_device("auto").uuid == "GPU-bb"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [(str(gpu), gpu.uuid) for gpu in module.gpus()] == [("cuda:0", "GPU-bb")]
    assert free_bytes(Device(kind="cuda", uuid="GPU-gone")) == 0


@pytest.mark.parametrize(("order", "expected"), [(None, "PCI_BUS_ID"), ("FASTEST_FIRST", "FASTEST_FIRST")])
def test_cuda_and_ffmpeg_count_gpus_as_this_module_does(order: str | None, expected: str) -> None:
    # NVML counts by place on the bus, CUDA by speed unless told otherwise.
    code = (
        "from shared.cli.app import _settings; from shared.worker.processes.environment import environment; _settings(); "
        "print(environment('x', network=False)['CUDA_DEVICE_ORDER'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_DEVICE_ORDER" and not name.startswith("REELWRIGHT_")}
    environment |= {} if order is None else {"CUDA_DEVICE_ORDER": order}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == expected, done.stderr
