"""Damaged files in the probe and the decoder, twenty thousand in all.

Each ends in an answer or in an error for the user.

They run in child processes, as uploads do, so that a crash of a decoder is found and counted, and names the seed that caused it.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared.video.video_clips import run_ffmpeg

SOURCES = {
    "h264.mp4": "-c:v libx264 -bf 2 -c:a aac",
    "front.mp4": "-c:v libx264 -c:a aac -movflags +faststart",
    "fragments.mp4": "-c:v libx264 -c:a aac -movflags frag_keyframe+empty_moov",
    "hevc.mp4": "-c:v libx265 -x265-params log-level=none -c:a aac",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
    "av1.mp4": "-c:v libsvtav1 -preset 12 -c:a aac",
    "mpeg4.avi": "-c:v mpeg4 -c:a mp2",
    "mpeg2.ts": "-c:v mpeg2video -c:a mp2",
    "mpeg2.mpg": "-c:v mpeg2video -c:a mp2",
    "h264.mkv": "-c:v libx264 -c:a flac",
    "flv.flv": "-c:v flv -c:a mp3 -ar 44100",
    "wmv.wmv": "-c:v wmv2 -c:a wmav2",
    "prores.mov": "-c:v prores_ks -c:a pcm_s16le",
    "theora.ogv": "-c:v libtheora -c:a libvorbis -ac 2",
    "mjpeg.avi": "-c:v mjpeg -c:a adpcm_ms",
    "ffv1.mkv": "-c:v ffv1 -c:a pcm_s16le",
    "png.mov": "-c:v png -c:a alac",
    "gif.gif": "",
    "joined.mp4": "-c:v libx264 -c:a aac -movflags frag_keyframe+empty_moov",
    "joined.mkv": "-c:v libx264 -c:a aac",
    "joined.ts": "-c:v libx264 -c:a aac",
}
"""Files by name, with FFmpeg's options. Joined files hold a part that is cut off, and two whole parts."""

WORKER = """
import itertools, random, resource, sys
from pathlib import Path
from shared.errors import ReelwrightError
from shared.video import Limits, probe, read_audio, read_frames
from test_video_fuzz import mutated
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
source, work, first, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data, limits, answers = source.read_bytes(), Limits(max_pixels=1 << 22, max_duration_s=3600.0), 0
path = work / f"{first}{source.suffix}"
for seed in range(first, last):
    print(seed, flush=True)
    path.write_bytes(mutated(data, seed))
    for door in (probe, lambda path, limits: sum(1 for _ in itertools.islice(read_frames(path, limits=limits, prefetch=1), 40)),
                 lambda path, limits: sum(1 for _ in itertools.islice(read_audio(path, limits=limits, prefetch=1), 200))):
        try:
            door(path, limits=limits)
            answers += 1
        except ReelwrightError:
            pass
path.unlink()
print("answers", answers, flush=True)
"""


def mutated(data: bytes, seed: int) -> bytes:
    """Return a randomly damaged copy of a file's bytes.

    Bits are flipped, bytes and big-endian numbers replaced, pieces cut out, repeated, moved or cut off.
    """
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8, 32))):
        # Headers are where the traps are: half of the damage goes to the first kilobytes.
        reach = min(len(changed), chance.choice((64, 512, 4096, len(changed), len(changed))))
        if reach < 8:
            break
        at = chance.randrange(reach - 4)
        kind = chance.randrange(7)
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at] = chance.randrange(256)
        elif kind == 2:
            changed[at : at + 4] = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, chance.randrange(1 << 32))).to_bytes(4, "big")
        elif kind == 3:
            del changed[at : at + chance.randrange(1, 64)]
        elif kind == 4:
            changed[at:at] = changed[at : at + chance.randrange(1, 512)]
        elif kind == 5:
            other = chance.randrange(reach - 4)
            changed[at : at + 4], changed[other : other + 4] = changed[other : other + 4], changed[at : at + 4]
        elif chance.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def fuzz(folder: Path, name: str, count: int) -> None:
    source = folder / name
    pictures = ["-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=0.8", "-f", "lavfi", "-i", "sine=d=0.8:sample_rate=44100"]
    run_ffmpeg(*pictures, *SOURCES[name].split(), str(source))
    if name.startswith("joined"):
        first_part = source.read_bytes()
        # Tracks of other numbers show where a part of a transport stream begins.
        run_ffmpeg(*pictures, *SOURCES[name].split(), *(["-mpegts_start_pid", "0x300"] if name.endswith(".ts") else []), str(source))
        source.write_bytes(first_part[: len(first_part) * 2 // 3] + source.read_bytes() + first_part)
    root = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(root), str(Path(__file__).parent)])
    environment = {"PYTHONPATH": paths, "PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore"}
    first = 0
    crashes = []
    while first < count:
        command = [sys.executable, "-c", WORKER, str(source), str(folder), str(first), str(count)]
        child = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
        lines = child.stdout.split("\n")
        if child.returncode == 0:
            # Damage that nothing notices shows that the harness works at all.
            answers = int(lines[-2].split()[1])
            assert count - first < 10 or 0 < answers < 3 * (count - first)
            break
        # Killed by a signal: the decoder's crash, which the worker process is there for. Any other end is an error of this project.
        last = int([line for line in lines if line.isdigit()][-1])
        assert child.returncode < 0, f"{name}, seed {last}: {child.stderr[-2000:]}"
        crashes.append((last, child.returncode))
        first = last + 1
    assert crashes == []


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "mpeg2.ts", "mpeg4.avi", "joined.mkv", "joined.ts"])
def test_some_damaged_files_end_in_an_answer_or_an_error(tmp_path: Path, name: str) -> None:
    fuzz(tmp_path, name, 25)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", list(SOURCES))
def test_many_damaged_files_end_in_an_answer_or_an_error(tmp_path: Path, name: str) -> None:
    fuzz(tmp_path, name, int(os.environ.get("REELWRIGHT_FUZZ", 20_000)) // len(SOURCES) + 1)
