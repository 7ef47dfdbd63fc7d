"""Weights of torch models, loaded without running code from the file.

A pickle can run any code when it is opened, and a file name says nothing about the content. So the first bytes decide: safetensors are read
directly, torch's own formats with its restricted unpickler (`weights_only`), and anything else is refused.
"""

import zipfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import ModelDamaged

if TYPE_CHECKING:
    import torch

MAX_HEADER_BYTES = 100_000_000
"""Largest header in bytes of a safetensors file, as in the safetensors library."""


class Format(StrEnum):
    """File format of weights."""

    SAFETENSORS = "safetensors"
    TORCH = "torch"
    """A zip file with a pickle, as `torch.save` writes it."""
    TORCHSCRIPT = "torchscript"
    """A zip file with a program and its weights, as `torch.jit.save` writes it."""
    PICKLE = "pickle"
    """A pickle without a zip file, such as `torch.save` wrote until 2020."""
    HDF5 = "hdf5"
    UNKNOWN = "unknown"


def format_of(path: Path) -> Format:
    """Detect the format of a file from its content.

    Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PK\x03\x04"):
        return _format_of_zip(path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return Format.HDF5
    if 2 <= int.from_bytes(head[:8], "little") <= MAX_HEADER_BYTES and head[8:9] == b"{":
        return Format.SAFETENSORS
    return Format.PICKLE if head[:1] == b"\x80" else Format.UNKNOWN


def load_weights(path: Path, *, device: str = "cpu") -> "dict[str, torch.Tensor]":
    """Load a file's tensors onto `device`; return them by name.

    The file is safetensors, or a state dictionary of `torch.save`, also under `state_dict`. Raises ModelDamaged for a file of another kind,
    a damaged one, and a pickle that contains anything but weights.
    """
    import torch

    file_format = format_of(path)
    if file_format is Format.SAFETENSORS:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path, device=device)
        except SafetensorError as error:
            raise _refused(path, f"it is damaged ({error})") from error
    if path.suffix == ".safetensors":
        raise _refused(path, f"its name ends in .safetensors, but it contains {file_format}")
    if file_format not in (Format.TORCH, Format.PICKLE):
        raise _refused(path, f"it contains {file_format}, not PyTorch weights")
    try:
        # Zip files can be mapped into memory: a tensor is read when used, and the file is not held twice.
        loaded = torch.load(path, map_location=device, weights_only=True, mmap=file_format is Format.TORCH)
    except Exception as error:  # the unpickler may raise anything
        raise _refused(path, f"it is damaged, or it is a pickle that contains more than weights ({_first_line(error)})") from error
    return _tensors(path, loaded)


def load_torchscript(path: Path, *, device: str = "cpu") -> "torch.jit.ScriptModule":
    """Load a TorchScript program, ready to run on `device`.

    torch interprets it; it never runs as Python. Raises ModelDamaged for a file of another kind and for a damaged one.
    """
    import warnings

    import torch

    file_format = format_of(path)
    if file_format is not Format.TORCHSCRIPT:
        raise _refused(path, f"it contains {file_format}, not TorchScript")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch prefers its newer format; the published files are TorchScript
            module: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise _refused(path, f"it is damaged ({_first_line(error)})") from error
    return module.eval()


def _format_of_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError):
        return Format.UNKNOWN
    if "constants.pkl" in names:
        return Format.TORCHSCRIPT
    return Format.TORCH if "data.pkl" in names else Format.UNKNOWN


def _tensors(path: Path, loaded: Any) -> "dict[str, torch.Tensor]":
    import torch

    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise _refused(path, "it does not contain a dictionary of tensors")
    return dict(loaded)


def _refused(path: Path, why: str) -> ModelDamaged:
    return ModelDamaged(
        f"{path.name} cannot be loaded: {why}. Download it again with `reelwright models pull`, or replace it by a safetensors file."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".:")
