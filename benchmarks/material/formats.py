"""Short clips in formats that browsers play wrongly or not at all."""

from pathlib import Path

from benchmarks.material.clips import ffmpeg

HDR = "-vf setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"
OTHER = "a format that browsers cannot play"
FORMATS = {
    "hdr10.mp4": (f"{HDR} -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none", "HDR"),
    "prores.mov": ("-pix_fmt yuv422p10le -c:v prores_ks", OTHER),
    "ten-bit.mp4": ("-pix_fmt yuv420p10le -c:v libx264", OTHER),
    "rates.mp4": ("-vf select=lt(n\\,30)+not(mod(n\\,3)) -fps_mode vfr -pix_fmt yuv420p -c:v libx264", ""),
}
"""File name -> how it is written, and what the studio's viewer says about it; empty: browsers play it."""

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
