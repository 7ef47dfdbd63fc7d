"""Loaded models that jobs of one worker process share.

A model is dropped when it has been idle for long or its memory is needed.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.models.devices.batching import is_out_of_memory
from shared.models.devices.device import CPU, Device, free_bytes, total_bytes
from shared.models.devices.gpu_lock import request_memory, requested_bytes
from shared.settings import current

Loaded = TypeVar("Loaded")
TIGHT = 0.08
"""Share of free memory below which idle models are dropped."""

CHECK_S = 5.0


@dataclass(eq=False)
class _Entry:
    model: Any
    size: int
    device: Device
    users: int = 0
    used_at: float = field(default_factory=time.monotonic)


class ModelCache:
    """The loaded models of one process. Thread-safe."""

    def __init__(
        self,
        *,
        idle_s: float,
        free: Callable[[Device], int] = free_bytes,
        total: Callable[[Device], int] = total_bytes,
        folder: Path | None = None,
    ):
        self._idle_s, self._free, self._total, self._folder = idle_s, free, total, folder
        self._entries: dict[Hashable, _Entry] = {}
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    @contextmanager
    def use(self, key: Hashable, load: Callable[[], Loaded], *, size: int, device: Device = CPU) -> Iterator[Loaded]:
        """Load or reuse a model, and keep it during the `with` block.

        See `loaded`.
        """
        entry = self._acquire(key, load, size, device)
        try:
            yield cast(Loaded, entry.model)
        finally:
            with self._lock:
                entry.users -= 1
                entry.used_at = time.monotonic()
                self._schedule()

    @property
    def keys(self) -> list[Hashable]:
        """Keys of the loaded models, the most recently used last."""
        with self._lock:
            return [key for key, _ in sorted(self._entries.items(), key=lambda item: item[1].used_at)]

    def drop(self, device: Device | None = None) -> int:
        """Drop all idle models, or the idle models on `device`.

        Returns their number.
        """
        with self._lock:
            idle = [key for key in self.keys if self._idle(key) and device in (None, self._entries[key].device)]
            return self._drop(idle)

    def drop_old(self) -> None:
        """Drop models that have been idle for too long.

        On a device that is short of memory, drop all idle models.
        """
        with self._lock:
            now = time.monotonic()
            tight = {device for device in {entry.device for entry in self._entries.values()} if self._is_tight(device)}
            old = [
                key
                for key, entry in self._entries.items()
                if self._idle(key) and (now - entry.used_at >= self._idle_s or entry.device in tight)
            ]
            self._drop(old)
            self._schedule()

    def _acquire(self, key: Hashable, load: Callable[[], Any], size: int, device: Device) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = _Entry(self._load(load, size, device), size, device)
                self._entries[key] = entry
            entry.users += 1
            return entry

    def _load(self, load: Callable[[], Any], size: int, device: Device) -> Any:
        """Load a model, dropping idle models until it fits.

        The longest unused goes first.
        """
        for key in self.keys:
            if self._free(device) >= size:
                break
            if self._idle(key) and self._entries[key].device == device:
                self._drop([key])
        if device.kind == "cuda" and self._free(device) < size <= self._total(device):
            request_memory(device, size, self._free, folder=self._folder)
        try:
            return load()
        except Exception as error:
            if not is_out_of_memory(error) or not self.drop(device):
                raise
        return load()

    def _idle(self, key: Hashable) -> bool:
        return self._entries[key].users == 0

    def _is_tight(self, device: Device) -> bool:
        requested = requested_bytes(device, folder=self._folder) if device.kind == "cuda" else 0
        return self._free(device) < max(requested, TIGHT * self._total(device))

    def _drop(self, keys: list[Hashable]) -> int:
        devices = {self._entries.pop(key).device for key in keys}
        if keys:
            gc.collect()
        if any(device.kind == "cuda" for device in devices) and "torch" in sys.modules:
            sys.modules["torch"].cuda.empty_cache()
        return len(keys)

    def _schedule(self) -> None:
        """Schedule the next call of `drop_old` if a model is idle."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if any(self._idle(key) for key in self._entries):
            self._timer = threading.Timer(max(0.05, min(self._idle_s, CHECK_S)), self.drop_old)
            self._timer.daemon = True
            self._timer.start()


@cache
def model_cache() -> ModelCache:
    """Return the cache of this process."""
    return ModelCache(idle_s=current().model_idle_s)


def loaded(key: Hashable, load: Callable[[], Loaded], *, size: int, device: Device = CPU) -> AbstractContextManager[Loaded]:
    """Load or reuse a model, and keep it during the `with` block.

    `with loaded(("nima", "f32"), load, size=300 * MIB) as model:`. `key` names the model and all its options; `load()` is called if this
    process has no model under that key. `size`: bytes that the model takes on `device` once loaded, roughly. Idle models are dropped, the
    longest unused first, until it fits. After the block the model stays loaded for the next job, for at most REELWRIGHT_MODEL_IDLE_S, and
    less if memory runs short.
    """
    return model_cache().use(key, load, size=size, device=device)
