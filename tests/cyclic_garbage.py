"""Detection of pictures that reference cycles keep in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np

from shared.video.frames.planes import bytes_of


@contextmanager
def cyclic_garbage() -> Iterator[list[str]]:
    """Yield a list that receives lines about pictures in reference cycles.

    They are added at the end of the block. A reference cycle: objects that refer to each other in a circle. The list gets a line for each
    unreachable object that refers to pictures, arrays or open files, or that is a reader or a writer of them.
    """
    lines: list[str] = []
    gc.disable()
    gc.freeze()  # what exists already is not looked through
    try:
        yield lines
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        lines += [line for item in gc.garbage if (line := _described(item))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


def _described(item: Any) -> str:
    held = [_weight(referent) for referent in gc.get_referents(item)]
    kind = f"{type(item).__module__}.{type(item).__qualname__}"
    if max(held, default=0) >= 1000 or kind.startswith("av."):
        return f"{kind} holds {sum(held)} bytes: {repr(item)[:200]}"
    return ""


def _weight(item: Any) -> int:
    """Return the bytes of a picture or an array; 0 for other objects."""
    if isinstance(item, av.VideoFrame):
        return bytes_of(item)
    return int(item.nbytes) if isinstance(item, np.ndarray) else 0
