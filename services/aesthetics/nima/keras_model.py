"""NIMA in Keras on TensorFlow, with weights as old Keras wrote them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.scores import Architecture
from services.aesthetics.reading.small_views import SIDE
from shared.errors import ModelDamaged

Arrays = list[NDArray[np.float32]]


def load_keras(architecture: Architecture, weights: Path, *, half: bool = False) -> Any:
    """The Keras model of a network with the weights of an HDF5 file. `half`: computes in f16 (weights and result stay f32).

    Raises ModelDamaged for a file that holds another network's weights, or none.
    """
    model = build(architecture, half=half)
    fill(model, weights)
    return model


def build(architecture: Architecture, *, side: int = SIDE, half: bool = False) -> Any:
    """The Keras model of a network, (n, side, side, 3) -> (n, 10), with random weights."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if half else "float32")
    try:
        makers = {"inception-resnet-v2": keras.applications.InceptionResNetV2, "mobilenet": keras.applications.MobileNet}
        base = makers[architecture](include_top=False, weights=None, pooling="avg", input_shape=(side, side, 3))
        hidden = keras.layers.Dropout(0.75)(base.output)
        return keras.Model(base.input, keras.layers.Dense(10, activation="softmax", dtype="float32")(hidden))
    finally:
        keras.config.set_dtype_policy(policy)


def fill(model: Any, weights: Path) -> None:
    """Put the weights of an HDF5 file into a Keras model, layer by layer in the order of both.

    Not by name: Keras 2 numbered layers as they were made (`conv2d_1`), today's Keras numbers others; what happens to have the same
    name would get another layer's weights without an error. Every shape is checked. Raises ModelDamaged.
    """
    import h5py  # not needed where only the API runs

    wanted = [layer for layer in model.layers if layer.weights]
    try:
        with h5py.File(weights, "r") as file:
            given = list(_layers(file))
            if len(given) != len(wanted):
                raise ModelDamaged(
                    f"{weights} holds {len(given)} layers with weights; this network has {len(wanted)}. It is another one's."
                )
            for layer, (name, arrays) in zip(wanted, given, strict=True):
                layer.set_weights(_read(weights, name, arrays, [tuple(weight.shape) for weight in layer.weights]))
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelDamaged(f"{weights} cannot be read as Keras weights (HDF5): {error}") from error


def _read(weights: Path, name: str, stored: list[Any], expected: list[tuple[int, ...]]) -> Arrays:
    """The weights of a layer, read once their shapes are known to fit: a file of a few bytes may claim any. Raises ModelDamaged."""
    shapes = [getattr(one, "shape", None) for one in stored]
    if shapes != expected:
        raise ModelDamaged(f"{weights}: layer {name!r} has the shapes {shapes}, but {expected} are wanted. It is another network's.")
    arrays = [np.asarray(one, np.float32) for one in stored]
    if not all(np.isfinite(array).all() for array in arrays):
        raise ModelDamaged(f"{weights}: layer {name!r} holds values that are no numbers.")
    return arrays


def _layers(file: Any) -> Iterator[tuple[str, list[Any]]]:
    """Name and stored weights of each layer that has any, in the order of the file; nothing is read yet."""
    root = file.get("model_weights", file)
    for name in _texts(root, "layer_names"):
        layer = root[name]
        if names := _texts(layer, "weight_names"):
            yield name, [layer[weight] for weight in names]


def _texts(group: Any, attribute: str) -> list[str]:
    """An attribute that is a list of texts; Keras divides those over 64 KiB into numbered ones."""
    parts = [attribute] if attribute in group.attrs else []
    if not parts:
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(f"{attribute}{len(parts)}")
    if not parts:
        raise KeyError(f"no attribute {attribute}")
    values = [value for part in parts for value in group.attrs[part]]
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
