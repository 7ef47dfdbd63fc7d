"""Sound layouts: channels are kept one to one, or a warning names the loss."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.render import RenderParams, render
from shared.video import VideoWriter, probe_video, read_audio, read_frames
from shared.video.writing.channel_layout import kept_layout_of
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make

RATE = 48000


def pitches(path: Path, track: int = 0) -> list[int]:
    """Return the strongest pitch of each channel, in Hz."""
    with read_audio(path, track) as blocks:
        audio = list(blocks)
    samples = np.concatenate([block.samples for block in audio], axis=1)
    part = samples[:, samples.shape[1] // 4 :][:, : audio[0].sample_rate // 2]
    return [round(float(np.argmax(np.abs(np.fft.rfft(channel)))) * audio[0].sample_rate / part.shape[1] / 50) * 50 for channel in part]


def tones(make: Make, name: str, channels: int, coding: str, layout: str = "", low: int | None = None) -> Path:
    """Make a clip of one second with a different pitch in each channel.

    300, 450, 600, ... Hz; channel `low` has 60 Hz.
    """
    expressions = "|".join(f"0.4*sin(2*PI*{60 if number == low else 300 + 150 * number}*t)" for number in range(channels))
    sound = f"aevalsrc='{expressions}':d=1:s={RATE}" + (f":c={layout}" if layout else "")
    picture = "-f lavfi -i color=gray:s=32x32:r=25:d=1"
    return make(name, picture, ["-f", "lavfi", "-i", sound], "-c:v", "libx264" if not name.endswith("mxf") else "mpeg2video", coding)


CLIPS = {
    "microphones.mkv": (4, "-c:a pcm_s16le", ""),
    "five.mov": (5, "-c:a pcm_s24le", ""),
    "three.mkv": (3, "-c:a pcm_s16le", ""),
    "bed.mov": (12, "-c:a pcm_s24le", "7.1.4"),
    "height.mkv": (8, "-c:a pcm_s16le", "5.1.2"),
    "quad.mkv": (4, "-c:a flac", "quad"),
    "six.mov": (7, "-c:a pcm_s16le", "6.1"),
    "sixteen.mov": (16, "-c:a pcm_s16le", ""),
    "eight.mov": (8, "-c:a pcm_s16le", "7.1"),
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("suffix", [".mp4"])
def test_channels_are_kept_one_to_one(name: str, suffix: str, make: Make, tmp_path: Path) -> None:
    channels, coding, layout = CLIPS[name]
    path = tones(make, name, channels, coding, layout)
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    expected = [300 + 150 * number for number in range(channels)]
    assert pitches(path) == expected
    render(RenderParams(speeds=[0.5]), video=path, output=tmp_path / f"ramp{suffix}", progress=progress)
    assert pitches(tmp_path / f"ramp{suffix}") == expected
    named = probe_video(path).audio[0].layout in ("quad", "3.0", "5.0")
    assert named or any(f"{channels} channels" in message for message in messages)
    with read_frames(path) as frames, VideoWriter(tmp_path / f"copy{suffix}", width=32, height=32, frame_rate=Fraction(25)) as writer:
        warnings = writer.copy_audio(path)
        for number, frame in enumerate(frames):
            writer.write(frame.picture, number)
    assert pitches(tmp_path / f"copy{suffix}") == expected
    copied = "flac" in coding
    assert named or copied or any(f"{channels} channels" in warning for warning in warnings)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("layout", ["4 channels", "10 channels", "7.1.4", "6.1", "5.0", "5.1(side)"])
def test_every_container_holds_every_layout(layout: str, suffix: str, tmp_path: Path) -> None:
    encoder = "libvpx-vp9" if suffix == ".webm" else "libx264"
    with VideoWriter(tmp_path / f"a{suffix}", width=32, height=32, frame_rate=Fraction(25), encoder=encoder) as writer:
        track = writer.add_audio(RATE, layout)
        time = np.arange(RATE) / RATE
        # Channels for low sounds only hold low sounds.
        values = [
            0.4 * np.sin(2 * np.pi * (100 if "." in layout and number == 3 else 300 + 150 * number) * time)
            for number in range(track.channels)
        ]
        for number in range(25):
            writer.write((np.full((32, 32), 90, np.uint8), np.full((16, 16), 128, np.uint8), np.full((16, 16), 128, np.uint8)), number)
            if not number:
                track.write(np.stack(values).astype(np.float32))
    expected = [100 if "." in layout and number == 3 else 300 + 150 * number for number in range(track.channels)]
    assert pitches(tmp_path / f"a{suffix}") == expected


NAMED = ["2.1", "3.1", "4.1", "6.0", "6.1", "6.1(back)", "7.0", "7.1(wide)", "octagonal", "5.1.2"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("layout", NAMED)
def test_written_layouts_keep_their_names(layout: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    with VideoWriter(path, width=32, height=32, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(RATE, layout)
        writer.write((np.full((32, 32), 90, np.uint8), np.full((16, 16), 128, np.uint8), np.full((16, 16), 128, np.uint8)), 0)
        track.write(np.zeros((track.channels, RATE), np.float32))
    assert probe_video(path).audio[0].layout == layout


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", "4 channels"), (".mov", "4 channels"), (".mp4", "quad")])
def test_channels_without_names_get_none_or_a_warning(suffix: str, kept: str, make: Make, tmp_path: Path) -> None:
    path = tones(make, "microphones.mov", 4, "-c:a pcm_f32le")
    output = tmp_path / f"a{suffix}"
    with VideoWriter(output, width=32, height=32, frame_rate=Fraction(25)) as writer:
        track = writer.add_audio(RATE, "4 channels")
        warnings = list(writer.warnings)
        with read_audio(path) as blocks:
            sound = [block.samples for block in blocks]
        writer.write((np.full((32, 32), 90, np.uint8), np.full((16, 16), 128, np.uint8), np.full((16, 16), 128, np.uint8)), 0)
        track.write(np.concatenate(sound, axis=1))
    assert probe_video(output).audio[0].layout == kept
    assert pitches(output) == [300, 450, 600, 750]
    assert any("players take for quad" in warning for warning in warnings) == (kept == "quad")


def test_copied_flac_keeps_the_name_of_its_layout(make: Make, tmp_path: Path) -> None:
    path = tones(make, "low.mkv", 3, "-c:a flac", "2.1", low=2)
    with read_frames(path) as frames, VideoWriter(tmp_path / "a.mp4", width=32, height=32, frame_rate=Fraction(25)) as writer:
        warnings = writer.copy_audio(path)
        for number, frame in enumerate(frames):
            writer.write(frame.picture, number)
    track = probe_video(tmp_path / "a.mp4").audio[0]
    assert (track.codec, track.layout) == ("pcm_s24le", "2.1")
    assert pitches(tmp_path / "a.mp4") == [300, 450, 50]
    assert "does not state the channel layout 2.1" in warnings[0]


def test_mono_tracks_of_mxf_stay_apart(make: Make, tmp_path: Path) -> None:
    sounds = [word for number in range(4) for word in ("-f", "lavfi", "-i", f"sine={300 + 150 * number}:d=1:sample_rate={RATE}")]
    maps = "-map 0:v -map 1:a -map 2:a -map 3:a -map 4:a -c:v mpeg2video -c:a pcm_s16le"
    path = make("a.mxf", "-f lavfi -i color=gray:s=64x64:r=25:d=1", sounds, maps)
    render(RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4")
    info = probe_video(tmp_path / "out.mp4")
    assert [track.channels for track in info.audio] == [1, 1, 1, 1]
    assert [pitches(tmp_path / "out.mp4", track) for track in range(4)] == [[300], [450], [600], [750]]


@pytest.mark.parametrize("layout", ["5.1", "7.1"])
def test_microphones_under_the_name_of_a_bed_are_kept(layout: str, make: Make, tmp_path: Path) -> None:
    # Recorders label six or eight microphones as 5.1 or 7.1. The layout is kept only if its channel for low sounds holds low sounds alone.
    channels = int(layout[0]) + 1
    path = tones(make, "recorder.mov", channels, "-c:a pcm_s16le", layout)
    expected = [300 + 150 * number for number in range(channels)]
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    for number, params in enumerate((RenderParams(speeds=[0.5]), RenderParams(speeds=[0.5], start=0.2))):
        render(params, video=path, output=tmp_path / f"{number}.mp4", progress=progress)
        assert pitches(tmp_path / f"{number}.mp4") == expected
    assert any(f"{channels} channels" in message for message in messages)
    low = tones(make, "bed.mov", channels, "-c:a pcm_s16le", layout, low=3)
    assert kept_layout_of(low, 0, probe_video(low).audio[0]) == layout
