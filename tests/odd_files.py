"""Small files as recorders, phones, cameras, streams and editors write them; made by the ffmpeg program."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

Maker = Callable[[Path, str], Path]
SOUND = "-f lavfi -i sine=440:d={0}:sample_rate=48000"
PICTURE = "-f lavfi -i testsrc2=s=160x120:r={1}:d={0}"


def _ffmpeg(program: str, words: str) -> bytes:
    command = [program, "-v", "error", "-nostdin", "-y", *words.split()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _made(coding: str, *, seconds: float = 1.2, rate: str = "25", sound: str = SOUND, picture: str = PICTURE) -> Maker:
    """Return a function that writes a file."""

    def make(path: Path, program: str) -> Path:
        _ffmpeg(program, f"{picture.format(seconds, rate)} {sound.format(seconds)} {coding} {path}")
        return path

    return make


def _piped(coding: str, *, seconds: float = 1.2, keep: float = 1.0, sound: str = SOUND) -> Maker:
    """Return a function that writes the first share `keep` of a file without a length."""

    def make(path: Path, program: str) -> Path:
        data = _ffmpeg(program, f"{PICTURE.format(seconds, 25)} {sound.format(seconds)} {coding} -")
        path.write_bytes(data[: int(len(data) * keep)])
        return path

    return make


def _joined(first: str, second: str) -> Maker:
    """Return a function that writes two streams one behind the other."""

    def make(path: Path, program: str) -> Path:
        coding = "-c:v libx264 -g 12 -c:a aac -pix_fmt yuv420p -f mpegts -"
        parts = [_ffmpeg(program, f"-f lavfi -i testsrc2={size}:r=25:d=0.8 {SOUND.format(0.8)} {coding}") for size in (first, second)]
        path.write_bytes(b"".join(parts))
        return path

    return make


_H264 = "-c:v libx264 -pix_fmt yuv420p -g 12"
ODD_FILES: Mapping[str, Maker] = {
    "recorder.webm": _piped("-c:v libvpx -deadline realtime -c:a libopus -f webm"),
    "killed.mkv": _piped(f"{_H264} -c:a aac -f matroska", keep=0.7),
    "browser.mp4": _piped(f"{_H264} -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe -f mp4"),
    "cut.mp4": _piped(f"{_H264} -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe -f mp4", keep=0.8),
    "stream.flv": _piped(f"{_H264} -bf 0 -c:a aac -ar 44100 -f flv"),
    "restarts.ts": _joined("s=160x120", "s=160x120"),
    "call.ts": _joined("s=160x120", "s=120x160"),
    "screen.mp4": _made(f"-vf select='lt(mod(n\\,25)\\,10)' -fps_mode passthrough {_H264} -c:a aac"),
    "microphones.mkv": _made("-filter_complex [1:a]aformat=channel_layouts=quad[a] -map 0:v -map [a] -c:v libx264 -c:a pcm_s16le"),
    "bed.mov": _made("-filter_complex [1:a]pan=7.1.4|c0=c0|c5=c0[a] -map 0:v -map [a] -c:v libx264 -c:a pcm_s24le"),
    "undecoded.mkv": _made(f"{_H264} -c:a wavpack"),
    "longer_sound.mkv": _made(f"{_H264} -c:a aac", picture=PICTURE.replace("d={0}", "d=0.6")),
    "clear.mov": _made("-map 0:v -vf format=argb,colorchannelmixer=aa=0.5 -c:v qtrle"),
    "timecode.mov": _made(f"{_H264} -c:a pcm_s16le -timecode 01:00:00:00"),
    "fields.mov": _made("-vf setfield=tff -flags +ilme+ildct -c:v mpeg2video -c:a pcm_s16le"),
    "one.mp4": _made(f"-frames:v 1 {_H264} -an"),
    "silent.mp4": _made(f"{_H264} -an"),
    "small.mp4": _made("-vf scale=34:22 -c:v libx264 -pix_fmt yuv420p -an"),
    "fast.mp4": _made(f"{_H264} -an", seconds=0.6, rate="240"),
    "slides.mp4": _made(f"{_H264} -an", seconds=3, rate="1"),
    "turned.mov": _made("-c:v mjpeg -c:a pcm_s16le"),
    "animation.gif": _made("-map 0:v", rate="15"),
    "animation.webp": _made("-map 0:v -c:v libwebp_anim -pix_fmt yuva420p"),
    "animation.png": _made("-map 0:v -f apng", rate="10"),
}
