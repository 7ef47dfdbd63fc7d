"""Clips whose frames show their numbers, and the reading of these numbers."""

from pathlib import Path

import cv2

from benchmarks.material.clips import ffmpeg

BITS, STRIPE, HEIGHT = 8, 40, 180
"""Number of stripes, width of a stripe, and height of a clip. Sizes are in pixels. White and black stripes show a frame's number; the
lowest bit is on the left."""
NUMBER_OF = f"""(canvas, from, width) => {{
  const {{ data }} = canvas.getContext("2d").getImageData(from, canvas.height / 2, width, 1);
  const bit = (at) => (data[4 * Math.floor((width * (at + 0.5)) / {BITS})] > 128 ? 2 ** at : 0);
  return Array.from({{ length: {BITS} }}, (_, at) => bit(at)).reduce((sum, value) => sum + value);
}}"""


BAND = 12
"""Height of the stripes in moving clips, whose motion is measured around them."""
MOVING = r"format=gray,geq='128+60*sin((X+N*N*0.03)/11)+60*sin(Y/9)'"
"""Filters that draw a pattern which moves faster and faster."""


def numbered_clip(path: Path, *, choice: str = "", moving: bool = False, copies: int = 1) -> Path:
    """Write a clip of four seconds at 30 fps whose frames show their numbers.

    `choice`: filters that leave frames out, or change their times; frames are numbered after them. `moving`: a pattern moves around the
    numbers. `copies`: each picture is shown by so many frames.
    """
    place = f"y={(HEIGHT - BAND) // 2}:h={BAND}" if moving else f"y=0:h={HEIGHT}"
    bits = [(STRIPE * bit, f":enable='mod(floor(n/{2**bit})\\,2)'") for bit in range(BITS)]
    boxes = [f"drawbox=x={x}:w={STRIPE}:{place}:c=white:t=fill{shown}" for x, shown in bits]
    repeats = f"setpts='PTS*{copies}',fps=30" if copies > 1 else ""
    source = f"color=black:s={STRIPE * BITS}x{HEIGHT}:r=30:d={4 / copies}"
    dark = f"drawbox={place}:c=black:t=fill" if moving else ""
    chain = ",".join(part for part in (source, MOVING if moving else "", choice, dark, *boxes, repeats) if part)
    times = ["-fps_mode", "passthrough", "-enc_time_base", "1/1000"] if choice else []
    ffmpeg("-f", "lavfi", "-i", chain, *times, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path))
    return path


def numbers_in(path: Path) -> list[int]:
    """Read the frame numbers that a video shows."""
    numbers, video = [], cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        row = read[1][HEIGHT // 2, :, 0]
        numbers.append(sum(2**bit for bit in range(BITS) if row[STRIPE * bit + STRIPE // 2] > 128))
    return numbers
