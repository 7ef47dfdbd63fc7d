"""Batch sizes from free memory, and what to do where it was less than thought."""

import gc
import sys
from collections.abc import Callable
from typing import TypeVar

from shared.errors import OutOfMemory
from shared.models.device import Device, free_bytes

Result = TypeVar("Result")
SHARE = 0.5
"""Of free memory that a batch is planned to take: others use the machine as well."""

SAID = ("out of memory", "failed to allocate", "bad_alloc", "bad allocation", "can't allocate", "cannot allocate", "resource exhausted")
NAMES = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})


def batch_size(item_bytes: int, device: Device, *, most: int = 16) -> int:
    """How many items to run at once: as many as fit into half of the memory that is free, from 1 to `most`.

    `item_bytes`: what one item takes while the model runs, activations included.
    """
    return max(1, min(most, int(SHARE * free_bytes(device)) // max(1, item_bytes)))


def smaller_on_out_of_memory(batch: int, run: Callable[[int], Result]) -> tuple[Result, int]:
    """`run(batch)`, and again with half of it each time memory runs out; the result, and the batch size that worked (for the next time).

    Raises OutOfMemory where a batch of one does not fit either; other errors as they come.
    """
    while True:
        try:
            return run(batch), batch
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if batch == 1:
                raise OutOfMemory("The model does not fit into the free memory, not even for a single picture.") from error
        # Outside of the except block: the error holds on to the frames whose memory is wanted back.
        batch //= 2
        gc.collect()
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, torch, TensorFlow, onnxruntime or OpenVINO says that memory ran out."""
    if any(kind.__name__ in NAMES for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in SAID)
