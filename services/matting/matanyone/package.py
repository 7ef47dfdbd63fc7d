"""Loading of an installed `matanyone` or `matanyone2` package.

Requirements of the packages' own programs are not needed.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from shared.errors import Unavailable

Package = Literal["matanyone", "matanyone2"]

_CLASSES: dict[Package, str] = {"matanyone": "MatAnyone", "matanyone2": "MatAnyone2"}
_SOURCES: dict[Package, str] = {
    "matanyone": "https://github.com/pq-yang/MatAnyone",
    "matanyone2": "https://github.com/pq-yang/MatAnyone2",
}
_NEEDS = {"torch": "torch", "omegaconf": "omegaconf", "einops": "einops", "imageio": "imageio", "tqdm": "tqdm"}
"""Modules that inference imports -> packages that contain them. The project's own requirements also install a user interface."""


@dataclass(frozen=True, slots=True, eq=False)
class MatAnyone:
    """A loaded MatAnyone network.

    `network`: the torch module, in evaluation mode on its device; `core`: the package's class `InferenceCore`.
    """

    network: Any
    core: Any


def install_command(package: Package) -> str | None:
    """Return the command that completes a package's installation.

    Returns None if it is complete.
    """
    missing = [name for module, name in _NEEDS.items() if importlib.util.find_spec(module) is None]
    commands = [f"pip install {' '.join(missing)}"] if missing else []
    if importlib.util.find_spec(package) is None:
        commands.append(f"pip install --no-deps git+{_SOURCES[package]}")
    return " && ".join(commands) or None


def load_matanyone(package: Package, weights: Path | None, device: str = "cpu") -> MatAnyone:
    """Load the network of a MatAnyone package.

    `weights`: file of the network's weights; None leaves random weights, for tests. Raises Unavailable if the installed package cannot be
    loaded.
    """
    try:
        with _without_torchvision():
            module = importlib.import_module(package)
            network_class = getattr(importlib.import_module(f"{package}.model.{package}"), _CLASSES[package])
            core = importlib.import_module(f"{package}.inference.inference_core").InferenceCore
        network = network_class(_configuration(Path(str(module.__file__)).parent / "config"), single_object=True)
    except (ImportError, AttributeError, OSError) as error:
        raise Unavailable(
            f"The installed package {package} cannot be loaded: {error}. Run: pip install --no-deps git+{_SOURCES[package]}"
        ) from error
    network = network.eval().to(device)
    if weights is not None:
        import torch

        network.load_weights(torch.load(weights, map_location=device, weights_only=True))
    return MatAnyone(network, core)


def _configuration(folder: Path) -> Any:
    """Read the package's configuration without hydra.

    Hydra would keep it in global state.
    """
    omega: Any = importlib.import_module("omegaconf").OmegaConf
    configuration = omega.load(folder / "eval_matanyone_config.yaml")
    for key in ("defaults", "hydra"):
        configuration.pop(key, None)
    configuration.model = omega.load(folder / "model" / "base.yaml")
    # The checkpoint has the weights of the ResNet; the constructor would download others.
    configuration.model.pretrained_resnet = False
    return configuration


@contextmanager
def _without_torchvision() -> Iterator[None]:
    """Substitute an empty module for torchvision if its import fails.

    The package needs torchvision only to read videos, which this program does not do.
    """
    try:
        importlib.import_module("torchvision")
    except Exception:  # a torchvision for CUDA fails in many ways if torch is for the CPU
        sys.modules["torchvision"] = ModuleType("torchvision")
        try:
            yield
        finally:
            sys.modules.pop("torchvision", None)
    else:
        yield
