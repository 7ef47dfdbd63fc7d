"""effects.strobe: sequence photography, the moving subject stamped at intervals over its scene."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain, groupby
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.motion_trails import summary
from services.effects.params import StrobeParams, StrobeResult
from services.effects.scene.memory_budget import check_memory, needed_bytes, stored_bytes
from services.effects.scene.moments import Moment, Scene, cores, look_frames
from services.effects.scene.pixels import YuvPixels
from services.effects.scene.read import moments_of
from services.effects.stamping.clean_plate import Backdrop, Plate, backdrop_bytes, backdrops
from services.effects.stamping.panorama import Panorama
from services.effects.stamping.stamps import Stamp, Stamped, lay_stamps, stamped
from shared.errors import OperationFailed
from shared.media.partial_name import partial_path
from shared.operation import Progress, Silent
from shared.video import VideoInfo, map_ordered
from shared.video.clip.rewrite import Times, matte_remarks, probe_clip, rate_of, write_again


def strobe(
    params: StrobeParams, *, video: Path, matte: Path | None, outputs: Mapping[str, Path], progress: Progress = Silent()
) -> StrobeResult:
    """Stamp the moving subject of `video` every `interval` seconds over the scene, in line with the camera: a video in which the stamps
    gather behind the subject, and one picture of the shot with the most stamps.

    The picture is as large as what the camera saw (transparent where it did not look), free of the subject but for the stamps where it ever
    was; it grows up to `canvas` times the frame's sides. `matte`: a gray video, white where the subject is, in place of what is found
    moving. Each shot begins anew. Memory is that of `stamps` pieces of frames and two canvases, whatever the clip's length. Raises
    UnsupportedMedia and BrokenMedia for the source, Invalid for a part that is not there or what needs more memory than a job may have.
    """
    info = probe_clip(video, params)
    rate = float(rate_of(info))
    _check(params, info, rate, matte is not None)
    for sentence in matte_remarks(matte, params, info=info) if matte else ():
        progress.warn(sentence)
    scene = Scene(info.width, info.height, model=params.camera_model)
    sequence = Sequence(params)
    with closing(_pictures(params, scene, sequence, video, matte, rate)) as pictures:
        written = write_again(pictures, params, video=video, info=info, output=outputs["video"], progress=progress)
    try:
        picture, seconds = sequence.finished()
        _save(picture, outputs["picture"])
    except BaseException:
        outputs["video"].unlink(missing_ok=True)
        raise
    if not seconds:
        progress.warn("Nothing was found to move: there is no stamp. Lower motion_threshold, or give a matte.")
    if sequence.clipped:
        progress.warn("The picture does not hold all that the camera saw: raise canvas for more of it.")
    height, width = picture.shape[:2]
    return StrobeResult.model_validate(
        summary(scene, info, written, progress) | {"stamped": seconds, "picture_width": width, "picture_height": height}
    )


class Sequence:
    """The picture of the shot with the most stamps, as far as the clip has been seen."""

    def __init__(self, params: StrobeParams) -> None:
        self._params = params
        self._shot = -1
        self._panorama: Panorama | None = None
        self._latest: Stamped | None = None
        self._stamps: list[tuple[Stamp, NDArray[np.uint8]]] = []
        self._best: tuple[NDArray[np.uint8], list[float]] | None = None
        self.clipped = False

    def see(self, one: Stamped) -> None:
        """Take the next moment into the picture."""
        moment, frame = one.moment, one.frame
        if moment.shot != self._shot or self._panorama is None:
            self._end_shot()
            self._shot = moment.shot
            self._panorama = Panorama(frame.width, frame.height, growth=self._params.canvas)
        self._latest = one
        if one.own is not None or self._panorama.has_moved(moment.pose):
            self._paint()
        if one.own is not None:
            (left, top), (high, wide) = one.own.corner, one.own.planes[0].shape
            self._stamps.append((one.own, frame.rgb()[top : top + high, left : left + wide].copy()))
            del self._stamps[: -self._params.stamps]

    def finished(self) -> tuple[NDArray[np.uint8], list[float]]:
        """The picture and the seconds of its stamps."""
        self._end_shot()
        assert self._best is not None
        return self._best

    def _paint(self) -> None:
        if self._panorama is not None and self._latest is not None:
            self._panorama.paint(self._latest.moment, self._latest.frame)
            self._latest = None

    def _end_shot(self) -> None:
        self._paint()
        if self._panorama is not None and (self._best is None or len(self._stamps) > len(self._best[1])):
            self._best = self._panorama.finished(self._stamps, opacity=self._params.opacity), [one.seconds for one, _ in self._stamps]
            self.clipped = self._panorama.clipped
        self._panorama, self._stamps = None, []


def _pictures(
    params: StrobeParams, scene: Scene, sequence: Sequence, video: Path, matte: Path | None, rate: float
) -> Iterator[tuple[Times, av.VideoFrame]]:
    with closing(_masked(params, scene, video, matte, rate)) as moments:
        first = next(moments, None)
        if first is None:
            return
        assert first.frame is not None
        pixels = YuvPixels(first.frame)

        def seen() -> Iterator[Stamped]:
            for one in stamped(chain([first], moments), pixels, interval_s=params.interval, most=params.stamps):
                sequence.see(one)
                yield one

        def composed(one: Stamped) -> tuple[Times, av.VideoFrame]:
            out = pixels.blank(one.frame)
            for target, plane in zip(out, pixels.planes(one.frame), strict=True):
                np.copyto(target, plane)
            assert one.moment.mask is not None
            subject = one.moment.mask.astype(np.float32) / np.float32(255)
            lay_stamps(out, one.stamps, one.moment.pose, subject, opacity=params.opacity)
            return Times.of(one.frame), pixels.picture(out, one.frame)

        yield from map_ordered(composed, seen(), workers=cores(), ahead=2)


def _masked(params: StrobeParams, scene: Scene, video: Path, matte: Path | None, rate: float) -> Iterator[Moment]:
    """The moments with their subject: what the matte says; or what moves, completed by what differs from the scene behind it.

    For that, each shot is read to its end before, in a pass of its own that keeps a few small planes.
    """
    with closing(moments_of(params, scene, video=video, matte=matte, rate=rate, masked=True, fine_matte=True)) as moments:
        if matte is not None:
            yield from moments
            return
        before = Scene(scene.width, scene.height, model=params.camera_model)
        with closing(moments_of(params, before, video=video, matte=None, rate=rate, masked=False, look=True)) as early:
            behind = backdrops(early, before, threshold=params.motion_threshold)

            def with_plates() -> Iterator[tuple[Moment, Backdrop, Plate]]:
                for (_, shot), backdrop in zip(groupby(moments, key=lambda moment: moment.shot), behind, strict=True):
                    for moment in shot:
                        yield moment, backdrop, backdrop.plate(moment.pose)

            def completed(one: tuple[Moment, Backdrop, Plate]) -> Moment:
                moment, backdrop, plate = one
                moment.mask = backdrop.subject(moment, plate)
                return moment

            yield from map_ordered(completed, with_plates(), workers=cores(), ahead=2)


def _check(params: StrobeParams, info: VideoInfo, rate: float, matte: bool) -> None:
    waiting = 0 if matte else 2 * look_frames(rate)
    stored = stored_bytes(info.pixel_format)
    frames = needed_bytes(info.width, info.height, held=params.stamps, waiting=waiting, bytes_per_pixel=stored + 3, full_size=True)
    canvases = int(2 * 4 * params.canvas**2 * info.width * info.height)
    behind = 0 if matte else backdrop_bytes(info.width, info.height)
    check_memory(frames + canvases + behind, "stamps or canvas, or scale the clip down", errors=("stamps", "canvas"))


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, order))
    if not done:
        raise OperationFailed(f"A picture of {picture.shape[1]}x{picture.shape[0]} could not be encoded as PNG.")
    partial = partial_path(path, ".png")
    try:
        partial.write_bytes(data.tobytes())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
