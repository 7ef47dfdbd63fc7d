"""Warnings about properties that rendering does not keep."""

from collections.abc import Iterator
from fractions import Fraction

from shared.video import VideoInfo, conversion_warnings, track_warnings
from shared.video.frames.display import BLACK


def ramp_warnings(info: VideoInfo, rate: Fraction, *, requested: bool = False, background: str = BLACK) -> Iterator[str]:
    """Yield a warning for each source property that rendering loses.

    `rate`: frames per second of the output. `requested`: whether the user chose the rate; a change of the rate then needs no warning.
    `background`: see `conversion_warnings`.
    """
    if requested:
        pass
    elif info.variable_frame_rate:
        yield (
            f"The frame rate of the clip varies ({float(info.rate):.4g} on average); "
            f"the output has a constant rate of {rate} frames per second."
        )
    elif rate != info.rate:
        yield f"The frame rate was changed from {info.frame_rate} to {rate} frames per second."
    yield from conversion_warnings(info, to_sdr8=True, background=background)
    yield from track_warnings(info)
