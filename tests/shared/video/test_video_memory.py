"""Memory of closed readers and writers, freed without garbage collection."""

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from services.keyframes.analysis.thumbnail_film import ThumbnailFile
from shared.errors import OperationFailed
from shared.media.zip_files.writer import ZipWriter
from shared.video import PngWriter, VideoWriter, map_ordered, probe_video, read_audio, read_frames, read_together
from shared.video.clip.cut_sound import PartSound
from shared.video.frames.planes import empty_picture
from tests.cyclic_garbage import cyclic_garbage

RENDERS = """
import gc, sys
from fractions import Fraction
import numpy as np
import psutil
from shared.video import VideoWriter, read_frames
from shared.video.frames.planes import empty_picture, planes_of
gc.disable()
sizes = []
for _ in range(5):
    with VideoWriter(sys.argv[1], width=3840, height=2160, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(48000, "stereo")
        for pts in range(10):
            picture = empty_picture(3840, 2160, "yuv420p")
            for plane in planes_of(picture):
                plane[:] = 100
            writer.write(picture, pts)
        track.write(np.zeros((2, 19200), np.float32))
    del writer, track, picture, plane
    with read_frames(sys.argv[1]) as frames:
        for frame in frames:
            frame.luma()
    del frames, frame
    sizes.append(psutil.Process().memory_info().rss // 2**20)
print(*sizes)
"""


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def picture() -> av.VideoFrame:
    return empty_picture(64, 48, "yuv420p")


def written(path: Path, clip: Path) -> weakref.ref[VideoWriter]:
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(48000, "stereo")
        writer.copy_audio(clip)
        writer.write(picture(), 0)
        track.write(np.zeros((2, 1920), np.float32))
    return weakref.ref(writer)


def never_started(path: Path, clip: Path) -> weakref.ref[VideoWriter]:
    writer = VideoWriter(path, width=64, height=48, frame_rate=Fraction(25))
    writer.add_audio(48000, "stereo")
    writer.copy_audio(clip)
    with suppress(ValueError):
        writer.close()
    return weakref.ref(writer)


def cancelled(path: Path, clip: Path) -> weakref.ref[VideoWriter]:
    with suppress(KeyboardInterrupt), VideoWriter(path, width=64, height=48, frame_rate=Fraction(25)) as writer:
        writer.add_audio(48000, "stereo")
        writer.copy_audio(clip)
        writer.write(picture(), 0)
        raise KeyboardInterrupt
    return weakref.ref(writer)


def failed(path: Path, clip: Path) -> weakref.ref[VideoWriter]:
    writer = VideoWriter(path.parent / "gone" / path.name, width=64, height=48, frame_rate=Fraction(25))
    writer.add_audio(48000, "stereo")
    writer.copy_audio(clip)
    with suppress(OperationFailed), writer:
        writer.write(picture(), 0)
    return weakref.ref(writer)


@pytest.mark.parametrize("use", [written, never_started, cancelled, failed])
def test_a_closed_writer_is_freed(use: Callable[[Path, Path], weakref.ref[VideoWriter]], clip: Path, tmp_path: Path) -> None:
    assert use(tmp_path / "out.mp4", clip)() is None


def test_a_closed_png_writer_is_freed(tmp_path: Path) -> None:
    with PngWriter(tmp_path / "out.zip", width=64, height=48) as writer:
        writer.write(picture(), 0)
    freed = weakref.ref(writer)
    del writer
    assert freed() is None


def test_closed_readers_are_freed(clip: Path) -> None:
    for opened in (lambda: read_frames(clip), lambda: read_audio(clip), lambda: read_together(clip, clip)):
        with opened() as items:
            next(iter(items))
        freed = weakref.ref(items)
        del items
        assert freed() is None


def test_other_closed_files_are_freed(clip: Path, tmp_path: Path) -> None:
    def part_sound() -> object:
        with VideoWriter(tmp_path / "cut.mp4", width=64, height=48, frame_rate=Fraction(25)) as writer:
            info = probe_video(clip, hint="")
            with PartSound(writer, clip, info, start=Fraction(0)) as sound:
                writer.write(picture(), 0)
                sound.write(until=Fraction(1, 25))
        return sound

    def zip_file() -> object:
        with ZipWriter(tmp_path / "files.zip", packed=True) as archive:
            archive.add("a.txt", "a")
        return archive

    def mapped() -> object:
        items = map_ordered(lambda number: number + 1, range(10))
        next(items)
        items.close()
        return items

    def thumbnails() -> object:
        with ThumbnailFile(tmp_path / "film") as film:
            film.add(np.zeros((3, 18, 32), np.uint8), 0)
        return film

    for use in (part_sound, zip_file, mapped, thumbnails):
        with cyclic_garbage() as lines:
            freed = weakref.ref(use())
            assert freed() is None, use.__name__
        assert lines == []


def test_a_reader_of_a_broken_file_is_freed(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 2000)
    frames = read_frames(tmp_path / "broken.mp4")
    error: weakref.ref[BaseException] | None = None
    try:
        next(frames)
    except Exception as raised:
        error = weakref.ref(raised)
    freed = weakref.ref(frames)
    del frames
    assert freed() is None
    assert error is not None
    assert error() is None


def test_pictures_in_a_reference_cycle_are_reported() -> None:
    with cyclic_garbage() as lines:
        cycle: list[object] = [picture(), np.zeros(5000)]
        cycle.append(cycle)
        del cycle
    assert sorted(line.split(" ")[0] for line in lines) == ["av.video.frame.VideoFrame", "builtins.list"]
    with cyclic_garbage() as lines:
        freed = [picture()]
        freed.clear()
    assert lines == []


@pytest.mark.slow
def test_renders_of_one_process_do_not_add_up(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    child = subprocess.run([sys.executable, "-c", RENDERS, str(tmp_path / "out.mp4")], check=True, capture_output=True, text=True, cwd=root)
    sizes = [int(size) for size in child.stdout.split()]
    # Each encoder holds about 600 MB. The rest is the allocator's, which does not give all of it back.
    assert max(sizes[1:]) < sizes[0] + 300, sizes
