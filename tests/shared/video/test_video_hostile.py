"""Files with false types, damaged files, and malicious files."""

import os
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.errors import BrokenMedia, NotFound, ReelwrightError, TooLarge, UnsupportedMedia
from shared.file_calls import FileRequest, ThumbnailRequest
from shared.operation import Silent
from shared.video import Limits, VideoWriter, inspect, probe, read_audio, read_frames, remux, thumbnail
from tests.shared.video.video_clips import Make, run_ffmpeg

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{path}\n#EXT-X-ENDLIST\n",
    "hls-url": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
    "hls-master": '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{url}/a.m3u8\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="{path}"\n',
    "concat": "ffconcat version 1.0\nfile '{path}'\n",
    "concat-url": "ffconcat version 1.0\nfile '{url}/a.mp4'\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}/a.mp4</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    ),
    "m3u": "{path}\n{url}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "smil": '<smil><body><video src="{url}/a.mp4"/></body></smil>',
    "asx": '<asx version="3.0"><entry><ref href="{url}/a.wmv"/></entry></asx>',
    "rtsp-redirect": "RTSPtext\n[Reference]\nRef1={url}\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{path}</Id></CompositionPlaylist>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{path}"/></svg>',
    "mvg": "push graphic-context\nimage over 0,0 0,0 '{path}'\npop graphic-context\n",
    "subtitles": "1\n00:00:00,000 --> 00:00:02,000\n{path}\n",
    "webvtt": "WEBVTT\n\n00:00.000 --> 00:02.000\n{path}\n",
    "html": "<html><body><video src='{url}'></video></body></html>",
    "shell": "#!/bin/sh\ntouch {path}.touched\n",
    "json": '{{"video": "{path}"}}',
    "text": "just some words\n" * 50,
}
NAMES = ("a.mp4", "a.m3u8", "a.mkv", "a.ts", "a.txt", "a.jpg", "a")


@contextmanager
def listening() -> Iterator[tuple[str, int, list[str]]]:
    """Run a server that records connections; yield URL, port and record."""
    knocks: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                knocks.append(str(peer))
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}", port, knocks
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def every_door(path: Path, output: Path) -> Iterator[None]:
    """Open the file `path` with each function that opens media, one per iteration.

    A refusal has to be one of the errors for users.
    """
    doors = (
        lambda: probe(path),
        lambda: inspect(FileRequest(path=str(path)), Silent()),
        lambda: thumbnail(ThumbnailRequest(path=str(path), output=str(output), width=64), Silent()),
        lambda: list(read_frames(path)),
        lambda: list(read_audio(path)),
        lambda: remux(path, output),
        lambda: VideoWriter(output.with_suffix(".mp4"), width=32, height=32, frame_rate=25).copy_audio(path),  # type: ignore[arg-type]
    )
    for door in doors:
        door()
        yield


def assert_refused(path: Path, output: Path) -> None:
    door = every_door(path, output)
    for _ in range(7):
        with pytest.raises((UnsupportedMedia, BrokenMedia, NotFound, TooLarge)):
            next(door)
        door = every_door(path, output)
    assert not output.exists()


@pytest.mark.parametrize("kind", list(PLAYLISTS))
def test_playlists_and_scripts_are_refused_whatever_their_name(clip: Path, tmp_path: Path, kind: str) -> None:
    with listening() as (url, port, knocks):
        for name in NAMES:
            path = tmp_path / name
            path.write_text(PLAYLISTS[kind].format(path=clip, url=url, port=port))
            with pytest.raises((UnsupportedMedia, BrokenMedia)) as refusal:
                probe(path)
            assert refusal.value.status in (415, 422)
            with pytest.raises((UnsupportedMedia, BrokenMedia)):
                list(read_frames(path))
        assert_refused(path, tmp_path / "out.mp4")
        assert knocks == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/a.mp4", "tcp://127.0.0.1:{port}", "concat:{clip}", "subfile,,start,0,end,9,,:{clip}"]
)
def test_a_path_is_never_an_address(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.chdir(tmp_path)
    with listening() as (_, port, knocks):
        name = address.format(port=port, clip=clip)
        with pytest.raises(NotFound):
            probe(name)
        with pytest.raises(NotFound):
            list(read_frames(name))
        assert knocks == []


def test_a_file_whose_name_looks_like_an_address_is_a_file(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("http:x.mp4", "concat:a|b.mp4", "-i.mp4", "%03d.mp4", "a b'c\"d.mp4", "pipe:0", "ünï.mp4"):
        (tmp_path / name).write_bytes(clip.read_bytes())
        assert probe(name).kind == "video"
        with read_frames(name, duration=0.1) as frames:
            assert len(list(frames)) == 3


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "empty.mp4").write_bytes(b"")
    for name, error in (("pipe.mp4", UnsupportedMedia), ("folder.mp4", UnsupportedMedia), ("empty.mp4", BrokenMedia), ("no.mp4", NotFound)):
        with pytest.raises(error):
            probe(tmp_path / name)
    with pytest.raises(BrokenMedia, match="empty"):
        probe(tmp_path / "empty.mp4")


@pytest.mark.parametrize("length", [12, 16, 20, 21, 30])
def test_a_webp_cut_off_in_its_first_bytes_is_broken(tmp_path: Path, length: int) -> None:
    path = tmp_path / "short.webp"
    path.write_bytes((b"RIFF\x30\0\0\0WEBPVP8X\x0a\0\0\0\x02" + bytes(40))[:length])
    for door in (probe, lambda path: list(read_frames(path)), lambda path: remux(path, tmp_path / "copy.mp4")):
        with pytest.raises((BrokenMedia, UnsupportedMedia)):
            door(path)


def test_a_file_cut_off_before_its_first_picture_is_not_copied(make: Make, tmp_path: Path) -> None:
    path = make("whole.ts", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v mpeg4")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(BrokenMedia, match="no picture"):
        remux(path, tmp_path / "copy.mp4")
    assert list(tmp_path.iterdir()) == [path]


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """Yield (start, end, name) of each box of an MP4 file.

    A container comes before its contents.
    """
    position = start
    end = len(data) if end is None else end
    while position + 8 <= end:
        size = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        if size < 8:
            return
        yield position, position + size, name
        if name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf"):
            yield from boxes(data, position + 8, min(position + size, end))
        position += size


@pytest.mark.parametrize("front", [True, False])
def test_a_file_cut_off_anywhere_is_refused(clip: Path, make: Make, tmp_path: Path, front: bool) -> None:
    """Both the probe and the reader refuse an MP4 file that is cut off.

    It is cut at the start, in the middle and at the end of every kind of box.
    """
    source = make("source.mp4", f"-i {clip} -c copy", "-movflags +faststart" if front else "")
    data = source.read_bytes()
    kinds: dict[bytes, tuple[int, int]] = {}
    for start, end, name in boxes(data):
        kinds.setdefault(name, (start, end))
    assert len(kinds) > 15
    path = tmp_path / "cut.mp4"
    for name, (start, end) in kinds.items():
        for at in {start, start + 4, start + 8, (start + end) // 2, end - 1}:
            path.write_bytes(data[:at])
            with pytest.raises((BrokenMedia, UnsupportedMedia)):
                probe(path)
            with pytest.raises((BrokenMedia, UnsupportedMedia)):
                list(read_frames(path))
            assert name


@pytest.mark.parametrize("suffix", ["mp4", "avi", "flv"])
def test_a_file_that_breaks_half_way_says_where(make: Make, tmp_path: Path, suffix: str) -> None:
    coding = "-c:v libx264 -g 25 -movflags +faststart"
    if suffix != "mp4":
        coding = coding.replace(" -movflags +faststart", "")
    source = make(f"whole.{suffix}", f"-f lavfi -i testsrc2=s=160x120:r=25:d=4 {coding}")
    data = source.read_bytes()
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(data[: len(data) // 2])
    times = []
    with pytest.raises(BrokenMedia, match=r"cannot be decoded from \d\.\d\d s on") as broken:
        for frame in read_frames(path):
            times.append(frame.time)
    assert 20 < len(times) < 80
    second = float(broken.value.detail.split("from ")[1].split(" ")[0])
    assert 0 <= second - float(times[-1]) < 0.2


def test_damage_in_the_middle_says_where(make: Make, tmp_path: Path) -> None:
    source = make("whole.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=4,noise=alls=20 -c:v libx264 -g 25")
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = os.urandom(3000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    assert probe(path).kind == "video"
    count = 0
    with pytest.raises(BrokenMedia, match="cannot be decoded from"):
        for _ in read_frames(path):
            count += 1
    assert 20 < count < 80


def patched(data: bytes, name: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite the bytes at `offset` after each box name `name` with `value`."""
    changed, position = bytearray(data), -1
    while (position := changed.find(name, position + 1)) >= 0:
        changed[position + 4 + offset : position + 4 + offset + len(value)] = value
    return bytes(changed)


def test_absurd_dimensions_are_refused_before_memory_is_allocated(make: Make, tmp_path: Path) -> None:
    path = make("big.mkv", "-f lavfi -i color=gray:s=1000x1000:r=1:d=1 -c:v ffv1")
    with pytest.raises(TooLarge, match="1000x1000"):
        probe(path, limits=Limits(max_pixels=999_999))
    source = make("raw.avi", "-f lavfi -i color=gray:s=64x64:r=1:d=1 -c:v rawvideo -pix_fmt yuv420p").read_bytes()
    at = source.find(b"strf") + 8
    huge = source[: at + 4] + struct.pack("<ii", 60000, 60000) + source[at + 12 :]
    (tmp_path / "huge.avi").write_bytes(huge)
    with pytest.raises(TooLarge, match="60000x60000"):
        probe(tmp_path / "huge.avi")
    # A PNG header that promises 65535 x 65535 pixels, in an MOV and by itself.
    picture = make("tiny.png", "-f lavfi -i color=red:s=8x8 -frames:v 1").read_bytes()
    promise = b"IHDR" + struct.pack(">II", 65535, 65535) + picture[24:29]
    (tmp_path / "bomb.png").write_bytes(picture[:12] + promise + struct.pack(">I", zlib.crc32(promise)) + picture[33:])
    with pytest.raises(TooLarge, match="4294836225 pixels"):
        probe(tmp_path / "bomb.png")
    movie = make("tiny.mov", "-f lavfi -i color=red:s=8x8:r=1:d=1 -c:v png").read_bytes()
    at = movie.find(b"IHDR")
    (tmp_path / "bomb.mov").write_bytes(movie[: at + 4] + struct.pack(">II", 65535, 65535) + movie[at + 12 :])
    with pytest.raises((TooLarge, BrokenMedia)):
        probe(tmp_path / "bomb.mov")


def test_a_picture_that_grows_while_it_plays_is_refused_or_scaled(make: Make, tmp_path: Path) -> None:
    small = make("small.ts", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4 -c:v mpeg2video")
    large = make("large.ts", "-f lavfi -i testsrc2=s=640x480:r=25:d=0.4 -c:v mpeg2video -output_ts_offset 0.4")
    path = tmp_path / "grows.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises((TooLarge, BrokenMedia)):
        list(read_frames(path, limits=Limits(max_pixels=10_000)))
    sizes = {(frame.width, frame.height) for frame in read_frames(path)}
    assert sizes == {(64, 48)}


def test_false_durations_do_no_harm(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    for name, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            path = tmp_path / "lie.mp4"
            path.write_bytes(patched(data, name, offset, struct.pack(">I", value)))
            try:
                info = probe(path)
            except ReelwrightError:
                continue
            assert info.kind == "video"
            assert 0 <= info.duration_s <= 6 * 3600
            with read_frames(path) as frames:
                assert 0 < len(list(frames)) <= 50


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("box", [b"elst", b"stts", b"stsc", b"stsz", b"stco", b"ctts", b"stss", b"stsd"])
def test_extreme_table_sizes_end_in_an_answer_or_a_refusal(clip: Path, tmp_path: Path, box: bytes, value: int) -> None:
    # Entry counts and edit list times are set to extreme values. The answer or the refusal comes soon.
    path = tmp_path / "table.mp4"
    for offset in (4, 8, 12):
        path.write_bytes(patched(clip.read_bytes(), box, offset, struct.pack(">I", value)))
        try:
            probe(path)
            with read_frames(path) as frames:
                assert len(list(frames)) <= 50
        except ReelwrightError:
            pass


def test_too_many_streams_are_refused(make: Make, tmp_path: Path) -> None:
    maps = " ".join(["-map 0:v"] + ["-map 1:a"] * 20)
    path = make("streams.mkv", f"-f lavfi -i testsrc2=s=32x32:r=25:d=0.1 -f lavfi -i sine=d=0.1 {maps} -c:a pcm_s16le")
    info = probe(path)
    assert info.kind == "video"
    assert len(info.audio) == 20
    with pytest.raises(TooLarge, match="at most 16"):
        probe(path, limits=Limits(max_streams=16))
    # Ten thousand tracks: the track box of a real file, repeated.
    data = make("one.mp4", "-f lavfi -i testsrc2=s=32x32:r=25:d=0.1 -c:v libx264").read_bytes()
    places = {name: (start, end) for start, end, name in boxes(data)}
    start, end = places[b"trak"]
    begin, finish = places[b"moov"]
    moov = data[begin + 8 : finish] + data[start:end] * 10_000
    many = data[:begin] + struct.pack(">I", len(moov) + 8) + b"moov" + moov
    (tmp_path / "many.mp4").write_bytes(many)
    with pytest.raises(TooLarge, match="streams"):
        probe(tmp_path / "many.mp4")


def test_too_many_bytes_or_seconds_are_refused(clip: Path) -> None:
    with pytest.raises(TooLarge, match="bytes"):
        probe(clip, limits=Limits(max_bytes=1000))
    with pytest.raises(TooLarge, match=r"2\.0 s"):
        probe(clip, limits=Limits(max_duration_s=1))


@pytest.mark.parametrize("head", [16, 64, 400, 2000])
def test_random_bytes_after_a_true_header_are_refused(clip: Path, tmp_path: Path, head: int) -> None:
    path = tmp_path / "random.mp4"
    path.write_bytes(clip.read_bytes()[:head] + os.urandom(20_000))
    for work in (lambda: probe(path), lambda: list(read_frames(path))):
        with pytest.raises(ReelwrightError):
            work()


def test_cover_pictures_are_not_video(make: Make) -> None:
    cover = make("cover.png", "-f lavfi -i color=red:s=32x32 -frames:v 1")
    sound = make("sound.m4a", f"-f lavfi -i sine=d=0.2 -i {cover} -map 0 -map 1 -c:v png -disposition:v:0 attached_pic")
    with pytest.raises(UnsupportedMedia, match="sound but no picture"):
        probe(sound)


def test_images_are_recognized_and_damaged_ones_refused(make: Make) -> None:
    for name, kind in (
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.tif", "image/tiff"),
        ("a.bmp", "image/bmp"),
    ):
        path = make(name, "-f lavfi -i testsrc2=s=40x30 -frames:v 1")
        info = inspect(FileRequest(path=str(path)), Silent())
        assert (info.kind, info.content_type, info.media.width, info.media.height) == ("image", kind, 40, 30)
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises((BrokenMedia, UnsupportedMedia)):
            probe(path)


def test_content_decides_and_not_the_name(clip: Path, make: Make, tmp_path: Path) -> None:
    expected = {
        "mkv": ("video/x-matroska", ".mkv"),
        "mov": ("video/quicktime", ".mov"),
        "ts": ("video/mp2t", ".ts"),
        "mp4": ("video/mp4", ".mp4"),
    }
    for suffix, answer in expected.items():
        source = make(f"a.{suffix}", f"-i {clip} -c copy")
        renamed = source.rename(tmp_path / "renamed.xyz")
        info = inspect(FileRequest(path=str(renamed)), Silent())
        assert (info.content_type, info.suffix) == answer
    webm = make("a.webm", "-f lavfi -i testsrc2=s=32x32:r=25:d=0.2 -c:v libvpx-vp9 -deadline realtime")
    info = inspect(FileRequest(path=str(webm)), Silent())
    assert (info.content_type, info.suffix) == ("video/webm", ".webm")


@pytest.mark.parametrize("turn", [0, 90])
def test_thumbnails_are_upright(clip: Path, make: Make, tmp_path: Path, turn: int) -> None:
    path = make("turned.mp4", f"-display_rotation {turn} -i {clip} -c copy")
    size = thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "t.jpg"), width=60), Silent())
    info = probe(tmp_path / "t.jpg")
    assert (info.kind, info.width, info.height) == ("image", 60, 90 if turn else 40) == ("image", size.width, size.height)


def test_a_thumbnail_is_not_of_the_black_lead_in(tmp_path: Path) -> None:
    path = tmp_path / "lead.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3,drawbox=t=fill:color=black:enable='lt(t,1)'", "-c:v", "libx264", str(path))
    thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "t.jpg"), width=64), Silent())
    raw = run_ffmpeg("-i", str(tmp_path / "t.jpg"), "-f", "rawvideo", "-pix_fmt", "gray", "-")
    assert sum(raw) / len(raw) > 40
