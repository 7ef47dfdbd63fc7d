"""Sound through reading and writing: samples, times, gaps, tracks, layouts."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import NotFound, UnsupportedMedia
from shared.video import VideoWriter, probe, read_audio, read_frames
from shared.video.remux import remux
from tests.shared.video.video_clips import Make, onsets, run_ffmpeg


def samples_of(path: Path, track: int = 0, **options: object) -> tuple[NDArray[np.float32], list[Fraction]]:
    with read_audio(path, track, **options) as blocks:  # type: ignore[arg-type]
        audio = list(blocks)
    for block in audio:
        assert block.samples.dtype == np.float32
        assert block.samples.flags.c_contiguous
    for before, after in pairwise(audio):
        assert after.start >= before.end
    return np.concatenate([block.samples for block in audio], axis=1), [block.start for block in audio]


def packets_of(path: Path, track: int = 0) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[track]) if packet.size]


def copied(source: Path, output: Path) -> list[str]:
    """Rewrite `source` with its sound copied; return the warnings."""
    info = probe(source)
    assert info.kind == "video"
    with read_frames(source) as frames:
        first = next(frames)
        with VideoWriter(output, width=info.width, height=info.height, frame_rate=info.rate, time_base=first.time_base) as writer:
            warnings = writer.copy_audio(source)
            writer.write(first.picture, first.pts, duration=first.duration)
            for frame in frames:
                writer.write(frame.picture, frame.pts, duration=frame.duration)
    return warnings


def events(path: Path) -> tuple[list[float], list[float]]:
    """Return the times of a clip's flashes and beeps, read by this project."""
    with read_frames(path) as frames:
        shown = [(frame.time, float(frame.luma().mean()) > 100) for frame in frames]
    flashes = onsets([time for time, _ in shown], [bright for _, bright in shown])
    times: list[float] = []
    loud: list[bool] = []
    with read_audio(path) as blocks:
        for block in blocks:
            hits = np.flatnonzero(np.abs(block.samples[0]) > 0.2)
            times += [float(block.start) + hit / block.sample_rate for hit in hits]
            loud += [True] * len(hits)
    return flashes, onsets(times, loud)


def test_samples_are_those_that_ffmpeg_decodes(make: Make) -> None:
    path = make("pcm.mov", "-f lavfi -i testsrc2=s=32x32:r=25:d=1 -f lavfi -i sine=997:d=1:sample_rate=48000 -c:a pcm_s16le -ac 2")
    reference = np.frombuffer(run_ffmpeg("-i", str(path), "-map", "0:a", "-f", "f32le", "-"), np.float32).reshape(-1, 2).T
    samples, starts = samples_of(path)
    np.testing.assert_array_equal(samples, reference)
    assert starts[0] == 0


def test_cutting_is_exact_to_the_sample(clip: Path) -> None:
    whole, _ = samples_of(clip)
    for start, duration in ((0.0, 0.5), (0.25, 0.1), (1.0, 0.5), (Fraction(1, 3), Fraction(1, 7))):
        part, starts = samples_of(clip, start=start, duration=duration)
        first = -int(-Fraction(start).limit_denominator(1000000) * 44100 // 1)
        last = -int(-(Fraction(start).limit_denominator(1000000) + Fraction(duration).limit_denominator(1000000)) * 44100 // 1)
        assert starts[0] == Fraction(first, 44100)
        assert part.shape[1] == last - first
        assert np.abs(part - whole[:, first:last]).max() < 1e-3


def test_sound_is_resampled_on_request(clip: Path) -> None:
    whole, _ = samples_of(clip)
    other, starts = samples_of(clip, sample_rate=16000)
    assert starts[0] == 0
    assert abs(other.shape[1] - whole.shape[1] * 16000 / 44100) <= 2
    peak = np.argmax(np.abs(np.fft.rfft(other[0] * np.hanning(other.shape[1]))))
    assert abs(peak * 16000 / other.shape[1] - 440) < 2


def test_a_gap_shows_in_the_times(make: Make) -> None:
    sound = "sine=440:d=2:sample_rate=48000,asetnsamples=480,aselect='not(between(t,0.8,1.1))'"
    path = make("gap.mkv", "-f lavfi -i testsrc2=s=32x32:r=25:d=2", ["-f", "lavfi", "-i", sound], "-c:a pcm_s16le")
    with read_audio(path) as blocks:
        audio = list(blocks)
    gaps = [(float(before.end), float(after.start)) for before, after in pairwise(audio) if after.start != before.end]
    assert len(gaps) == 1
    assert gaps[0] == pytest.approx((0.8, 1.11), abs=0.011)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize("shift", ["", "-output_ts_offset 5"])
def test_flash_and_beep_are_read_together(flash_and_beep: Path, make: Make, suffix: str, shift: str) -> None:
    path = make(f"sync.{suffix}", f"-i {flash_and_beep} -c copy {shift}")
    flashes, beeps = events(path)
    assert len(flashes) == len(beeps) == 2
    assert np.abs(np.subtract(flashes, beeps)).max() < 0.022


@pytest.mark.parametrize("delay", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_copied_sound_keeps_its_distance_from_the_picture(
    flash_and_beep: Path, make: Make, tmp_path: Path, delay: float, suffix: str
) -> None:
    late = f"-itsoffset {abs(delay)}"
    first, second = (late, "") if delay < 0 else ("", late)
    path = make(f"late.{suffix}", f"{first} -i {flash_and_beep} {second} -i {flash_and_beep} -map 0:v -map 1:a -c copy -shortest")
    output = tmp_path / "copied.mp4"
    assert copied(path, output) == []
    flashes, beeps = events(output)
    assert len(flashes) == len(beeps) == 2
    np.testing.assert_allclose(np.subtract(beeps, flashes), delay, atol=0.022)


def test_all_tracks_are_copied_untouched(make: Make, tmp_path: Path) -> None:
    tones = "-f lavfi -i sine=300:d=1:sample_rate=48000 -f lavfi -i sine=500:d=1:sample_rate=44100 -f lavfi -i anoisesrc=d=1:r=48000"
    maps = "-map 0 -map 1 -map 2 -map 3 -c:v libx264 -c:a aac -c:a:1 libmp3lame -c:a:2 ac3 -ac:a:0 6 -ac:a:1 1"
    names = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu"
    path = make("tracks.mkv", f"-f lavfi -i testsrc2=s=32x32:r=25:d=1 {tones} {maps} {names}")
    output = tmp_path / "out.mp4"
    assert copied(path, output) == []
    before, after = probe(path), probe(output)
    assert before.kind == after.kind == "video"
    tracks = [(track.codec, track.sample_rate, track.channels, track.layout, track.language) for track in after.audio]
    assert tracks == [(track.codec, track.sample_rate, track.channels, track.layout, track.language) for track in before.audio]
    assert [track.language for track in after.audio] == ["eng", "deu", None]
    for track in range(3):
        assert packets_of(output, track) == packets_of(path, track)


def test_what_mp4_cannot_hold_is_encoded_with_a_warning(make: Make, tmp_path: Path) -> None:
    path = make("vorbis.mkv", "-f lavfi -i testsrc2=s=32x32:r=25:d=1 -f lavfi -i sine=440:d=1 -c:v libx264 -c:a libvorbis -ac 2")
    output = tmp_path / "out.mp4"
    warnings = copied(path, output)
    assert len(warnings) == 1
    assert "vorbis" in warnings[0]
    assert "aac" in warnings[0]
    before, _ = samples_of(path)
    after, starts = samples_of(output)
    assert starts[0] == 0
    assert abs(after.shape[1] - before.shape[1]) <= 1024
    assert np.corrcoef(before[0, 4000:40000], after[0, 4000:40000])[0, 1] > 0.99


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1", "quad"])
@pytest.mark.parametrize("rate", [44100, 48000, 192000])
def test_written_samples_come_back_in_time(tmp_path: Path, layout: str, rate: int) -> None:
    output = tmp_path / "tone.mp4"
    channels = av.AudioLayout(layout).nb_channels
    time = np.arange(rate) / rate
    wave = np.tile(np.sin(2 * np.pi * 440 * time) * 0.5, (channels, 1)).astype(np.float32)
    wave[:, : rate // 2] = 0
    with VideoWriter(output, width=32, height=32, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(rate, layout, language="fra")
        for index in range(25):
            writer.write((np.full((32, 32), 90, np.uint8), *(np.full((16, 16), 128, np.uint8),) * 2), index)
            track.write(wave[:, index * rate // 25 : (index + 1) * rate // 25])
    info = probe(output)
    assert info.kind == "video"
    assert (info.audio[0].channels, info.audio[0].layout, info.audio[0].language) == (channels, layout, "fra")
    samples, starts = samples_of(output)
    assert starts[0] == 0
    source_rate = info.audio[0].sample_rate
    assert abs(samples.shape[1] / source_rate - 1) <= 1024 / source_rate
    onset = np.flatnonzero(np.abs(samples[0]) > 0.25)[0] / source_rate
    assert abs(onset - 0.5) < 0.005


def test_a_track_that_starts_late_begins_with_silence(tmp_path: Path) -> None:
    output = tmp_path / "late.mp4"
    with VideoWriter(output, width=32, height=32, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(48000, "mono", start=Fraction(1, 2))
        for index in range(25):
            writer.write((np.full((32, 32), 90, np.uint8), *(np.full((16, 16), 128, np.uint8),) * 2), index)
        track.write(np.full((1, 24000), 0.5, np.float32))
    samples, starts = samples_of(output)
    assert starts[0] == 0
    assert samples.shape[1] == 48000
    assert abs(np.flatnonzero(samples[0] > 0.25)[0] - 24000) < 48


def test_a_clip_without_sound_gives_a_file_without_sound(make: Make, tmp_path: Path) -> None:
    path = make("mute.mp4", "-f lavfi -i testsrc2=s=32x32:r=25:d=0.4 -c:v libx264")
    assert copied(path, tmp_path / "out.mp4") == []
    info = probe(tmp_path / "out.mp4")
    assert info.kind == "video"
    assert info.audio == ()
    with pytest.raises(NotFound, match="no track 0"):
        samples_of(path)


def test_wrong_shapes_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"\(2, n\)"),
        VideoWriter(tmp_path / "a.mp4", width=32, height=32, frame_rate=Fraction(25)) as writer,
    ):
        writer.add_audio(48000, "stereo").write(np.zeros((1, 100), np.float32))
    assert list(tmp_path.iterdir()) == []


def test_coded_tones_stay_clean(tmp_path: Path) -> None:
    # FFmpeg's default AAC search codes these tones with a signal-to-noise ratio of 28 dB, its fast search with 50 dB.
    seconds = np.arange(48000) / 48000
    tones = sum(np.sin(2 * np.pi * 220 * number * seconds) / number for number in range(1, 12)) * 0.1
    samples = np.stack([tones, tones[::-1]]).astype(np.float32)
    with VideoWriter(tmp_path / "tones.mp4", width=64, height=48, frame_rate=Fraction(1)) as writer:
        track = writer.add_audio(48000, "stereo")
        writer.write((np.full((48, 64), 16, np.uint8), *(np.full((24, 32), 128, np.uint8),) * 2), 0)
        track.write(samples)
    with read_audio(tmp_path / "tones.mp4") as blocks:
        heard = np.concatenate([block.samples for block in blocks], axis=1)[:, :48000]
    inner = slice(4800, 43200)
    noise = heard[:, inner] - samples[:, inner]
    assert 10 * np.log10((samples[:, inner] ** 2).mean() / (noise**2).mean()) > 45


def test_sound_of_joined_parts_that_overlap_is_copied(tmp_path: Path) -> None:
    coding = "-c:v libx264 -g 12 -pix_fmt yuv420p -c:a aac -f mpegts -"
    source = "-f lavfi -i testsrc2=s=96x64:r=25:d=0.8 -f lavfi -i sine=440:d=0.8:sample_rate=48000"
    (tmp_path / "joined.ts").write_bytes(run_ffmpeg(*f"{source} {coding}".split()) * 2)
    path = tmp_path / "joined.mkv"
    run_ffmpeg("-i", str(tmp_path / "joined.ts"), "-c", "copy", str(path))
    assert copied(path, tmp_path / "out.mp4") == []
    sound, _ = samples_of(tmp_path / "out.mp4")
    assert sound.shape[1] / 48000 == pytest.approx(1.6, abs=0.05)


@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
def test_sound_whose_rate_and_channels_change_keeps_its_pitch(codec: str, make: Make, tmp_path: Path) -> None:
    picture = "-f lavfi -i testsrc2=s=64x48:r=25:d=1.5"
    first = make("a.ts", picture, "-f lavfi -i sine=440:d=1.5:sample_rate=48000", f"-c:v libx264 -c:a {codec}")
    second = make("b.ts", picture, "-f lavfi -i sine=660:d=1.5:sample_rate=44100", f"-c:v libx264 -c:a {codec} -ac 2")
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    output = tmp_path / "out.mp4"
    with read_frames(path) as frames, VideoWriter(output, width=64, height=48, frame_rate=Fraction(25)) as writer:
        warnings = writer.copy_audio(path)
        for frame in frames:
            writer.write(frame.picture, frame.index)
    with read_audio(output) as blocks:
        sound = np.concatenate([block.samples[0] for block in blocks])
    halves = [sound[round(at * 48000) :][:24000] for at in (0.5, 2.0)]
    assert [np.argmax(np.abs(np.fft.rfft(half))) * 2 for half in halves] == pytest.approx([440, 660], abs=4)
    assert any("its sample rate or channels change" in warning for warning in warnings)
    with pytest.raises(UnsupportedMedia, match="sample rate"):
        remux(path, tmp_path / "copy.mp4")
    with VideoWriter(tmp_path / "one.mp4", width=64, height=48, frame_rate=Fraction(25)) as writer:
        assert writer.copy_audio(first) == []
        writer.write((np.full((48, 64), 90, np.uint8), *[np.full((24, 32), 128, np.uint8)] * 2), 0)
