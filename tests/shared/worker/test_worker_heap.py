"""The memory that a call has freed goes back to the system."""

import ctypes
import sys
from pathlib import Path

import pytest

from shared.worker import heap

BLOCK, COUNT = 64 * 1024, 2000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_freed_blocks_below_a_block_in_use_go_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK) for _ in range(COUNT)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    full = resident_bytes()
    for block in blocks[:-1]:
        libc.free(block)
    heap.trim()
    assert resident_bytes() < full - 0.8 * BLOCK * COUNT
    libc.free(blocks[-1])
