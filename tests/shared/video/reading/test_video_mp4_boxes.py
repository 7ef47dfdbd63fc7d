"""Recognition of fragmented MP4 files by their boxes."""

from pathlib import Path

import pytest

from shared.video.reading.times.container_traits import is_fragmented


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
