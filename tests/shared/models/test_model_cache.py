"""Loaded models: shared by jobs, and dropped when idle or when memory is short."""

import os
import subprocess
import sys
import threading
import time

import pytest

from shared.errors import OutOfMemory
from shared.models.cache import ModelCache, loaded
from shared.models.devices import gpu_lock
from shared.models.devices.batching import batch_size, is_out_of_memory, smaller_on_out_of_memory
from shared.models.devices.device import CPU, Device
from shared.models.devices.gpu_lock import hold_gpu, request_memory, requested_bytes

GPU = Device(kind="cuda", index=0, uuid="GPU-0", title="A GPU")


class Machine:
    """A machine whose free memory is `room` minus its loaded models."""

    def __init__(self, room: int, idle_s: float = 60):
        self.room, self.log = room, []
        self.models = ModelCache(idle_s=idle_s, free=lambda device: self.room - 10 * len(self.models.keys), total=lambda device: room)

    def load(self, name):
        self.log.append(name)
        return f"model {name}"

    def use(self, name, size=10, device=CPU):
        return self.models.use(name, lambda: self.load(name), size=size, device=device)


def test_one_loaded_model_serves_many_jobs():
    machine = Machine(100)
    for _ in range(3):
        with machine.use("a") as model:
            assert model == "model a"
    with machine.use("b"), machine.use("a"):
        pass
    assert machine.log == ["a", "b"]


def test_the_longest_unused_model_is_dropped_first():
    machine = Machine(35)
    for name in "abcad":
        with machine.use(name):
            pass
    assert machine.models.keys == ["c", "a", "d"]
    assert machine.log == ["a", "b", "c", "d"]


def test_a_model_in_use_is_never_dropped():
    machine = Machine(10)
    with machine.use("a"), machine.use("b"):
        assert set(machine.models.keys) == {"a", "b"}
        assert machine.models.drop() == 0
    assert machine.models.drop() == 2


def test_only_models_of_the_same_device_make_room(monkeypatch):
    machine = Machine(20)
    monkeypatch.setattr("shared.models.cache.request_memory", lambda device, size, free, folder: False)
    with machine.use("on the CPU"):
        pass
    with machine.use("on the GPU", size=100, device=GPU):
        pass
    assert set(machine.models.keys) == {"on the CPU", "on the GPU"}
    assert machine.models.drop(GPU) == 1


def test_an_idle_model_is_dropped_by_itself():
    machine = Machine(100, idle_s=0.1)
    with machine.use("a"):
        time.sleep(0.3)
        assert machine.models.keys == ["a"], "in use"
    deadline = time.monotonic() + 5
    while machine.models.keys and time.monotonic() < deadline:
        time.sleep(0.02)
    assert machine.models.keys == []
    assert machine.models._timer is None, "nothing to look after"


def test_idle_models_are_dropped_when_memory_runs_short():
    machine = Machine(100)
    with machine.use("a"):
        pass
    machine.models.drop_old()
    assert machine.models.keys == ["a"]
    machine.room = 15
    machine.models.drop_old()
    assert machine.models.keys == []


def test_out_of_memory_while_loading_lets_go_of_the_others_and_tries_again():
    machine = Machine(100)
    with machine.use("a"):
        pass

    def load():
        machine.log.append("try")
        if machine.models.keys:
            raise MemoryError
        return "it"

    with machine.models.use("b", load, size=10) as model:
        assert model == "it"
    assert machine.log == ["a", "try", "try"]
    assert machine.models.keys == ["b"]

    def fail():
        raise MemoryError

    with pytest.raises(MemoryError), machine.models.use("c", fail, size=10):
        pass
    assert machine.models.keys == []


def test_a_model_that_cannot_be_loaded_is_not_kept():
    machine = Machine(100)

    def load():
        raise ValueError("a damaged file")

    with pytest.raises(ValueError, match="damaged"), machine.models.use("a", load, size=10):
        pass
    assert machine.models.keys == []


def test_the_cache_of_a_process_keeps_its_models():
    for _ in range(2):
        with loaded("test", lambda: object(), size=1) as model:
            last = model
    with loaded("test", lambda: object(), size=1) as model:
        assert model is last


def test_batches_fit_into_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr("shared.models.devices.batching.free_bytes", lambda device: 1000)
    assert [batch_size(item, CPU) for item in (1, 50, 120, 10_000, 0)] == [16, 10, 4, 1, 16]
    assert batch_size(1, CPU, max_size=3) == 3


def test_out_of_memory_is_tried_again_with_less():
    batches = []

    def run(batch):
        batches.append(batch)
        if batch > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return batch * 10

    assert smaller_on_out_of_memory(16, run) == (20, 2)
    assert batches == [16, 8, 4, 2]


def test_a_model_that_never_fits_is_reported():
    def run(batch):
        raise MemoryError

    with pytest.raises(OutOfMemory, match="on a single picture"):
        smaller_on_out_of_memory(4, run)


def test_other_errors_do_not_count_as_out_of_memory():
    def run(batch):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        smaller_on_out_of_memory(4, run)


def test_out_of_memory_errors_of_all_libraries_are_recognized():
    import torch

    class ResourceExhaustedError(Exception):
        """An error named like TensorFlow's."""

    errors = [
        torch.OutOfMemoryError(),
        ResourceExhaustedError(),
        RuntimeError("[ONNXRuntimeError] Failed to allocate memory"),
        MemoryError(),
    ]
    assert all(is_out_of_memory(error) for error in errors)
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(ValueError("out of memory"))


HOLD = """
import sys, pathlib
from shared.models.devices.device import Device
from shared.models.devices.gpu_lock import request_memory, requested_bytes, hold_gpu
with hold_gpu(Device(kind="cuda", uuid="GPU-0"), folder=pathlib.Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


class Stages:
    """A Progress that records its stages."""

    def __init__(self):
        self.stages = []

    def part(self, stage, start, end):
        self.stages.append(stage)
        return self

    def __call__(self, done, total): ...

    def warn(self, message): ...


def test_a_gpu_is_used_by_one_process_at_a_time(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "mine\n"
    progress, entered = Stages(), threading.Event()

    def wait():
        with hold_gpu(GPU, progress, folder=tmp_path):
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not entered.wait(0.3)
    assert progress.stages == ["waiting for cuda:0"]
    holder.kill()  # the lock goes with its process
    waiting.join(10)
    assert entered.is_set()
    holder.communicate()
    assert os.listdir(tmp_path) == ["GPU-0.lock"]


def test_an_idle_model_of_another_process_makes_room_on_a_gpu(tmp_path):
    # Two caches that share only files stand for two processes.
    room = {"free": 100}

    def model_cache() -> ModelCache:
        return ModelCache(idle_s=60, free=lambda device: room["free"], total=lambda device: 100, folder=tmp_path)

    class Model:
        def __init__(self, size):
            self.size = size
            room["free"] -= size

        def __del__(self):
            room["free"] += self.size

    idle, busy = model_cache(), model_cache()
    with idle.use("idle", lambda: Model(60), size=60, device=GPU):
        pass
    idle.drop_old()
    assert idle.keys == ["idle"], "there is room enough and nobody asks"

    def look():
        while not (tmp_path / "GPU-0.wanted").exists():
            time.sleep(0.01)
        idle.drop_old()

    looking = threading.Thread(target=look)
    looking.start()
    with busy.use("new", lambda: Model(50), size=50, device=GPU):
        assert idle.keys == []
        assert room["free"] == 50
    looking.join()
    assert list(tmp_path.iterdir()) == []


def test_waiting_for_memory_ends_after_a_while(tmp_path):
    assert not request_memory(GPU, 10, lambda device: 5, wait_s=0.1, folder=tmp_path)
    assert requested_bytes(GPU, folder=tmp_path) == 0
    (tmp_path / "GPU-0.wanted").write_text("10")
    assert requested_bytes(GPU, folder=tmp_path) == 10
    os.utime(tmp_path / "GPU-0.wanted", (0, 0))
    assert requested_bytes(GPU, folder=tmp_path) == 0, "left behind by a process that was killed"


def test_nobody_waits_for_the_cpu(tmp_path):
    with hold_gpu(CPU, folder=tmp_path), hold_gpu(CPU, folder=tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_only_a_small_regular_file_is_a_request_for_memory(tmp_path):
    note = gpu_lock._file(GPU, "wanted", tmp_path)
    note.write_text("4096")
    assert requested_bytes(GPU, folder=tmp_path) == 4096
    note.write_text("0" * 50_000 + "4096")
    assert requested_bytes(GPU, folder=tmp_path) == 0
    note.unlink()
    os.mkfifo(note)
    assert requested_bytes(GPU, folder=tmp_path) == 0
    note.unlink()
    note.symlink_to(tmp_path / "other")
    (tmp_path / "other").write_text("4096")
    assert requested_bytes(GPU, folder=tmp_path) == 0
