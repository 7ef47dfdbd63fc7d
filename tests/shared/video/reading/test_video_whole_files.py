"""Files joined byte by byte: every part is read, or a warning names the rest."""

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from shared.video import probe_video, read_audio, read_frames
from shared.video.reading.containers.following_files import following_files
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, run_ffmpeg

SOUND = "-f lavfi -i sine=440:d=1.2:sample_rate=48000"
H264 = "-c:v libx264 -bf 2 -g 10 -c:a aac -pix_fmt yuv420p"
READ = {
    "a.mkv": H264,
    "a.webm": "-c:v libvpx -deadline realtime -c:a libopus",
    "a.flv": H264,
    "a.avi": "-c:v mpeg4 -bf 2 -c:a mp3",
    "a.ogv": "-c:v libtheora -c:a libvorbis",
    "a.gif": "-an",
    "a.ts": H264,
    "empty.mp4": f"{H264} -movflags empty_moov+default_base_moof+frag_keyframe",
    "absolute.mp4": f"{H264} -movflags empty_moov+frag_keyframe",
    "a.mp4": H264,
    "fast.mp4": f"{H264} -movflags +faststart",
    "fragments.mp4": f"{H264} -movflags frag_keyframe",
    "hybrid.mp4": f"{H264} -movflags hybrid_fragmented",
    "a.mov": "-c:v libx264 -c:a pcm_s16le",
}
UNREAD = {
    "a.wmv": "-c:v wmv2 -c:a wmav2",
    "a.mxf": "-c:v mpeg2video -c:a pcm_s16le",
    "a.apng": "-an -plays 0",
    "a.webp": "-an -c:v libwebp_anim",
}


def whole(make: Make, name: str, coding: str, size: str = "64x48") -> bytes:
    """Encode a clip of 1.2 s with the options `coding`; return the file's bytes."""
    return make(name, f"-f lavfi -i testsrc2=s={size}:r=25:d=1.2", "" if "-an" in coding else SOUND, coding).read_bytes()


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("count", [2, 3])
def test_files_that_follow_are_read(name: str, count: int, make: Make, tmp_path: Path) -> None:
    single = whole(make, name, READ[name])
    with read_frames(tmp_path / name) as frames:
        first = [frame.luma().mean() for frame in frames]
    path = written(tmp_path / f"joined-{name}", *[single] * count)
    info = probe_video(path)
    with read_frames(path) as frames:
        shown = [(frame.time, frame.luma().mean()) for frame in frames]
    assert info.frames == len(shown) == 30 * count
    assert [brightness for _, brightness in shown] == first * count
    assert np.diff([float(time) for time, _ in shown]) == pytest.approx([0.04] * (30 * count - 1), abs=0.0012)
    assert info.duration_s == pytest.approx(1.2 * count, abs=0.09)
    assert not any("not read" in warning for warning in info.warnings)
    if info.audio:
        with read_audio(path) as blocks:
            assert sum(Fraction(block.samples.shape[1], block.sample_rate) for block in blocks) == pytest.approx(1.2 * count, abs=0.09)


CUT = {name: READ[name] for name in ("empty.mp4", "absolute.mp4", "fast.mp4", "a.mkv", "a.webm")}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("order", ["cw", "wcw", "wc", "ccw"])
def test_files_beside_one_that_is_cut_off_are_read(name: str, order: str, make: Make, tmp_path: Path) -> None:
    single = whole(make, name, CUT[name])
    cut = single[: len(single) * 2 // 3]
    with read_frames(tmp_path / name) as frames:
        first = [frame.luma().tobytes() for frame in frames]
    path = written(tmp_path / f"joined-{name}", *(cut if letter == "c" else single for letter in order))
    info = probe_video(path)
    with read_frames(path) as frames:
        shown = [(float(frame.time), frame.luma().tobytes()) for frame in frames]
    assert info.frames == len(shown)
    # The last pictures before a cut may need one that is missing.
    steps = np.diff([time for time, _ in shown])
    assert min(steps) > 0.0388
    assert sum(steps > 0.0412) <= order.count("c")
    assert info.duration_s == pytest.approx(shown[-1][0] + 0.04, abs=0.09)
    pictures = [value for _, value in shown]
    length, rest = divmod(len(pictures) - 30 * order.count("w"), order.count("c"))
    assert (length > 15, rest) == (True, 0)
    for letter in order:
        part = pictures[: 30 if letter == "w" else length]
        assert part == first if letter == "w" else set(part) <= set(first)
        del pictures[: len(part)]
    assert pictures == []
    assert sum("is truncated: its end is missing" in warning for warning in info.warnings) == order.count("c")


@pytest.mark.parametrize("order", ["cw", "wcw", "wc"])
def test_an_mp4_file_without_an_index_is_named_and_those_beside_it_are_read(order: str, make: Make, tmp_path: Path) -> None:
    single = whole(make, "a.mp4", H264)
    cut = single[: len(single) * 2 // 3]
    path = written(tmp_path / "joined.mp4", *(cut if letter == "c" else single for letter in order))
    info = probe_video(path)
    with read_frames(path) as frames:
        count = sum(1 for _ in frames)
    assert count == info.frames == 30 * order.count("w")
    begin = order.index("c") * len(single)
    assert f"at bytes {begin} to {begin + len(cut)}, is left out" in info.warnings[0]


def test_a_cut_file_is_told_from_one_of_another_coding_behind_it(make: Make, tmp_path: Path) -> None:
    single, other = whole(make, "empty.mp4", READ["empty.mp4"]), whole(make, "other.mp4", H264, "96x96")
    cut = single[: len(single) * 2 // 3]
    info = probe_video(written(tmp_path / "joined.mp4", cut, other))
    assert info.frames == 20
    assert f"at byte {len(cut)}, after {info.duration_s:.2f} s" in info.warnings[-1]


def test_pictures_that_an_edit_list_hides_in_later_files_stay_hidden(make: Make, tmp_path: Path) -> None:
    whole(make, "long.mp4", H264)
    run_ffmpeg("-ss", "0.2", "-i", str(tmp_path / "long.mp4"), "-c", "copy", str(tmp_path / "part.mp4"))
    single = (tmp_path / "part.mp4").read_bytes()
    with read_frames(tmp_path / "part.mp4") as frames:
        first = [frame.luma().mean() for frame in frames]
    path = written(tmp_path / "joined.mp4", single, single, single)
    info = probe_video(path)
    with read_frames(path) as frames:
        assert [frame.luma().mean() for frame in frames] == first * 3
    assert info.frames == 3 * len(first) == 75
    assert info.duration_s == pytest.approx(3, abs=0.09)


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_that_is_not_read_is_named(name: str, make: Make, tmp_path: Path) -> None:
    single = whole(make, name, UNREAD[name])
    alone = probe_video(tmp_path / name)
    assert alone.warnings == ()
    info = probe_video(written(tmp_path / f"joined-{name}", single, single))
    with read_frames(tmp_path / f"joined-{name}") as frames:
        assert sum(1 for _ in frames) == info.frames == alone.frames
    assert info.duration_s == alone.duration_s
    assert f"at byte {len(single)}" in info.warnings[0]
    assert "not read" in info.warnings[0]


def test_three_flv_files_are_read_also_where_the_first_is_cut_off(make: Make, tmp_path: Path) -> None:
    single, live = whole(make, "a.flv", H264), whole(make, "live.flv", f"{H264} -flvflags no_duration_filesize")
    cut = live[: len(live) * 2 // 3]
    read = probe_video(written(tmp_path / "cut.flv", cut)).frames
    path = written(tmp_path / "joined.flv", cut, single, single)
    info = probe_video(path)
    with read_frames(path) as frames:
        assert sum(1 for _ in frames) == info.frames == pytest.approx(read + 60, abs=1)
    assert sum("timestamps in the file jump" in warning for warning in info.warnings) == 2


def test_a_whole_file_behind_a_finished_one_that_was_cut_has_even_times(make: Make, tmp_path: Path) -> None:
    single = whole(make, "a.webm", READ["a.webm"])
    for cut in (single[: len(single) * 2 // 3], single[: len(single) * 9 // 10]):
        path = written(tmp_path / "joined.webm", cut, single)
        with read_frames(path) as frames:
            times = [float(frame.time) for frame in frames]
        assert probe_video(path).frames == len(times) > 31
        assert np.diff(times).min() > 0.03


def test_many_files_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "many.avi", b"RIFF\x04\0\0\0AVI " * 1_200)
    following = following_files(path, "avi")
    assert (len(following.read), following.unread) == (1_199, None)


def test_descriptions_within_each_other_take_no_memory(tmp_path: Path) -> None:
    descriptions = ((900_000).to_bytes(4, "big") + b"stsd") * 10_000
    for kind in (b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        descriptions = (len(descriptions) + 8).to_bytes(4, "big") + kind + descriptions
    single = b"\0\0\0\x08ftyp" + descriptions
    path = written(tmp_path / "hostile.mp4", single, single)
    tracemalloc.start()
    assert following_files(path, "mov").read == (len(single),)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000


def test_parts_of_other_codings_and_containers_are_named(make: Make, tmp_path: Path) -> None:
    # The header of the first part sets up the decoder, which cannot decode another coding.
    files = {name: whole(make, name, READ[name]) for name in ("a.mkv", "a.flv", "a.avi", "a.ts", "empty.mp4")}
    files |= {"a.mp4": whole(make, "a.mp4", H264)}
    others = {
        "a.mkv": whole(make, "other.mkv", "-c:v mpeg4 -c:a aac"),
        "a.flv": whole(make, "other.flv", "-c:v flv -c:a mp3 -ar 44100"),
        "a.avi": whole(make, "other.avi", "-c:v mjpeg -c:a mp3"),
        "empty.mp4": whole(make, "other.mp4", f"{H264} -movflags empty_moov+frag_keyframe", "96x96"),
    }
    pairs = [*others.items(), ("a.mkv", files["a.mp4"]), ("a.mp4", files["a.mkv"]), ("a.ts", files["a.mp4"])]
    for number, (name, other) in enumerate(pairs):
        info = probe_video(written(tmp_path / f"{number}-{name}", files[name], other))
        assert (info.frames, info.duration_s) == (30, pytest.approx(1.2, abs=0.09)), name
        assert len(info.warnings) == 1, name
        assert "not read" in info.warnings[0], name


def test_new_track_numbers_are_read_and_another_program_is_named(make: Make, tmp_path: Path) -> None:
    # A recorder that starts anew may number tracks, or the whole program, differently.
    first = whole(make, "a.ts", H264)
    tracks = whole(make, "tracks.ts", f"{H264} -mpegts_start_pid 0x300")
    info = probe_video(written(tmp_path / "tracks-changed.ts", first, tracks))
    assert info.duration_s == pytest.approx(2.4, abs=0.1)
    assert "timestamps in the file jump" in info.warnings[0]
    program = whole(make, "program.ts", f"{H264} -mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1100")
    info = probe_video(written(tmp_path / "program-changed.ts", first, program))
    assert (info.frames, len(info.warnings)) == (30, 1)
    assert "Another program" in info.warnings[0]


def test_sound_that_begins_in_the_second_part_is_heard_there(make: Make, tmp_path: Path) -> None:
    silent, sounding = whole(make, "silent.ts", "-c:v libx264 -an"), whole(make, "a.ts", H264)
    with read_audio(written(tmp_path / "joined.ts", silent, sounding)) as blocks:
        assert next(blocks).start == pytest.approx(1.2, abs=0.05)


def test_operations_name_the_file_that_is_not_read(make: Make, tmp_path: Path) -> None:
    single = whole(make, "a.mp4", H264)
    path = written(tmp_path / "joined.mp4", single, whole(make, "other.mp4", H264, "96x96"))
    messages: list[str] = []
    motion_trails(
        MotionTrailsParams(),
        video=path,
        matte=None,
        output=tmp_path / "out.mp4",
        progress=Report(lambda update: messages.append(str(update))),
    )
    assert sum("not read" in message for message in messages) == 1
