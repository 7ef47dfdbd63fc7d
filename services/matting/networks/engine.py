"""Libraries that run networks: OpenVINO on the CPU, else onnxruntime."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.errors import Invalid, Unavailable
from shared.models.device import CPU, Device, choose_device

Library = Literal["openvino", "onnxruntime"]
Precision = Literal["auto", "f32", "bf16", "f16"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A library, its device, and the precision to request."""

    library: Library
    device: Device
    precision: str


def choose_engine(precision: Precision) -> Engine:
    """Choose the library, its device and its precision.

    `auto` is bf16 if the processor supports it, else f32. Raises Invalid for a precision that this machine does not support, Unavailable
    if no library is installed.
    """
    device = choose_device()
    if device.kind == "cuda" and "CUDAExecutionProvider" in _onnxruntime_providers():
        if precision not in ("auto", "f32"):
            raise Invalid(f"precision {precision} cannot be used on {device}: choose auto or f32.", errors=[_field(precision)])
        return Engine(library="onnxruntime", device=device, precision="f32")
    if importlib.util.find_spec("openvino"):
        capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "f16" or (precision == "bf16" and "BF16" not in capabilities):
            raise Invalid(f"precision {precision} needs a device that this machine does not have: choose auto.", errors=[_field(precision)])
        chosen = ("bf16" if "BF16" in capabilities else "f32") if precision == "auto" else precision
        return Engine(library="openvino", device=CPU, precision=chosen)
    if importlib.util.find_spec("onnxruntime"):
        if precision not in ("auto", "f32"):
            raise Invalid(f"precision {precision} needs OpenVINO: choose auto or f32.", errors=[_field(precision)])
        return Engine(library="onnxruntime", device=CPU, precision="f32")
    raise Unavailable("Neither OpenVINO nor onnxruntime is installed. Run: pip install 'reelwright[matting]'")


def read_model(path: Path) -> Any:
    """Read an ONNX file as an OpenVINO model."""
    return _core().read_model(path)


def compile_model(model: Any, engine: Engine) -> tuple[Any, str]:
    """Compile an OpenVINO model for the CPU.

    The second result is the precision that the compiled model reports.
    """
    compiled = _core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": engine.precision, "PERFORMANCE_HINT": "LATENCY"})
    reported = compiled.get_property("INFERENCE_PRECISION_HINT")
    precision = reported if isinstance(reported, str) else str(reported.get_type_name())
    return compiled, precision


def onnx_session(path: Path, engine: Engine) -> Any:
    """Open an ONNX file with onnxruntime on the engine's device."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    provider: Any = "CPUExecutionProvider"
    if engine.device.kind == "cuda":
        provider = ("CUDAExecutionProvider", {"device_id": engine.device.index})
    return onnxruntime.InferenceSession(path, options, providers=[provider])


def _onnxruntime_providers() -> list[str]:
    if not importlib.util.find_spec("onnxruntime"):
        return []
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def _core() -> Any:
    import openvino

    return openvino.Core()


def _field(precision: str) -> dict[str, str]:
    return {"field": "params.precision", "detail": f"{precision} cannot be used here"}
