"""Robust Video Matting (RVM), run from its ONNX file.

Source: Lin et al., "Robust High-Resolution Video Matting with Temporal Guidance", WACV 2022.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matting.networks.engine import Engine, compile_model, onnx_session, read_model

STATES = ("r1i", "r2i", "r3i", "r4i")
_LONG_SIDE = 512

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]


def downsample_ratio(width: int, height: int) -> float:
    """Return the ratio that reduces the longer side to 512 pixels.

    RVM's authors recommend this ratio. It is at most 1.
    """
    return min(_LONG_SIDE / max(width, height), 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rvm:
    """A loaded RVM network for one picture size.

    `start()`: starts a clip. `precision`, `device`: precision and device that the library really uses.
    """

    start: Callable[[], "Clip"]
    precision: str
    device: str


class Clip:
    """A run of the network over one clip, with its recurrent state."""

    def __init__(self, run: Callable[[Rgb, list[Any]], tuple[Alpha, Rgb | None, list[Any]]], empty: list[Any]) -> None:
        self._run, self._empty = run, empty
        self._state = empty

    def reset(self) -> None:
        """Forget the recurrent state after a cut."""
        self._state = self._empty

    def step(self, rgb: Rgb) -> tuple[Alpha, Rgb | None]:
        """Return alpha and foreground colours of the next frame.

        Alpha is (h, w) float32 0..1. The foreground is (h, w, 3) uint8; None unless requested.
        """
        alpha, foreground, self._state = self._run(rgb, self._state)
        return alpha, foreground


def load_rvm(path: Path, width: int, height: int, engine: Engine, *, ratio: float, foreground: bool) -> Rvm:
    """Load RVM for pictures of `width` x `height`."""
    if engine.library == "openvino":
        return _with_openvino(path, width, height, engine, ratio=ratio, foreground=foreground)
    if engine.device.kind == "cuda" and importlib.util.find_spec("onnx"):
        return _on_gpu(path, engine, ratio=ratio, foreground=foreground)
    return _with_onnxruntime(path, engine, ratio=ratio, foreground=foreground)


def fixed_model(path: Path, width: int, height: int, *, ratio: float, foreground: bool) -> Any:
    """Build an OpenVINO model with fixed input shapes and ratio.

    Input `src` is (1, h, w, 3) uint8. Outputs: `pha` (1, 1, h, w) float, `fgr` (1, h, w, 3) uint8 if `foreground`, and the four states.
    """
    import openvino
    from openvino import opset13 as ops

    model = read_model(path)
    parameters = {parameter.get_friendly_name(): parameter for parameter in model.get_parameters()}
    constant = ops.constant(np.array([ratio], np.float32))
    for target in parameters["downsample_ratio"].output(0).get_target_inputs():
        target.replace_source_output(constant.output(0))
    model.remove_parameter(parameters["downsample_ratio"])
    # The sizes of the states depend on the ratio. OpenVINO derives them from one step with empty states.
    model.reshape({"src": [1, 3, height, width]} | {name: [1, 1, 1, 1] for name in STATES})
    sizes = {name: list(model.output(name.replace("i", "o")).shape) for name in STATES}
    model.reshape({"src": [1, 3, height, width]} | sizes)
    picture = ops.parameter([1, height, width, 3], np.uint8, name="src")
    planes = ops.transpose(ops.divide(ops.convert(picture, "f32"), np.float32(255)), np.array([0, 3, 1, 2]))
    for target in parameters["src"].output(0).get_target_inputs():
        target.replace_source_output(planes.output(0))
    outputs = [model.output("pha").get_node().input_value(0)]
    if foreground:
        color = ops.multiply(ops.clamp(model.output("fgr").get_node().input_value(0), 0.0, 1.0), np.float32(255))
        outputs.append(ops.convert(ops.transpose(ops.round(color, "half_to_even"), np.array([0, 2, 3, 1])), "u8").output(0))
    outputs += [model.output(name.replace("i", "o")).get_node().input_value(0) for name in STATES]
    return openvino.Model([ops.result(output) for output in outputs], [picture, *(parameters[name] for name in STATES)], "rvm")


def _with_openvino(path: Path, width: int, height: int, engine: Engine, *, ratio: float, foreground: bool) -> Rvm:
    compiled, precision = compile_model(fixed_model(path, width, height, ratio=ratio, foreground=foreground), engine)
    empty = [np.zeros(tuple(compiled.input(1 + index).shape), np.float32) for index in range(len(STATES))]

    def start() -> Clip:
        # Two requests take turns: each reads the states that the other has written, without a copy.
        requests = [compiled.create_infer_request(), compiled.create_infer_request()]

        def run(rgb: Rgb, states: list[Any]) -> tuple[Alpha, Rgb | None, list[Any]]:
            request = requests[0]
            requests.reverse()
            request.infer([rgb[None], *states], share_inputs=True)
            values = [request.get_output_tensor(index).data for index in range(len(compiled.outputs))]
            alpha = np.array(values[0][0, 0], np.float32)
            return alpha, np.array(values[1][0]) if foreground else None, values[2 if foreground else 1 :]

        return Clip(run, empty)

    return Rvm(start=start, precision=precision, device="cpu")


def _with_onnxruntime(path: Path, engine: Engine, *, ratio: float, foreground: bool) -> Rvm:
    opened = onnx_session(path, engine)
    session = opened.session
    names = ["pha", *(["fgr"] if foreground else []), *(name.replace("i", "o") for name in STATES)]
    empty = [np.zeros((1, 1, 1, 1), np.float32)] * len(STATES)
    constant = np.array([ratio], np.float32)

    def run(rgb: Rgb, states: list[Any]) -> tuple[Alpha, Rgb | None, list[Any]]:
        source = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        fed = {"src": source, "downsample_ratio": constant} | dict(zip(STATES, states, strict=True))
        alpha, *values = session.run(names, fed)
        color = values.pop(0)[0].transpose(1, 2, 0) if foreground else None
        return alpha[0, 0], None if color is None else np.rint(np.clip(color, 0, 1) * 255).astype(np.uint8), values

    return Rvm(start=lambda: Clip(run, empty), precision=opened.precision, device=opened.device)


def _on_gpu(path: Path, engine: Engine, *, ratio: float, foreground: bool) -> Rvm:
    """Load RVM in onnxruntime, with states kept on the GPU.

    Pictures move there and back as bytes.
    """
    import onnxruntime

    opened = onnx_session(path, engine, wrap=with_byte_pictures)
    session = opened.session
    kind, number = ("cuda", engine.device.index) if opened.device != "cpu" else ("cpu", 0)
    constant = onnxruntime.OrtValue.ortvalue_from_numpy(np.array([ratio], np.float32))
    empty = [onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((1, 1, 1, 1), np.float32))] * len(STATES)
    names = ["pha", *(["fgr"] if foreground else [])]

    def run(rgb: Rgb, states: list[Any]) -> tuple[Alpha, Rgb | None, list[Any]]:
        binding = session.io_binding()
        binding.bind_cpu_input("src", np.ascontiguousarray(rgb[None]))
        for name, value in zip(("downsample_ratio", *STATES), (constant, *states), strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in names:
            binding.bind_output(name)
        for name in STATES:
            binding.bind_output(name.replace("i", "o"), kind, number)
        session.run_with_iobinding(binding)
        values = binding.get_outputs()
        pictures = [value.numpy() for value in values[: len(names)]]
        return pictures[0][0, 0], pictures[1][0] if foreground else None, values[len(names) :]

    return Rvm(start=lambda: Clip(run, empty), precision=opened.precision, device=opened.device)


def with_byte_pictures(model: Path | bytes) -> bytes:
    """Change a model so that it takes and returns uint8 pictures.

    Input `src` becomes (1, h, w, 3) uint8, output `fgr` too. The other inputs and outputs stay as they are.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rvm = onnx.load_from_string(model) if isinstance(model, bytes) else onnx.load(model)
    graph = rvm.graph
    bytes_shape: list[str | int | None] = [1, "shown_height", "shown_width", 3]
    planes = {"src": "src_planes", "fgr": "fgr_planes"}
    for node in graph.node:
        node.input[:] = [planes.get(name, name) for name in node.input]
        node.output[:] = [planes.get(name, name) for name in node.output]
    before = [
        helper.make_node("Cast", ["src"], ["src_levels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["src_levels", "white"], ["src_shares"]),
        helper.make_node("Transpose", ["src_shares"], ["src_planes"], perm=[0, 3, 1, 2]),
    ]
    after = [
        helper.make_node("Clip", ["fgr_planes", "black_share", "white_share"], ["fgr_clipped"]),
        helper.make_node("Mul", ["fgr_clipped", "white"], ["fgr_levels"]),
        helper.make_node("Round", ["fgr_levels"], ["fgr_rounded"]),
        helper.make_node("Cast", ["fgr_rounded"], ["fgr_bytes"], to=TensorProto.UINT8),
        helper.make_node("Transpose", ["fgr_bytes"], ["fgr"], perm=[0, 2, 3, 1]),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    levels = {"white": 255.0, "black_share": 0.0, "white_share": 1.0}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(level, np.float32), name) for name, level in levels.items())
    for values in (graph.input, graph.output):
        for value in values:
            if value.name in planes:
                value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.UINT8, bytes_shape))
    return bytes(rvm.SerializeToString())
