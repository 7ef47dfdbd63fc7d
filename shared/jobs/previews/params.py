"""Adaptation of an operation's params to a preview, which is short and small."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.operation import Operation, Params


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a clip, from `start_s` to `end_s` in seconds."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The size of a clip and the width of its proxy, in pixels."""

    width: int
    height: int
    proxy_width: int

    @property
    def factor(self) -> float:
        """Pixels of the proxy per pixel of the clip."""
        return self.proxy_width / self.width


def window_of(params: Mapping[str, Any], *, at_s: float, seconds: float, length_s: float) -> Window:
    """Return the part of a clip that a preview shows.

    It lies around second `at_s`, within the part of the clip that `params` select. `length_s`: of the clip.
    """
    first = min(float(params.get("start") or 0), max(length_s - 0.1, 0))
    last = length_s if params.get("duration") is None else min(first + float(params["duration"]), length_s)
    length = min(seconds, last - first)
    start = min(max(at_s - length / 2, first), last - length)
    return Window(start_s=round(start, 6), end_s=round(start + length, 6))


def preview_params(operation: Operation, params: Mapping[str, Any], *, window: Window, length_s: float, scale: Scale) -> dict[str, Any]:
    """Adapt the params of an operation to a preview.

    Params in pixels of the clip are scaled, points and boxes become fractions, and `start` and `duration` select the window. What a param
    means is in its declaration (`form`). `params`: all, with defaults; `length_s`: of the clip.
    """
    mapped = dict(params)
    extras = {name: _extra(operation.params, name) for name in mapped}
    _points_to_fractions(mapped, extras, scale)
    for name, extra in extras.items():
        if extra.get("pixels") == "clip" and mapped[name] is not None:
            mapped[name] = _scaled(operation.params, name, mapped[name] * scale.factor)
    if operation.preview_kind != "part":
        return mapped
    start = float(params.get("start") or 0)
    part_s = params["duration"] if params.get("duration") is not None else max(length_s - start, window.seconds)
    begin = window.start_s
    for name, extra in extras.items():
        if extra.get("share_of_part") and mapped[name] is not None:
            mapped[name] *= window.seconds / part_s
        if (step := extra.get("one_per")) and mapped[name]:
            passed = int((window.start_s - start) / params[step] + 1e-6)
            begin = start + passed * params[step]
            mapped[name] = mapped[name][passed:] or mapped[name][-1:]
    return mapped | {"start": begin, "duration": round(window.end_s - begin, 6)}


def _extra(model: type[Params], name: str) -> dict[str, Any]:
    extra = model.model_fields[name].json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def _points_to_fractions(params: dict[str, Any], extras: Mapping[str, dict[str, Any]], scale: Scale) -> None:
    """Convert points and boxes in pixels to fractions of the picture.

    They are in pixels if any coordinate is above 1.
    """
    marks = {name: extra["widget"] for name, extra in extras.items() if extra.get("widget") in ("points", "box") and params[name]}
    numbers = [
        value for name, kind in marks.items() for value in ([x for p in params[name] for x in p[:2]] if kind == "points" else params[name])
    ]
    if all(value <= 1 for value in numbers):
        return
    for name, kind in marks.items():
        if kind == "points":
            params[name] = [[min(x / scale.width, 1), min(y / scale.height, 1), *label] for x, y, *label in params[name]]
        else:
            sides = (scale.width, scale.height) * 2
            params[name] = [min(value / side, 1) for value, side in zip(params[name], sides, strict=True)]


def _scaled(model: type[Params], name: str, value: float) -> float:
    """Convert the scaled number `value` to the type and range of the param `name`."""
    schema = model.model_json_schema()["properties"][name]
    number = next((choice for choice in schema.get("anyOf", [schema]) if choice.get("type") in ("integer", "number")), schema)
    whole = number.get("type") == "integer"
    if whole:
        step = number.get("multipleOf", 1)
        value = step * round(value / step)
    value = min(max(value, number.get("minimum", value)), number.get("maximum", value))
    return int(value) if whole else float(value)
