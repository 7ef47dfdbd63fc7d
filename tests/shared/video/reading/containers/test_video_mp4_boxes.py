"""Recognition of MP4 files, and of their fragments, by their boxes."""

from pathlib import Path

import pytest

from shared.video import probe_video, read_frames
from shared.video.reading.containers.following_files import FollowingFiles, following_files
from shared.video.reading.times.container_traits import is_fragmented
from tests.shared.video.video_clips import Make


def box(kind: bytes, *contents: bytes, long: bool = False) -> bytes:
    content = b"".join(contents)
    return (
        (1).to_bytes(4, "big") + kind + (16 + len(content)).to_bytes(8, "big") + content
        if long
        else (8 + len(content)).to_bytes(4, "big") + kind + content
    )


FTYP, TRACK, MVEX = box(b"ftyp", b"isom0000"), box(b"trak", bytes(50)), box(b"mvex", box(b"trex", bytes(24)))
CASES = {
    "samples hold the name": ((FTYP, box(b"mdat", b"....", MVEX), box(b"moov", TRACK)), False),
    "a track holds the name": ((FTYP, box(b"moov", box(b"trak", MVEX)), box(b"mdat")), False),
    "the box follows the header": ((FTYP, box(b"moov", TRACK), MVEX), False),
    "fragments": ((FTYP, box(b"moov", TRACK, MVEX), box(b"moof"), box(b"mdat")), True),
    "the header is long and late": ((FTYP, box(b"free", bytes(2**20), long=True), box(b"moov", TRACK, MVEX, long=True)), True),
    "no header": ((FTYP, box(b"mdat", MVEX)[:20]), False),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_header_tells_fragments(name: str, tmp_path: Path) -> None:
    boxes, fragmented = CASES[name]
    path = tmp_path / "a.mp4"
    path.write_bytes(b"".join(boxes))
    assert is_fragmented(path) is fragmented


def without_length(single: bytes) -> bytes:
    """Return an MP4 file whose last box states no length.

    The box holds the samples. Writers into a pipe leave such files.
    """
    place = single.index(b"mdat")
    return single[: place - 4] + bytes(4) + single[place:]


@pytest.mark.parametrize(("kinds", "count"), [("o", 10), ("oo", 20), ("lo", 20), ("ol", 20), ("kl", 10), ("lk", 10)])
def test_samples_in_a_box_without_a_length_are_read(kinds: str, count: int, make: Make, tmp_path: Path) -> None:
    single = make("a.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4", "-c:v libx264 -movflags +faststart").read_bytes()
    killed = make("killed.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4", "-c:v libx264").read_bytes()
    # A killed recorder leaves no length, and no index behind the samples.
    parts = {"l": single, "o": without_length(single), "k": without_length(killed[: killed.index(b"moov") - 4])}
    path = tmp_path / "joined.mp4"
    path.write_bytes(b"".join(parts[kind] for kind in kinds))
    info = probe_video(path)
    with read_frames(path) as frames:
        assert sum(1 for _ in frames) == info.frames == count
    assert bool(info.warnings) == (kinds != "o")


def test_a_file_of_many_fragments_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "fragments.mp4"
    path.write_bytes(box(b"ftyp", b"isom0000") + box(b"free") + box(b"moov", TRACK, MVEX) + (box(b"moof") + box(b"mdat")) * 50_001)
    assert following_files(path, "mov") == FollowingFiles()
