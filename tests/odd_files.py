"""Small files as recorders, phones, cameras, streams and editors write them."""

import subprocess
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import av
import numpy as np
import pillow_heif
from PIL import Image

Maker = Callable[[Path, str], Path]
SOUND = "-f lavfi -i sine=440:d={0}:sample_rate=48000"
PICTURE = "-f lavfi -i testsrc2=s=160x120:r={1}:d={0}"


def _ffmpeg(program: str, words: str) -> bytes:
    command = [program, "-v", "error", "-nostdin", "-y", *words.split()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _made(coding: str, *, seconds: float = 1.2, rate: str = "25", sound: str = SOUND, picture: str = PICTURE) -> Maker:
    """Return a function that encodes a test clip with ffmpeg."""

    def make(path: Path, program: str) -> Path:
        _ffmpeg(program, f"{picture.format(seconds, rate)} {sound.format(seconds)} {coding} {path}")
        return path

    return make


def _piped(coding: str, *, seconds: float = 1.2, keep: float = 1.0, sound: str = SOUND) -> Maker:
    """Return a function that encodes to a pipe and keeps some bytes.

    `keep` is the share of the bytes.
    """

    def make(path: Path, program: str) -> Path:
        data = _ffmpeg(program, f"{PICTURE.format(seconds, 25)} {sound.format(seconds)} {coding} -")
        path.write_bytes(data[: int(len(data) * keep)])
        return path

    return make


def _joined(first: str, second: str) -> Maker:
    """Return a function that joins MPEG-TS streams of the sizes `first` and `second`."""

    def make(path: Path, program: str) -> Path:
        coding = "-c:v libx264 -g 12 -c:a aac -pix_fmt yuv420p -f mpegts -"
        parts = [_ffmpeg(program, f"-f lavfi -i testsrc2={size}:r=25:d=0.8 {SOUND.format(0.8)} {coding}") for size in (first, second)]
        path.write_bytes(b"".join(parts))
        return path

    return make


def _again(first: str, second: str, suffix: str = "mp4") -> Maker:
    """Return a function that encodes with the options `first` and converts with `second`."""

    def make(path: Path, program: str) -> Path:
        source = path.with_name(f"source-{path.stem}.{suffix}")
        _ffmpeg(program, f"{PICTURE.format(2, 25)} {SOUND.format(2)} {first} {source}")
        _ffmpeg(program, f"{second.format(source)} {path}")
        source.unlink()
        return path

    return make


def _twice(coding: str, suffix: str) -> Maker:
    """Return a function that writes the same stream twice into one file."""

    def make(path: Path, program: str) -> Path:
        part = _ffmpeg(program, f"{PICTURE.format(0.8, 25)} {SOUND.format(0.8)} {coding} -f {suffix} -")
        path.write_bytes(part + part)
        return path

    return make


def _with_bytes(make: Maker, change: Callable[[bytes], bytes]) -> Maker:
    """Return a function that makes a file and changes its bytes.

    `make` writes the file; its bytes pass through `change`.
    """

    def changed(path: Path, program: str) -> Path:
        path.write_bytes(change(make(path, program).read_bytes()))
        return path

    return changed


def _holed(data: bytes) -> bytes:
    """Overwrite 4000 bytes in the middle with zeros."""
    middle = len(data) // 2
    return data[:middle] + bytes(4000) + data[middle + 4000 :]


def _with_texts(coding: str) -> Maker:
    """Return a function that writes a file with subtitles and chapters."""

    def make(path: Path, program: str) -> Path:
        subtitles, chapters = path.with_name(f"{path.stem}.srt"), path.with_name(f"{path.stem}.txt")
        subtitles.write_text("1\n00:00:00,200 --> 00:00:00,800\n<i>hello</i>\n\n2\n00:00:00,900 --> 00:00:05,000\nyou\n\n")
        chapters.write_text(
            ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=One\n"
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART=600\nEND=9000\ntitle=Two\n"
        )
        inputs = f"{PICTURE.format(1.2, 25)} {SOUND.format(1.2)} -i {subtitles} -i {chapters} -map_metadata 3"
        _ffmpeg(program, f"{inputs} -map 0 -map 1 -map 2 {coding} {path}")
        return path

    return make


def _silent_track(path: Path, _program: str) -> Path:
    """Write a clip with an empty sound track."""
    with av.open(str(path), "w") as container:
        picture, _ = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=48000)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for number in range(30):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 8 * number, np.uint8), format="rgb24")))
        container.mux(picture.encode(None))
    return path


def _palettes(path: Path, _program: str) -> Path:
    """Write a GIF with a palette and a delay per frame.

    Delays are 0 to 500 ms.
    """
    pictures = [Image.new("RGB", (80, 60), (20 * n, 255 - 20 * n, 128)).quantize(2 + n) for n in range(12)]
    steps = [50, 120, 30, 70, 20, 500, 40, 10, 0, 60, 90, 100]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=steps, loop=0, disposal=2)
    return path


def _turned(path: Path, program: str) -> Path:
    """Write a stream whose second half is rotated."""
    coding = "-c:v libx264 -g 12 -c:a aac -pix_fmt yuv420p"
    turn = "-bsf:v h264_metadata=display_orientation=insert:rotate=90"
    source = f"{PICTURE.format(0.8, 25)} {SOUND.format(0.8)} {coding}"
    path.write_bytes(_ffmpeg(program, f"{source} -f mpegts -") + _ffmpeg(program, f"{source} {turn} -f mpegts -"))
    return path


_H264 = "-c:v libx264 -pix_fmt yuv420p -g 12"
_ALPHA = "-map 0:v -vf format=rgba,colorchannelmixer=aa=0.5 -pix_fmt yuva420p"
_COVER = "-i {} -f lavfi -i color=red:s=64x64:r=25:d=0.04"
_X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=0"
_BT2020 = "-color_primaries bt2020 -colorspace bt2020nc"
ODD_FILES: Mapping[str, Maker] = {
    "recorder.webm": _piped("-c:v libvpx -deadline realtime -c:a libopus -f webm"),
    "killed.mkv": _piped(f"{_H264} -c:a aac -f matroska", keep=0.7),
    "killed.avi": _piped("-c:v mpeg4 -bf 2 -c:a mp3 -f avi", keep=0.7),
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
    "mono_tracks.mxf": _made(f"-map 0:v {'-map 1:a ' * 4} -c:v mpeg2video -b:v 2M -c:a pcm_s16le"),
    "two_pictures.mov": _made(f"-map 0:v -map 0:v -map 1:a {_H264} -s:v:1 80x60 -c:a aac"),
    "cover.mp4": _again(f"{_H264} -c:a aac", f"{_COVER} -map 0:v -map 0:a -map 1:v -c copy -c:v:1 png -disposition:v:1 attached_pic"),
    "cover_first.mp4": _again(f"{_H264} -c:a aac", f"{_COVER} -map 1:v -map 0 -c copy -c:v:0 png -disposition:v:0 attached_pic"),
    "negative.mkv": _made(f"{_H264} -c:a aac -output_ts_offset -0.7 -avoid_negative_ts disabled"),
    "edited.mp4": _again(f"{_H264} -c:a aac", "-ss 0.7 -i {} -t 1.2 -c copy"),
    "late_picture.mp4": _again(f"{_H264} -c:a aac", "-i {0} -itsoffset 0.5 -i {0} -map 1:v -map 0:a -c copy"),
    "late_sound.mov": _again(f"{_H264} -c:a aac", "-i {0} -itsoffset 0.5 -i {0} -map 0:v -map 1:a -c copy"),
    "alpha.webm": _made(f"{_ALPHA} -c:v libvpx-vp9 -deadline realtime -auto-alt-ref 0"),
    "alpha8.webm": _made(f"{_ALPHA} -c:v libvpx -deadline realtime -auto-alt-ref 0"),
    "one.webm": _made("-frames:v 1 -map 0:v -c:v libvpx-vp9 -deadline realtime"),
    "odd.mp4": _made("-c:v libx264 -pix_fmt yuv444p -c:a aac", picture="-f lavfi -i testsrc=s=319x241:r={1}:d={0}"),
    "odd.mkv": _made("-c:v libvpx-vp9 -deadline realtime -c:a libopus", picture="-f lavfi -i testsrc=s=319x241:r={1}:d={0}"),
    "tiny.mp4": _made("-vf scale=2:2 -c:v libx264 -pix_fmt yuv420p -an"),
    "empty_sound.mp4": _silent_track,
    "short_sound.mp4": _made(f"{_H264} -c:a aac", sound="-f lavfi -i sine=440:d=0.01:sample_rate=48000"),
    "palettes.gif": _palettes,
    "sequence.avif": _made("-map 0:v -c:v libsvtav1 -preset 12 -f avif", rate="12"),
    "wrap.ts": _made(f"{_H264} -c:a aac -muxdelay 0 -muxpreload 0 -output_ts_offset 95443.1"),
    "open.mp4": _made(f"{_H264} -x264-params open-gop=1:bframes=3:b-adapt=0:keyint=10:scenecut=0 -c:a aac", seconds=2),
    "open_hevc.mp4": _made(f"{_X265}:open-gop=1:keyint=10 -tag:v hvc1 -c:a aac", seconds=2),
    "very_fast.mp4": _made(f"-map 0:v {_H264}", seconds=0.3, rate="1000"),
    "twelve_bits.mkv": _made(f"{_X265} -pix_fmt yuv422p12le -c:a flac"),
    "full_chroma.mp4": _made("-c:v libx264 -pix_fmt yuv444p -c:a aac"),
    "rgb.mkv": _made("-c:v libx264rgb -c:a aac"),
    "gbrp.avi": _made("-map 0:v -c:v utvideo -pix_fmt gbrp"),
    "gray16.mkv": _made("-map 0:v -c:v ffv1 -pix_fmt gray16le"),
    "bottom_first.ts": _made(f"-vf interlace=scan=bff -flags +ilme+ildct {_H264} -x264-params bff=1 -c:a aac", rate="50"),
    "turned.ts": _turned,
    "joined.mp4": _twice(f"{_H264} -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe", "mp4"),
    "joined.webm": _twice("-c:v libvpx -deadline realtime -c:a libopus", "webm"),
    "joined.mpg": _twice("-c:v mpeg2video -c:a mp2", "mpeg"),
    "damaged.ts": _with_bytes(_made(f"{_H264} -c:a aac", seconds=3), _holed),
    "damaged.mkv": _with_bytes(_made(f"{_H264} -c:a aac", seconds=3), _holed),
    "missing.mkv": _with_bytes(_made(f"{_H264} -c:a aac", seconds=3), lambda data: data[: len(data) // 2] + data[len(data) // 2 + 4000 :]),
    "cut_off.mkv": _with_bytes(_made(f"{_H264} -c:a aac", seconds=2), lambda data: data[: len(data) * 7 // 10]),
    "cut_off.webm": _with_bytes(_made("-c:v libvpx -deadline realtime -c:a libopus", seconds=2), lambda data: data[: len(data) * 7 // 10]),
    "whole_twice.flv": _with_bytes(_made(f"{_H264} -c:a aac"), lambda data: data * 2),
    "whole_twice.mp4": _with_bytes(_made(f"{_H264} -c:a aac"), lambda data: data * 2),
    "each_frame.mp4": _piped(f"{_H264} -bf 2 -c:a aac -movflags frag_every_frame+delay_moov -f mp4"),
    "killed.mpg": _piped("-c:v mpeg2video -bf 2 -c:a mp2 -f mpeg", keep=0.7),
    "repeats.ogv": _made("-vf fps=50 -c:v libtheora -c:a libvorbis"),
    "tagged.mp4": _with_bytes(_made(f"{_H264} -c:a aac"), lambda data: data + b"TAG" + bytes(125)),
    "texts.mkv": _with_texts(f"{_H264} -c:a aac -c:s srt"),
    "texts.mp4": _with_texts(f"{_H264} -c:a aac -c:s mov_text"),
    "attached.mkv": _made(f"{_H264} -c:a aac -attach {__file__} -metadata:s:t mimetype=text/x-python"),
    "pulled_down.mp4": _made(f"-vf fps=30 {_H264} -c:a aac", rate="24"),
    "on_twos.mp4": _made(f"-vf fps=24 {_H264} -an", rate="12"),
    "fields.mkv": _made(f"-vf interlace -flags +ilme+ildct -x264-params tff=1 {_H264} -c:a flac", rate="60000/1001"),
    "hdr.mp4": _made(f"{_X265} -pix_fmt yuv420p10le {_BT2020} -color_trc smpte2084 -tag:v hvc1 -c:a aac"),
    "hlg.mov": _made(f"-c:v prores_ks -pix_fmt yuv422p10le {_BT2020} -color_trc arib-std-b67 -c:a pcm_s16le"),
    "narrow.mpg": _made("-vf setsar=16/15 -c:v mpeg2video -c:a mp2"),
    "phone.mp4": _again(f"{_H264} -c:a aac", "-display_rotation 90 -i {} -c copy"),
    "mirrored.mov": _again(f"{_H264} -c:a aac", "-display_hflip -i {} -c copy"),
    "motion_jpeg.avi": _made("-c:v mjpeg -c:a pcm_s16le"),
    "divx.avi": _made("-c:v mpeg4 -bf 2 -c:a mp3"),
    "old_phone.3gp": _made("-c:v h263 -s 176x144 -c:a aac -ar 16000 -ac 1"),
    "windows.wmv": _made("-c:v wmv2 -c:a wmav2"),
    "opus.mp4": _made(f"{_H264} -c:a libopus"),
    "three_tracks.mkv": _made(f"-map 0:v -map 1:a -map 1:a -map 1:a {_H264} -c:a:0 aac -c:a:1 flac -c:a:2 libopus"),
    "surround.mkv": _made(f"-ac 6 {_H264} -c:a ac3"),
    "gray.mkv": _made("-c:v libx264 -pix_fmt gray -c:a aac"),
}


def _scene(width: int = 160, height: int = 120) -> Image.Image:
    """Return a picture with colours and edges."""
    rows, columns = np.mgrid[0:height, 0:width]
    levels = np.dstack([columns * 255 // width, rows * 255 // height, (columns // 16 + rows // 16) % 2 * 255])
    return Image.fromarray(levels.astype(np.uint8))


def _picture(mode: str = "RGB", **more: object) -> Maker:
    """Return a function that saves a picture in a mode; `more`: options of the format."""

    def make(path: Path, _program: str) -> Path:
        _scene().convert(mode).save(path, **more)  # type: ignore[arg-type]
        return path

    return make


def _heic(target: Path | BytesIO) -> None:
    """Write a HEIC picture to a path or a buffer."""
    pillow_heif.from_pillow(_scene()).save(target, quality=90)


def _heic_file(path: Path, _program: str) -> Path:
    """Write a HEIC picture."""
    _heic(path)
    return path


def _sixteen_bits(path: Path, _program: str) -> Path:
    """Write a gray picture of 16 bits."""
    Image.fromarray(np.asarray(_scene().convert("L")).astype(np.uint16) * 257).save(path)
    return path


def _turned_picture(path: Path, _program: str) -> Path:
    """Write a picture that Exif turns."""
    exif = Image.Exif()
    exif[0x0112] = 6
    _scene().save(path, exif=exif)
    return path


def _zipped(*names: str, cut: str = "") -> Maker:
    """Return a function that writes a zip file of pictures, or of other files, in folders.

    The format is that of the suffix. `cut`: name of the picture of which only the first half is there.
    """

    def make(path: Path, _program: str) -> Path:
        with ZipFile(path, "w") as file:
            for name in names:
                data = BytesIO()
                if name.endswith(".heic"):
                    _heic(data)
                elif name.endswith((".jpg", ".png")):
                    _scene().save(data, "PNG" if name.endswith(".png") else "JPEG")
                else:
                    data.write(b"no picture")
                file.writestr(name, data.getvalue()[: len(data.getvalue()) // 2] if name == cut else data.getvalue())
        return path

    return make


ODD_PICTURES: Mapping[str, Maker] = {
    "phone.heic": _heic_file,
    "phone.avif": _picture(),
    "print.jpg": _picture("CMYK"),
    "gray.jpg": _picture("L"),
    "palette.png": _picture("P"),
    "clear.png": _picture("RGBA"),
    "sixteen.png": _sixteen_bits,
    "turned.jpg": _turned_picture,
    "small.webp": _picture(lossless=True),
    "album.zip": _zipped("Ferien/Straße.jpg", "Ferien/写真.png", "Ferien/IMG_1.heic", "Ferien/notes.txt"),
    "damaged.zip": _zipped("a.jpg", "b.jpg", "c.jpg", cut="b.jpg"),
    "texts.zip": _zipped("notes.txt", "more/notes.md"),
    "empty.zip": _zipped(),
}
"""Pictures, and zip files of them, as phones, printers and archivers write them."""
