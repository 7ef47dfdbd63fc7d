"""Models that are loaded: one serves many jobs of a warm worker process, and goes when it is idle or its memory is wanted."""

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

from shared.models.batching import is_out_of_memory
from shared.models.device import CPU, Device, free_bytes, total_bytes
from shared.models.gpu_lock import ask_for_room, room_asked_for
from shared.settings import current

Loaded = TypeVar("Loaded")
TIGHT = 0.08
"""Below this share of free memory, idle models go."""

LOOK_S = 5.0


@dataclass(eq=False)
class _Entry:
    model: Any
    size: int
    device: Device
    users: int = 0
    used_at: float = field(default_factory=time.monotonic)


class Shelf:
    """The loaded models of one process. Safe to use from several threads."""

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
        """See `loaded`."""
        entry = self._taken(key, load, size, device)
        try:
            yield cast(Loaded, entry.model)
        finally:
            with self._lock:
                entry.users -= 1
                entry.used_at = time.monotonic()
                self._look_later()

    @property
    def keys(self) -> list[Hashable]:
        """What is loaded, the one that was used last in the end."""
        with self._lock:
            return [key for key, _ in sorted(self._entries.items(), key=lambda item: item[1].used_at)]

    def drop(self, device: Device | None = None) -> int:
        """Let go of every model (on `device`) that nobody uses; how many."""
        with self._lock:
            idle = [key for key in self.keys if self._idle(key) and device in (None, self._entries[key].device)]
            return self._let_go(idle)

    def look(self) -> None:
        """Let go of what has been idle for long, and of all that is idle on a device whose memory is nearly used up."""
        with self._lock:
            now = time.monotonic()
            tight = {device for device in {entry.device for entry in self._entries.values()} if self._is_tight(device)}
            old = [
                key
                for key, entry in self._entries.items()
                if self._idle(key) and (now - entry.used_at >= self._idle_s or entry.device in tight)
            ]
            self._let_go(old)
            self._look_later()

    def _taken(self, key: Hashable, load: Callable[[], Any], size: int, device: Device) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = _Entry(self._load(load, size, device), size, device)
                self._entries[key] = entry
            entry.users += 1
            return entry

    def _load(self, load: Callable[[], Any], size: int, device: Device) -> Any:
        """Load a model, after letting go of others, the longest unused first, until there is room."""
        for key in self.keys:
            if self._free(device) >= size:
                break
            if self._idle(key) and self._entries[key].device == device:
                self._let_go([key])
        if device.kind == "cuda" and self._free(device) < size <= self._total(device):
            ask_for_room(device, size, self._free, folder=self._folder)
        try:
            return load()
        except Exception as error:
            if not is_out_of_memory(error) or not self.drop(device):
                raise
        return load()

    def _idle(self, key: Hashable) -> bool:
        return self._entries[key].users == 0

    def _is_tight(self, device: Device) -> bool:
        asked = room_asked_for(device, folder=self._folder) if device.kind == "cuda" else 0
        return self._free(device) < max(asked, TIGHT * self._total(device))

    def _let_go(self, keys: list[Hashable]) -> int:
        devices = {self._entries.pop(key).device for key in keys}
        if keys:
            gc.collect()
        if any(device.kind == "cuda" for device in devices) and "torch" in sys.modules:
            sys.modules["torch"].cuda.empty_cache()
        return len(keys)

    def _look_later(self) -> None:
        """A look in a while, as long as there is something to let go of."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if any(self._idle(key) for key in self._entries):
            self._timer = threading.Timer(max(0.05, min(self._idle_s, LOOK_S)), self.look)
            self._timer.daemon = True
            self._timer.start()


@cache
def shelf() -> Shelf:
    """The shelf of this process."""
    return Shelf(idle_s=current().model_idle_s)


def loaded(key: Hashable, load: Callable[[], Loaded], *, size: int, device: Device = CPU) -> AbstractContextManager[Loaded]:
    """A model for the length of a `with` block: `with loaded(("nima", "f32"), load, size=300 * MIB) as model:`.

    `key` names the model and all that it was loaded with; `load()` is called where this process has none under that name. `size`: bytes of
    memory that it takes on `device` once loaded, roughly. Models that nobody uses are let go of, the longest unused first, until it fits.
    After the block it stays loaded for the next job of this worker, for at most REELWRIGHT_MODEL_IDLE_S, less where memory runs short.
    """
    return shelf().use(key, load, size=size, device=device)
