"""Sample of a clip: a few frames, by which a backend is chosen."""

from pathlib import Path

from services.matting.backends.backend import Rgb, Sample, limited_size
from services.matting.reading.views import scaled_rgb
from shared.video import VideoInfo, read_frames
from shared.video.clip.part import ClipPart

_PICTURES = 4  # number of frames in a sample
_LINES = 360  # largest shorter side of the sampled frames, in pixels


def sample_of(video: Path, part: ClipPart, info: VideoInfo, *, mask: bool, plate: Rgb | None) -> Sample:
    """Return a clip's `Sample`, with a few evenly spread frames."""
    left = max(info.length_s - part.start, 0.1)
    length = min(left, part.duration or left)
    size = limited_size(info.width, info.height, _LINES)
    pictures = []
    with read_frames(
        video, opaque=True, start=part.start or None, duration=length, per_second=max(_PICTURES / length, 1e-4), to_sdr8=True, prefetch=1
    ) as frames:
        for frame in frames:
            pictures.append(scaled_rgb(frame, size))
            if len(pictures) == _PICTURES:
                break
    return Sample(pictures=tuple(pictures), mask=mask, plate=plate)
