"""Short clips in formats that browsers play wrongly or not at all."""

from pathlib import Path

from benchmarks.material.clips import ffmpeg

HDR = "-vf setparams=color_trc={transfer}:color_primaries=bt2020:colorspace=bt2020nc -pix_fmt yuv420p10le"
HEVC = "-c:v libx265 -tag:v hvc1 -x265-params log-level=none"
OTHER = "a format that browsers cannot play"
FORMATS = {
    "hdr10.mp4": (f"{HDR.format(transfer='smpte2084')} {HEVC}", "HDR"),
    "hlg.mp4": (f"{HDR.format(transfer='arib-std-b67')} {HEVC}", "HDR"),
    "hevc.mp4": (f"-pix_fmt yuv420p {HEVC}", OTHER),
    "prores.mov": ("-pix_fmt yuv422p10le -c:v prores_ks", OTHER),
    "ten-bit.mp4": ("-pix_fmt yuv420p10le -c:v libx264", OTHER),
    "rates.mp4": ("-vf select=lt(n\\,30)+not(mod(n\\,3)) -fps_mode vfr -pix_fmt yuv420p -c:v libx264", ""),
}
"""File name -> ffmpeg options, and a text that the studio's viewer shows. The text is empty if browsers play the file."""

ROTATED = "rotated.mp4"


def format_clips(folder: Path) -> dict[str, Path]:
    """Write two seconds of a test picture in each format.

    One more clip has a rotation of 90 degrees in its metadata. Returns the paths by file name.
    """
    written = {name: folder / name for name in FORMATS}
    for name, (coding, _) in FORMATS.items():
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2", *coding.split(), str(written[name]))
    written[ROTATED] = folder / ROTATED
    ffmpeg("-display_rotation", "90", "-i", str(written["rates.mp4"]), "-c", "copy", str(written[ROTATED]))
    return written
