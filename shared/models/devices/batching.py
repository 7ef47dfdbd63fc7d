"""Batch sizes that fit into free memory, halved when memory runs out."""

import gc
import sys
from collections.abc import Callable
from typing import TypeVar

from shared.errors import OutOfMemory
from shared.models.devices.device import Device, free_bytes

Result = TypeVar("Result")
SHARE = 0.5
"""Share of the free memory that a batch may take. The rest is for other processes."""

OUT_OF_MEMORY_TEXTS = (
    "out of memory",
    "failed to allocate",
    "bad_alloc",
    "bad allocation",
    "can't allocate",
    "cannot allocate",
    "resource exhausted",
)
OUT_OF_MEMORY_CLASSES = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})


def batch_size(item_bytes: int, device: Device, *, max_size: int = 16) -> int:
    """Return the largest batch size that fits into half of a device's free memory.

    From 1 to `max_size`. `item_bytes`: memory of one item while the model runs, activations included.
    """
    return max(1, min(max_size, int(SHARE * free_bytes(device)) // max(1, item_bytes)))


def smaller_on_out_of_memory(batch: int, run: Callable[[int], Result]) -> tuple[Result, int]:
    """Call `run` with the batch size `batch`, halved each time memory runs out.

    Returns the result and the batch size that worked. Raises OutOfMemory if even a batch of one does not fit; other errors of `run` pass
    through.
    """
    while True:
        try:
            return run(batch), batch
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if batch == 1:
                raise OutOfMemory(
                    "There is not enough free memory to run the model on a single picture. Try again later, or choose a smaller model."
                ) from error
        # Outside the except block, because the error keeps the frames of `run` and their memory alive.
        batch //= 2
        gc.collect()
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out.

    Knows the errors of Python, torch, TensorFlow, onnxruntime and OpenVINO.
    """
    if any(kind.__name__ in OUT_OF_MEMORY_CLASSES for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in OUT_OF_MEMORY_TEXTS)
