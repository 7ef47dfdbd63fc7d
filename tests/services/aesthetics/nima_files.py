"""NIMA weight files in Keras 2.1.6's layout, with random weights.

Reference results are computed without Keras, by weight name.

The layouts (layers, names, order, shapes) are those of the published files. `inception_resnet_v2_order.txt` is
the order of the layers that have weights (c12 stands for conv2d_12, b12 for batch_normalization_12): not that of their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

ORDER = Path(__file__).with_name("inception_resnet_v2_order.txt")
EPSILON = 1e-3
Arrays = dict[str, dict[str, NDArray[np.float32]]]


@dataclass
class Weights:
    """Random weights by layer and name, created on first use.

    With a lower `gain`, the pictures influence the ratings less. `spread` is the standard deviation of the last layer's logits over the
    pictures of the first use, so that these pictures get different ratings. Without it, random layers rate all pictures nearly the same.
    """

    seed: int = 0
    gain: float = 1.0
    spread: float = 0.0
    layers: Arrays = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def normal(self, layer: str, name: str, *shape: int, fan_in: int) -> torch.Tensor:
        return self._get(layer, name, lambda: self._random.normal(0, self.gain * np.sqrt(2 / fan_in), shape))

    def between(self, layer: str, name: str, count: int, least: float, most: float) -> torch.Tensor:
        return self._get(layer, name, lambda: self._random.uniform(least, most, count))

    def _get(self, layer: str, name: str, make: Callable[[], NDArray[np.float64]]) -> torch.Tensor:
        import torch

        weights = self.layers.setdefault(layer, {})
        if name not in weights:
            weights[name] = make().astype(np.float32)
        return torch.from_numpy(weights[name])


def write_h5(path: Path, weights: Weights, order: list[str]) -> Path:
    """Write `weights` as Keras 2.1.6's `save_weights` does, with the layers in `order`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([name.encode() for name in order])
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.1.6"
        for layer in order:
            group = file.create_group(layer)
            names = [f"{layer}/{name}:0" for name in weights.layers.get(layer, {})]
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
            for name, values in zip(names, weights.layers.get(layer, {}).values(), strict=True):
                group.create_dataset(name, data=values)
    return path


def inception_order() -> list[str]:
    """Return the names of the InceptionResNetV2 layers with weights, in file order."""
    full = {"c": "conv2d_", "b": "batch_normalization_"}
    words = ORDER.read_text().split()
    return [full[word[0]] + word[1:] if word[1:].isdigit() else word for word in words]


def mobilenet_order() -> list[str]:
    """Return the names of all MobileNet layers, in file order."""
    blocks = [f"conv_{kind}_{number}{part}" for number in range(1, 14) for kind in ("dw", "pw") for part in ("", "_bn", "_relu")]
    pads = {f"conv_dw_{number}": f"conv_pad_{number}" for number in range(1, 14)}
    body = [name for block in blocks for name in ((pads[block], block) if block in pads else (block,))]
    return ["input_2", "conv1_pad", "conv1", "conv1_bn", "conv1_relu", *body, "global_average_pooling2d_2", "dropout_2", "dense_2"]


def mobilenet(pictures: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """Rate pictures by MobileNet with NIMA's head, computed without Keras.

    `pictures`: (n, side, side, 3). Source: Howard et al., 2017, width 1.
    """
    import torch
    from torch.nn import functional as F

    def normed(x: torch.Tensor, layer: str) -> torch.Tensor:
        count = x.shape[1]
        gamma, beta = weights.between(layer, "gamma", count, 0.7, 1.2), weights.between(layer, "beta", count, -0.3, 0.6)
        mean, variance = weights.between(layer, "moving_mean", count, -0.3, 0.3), weights.between(layer, "moving_variance", count, 0.3, 0.8)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=EPSILON).clamp(0, 6)

    with torch.no_grad():
        x = _padded(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()))
        kernel = weights.normal("conv1", "kernel", 3, 3, 3, 32, fan_in=27)
        x = normed(F.conv2d(x, kernel.permute(3, 2, 0, 1), stride=2), "conv1_bn")
        widths = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
        for number, width in enumerate(widths, start=1):
            count, stride = x.shape[1], 2 if number in (2, 4, 6, 12) else 1
            x = _padded(x) if stride == 2 else F.pad(x, (1, 1, 1, 1))
            kernel = weights.normal(f"conv_dw_{number}", "depthwise_kernel", 3, 3, count, 1, fan_in=9)
            x = normed(F.conv2d(x, kernel.permute(2, 3, 0, 1), stride=stride, groups=count), f"conv_dw_{number}_bn")
            kernel = weights.normal(f"conv_pw_{number}", "kernel", 1, 1, count, width, fan_in=count)
            x = normed(F.conv2d(x, kernel.permute(3, 2, 0, 1)), f"conv_pw_{number}_bn")
        return _head(x, weights, "dense_2")


def inception_resnet_v2(pictures: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """Rate pictures by InceptionResNetV2 with NIMA's head, computed without Keras.

    Source: Szegedy et al., 2016. Keras numbered the layers in order of creation.
    """
    import torch
    from torch.nn import functional as F

    count = 0

    def conv(
        x: torch.Tensor, width: int, size: tuple[int, int] | int, stride: int = 1, valid: bool = False, name: str = ""
    ) -> torch.Tensor:
        nonlocal count
        count += not name
        layer, norm = (name, f"{name}_bn") if name else (f"conv2d_{count}", f"batch_normalization_{count}")
        rows, columns = (size, size) if isinstance(size, int) else size
        kernel = weights.normal(layer, "kernel", rows, columns, x.shape[1], width, fan_in=rows * columns * x.shape[1])
        x = F.conv2d(x, kernel.permute(3, 2, 0, 1), stride=stride, padding=0 if valid else (rows // 2, columns // 2))
        beta, mean = weights.between(norm, "beta", width, -0.2, 0.3), weights.between(norm, "moving_mean", width, -0.2, 0.2)
        return F.batch_norm(x, mean, weights.between(norm, "moving_variance", width, 0.6, 1.4), None, beta, eps=EPSILON).relu()

    def grown(x: torch.Tensor, branches: list[torch.Tensor], scale: float, name: str, active: bool = True) -> torch.Tensor:
        mixed = torch.cat(branches, 1)
        kernel = weights.normal(f"{name}_conv", "kernel", 1, 1, mixed.shape[1], x.shape[1], fan_in=2 * mixed.shape[1])
        bias = weights.between(f"{name}_conv", "bias", x.shape[1], -0.1, 0.1)
        x = x + scale * F.conv2d(mixed, kernel.permute(3, 2, 0, 1), bias)
        return x.relu() if active else x

    with torch.no_grad():
        x = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
        x = conv(conv(conv(x, 32, 3, 2, True), 32, 3, 1, True), 64, 3)
        x = F.max_pool2d(x, 3, 2)
        x = F.max_pool2d(conv(conv(x, 80, 1, 1, True), 192, 3, 1, True), 3, 2)
        first = conv(x, 96, 1)
        second = conv(conv(x, 48, 1), 64, 5)
        third = conv(conv(conv(x, 64, 1), 96, 3), 96, 3)
        x = torch.cat([first, second, third, conv(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), 64, 1)], 1)
        for block in range(1, 11):
            branches = [conv(x, 32, 1), conv(conv(x, 32, 1), 32, 3), conv(conv(conv(x, 32, 1), 48, 3), 64, 3)]
            x = grown(x, branches, 0.17, f"block35_{block}")
        branches = [conv(x, 384, 3, 2, True), conv(conv(conv(x, 256, 1), 256, 3), 384, 3, 2, True), F.max_pool2d(x, 3, 2)]
        x = torch.cat(branches, 1)
        for block in range(1, 21):
            branches = [conv(x, 192, 1), conv(conv(conv(x, 128, 1), 160, (1, 7)), 192, (7, 1))]
            x = grown(x, branches, 0.1, f"block17_{block}")
        first = conv(conv(x, 256, 1), 384, 3, 2, True)
        second = conv(conv(x, 256, 1), 288, 3, 2, True)
        third = conv(conv(conv(x, 256, 1), 288, 3), 320, 3, 2, True)
        x = torch.cat([first, second, third, F.max_pool2d(x, 3, 2)], 1)
        for block in range(1, 11):
            branches = [conv(x, 192, 1), conv(conv(conv(x, 192, 1), 224, (1, 3)), 256, (3, 1))]
            x = grown(x, branches, 0.2 if block < 10 else 1.0, f"block8_{block}", active=block < 10)
        return _head(conv(x, 1536, 1, name="conv_7b"), weights, "dense_1")


def _padded(x: torch.Tensor) -> torch.Tensor:
    """Pad a tensor by one row (bottom) and one column (right).

    The padding layers of the old MobileNet file do this for even sizes.
    """
    from torch.nn import functional as F

    return F.pad(x, (0, 1, 0, 1))


def _head(x: torch.Tensor, weights: Weights, dense: str) -> NDArray[np.float32]:
    import torch

    x = x.mean((2, 3))
    if weights.spread and dense not in weights.layers:
        weights.layers[dense] = _spread_head(x.numpy().astype(np.float64), weights)
    kernel = weights.normal(dense, "kernel", x.shape[1], 10, fan_in=8 * x.shape[1])
    return torch.softmax(x @ kernel + weights.between(dense, "bias", 10, -0.5, 0.5), 1).numpy()


def _spread_head(features: NDArray[np.float64], weights: Weights) -> dict[str, NDArray[np.float32]]:
    """Return random weights for NIMA's head that spread the ratings of `features`.

    `features`: of n pictures, (n, channels). The logits' standard deviation is `weights.spread`.

    Features of a network with random weights hardly differ between pictures, so their mean is subtracted.
    """
    kernel = np.random.default_rng(weights.seed).normal(size=(features.shape[1], 10))
    kernel *= weights.spread / ((features - features.mean(axis=0)) @ kernel).std()
    return {"kernel": kernel.astype(np.float32), "bias": (-features.mean(axis=0) @ kernel).astype(np.float32)}
