"""This machine's hardware as text, a console, and the folder of peers."""

import os
import platform
from pathlib import Path

import psutil
from rich.console import Console

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "var" / "peers"
"""Folder into which `make bench-peers` installs the programs to compare with."""


def machine() -> str:
    """Return the processor, the number of cores and the memory as text."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass  # not Linux
    return f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 1024**3:.0f} GiB"


def console() -> Console:
    """Return a console of 160 columns, also when output goes to a file."""
    return Console(soft_wrap=True, highlight=False, width=160)
