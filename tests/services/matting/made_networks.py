"""Tiny ONNX files with the interfaces of the published networks.

They contain none of the published code or weights.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = (16, 20, 40, 64)


def make_rvm(path: Path) -> Path:
    """Write a tiny network with RVM's inputs, outputs and recurrence.

    As in the published file, the sizes of different states have the same names. `pha` is half of the luma plus half of the state, so that a
    test sees whether the state is carried, reset and of the right size.
    """
    names = {"src": ["batch_size", 3, "height", "width"]}
    names |= {f"r{level}i": ["batch_size", "channels", "height", "width"] for level in (1, 2, 3, 4)}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in names.items()]
    inputs.append(helper.make_tensor_value_info("downsample_ratio", TensorProto.FLOAT, [1]))
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"{name}{axis}" for axis in range(4)])
        for name in ("fgr", "pha", "r1o", "r2o", "r3o", "r4o")
    ]
    constants = {
        "luma": np.float32([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1), "half": np.float32([0.5]), "ones": np.float32([1, 1]),
        "zero": np.int64([0]), "two": np.int64([2]), "four": np.int64([4]), "none": np.zeros(0, np.float32),
        "low": np.float32(0), "high": np.float32(1),
    }  # fmt: skip
    nodes = [
        helper.make_node("Concat", ["ones", "downsample_ratio", "downsample_ratio"], ["scales"], axis=0),
        helper.make_node("Resize", ["src", "none", "scales"], ["small"], mode="linear"),
        helper.make_node("Conv", ["small", "luma"], ["gray"]),
    ]
    above = "gray"
    for level, channels in enumerate(CHANNELS, 1):
        constants[f"spread{level}"] = np.ones((channels, 1, 1, 1), np.float32)
        nodes += [
            helper.make_node("AveragePool", [above], [f"p{level}"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
            helper.make_node("Conv", [f"p{level}", f"spread{level}"], [f"x{level}"]),
            helper.make_node("Add", [f"x{level}", f"r{level}i"], [f"s{level}"]),
            helper.make_node("Mul", [f"s{level}", "half"], [f"r{level}o"]),
        ]
        above = f"p{level}"
    nodes += [
        helper.make_node("Shape", ["src"], ["shape"]),
        helper.make_node("Slice", ["shape", "two", "four", "zero"], ["size"]),
        helper.make_node("ReduceMean", ["r1o"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Shape", ["mean"], ["mean_shape"]),
        helper.make_node("Slice", ["mean_shape", "zero", "two", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "size"], ["full"], axis=0),
        helper.make_node("Resize", ["mean", "none", "none", "full"], ["large"], mode="linear"),
        helper.make_node("Clip", ["large", "low", "high"], ["pha"]),
        helper.make_node("Identity", ["src"], ["fgr"]),
    ]
    return _saved(path, "rvm", nodes, inputs, outputs, constants)


def make_saliency(path: Path, side: int, *, logits: bool = False) -> Path:
    """Write a network that gives red pixels 1 and all others 0.

    It takes (n, 3, side, side). With `logits`: -12 or 12, which need a sigmoid.
    """
    inputs = [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, side, side])]
    outputs = [helper.make_tensor_value_info("matte", TensorProto.FLOAT, ["n", 1, side, side])]
    constants = {
        "red": np.float32([6, -6, 0]).reshape(1, 3, 1, 1),
        "bias": np.float32([-3]),
        "low": np.float32(-12 if logits else 0),
        "high": np.float32(12 if logits else 1),
    }
    if logits:
        constants = constants | {"red": constants["red"] * 10, "bias": constants["bias"] * 10}
    nodes = [helper.make_node("Conv", ["pictures", "red", "bias"], ["raw"]), helper.make_node("Clip", ["raw", "low", "high"], ["matte"])]
    return _saved(path, "saliency", nodes, inputs, outputs, constants)


def make_sam(folder: Path) -> None:
    """Write a tiny SAM that selects red pixels, whatever the clicks are.

    The encoder shrinks the picture; the decoder compares red with green.
    """
    image = [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, 1024, 1024])]
    shape = [1, 3, 256, 256]
    features = [helper.make_tensor_value_info("image_embeddings.0", TensorProto.FLOAT, shape)]
    pool = [helper.make_node("AveragePool", ["pixel_values"], ["image_embeddings.0"], kernel_shape=[4, 4], strides=[4, 4])]
    _saved(folder / "vision_encoder.onnx", "encoder", pool, image, features, {})
    inputs = [
        helper.make_tensor_value_info("input_points", TensorProto.FLOAT, [1, 1, "n", 2]),
        helper.make_tensor_value_info("input_labels", TensorProto.INT64, [1, 1, "n"]),
        helper.make_tensor_value_info("image_embeddings.0", TensorProto.FLOAT, shape),
    ]
    outputs = [
        helper.make_tensor_value_info("iou_scores", TensorProto.FLOAT, [1, 1, 3]),
        helper.make_tensor_value_info("pred_masks", TensorProto.FLOAT, [1, 1, 3, 256, 256]),
    ]
    constants = {
        "scores": np.float32([[[0.1, 0.9, 0.2]]]), "red": np.float32([1, -1, 0]).reshape(1, 3, 1, 1), "shift": np.float32([-0.5]),
        "three": np.int64([1, 1, 3, 1, 1]), "dims": np.int64([1, 1, 1, 256, 256]), "signs": np.float32([-1, 1, -1]).reshape(1, 1, 3, 1, 1),
    }  # fmt: skip
    nodes = [
        helper.make_node("Identity", ["scores"], ["iou_scores"]),
        helper.make_node("Conv", ["image_embeddings.0", "red", "shift"], ["one"]),
        helper.make_node("Reshape", ["one", "dims"], ["shaped"]),
        helper.make_node("Expand", ["shaped", "three"], ["all"]),
        helper.make_node("Mul", ["all", "signs"], ["pred_masks"]),
    ]
    _saved(folder / "prompt_encoder_mask_decoder.onnx", "decoder", nodes, inputs, outputs, constants)


def _saved(path: Path, name: str, nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> Path:
    initializers = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=6)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
