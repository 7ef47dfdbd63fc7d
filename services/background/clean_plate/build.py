"""Building of a clean plate from a clip and its matte."""

from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.clean_plate.anchors import PlacedAnchor, Step, camera_path, nearest, pairs, place_anchors
from services.background.clean_plate.warp import sample_of, warped
from services.background.clip.planes import Plane, Planes, alpha_of, background_of, planes_420
from services.background.median.masked_median import NO_SAMPLE, Counts, masked_median
from services.background.median.sample_file import Band, SampleFile
from services.background.median.transients import EndPixels, ends_of, remove_objects
from services.background.registration.light import light_between
from shared.errors import Invalid
from shared.media_info import ColorInfo
from shared.motion.camera import Matrix, matrix_between
from shared.operation import Progress
from shared.video import map_ordered, to_fraction
from shared.video.clip.empty_part import no_frame
from shared.video.clip.part import ClipPart
from shared.video.frames.push_pull import push_pull

_CANVAS_TIMES, _CANVAS_PIXELS = 6, 64_000_000  # largest canvas: its sides in multiples of the frame's sides, and its number of pixels
_MIN_SAMPLES = 3
"""Minimum number of samples that show the background at a pixel. A pixel with fewer is a hole. A clip with fewer samples needs all of
them."""
_WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class PlateOptions:
    """Options for building a clean plate.

    `grow`: pixels by which the matte is grown. `reference_s`: time of the reference frame in seconds; None for the middle of the longest
    shot.
    """

    samples: int
    grow: int
    reference_s: float | None
    panorama: bool
    match_light: bool
    remove_transients: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Plate:
    """A clean plate with its holes and measurements.

    `planes`: Y, U, V, uint8 4:2:0, limited range. `hole`: uint8 (height, width), 255 where too few samples show the background. `left`,
    `top`: position of the reference frame's upper left corner on the plate, in pixels. These are shares, 0 to 1: `aligned`, samples that
    could be aligned; `second_plane`, tracked corners that follow a second plane; `transient`, visible part of the plate from which objects
    were removed.
    """

    planes: Planes
    hole: Plane
    color: ColorInfo
    reference_s: float
    left: int
    top: int
    samples: int
    aligned: float
    second_plane: float
    transient: float
    other_shots: int


def build_plate(
    video: Path, matte: Path, part: ClipPart, options: PlateOptions, progress: Progress, *, length_s: float, frames: int
) -> Plate:
    """Build the clean plate of a clip.

    The clip is read twice: once at reduced size, to track the camera, and once at full size for the samples. Each sample is aligned to an
    anchor, matched to its light, and written to a temporary file. The plate is the masked median over time. Memory holds one band of
    samples and a few frames, whatever the length of the clip. `length_s`, `frames`: length of the part in seconds and in frames. Raises
    Invalid if no frame begins in the part or no frame can be aligned.
    """
    per_second = Fraction(options.samples) / to_fraction(max(length_s, 1e-3))
    path = camera_path(video, matte, part, progress.part("following the camera", 0, 0.35), per_second=per_second, expected=frames)
    if not path:
        raise no_frame(part.start)
    reference = _reference(path, options.reference_s)
    anchors = place_anchors(video, matte, path, reference, grow=options.grow)
    height, width = anchors[0].planes[0].shape
    left, top, canvas_width, canvas_height = _canvas(path, anchors, (width, height)) if options.panorama else (0, 0, width, height)
    canvas = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    with SampleFile(canvas_width, canvas_height, options.samples + 1) as file:
        tally = _sample(video, matte, part, options, progress, path=path, anchors=anchors, canvas=canvas, file=file, per_second=per_second)
        if not file.count:
            raise Invalid(
                "No frame shows enough of the background to be aligned: the subject fills the picture. Use another part of the clip."
            )
        least = min(_MIN_SAMPLES, file.count)
        planes, hole, transient = _median(file, least, options.remove_transients, progress.part("median", 0.85, 1))
    if options.panorama:
        rows, columns = _seen(hole, slice(top, top + height), slice(left, left + width))
        planes, hole = _cropped(planes, rows, columns), hole[rows, columns]
        left, top = left - columns.start, top - rows.start
    visible = int((hole == 0).sum())
    return Plate(
        planes=planes,
        hole=hole,
        color=tally.color,
        reference_s=float(reference.time),
        left=left,
        top=top,
        samples=tally.aligned,
        aligned=tally.aligned / max(tally.attempts, 1),
        # In frames far from the reference, the second plane has moved too far to be tracked. So frames near the reference count.
        second_plane=float(np.percentile(tally.second, 80)) if tally.second else 0.0,
        transient=transient / max(visible, 1),
        other_shots=tally.other_shots,
    )


@dataclass(slots=True)
class _Tally:
    """Counts and measurements of the sampled frames."""

    color: ColorInfo
    second: list[float]
    attempts: int = 0
    aligned: int = 0
    other_shots: int = 0


def _sample(
    video: Path,
    matte: Path,
    part: ClipPart,
    options: PlateOptions,
    progress: Progress,
    *,
    path: list[Step],
    anchors: list[PlacedAnchor],
    canvas: Matrix,
    file: SampleFile,
    per_second: Fraction,
) -> _Tally:
    """Align sampled frames and write them to `file`."""
    stage = progress.part("samples", 0.35, 0.85)
    tally = _Tally(ColorInfo(), [])
    steps = {step.time: step for step in path}
    reference = anchors[0].step
    with closing(pairs(video, matte, part, per_second=per_second)) as frames:
        for number, (frame, alpha) in enumerate(frames):
            stage(min(number, options.samples), options.samples)
            step = steps.get(frame.time)
            if step is None or file.count > options.samples:
                continue
            if step.shot != reference.shot:
                tally.other_shots += 1
                continue
            if not tally.attempts:
                tally.color = frame.color
            tally.attempts += 1
            size = frame.width, frame.height
            planes, background = planes_420(frame), background_of(alpha_of(alpha, size), options.grow)
            anchor = nearest(anchors, step, size)
            alignment = anchor.anchor.align(planes[0], background, matrix_between(step, anchor.step))
            if alignment is None:
                continue
            tally.aligned += 1
            tally.second.append(alignment.second_plane)
            if options.match_light:
                on_anchor, common = warped(planes, background, alignment.matrix, anchor.planes[0].shape)
                light = light_between(on_anchor, anchor.planes, np.minimum(common, anchor.anchor.background)).then(anchor.light)
                planes = light.applied(planes)
            matrix = np.asarray(canvas @ anchor.matrix @ alignment.matrix, np.float64)
            file.add(sample_of(planes, background, matrix, file.shapes[0]))
    return tally


def _median(file: SampleFile, least: int, remove_transients: bool, progress: Progress) -> tuple[Planes, Plane, int]:
    """Return the median planes, their holes, and the number of pixels of removed objects.

    The holes are uint8, 255 where fewer than `least` samples show the background in luma or in chroma. In holes, chroma is continued
    smoothly, so that it does not colour the pixels around them. Pixels of removed objects are counted in luma size.
    """
    planes = (np.empty(file.shapes[0], np.uint8), np.empty(file.shapes[1], np.uint8), np.empty(file.shapes[2], np.uint8))
    views = (np.zeros(file.shapes[0], np.uint16), np.zeros(file.shapes[1], np.uint16))
    clip_ends = tuple(EndPixels(np.full(shape, NO_SAMPLE, np.uint8), np.zeros(shape, np.bool_)) for shape in file.shapes)
    total, done = sum(shape[0] for shape in file.shapes), 0
    for number, plane in enumerate(planes):

        def column(band: Band, chroma: bool = number > 0) -> tuple[Band, Plane, Counts, EndPixels | None]:
            counts = np.add.reduce(band.samples != NO_SAMPLE, axis=0, dtype=np.uint16)
            median = masked_median(band.samples, counts)
            return band, median, counts, ends_of(band.samples, counts, median, chroma=chroma) if remove_transients else None

        for band, median, counts, ends in map_ordered(column, file.bands(number), workers=_WORKERS, ahead=1):
            rows = slice(band.top, band.top + band.rows)
            plane[rows] = median.reshape(band.rows, -1)
            if number < len(views):  # U and V are seen in the same places
                views[number][rows] = counts.reshape(band.rows, -1)
            if ends is not None:
                clip_ends[number].background[rows] = ends.background.reshape(band.rows, -1)
                clip_ends[number].suspect[rows] = ends.suspect.reshape(band.rows, -1)
            done += band.rows
            progress(done, total)
    covered = remove_objects(file, planes, clip_ends) if remove_transients else clip_ends[0].suspect
    missing = views[1] < least
    colorless = missing.repeat(2, axis=0).repeat(2, axis=1)[: views[0].shape[0], : views[0].shape[1]]
    hole = np.where((views[0] < least) | colorless, 255, 0).astype(np.uint8)
    return _continued(planes, missing), hole, int((covered & (hole == 0)).sum())


def _continued(planes: Planes, missing: NDArray[np.bool_]) -> Planes:
    """Fill chroma where it is `missing`, smoothly from its surroundings.

    `missing`: bool, in chroma size.
    """
    if not missing.any() or missing.all():
        return planes
    chroma = push_pull(np.stack(planes[1:], axis=-1).astype(np.float32), np.where(missing, 0, 1).astype(np.float32))
    u, v = (np.clip(np.rint(chroma[..., part]), 0, 254).astype(np.uint8) for part in range(2))
    return planes[0], u, v


def _reference(path: list[Step], wanted_s: float | None) -> Step:
    """Choose the reference frame: the step closest to `wanted_s` seconds.

    `wanted_s`: None for the middle step of the longest shot.
    """
    if wanted_s is not None:
        return min(path, key=lambda step: abs(float(step.time) - wanted_s))
    shots = [step.shot for step in path]
    longest = max(set(shots), key=lambda shot: (shots.count(shot), -shot))
    steps = [step for step in path if step.shot == longest]
    return steps[len(steps) // 2]


def _canvas(path: list[Step], anchors: list[PlacedAnchor], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the reference frame's position on the shot's canvas, and the canvas size.

    The result is (left, top, width, height) in pixels; left and top are even. It is cropped to 6 times the frame's sides and 64 megapixels.
    """
    width, height = size
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    places = [corners[0]]
    for step in path:
        if step.shot == anchors[0].step.shot:
            anchor = nearest(anchors, step, size)
            places.append(cv2.perspectiveTransform(corners, anchor.matrix @ matrix_between(step, anchor.step))[0])
    points = np.concatenate(places)
    # Each side gets at most half of the allowed extra width and height.
    reach = ((_CANVAS_TIMES - 1) / 2) * np.array(size)
    low = np.clip(np.floor(points.min(axis=0)), -reach, 0)
    high = np.clip(np.ceil(points.max(axis=0)), size, np.array(size) + reach)
    grown = (high - low) / np.array(size)
    if grown.prod() * width * height > _CANVAS_PIXELS:
        shrink = (_CANVAS_PIXELS / (grown.prod() * width * height)) ** 0.5
        low, high = low * shrink, np.array(size) + (high - np.array(size)) * shrink
    left, top = (-int(value) + (-int(value)) % 2 for value in low)
    right, bottom = (int(value) + int(value) % 2 for value in high)
    return left, top, left + right, top + bottom


def _seen(hole: Plane, *frame: slice) -> tuple[slice, slice]:
    """Return the canvas's rows and columns that samples or the reference frame cover.

    The area begins at even numbers. `frame`: rows and columns of the reference frame.
    """
    sides = []
    for axis, side in enumerate(frame):
        places = np.flatnonzero((hole == 0).any(axis=1 - axis))
        first, last = (int(places[0]), int(places[-1])) if len(places) else (side.start, side.stop - 1)
        sides.append(slice(min(first, side.start) // 2 * 2, max(last + 1, side.stop)))
    return sides[0], sides[1]


def _cropped(planes: Planes, rows: slice, columns: slice) -> Planes:
    """Crop planes to ranges of luma rows and columns.

    Both begin at even numbers.
    """
    half = slice(rows.start // 2, (rows.stop + 1) // 2), slice(columns.start // 2, (columns.stop + 1) // 2)
    return planes[0][rows, columns], planes[1][half], planes[2][half]
