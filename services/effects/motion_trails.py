"""effects.motion-trails: ghosts of moving subjects, over a scene that stays sharp."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from math import prod
from pathlib import Path

import av

from services.effects.params import MotionTrailsParams, MotionTrailsResult
from services.effects.scene.memory_budget import check_memory, needed_bytes, stored_bytes
from services.effects.scene.moments import Scene, cores, look_frames, small_size
from services.effects.scene.read import moments_of
from services.effects.trails.compose import Composer
from services.effects.trails.timing import Reach, Trailed, trails
from services.effects.trails.weighted_mean import mixing_bytes
from shared.operation import Progress, Silent
from shared.video import Frame, VideoInfo, map_ordered
from shared.video.clip.rewrite import Times, Written, matte_remarks, probe_clip, rate_of, write_again


def motion_trails(
    params: MotionTrailsParams, *, video: Path, matte: Path | None, output: Path, progress: Progress = Silent()
) -> MotionTrailsResult:
    """Write `video` with ghosts of its moving subjects, `layers` of them, `spacing` apart, each `decay` times as strong as the one before.

    The camera's motion is measured and taken out, so that only what moves by itself leaves a trail. `normal` is the weighted mean of the
    frame (1) and its ghosts (decay^i), each where the camera looks now; `glow` and `shadow` are light that is screened on and silhouettes
    that are multiplied, in the arithmetic that `trails/soft_ghosts.py` states. The trail grows in from the first frame of a shot.

    One pass; memory is that of one trail, in the formula of `scene/memory_budget.py`, and does not depend on length. `matte`: a gray
    video, white where the subject is, in place of what is found moving. Times, sound and colour tags are the source's; the output has 8
    bits a sample. Raises UnsupportedMedia and BrokenMedia for the source, Invalid for a part that is not there and for trails that
    need more memory than a job may have; nothing is left under `output` on failure.
    """
    info = probe_clip(video, params)
    rate = float(rate_of(info))
    reach = reach_of(params)
    needed = held_bytes(params, info, matte=matte is not None)
    check_memory(needed, "layers or spacing, or scale the clip down", errors=("layers", "spacing"))
    for sentence in matte_remarks(matte, params, info=info) if matte else ():
        progress.warn(sentence)
    scene = Scene(info.width, info.height, model=params.camera_model)
    with closing(_pictures(params, scene, reach, video, matte, rate)) as pictures:
        written = write_again(pictures, params, video=video, info=info, output=output, progress=progress)
    return MotionTrailsResult(**summary(scene, info, written, progress))


def summary(scene: Scene, info: VideoInfo, written: Written, progress: Progress) -> dict[str, object]:
    """What both effects tell at the end."""
    if scene.unsure:
        progress.warn(
            f"The camera's motion could not be measured at {scene.unsure} of {written.frames} frames; it was carried on from before."
        )
    rate = rate_of(info)
    return {
        "frames": written.frames,
        "frame_rate": f"{rate.numerator}/{rate.denominator}",
        "duration_s": written.duration_s,
        "cuts": scene.cuts,
        "unsure_frames": scene.unsure,
        "encoder": written.encoder,
    }


def confined(params: MotionTrailsParams, matte: bool) -> bool:
    """Whether ghosts show only what moves: always, but for the plain weighted mean of whole pictures."""
    return matte or params.mask or params.ghost != "normal" or params.tint is not None or params.blur > 0


def soft(params: MotionTrailsParams) -> bool:
    """Whether ghosts are made in small planes."""
    return params.ghost != "normal" or params.blur > 0


def _pictures(
    params: MotionTrailsParams, scene: Scene, reach: Reach, video: Path, matte: Path | None, rate: float
) -> Iterator[tuple[Times, av.VideoFrame]]:
    masked = confined(params, matte is not None)
    focus = params.focus_block if params.mask and matte is None else None
    with closing(
        moments_of(params, scene, video=video, matte=matte, rate=rate, masked=masked, focus_block=focus, fine_matte=not soft(params))
    ) as moments:
        first = next(moments, None)
        if first is None:
            return
        assert first.frame is not None
        composer = Composer(params, scene, first.frame, confined=masked, soft=soft(params))
        every = chain([first], moments)
        # Planes as they are stored are there without work.
        prepared = (
            map_ordered(composer.prepare, every, workers=cores(), ahead=2)
            if masked or params.linear_light
            else map(composer.prepare, every)
        )
        most = reach.frames(rate * 1.5) + 2
        jobs = (_taken(one, drop=soft(params)) for one in trails(prepared, reach, most=most))
        yield from map_ordered(lambda job: (Times.of(job[0]), composer(*job)), jobs, workers=cores(), ahead=2)


def _taken(trailed: Trailed, *, drop: bool) -> tuple[Frame, Trailed]:
    """The frame of a trail; `drop`: where later trails will need its small planes only, the moment lets go of it."""
    frame = trailed.moment.frame
    assert frame is not None
    if drop:
        trailed.moment.frame = None
    return frame, trailed


def held_bytes(params: MotionTrailsParams, info: VideoInfo, *, matte: bool) -> int:
    """Bytes that the trails of a clip hold, whatever its length: see `services/effects/scene/memory_budget.py`."""
    rate = float(rate_of(info))
    reach = reach_of(params)
    ahead = 0 if params.direction == "behind" else int(reach.length * (rate if reach.seconds else 1)) + 1
    look = 2 * look_frames(rate) if confined(params, matte) and not matte else 0
    stored = stored_bytes(info.pixel_format)
    pixels, small = info.width * info.height, prod(small_size(info.width, info.height))
    ghosts = params.layers * (2 if params.direction == "both" else 1)
    small_bytes, mixing = 0.0, 0.0
    if soft(params):
        # While it is mixed: what ghosts are moved to, a dozen planes of floats, and two of the picture's size.
        small_bytes = 13 if params.linear_light else 9
        mixing = (90 + ghosts * small_bytes) * small + 2 * pixels * (2 if params.linear_light else 1)
    elif confined(params, matte) or params.camera_model in ("similarity", "homography"):
        # A matte's masks are made in half the size; those of what moves lie beside the small planes that it was found in.
        masks = pixels / 4 if matte else small
        small_bytes = (2 * masks / small if matte else 5) if confined(params, matte) else 0
        samples, size = (3 * pixels, 2) if params.linear_light else (stored * pixels, 1)
        # The weights of all ghosts, and their shares.
        mixing = mixing_bytes(samples, size) + (ghosts + 3) * 5 * masks
    return needed_bytes(
        info.width,
        info.height,
        held=reach.frames(rate),
        waiting=look + (ahead if soft(params) else 0),
        bytes_per_pixel=(6.0 + stored) if params.linear_light else stored,
        full_size=not soft(params),
        small_bytes=small_bytes,
        mixing=mixing,
    )


def reach_of(params: MotionTrailsParams) -> Reach:
    """How far a trail reaches."""
    return Reach(layers=params.layers, spacing=params.spacing, seconds=params.spacing_unit == "seconds", direction=params.direction)
