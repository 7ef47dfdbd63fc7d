"""Comparison of the aspect ratios of an input file and its video."""

SAME_RATIO = 0.03
"""Largest relative difference of two aspect ratios that count as equal."""


def ratio_problem(name: str, size: tuple[int, int], video_size: tuple[int, int]) -> str | None:
    """Describe how a file's aspect ratio differs from the video's; None if equal.

    `name`: name of the file in the text. Sizes: (width, height).
    """
    (width, height), (video_width, video_height) = size, video_size
    if abs(width * video_height / (height * video_width) - 1) <= SAME_RATIO:
        return None
    return f"{name} ({width}x{height}) has another aspect ratio than the video ({video_width}x{video_height})"
