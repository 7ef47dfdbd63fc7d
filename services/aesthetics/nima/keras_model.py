"""NIMA as a Keras model, with weights in the Keras 2 layout."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.models import ARCHITECTURES
from services.aesthetics.reading.small_views import SIDE
from shared.errors import ModelDamaged

Arrays = list[NDArray[np.float32]]


def load_keras(architecture: str, weights: Path, *, half: bool = False) -> Any:
    """Load a network with the weights of an HDF5 file.

    `architecture`: name in the table ARCHITECTURES. `half`: compute in f16; weights and result stay f32. Raises ModelDamaged for a file
    without the weights of this network.
    """
    model = build(architecture, half=half)
    fill(model, weights)
    return model


def build(architecture: str, *, side: int = SIDE, half: bool = False) -> Any:
    """Build a NIMA model in Keras, with random weights.

    The model maps (n, side, side, 3) to (n, 10).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if half else "float32")
    try:
        make_base = getattr(keras.applications, ARCHITECTURES[architecture].keras_name)
        base = make_base(include_top=False, weights=None, pooling="avg", input_shape=(side, side, 3))
        hidden = keras.layers.Dropout(0.75)(base.output)
        return keras.Model(base.input, keras.layers.Dense(10, activation="softmax", dtype="float32")(hidden))
    finally:
        keras.config.set_dtype_policy(policy)


def fill(model: Any, weights: Path) -> None:
    """Copy the weights of an HDF5 file into a Keras model.

    Layers are matched by their order, not by name: Keras 2 numbered layers in order of creation (`conv2d_1`), current Keras does not, so
    equal names can belong to different layers. Every shape is checked. Raises ModelDamaged.
    """
    import h5py  # imported here, so that a process that only serves the API does not load h5py

    expected = [layer for layer in model.layers if layer.weights]
    try:
        with h5py.File(weights, "r") as file:
            stored = list(_layers(file))
            if len(stored) != len(expected):
                raise ModelDamaged(
                    f"{weights.name} contains {len(stored)} layers with weights, but {len(expected)} are expected. "
                    "The file belongs to another network."
                )
            for layer, (name, arrays) in zip(expected, stored, strict=True):
                layer.set_weights(_read(weights, name, arrays, [tuple(weight.shape) for weight in layer.weights]))
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelDamaged(f"{weights.name} cannot be read as Keras weights (HDF5): {error}") from error


def _read(weights: Path, name: str, stored: list[Any], expected: list[tuple[int, ...]]) -> Arrays:
    """Check and read `stored`, the HDF5 datasets with the weights of one layer.

    `weights`, `name`: file and layer, for errors. `expected`: shapes, which are checked before reading, because a tiny file may claim huge
    ones. Raises ModelDamaged.
    """
    shapes = [getattr(dataset, "shape", None) for dataset in stored]
    if shapes != expected:
        raise ModelDamaged(
            f"{weights}: layer {name!r} has the shapes {shapes}, but {expected} are expected. The file belongs to another network."
        )
    arrays = [np.asarray(dataset, np.float32) for dataset in stored]
    if not all(np.isfinite(array).all() for array in arrays):
        raise ModelDamaged(f"{weights}: layer {name!r} contains values that are not numbers (NaN).")
    return arrays


def _layers(file: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the name and weights of each stored layer that has weights.

    Layers are in the file's order. The weights are not read yet.
    """
    root = file.get("model_weights", file)
    for name in _texts(root, "layer_names"):
        layer = root[name]
        if names := _texts(layer, "weight_names"):
            yield name, [layer[weight] for weight in names]


def _texts(group: Any, attribute: str) -> list[str]:
    """Read a list of strings from an HDF5 attribute.

    Keras splits lists over 64 KiB into numbered attributes. Raises KeyError without the attribute.
    """
    parts = [attribute] if attribute in group.attrs else []
    if not parts:
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(f"{attribute}{len(parts)}")
    if not parts:
        raise KeyError(f"no attribute {attribute}")
    values = [value for part in parts for value in group.attrs[part]]
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
