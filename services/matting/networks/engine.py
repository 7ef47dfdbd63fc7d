"""Libraries that run networks: OpenVINO or onnxruntime."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.errors import Invalid, Unavailable
from shared.models.devices.device import CPU, Device, choose_device

Library = Literal["openvino", "onnxruntime"]
_KEPT_F32 = ("Resize", "Upsample")
"""Types of nodes that read sizes or scales as f32."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A library that runs networks, with its device and precision."""

    library: Library
    device: Device
    precision: str


def choose_engine(precision: str) -> Engine:
    """Choose the library, device and precision for networks.

    `precision`: a name of PRECISIONS. `auto` is f32 on a GPU, where f16 is no faster over a whole job; on the CPU bf16 if the processor
    supports it, else f32. Raises Invalid for a precision that this machine does not support, Unavailable if no library is installed.
    """
    device = choose_device()
    if device.kind == "cuda" and "CUDAExecutionProvider" in _onnxruntime_providers():
        if precision == "bf16":
            raise _unsupported(f"precision bf16 cannot be used on {device}: choose auto, f16 or f32")
        return Engine(library="onnxruntime", device=device, precision=_gpu_precision(precision))
    if importlib.util.find_spec("openvino"):
        capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "f16" or (precision == "bf16" and "BF16" not in capabilities):
            raise _unsupported(f"precision {precision} needs a device that this machine does not have: choose auto")
        number_format = ("bf16" if "BF16" in capabilities else "f32") if precision == "auto" else precision
        return Engine(library="openvino", device=CPU, precision=number_format)
    if importlib.util.find_spec("onnxruntime"):
        if precision not in ("auto", "f32"):
            raise _unsupported(f"precision {precision} needs OpenVINO: choose auto or f32")
        return Engine(library="onnxruntime", device=CPU, precision="f32")
    raise Unavailable("OpenVINO or onnxruntime is needed, and neither is installed. Run: pip install 'reelwright[matting]'")


def read_model(path: Path) -> Any:
    """Read an ONNX file as an OpenVINO model."""
    return _core().read_model(path)


def compile_model(model: Any, engine: Engine) -> tuple[Any, str]:
    """Compile an OpenVINO model for the CPU; return it with its precision.

    The second result is the precision that the compiled model reports.
    """
    compiled = _core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": engine.precision, "PERFORMANCE_HINT": "LATENCY"})
    reported = compiled.get_property("INFERENCE_PRECISION_HINT")
    precision = reported if isinstance(reported, str) else str(reported.get_type_name())
    return compiled, precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """An open onnxruntime session with its device and precision.

    `precision`: precision of the weights. `device`: device that onnxruntime uses.
    """

    session: Any
    precision: str
    device: str


def onnx_session(path: Path, engine: Engine, *, wrap: Callable[[Path | bytes], bytes] | None = None) -> Session:
    """Open an ONNX file with onnxruntime on the engine's device.

    `wrap` changes the model before it is opened.

    For f16 the weights and all steps that allow it are converted; inputs and outputs stay f32. Where CUDA's libraries are missing or of
    another version, onnxruntime drops CUDA without an error: the file then runs in f32 on the CPU, and the session states this.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    provider: Any = "CPUExecutionProvider"
    if engine.device.kind == "cuda":
        # CUDA's own packages lie where the dynamic linker does not look.
        onnxruntime.preload_dlls()
        # TF32 would round to 10 bits, as f16 does. Trying every algorithm costs two seconds per picture size and gains nothing.
        options_of_cuda = {"device_id": engine.device.index, "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        provider = ("CUDAExecutionProvider", options_of_cuda)
    model, precision = _half_precision(path) if engine.precision == "f16" else (path, "f32")
    session = onnxruntime.InferenceSession(wrap(model) if wrap else model, options, providers=[provider])
    if engine.device.kind == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        return onnx_session(path, Engine(library="onnxruntime", device=CPU, precision="f32"), wrap=wrap)
    return Session(session=session, precision=precision, device=str(engine.device))


def _half_precision(path: Path) -> tuple[bytes, str]:
    """Convert an ONNX file from f32 to f16; return it with its weights' precision.

    The second result is the precision of the converted file's weights.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = _with_own_sizes(onnx.load(path))
    exact = {"op_block_list": [*_KEPT_F32], "node_block_list": _nodes_of_sizes(model)}
    converted = convert_float_to_float16(model, keep_io_types=True, **exact)
    _skip_round_trips(converted)
    kinds = {weight.data_type for weight in converted.graph.initializer}
    return bytes(converted.SerializeToString()), "f16" if onnx.TensorProto.FLOAT16 in kinds else "f32"


def _with_own_sizes(model: Any) -> Any:
    """Name every unknown dimension of a model's inputs and outputs separately.

    RVM's file calls the sizes of several states alike. With the conversions added, onnxruntime would keep two
    states of different sizes in one buffer, which fails.
    """
    for value in (*model.graph.input, *model.graph.output):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if size.dim_param:
                size.dim_param = f"{value.name}_{axis}"
    return model


def _nodes_of_sizes(model: Any) -> list[str]:
    """Return the names of nodes that compute sizes for resizing.

    Nodes without a name get one. Rounded to f16, a ratio of 0.4 makes 287 rows of 720, not 288.
    """
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    makers = {output: node for node in model.graph.node for output in node.output}
    pending = [name for node in model.graph.node if node.op_type in _KEPT_F32 for name in node.input[1:]]
    names: set[str] = set()
    while pending:
        node = makers.get(pending.pop())
        if node is not None and node.name not in names and node.op_type != "Shape":
            names.add(node.name)
            pending.extend(node.input)
    return sorted(names)


def _skip_round_trips(model: Any) -> None:
    """Bypass conversions from f32 to f16 and straight back."""
    sources = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    for node in model.graph.node:
        for number, name in enumerate(node.input):
            halved = sources.get(name)
            if halved in sources:
                node.input[number] = sources[halved]


def _gpu_precision(precision: str) -> str:
    """Choose the precision of networks on a GPU: f16 if requested, else f32.

    Raises Unavailable for f16 without the package onnx, which converts networks.
    """
    if precision != "f16":
        return "f32"
    if not importlib.util.find_spec("onnx"):
        raise Unavailable("precision f16 needs the package onnx, which converts networks. Run: pip install onnx, or choose auto.")
    return "f16"


def _onnxruntime_providers() -> list[str]:
    if not importlib.util.find_spec("onnxruntime"):
        return []
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def _core() -> Any:
    import openvino

    return openvino.Core()


def _unsupported(detail: str) -> Invalid:
    return Invalid.field("params.precision", detail, f"{detail}.")
