"""Joined files: every part is read, or a warning names the rest.

They are joined byte by byte.
"""

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from shared.video import Limits, probe_video, read_audio, read_frames
from shared.video.reading.containers.following_files import following_files
from shared.video.reading.texts import read_subtitles
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
    """Encode a clip of 1.2 s with the options `coding`.

    Returns the file's bytes.
    """
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


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_texts_of_later_files_are_kept_and_their_chapters_named(name: str, make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,200 --> 00:00:00,900\nHello\n")
    (tmp_path / "a.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\ntitle=One\n")
    whole(make, name, READ[name])
    texts = ["-i", str(tmp_path / "a.srt"), "-i", str(tmp_path / "a.txt"), "-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy"]
    coding = ["-c:s", "mov_text" if name == "a.mp4" else "srt"]
    run_ffmpeg("-i", str(tmp_path / name), *texts, *coding, str(tmp_path / f"texts-{name}"))
    path = written(tmp_path / f"joined-{name}", *[(tmp_path / f"texts-{name}").read_bytes()] * 3)
    cues = read_subtitles(path, Limits.current())[0].cues
    assert [float(cue.start) for cue in cues] == pytest.approx([0.2, 1.4, 2.6], abs=0.03)
    info = probe_video(path)
    assert len(info.chapters) == 1
    assert any("The chapters of 2 of the joined files were left out" in warning for warning in info.warnings)


def without_ftyp(single: bytes) -> bytes:
    """Return a QuickTime file without `ftyp`, as old cameras write it.

    A box for free space is in its place.
    """
    return single[:4] + b"wide" + bytes(int.from_bytes(single[:4], "big") - 8) + single[int.from_bytes(single[:4], "big") :]


@pytest.mark.parametrize("name", ["a.mov", "fast.mp4"])
@pytest.mark.parametrize("kinds", ["oo", "ooo", "on", "no"])
def test_old_quicktime_files_are_read(name: str, kinds: str, make: Make, tmp_path: Path) -> None:
    single = whole(make, name, READ[name])
    parts = [without_ftyp(single) if kind == "o" else single for kind in kinds]
    alone = probe_video(written(tmp_path / "old.mov", without_ftyp(single)))
    assert (alone.frames, alone.warnings) == (30, ())
    path = written(tmp_path / "joined.mov", *parts)
    info = probe_video(path)
    with read_frames(path) as frames:
        assert sum(1 for _ in frames) == info.frames == 30 * len(kinds)
    assert not any("not read" in warning for warning in info.warnings)


def test_packets_that_begin_later_are_read_as_one_stream(make: Make, tmp_path: Path) -> None:
    first, second = whole(make, "a.ts", H264), whole(make, "tracks.ts", STREAMS["tracks.ts"])
    path = written(tmp_path / "joined.ts", b"\0" * 5, first, second)
    assert probe_video(path).frames == pytest.approx(60, abs=2)


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


STREAMS = {
    "same.ts": H264,
    "tracks.ts": f"{H264} -mpegts_start_pid 0x300",
    "program.ts": f"{H264} -mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1100 -mpegts_service_id 7",
    "swapped.ts": f"-map 1 -map 0 {H264}",
    "later.ts": f"{H264} -output_ts_offset 1.2 -mpegts_start_pid 0x300",
    "ac3.ts": H264.replace("aac", "ac3"),
    "mpeg2.ts": "-c:v mpeg2video -bf 2 -c:a mp2",
    "h265.ts": "-c:v libx265 -x265-params log-level=error -c:a aac -pix_fmt yuv420p",
}


@pytest.mark.parametrize("name", ["tracks.ts", "program.ts", "swapped.ts", "later.ts"])
def test_streams_with_new_numbers_of_tracks_or_program_are_read(name: str, make: Make, tmp_path: Path) -> None:
    # A recorder that starts anew may number tracks, or the whole program, differently.
    first, second = whole(make, "a.ts", H264), whole(make, name, STREAMS[name])
    for number, parts in enumerate([(first, second), (second, first), (first, second, first)]):
        path = written(tmp_path / f"{number}-joined.ts", *parts)
        info = probe_video(path)
        with read_frames(path) as frames:
            times = [float(frame.time) for frame in frames]
        assert info.frames == len(times) == 30 * len(parts)
        assert np.diff(times) == pytest.approx([0.04] * (len(times) - 1), abs=0.0012)
        assert info.duration_s == pytest.approx(1.2 * len(parts), abs=0.09)
        assert not any("not read" in warning or "left out" in warning for warning in info.warnings)
        with read_audio(path) as blocks:
            sound = sum(Fraction(block.samples.shape[1], block.sample_rate) for block in blocks)
        assert sound == pytest.approx(1.2 * len(parts), abs=0.09)


@pytest.mark.parametrize("name", ["mpeg2.ts", "h265.ts"])
def test_a_stream_whose_codec_changes_is_read_without_the_other_codec(name: str, make: Make, tmp_path: Path) -> None:
    first, other = whole(make, "a.ts", H264), whole(make, name, STREAMS[name])
    for number, parts in enumerate([(first, other), (first, other, first), (other, first)]):
        path = written(tmp_path / f"{number}-joined.ts", *parts)
        info = probe_video(path)
        with read_frames(path) as frames:
            count = sum(1 for _ in frames)
        assert count == info.frames == (60 if len(parts) == 3 else 30)
        assert f"at byte {len(parts[0])}, after 1.2" in info.warnings[0]
        assert "its coding differs" in info.warnings[0]


def test_sound_whose_codec_changes_is_named(make: Make, tmp_path: Path) -> None:
    first, other = whole(make, "a.ts", H264), whole(make, "ac3.ts", STREAMS["ac3.ts"])
    info = probe_video(written(tmp_path / "joined.ts", first, other, first))
    assert info.frames == 90
    assert f"Audio track 1 (ac3) of one of the joined files, at bytes {len(first)} to {len(first + other)}" in info.warnings[0]
    assert "out from 1.2" in info.warnings[0]
    assert "to 2.4" in info.warnings[0]


def test_a_later_stream_of_which_nothing_is_read_ends_the_file(make: Make, tmp_path: Path) -> None:
    first, other = whole(make, "a.ts", H264), whole(make, "ac3.ts", STREAMS["ac3.ts"])
    packets = [other[at : at + 188] for at in range(0, len(other), 188)]
    silent = [packet for packet in packets if (packet[1] & 0x1F, packet[2]) != (1, 0)]
    info = probe_video(written(tmp_path / "joined.ts", first, *silent))
    assert (info.frames, info.duration_s) == (30, pytest.approx(1.2, abs=0.09))


def test_a_new_table_within_a_picture_divides_no_stream(make: Make, tmp_path: Path) -> None:
    # As in broadcasts, whose sound changes between programmes.
    coding = f"{H264} -b:v 4M"
    packets = [data[at : at + 188] for data in [whole(make, "a.ts", coding, "640x480")] for at in range(0, len(data), 188)]
    other = whole(make, "ac3.ts", STREAMS["ac3.ts"])
    tables = [other[at : at + 188] for at in range(0, 3 * 188, 188)]
    pictures = [(number, packet[1] & 0x40) for number, packet in enumerate(packets) if packet[1] & 0x1F == 1 and packet[2] == 0]
    within = next(number for number, begins in pictures[len(pictures) // 2 :] if not begins)
    begin = next(number for number, begins in pictures[len(pictures) // 2 :] if begins)
    for place, parts in ((within, ()), (begin, (begin * 188,))):
        rest = [tables[2] if packet[1] & 0x1F == 0x10 and packet[2] == 0 else packet for packet in packets[place:]]
        path = written(tmp_path / "changed.ts", *packets[:place], *tables, *rest)
        assert following_files(path, "mpegts").read == parts
        with read_frames(path) as frames:
            assert sum(1 for _ in frames) == 30


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
