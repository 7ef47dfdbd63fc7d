"""Rendered clips of subjects before a green or blue screen, with true mattes.

Alpha, foreground and plate (the screen without the subject) are known. There are three subjects: a head with strands of hair, fast motion
with motion blur, a see-through veil. The screen is lit unevenly and has a fold, its light falls on the subject, and the camera adds noise.
`write_clip` encodes H.264 in 4:2:0 with BT.709 tags, as cameras do. A seed chooses colours, light and shapes: tune on some seeds, measure
on others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video.frames.frame import EXACT_SCALING

Kind = Literal["strands", "motion blur", "veil"]
KINDS: tuple[Kind, ...] = ("strands", "motion blur", "veil")
Plane = NDArray[np.float32]

_SUPERSAMPLING = 3
_SHUTTER = 0.6
_BT709 = 1  # FFmpeg's number for the matrix, primaries and transfer of BT.709; for ranges, 1 means limited


@dataclass(frozen=True, slots=True, eq=False)
class ScreenFrame:
    """A rendered frame with its true alpha, foreground and plate."""

    picture: NDArray[np.uint8]
    """Picture of the camera, RGB uint8 (H, W, 3)."""
    alpha: Plane
    """True alpha of the subject, float32 (H, W), 0 to 1."""
    foreground: Plane
    """True colours of the subject, RGB float32 (H, W, 3), 0 to 255."""
    plate: Plane
    """Picture of the empty screen, RGB float32 (H, W, 3), 0 to 255."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Parameters of a rendered scene, which a seed determines.

    Colours are RGB, 0 to 255. `light`: brightest point of the screen, in shares of width and height. `spill`: share of the screen's light
    that falls on the subject.
    """

    kind: Kind
    seed: int
    width: int
    height: int
    key: tuple[float, float, float]
    base: tuple[float, float, float]
    clothes: tuple[float, float, float]
    light: tuple[float, float]
    speed: float
    spill: float


def scene_of(kind: Kind, seed: int, width: int = 960, height: int = 540, screen: Literal["green", "blue"] = "green") -> Scene:
    """Return the parameters of the scene that a kind and a seed determine."""
    random = np.random.default_rng((seed, KINDS.index(kind)))
    strong, weak, medium = random.uniform(140, 190), random.uniform(35, 75), random.uniform(50, 85)
    base = {"strands": (88, 60, 45), "motion blur": (185, 150, 60), "veil": (205, 200, 210)}[kind]
    return Scene(
        kind=kind,
        seed=seed,
        width=width,
        height=height,
        key=(weak, strong, medium) if screen == "green" else (weak, medium, strong),
        base=_near(random, base, 18),
        clothes=_near(random, (70, 80, 125), 25) if screen == "green" else _near(random, (125, 80, 70), 25),
        light=(random.uniform(0.25, 0.7), random.uniform(0.25, 0.6)),
        speed=random.uniform(0.75, 1.3),
        spill=random.uniform(0.08, 0.28),
    )


def render(scene: Scene, frames: int = 12) -> Iterator[ScreenFrame]:
    """Render the frames of a scene one after the other."""
    random = np.random.default_rng((scene.seed, 77))
    texture = _texture(random, scene.base, scene)
    if scene.kind == "strands":
        below = int(0.66 * scene.height)
        texture[below:] = _texture(random, scene.clothes, scene)[below:]
        # A patch of grayish green on the clothes must stay opaque.
        cv2.circle(texture, (int(0.45 * scene.width), int(0.9 * scene.height)), scene.height // 13, (95, 120, 90), -1)
    plate = _plate(scene)
    for number in range(frames):
        alpha = _shape(scene, scene.speed * number)
        foreground = np.roll(texture, 5 * number * scene.width // 960, 1)
        near = cv2.GaussianBlur(1 - alpha, (0, 0), scene.height / 38)[..., None]
        spill = scene.spill * near * plate * np.where(np.arange(3) == np.argmax(scene.key), 1, 0.32).astype(np.float32)
        opacity = alpha[..., None]
        mixed = opacity * (foreground + spill) + (1 - opacity) * plate + random.normal(0, 2.0, foreground.shape)
        yield ScreenFrame(np.clip(mixed, 0, 255).astype(np.uint8), alpha, foreground, plate)


def write_clip(path: Path, pictures: Iterator[NDArray[np.uint8]], *, crf: int = 16, rate: int = 25, codec: str = "libx264") -> None:
    """Encode RGB pictures as a 4:2:0 video file.

    The video has matrix, primaries and transfer of BT.709 and limited range.
    """
    with av.open(str(path), "w") as container:
        stream: av.VideoStream | None = None
        for picture in pictures:
            if stream is None:
                height, width = picture.shape[:2]
                stream = cast(av.VideoStream, container.add_stream(codec, rate=Fraction(rate), options={"crf": str(crf), "preset": "fast"}))
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                context = stream.codec_context
                context.colorspace = context.color_primaries = context.color_trc = context.color_range = _BT709
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG", interpolation=EXACT_SCALING
            )
            frame.colorspace = frame.color_range = _BT709
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())


def _near(random: np.random.Generator, colour: tuple[float, float, float], spread: float) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in np.clip(np.add(colour, random.uniform(-spread, spread, 3)), 20, 235))
    return red, green, blue


def _texture(random: np.random.Generator, base: tuple[float, float, float], scene: Scene) -> Plane:
    grid = random.normal(0, 1, (scene.height // 12 + 1, scene.width // 12 + 1)).astype(np.float32)
    coarse = cv2.resize(grid, (scene.width, scene.height), interpolation=cv2.INTER_CUBIC)[..., None]
    fine = random.normal(0, 1, (scene.height, scene.width, 1)).astype(np.float32)
    return np.asarray(np.clip(np.array(base, np.float32) + 14 * coarse + 3 * fine, 0, 255), np.float32)


def _plate(scene: Scene) -> Plane:
    y, x = np.mgrid[0 : scene.height, 0 : scene.width].astype(np.float32)
    x, y = x / scene.width, y / scene.height
    light = 1 - 0.35 * ((x - scene.light[0]) ** 2 + (y - scene.light[1]) ** 2) - 0.15 * x
    plate: Plane = np.asarray(np.array(scene.key, np.float32) * light[..., None], np.float32)
    fold = (int(0.8 * scene.width), 0), (int(0.78 * scene.width), scene.height)
    cv2.line(plate, *fold, tuple(0.75 * value for value in scene.key), max(scene.height // 180, 1), cv2.LINE_AA)
    return plate


def _shape(scene: Scene, time: float) -> Plane:
    """Draw the alpha of the scene at `time`.

    It is drawn at three times its size and then shrunk.
    """
    scale = _SUPERSAMPLING
    width, height = scene.width * scale, scene.height * scale
    unit = height / 540
    canvas = np.zeros((height, width), np.float32)
    x, y = int((0.42 + 0.006 * time) * width), int(0.4 * height)
    if scene.kind == "strands":
        cv2.ellipse(canvas, (x, y), (int(95 * unit), int(125 * unit)), 0, 0, 360, 1, -1)
        cv2.ellipse(canvas, (x, int(1.05 * height)), (int(230 * unit), int(210 * unit)), 0, 0, 360, 1, -1)
        _draw_strands(canvas, scene.seed, time, (x, y), unit, scale)
    elif scene.kind == "motion blur":
        steps = 24
        for step in range(steps):
            _draw_moving(canvas, time + step / steps * _SHUTTER, unit, 1 / steps)
    else:
        cv2.ellipse(canvas, (x, int(0.6 * height)), (int(120 * unit), int(200 * unit)), 0, 0, 360, 1, -1)
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        veil = np.clip(1.3 - np.hypot((across - x - 60 * unit) / (300 * unit), (down - y) / (230 * unit)) ** 3, 0, 1)
        veil *= 0.45 + 0.2 * np.sin((across + 3 * time * unit) / (17 * unit)) * np.sin(down / (23 * unit))
        canvas = np.maximum(canvas, veil)
    return np.clip(cv2.resize(canvas, (scene.width, scene.height), interpolation=cv2.INTER_AREA), 0, 1)


def _draw_strands(canvas: Plane, seed: int, time: float, centre: tuple[int, int], unit: float, scale: int) -> None:
    random = np.random.default_rng((seed, 5))
    along = np.linspace(0, 1, 14)
    for strand in range(260):
        angle, length = random.uniform(np.pi * 0.95, np.pi * 2.05), random.uniform(20, 85)
        bend = random.normal(0, 0.5) + 0.15 * np.sin(0.5 * time + strand)
        radius = (92 + length * along) * unit
        points = np.stack(
            [centre[0] + np.cos(angle + bend * along**2) * radius, centre[1] + np.sin(angle + bend * along**2) * radius * 1.2], 1
        )
        cv2.polylines(canvas, [points.astype(np.int32)], False, 1, int(random.integers(1, scale + 1)), cv2.LINE_AA)


def _draw_moving(canvas: Plane, time: float, unit: float, weight: float) -> None:
    height, width = canvas.shape
    x = int((0.15 + 0.055 * time) * width)
    layer = np.zeros_like(canvas)
    cv2.circle(layer, (x, int(0.4 * height)), int(70 * unit), 1, -1)
    middle = np.array([x, 0.75 * height])
    half = np.array([np.cos(0.35 * time), np.sin(0.35 * time)]) * 150 * unit
    (left, top), (right, bottom) = (middle - half).astype(int).tolist(), (middle + half).astype(int).tolist()
    cv2.line(layer, (left, top), (right, bottom), 1, int(26 * unit), cv2.LINE_AA)
    canvas += weight * layer
