"""Sizes of the result and of its background."""


def output_size(width: int, height: int, resolution: int) -> tuple[int, int]:
    """Return the output size: the clip's, or smaller to fit the height `resolution`.

    It is the clip's size, or has the height `resolution` and even sides if the clip is higher.
    """
    if height <= resolution:
        return width, height
    factor = resolution / height
    return max(round(width * factor / 2) * 2, 2), max(round(resolution / 2) * 2, 2)


def large_size(width: int, height: int, margin: float) -> tuple[int, int]:
    """Return the size of a background `margin` times as large as a frame.

    Width and height are even, and at least the frame's, which may be odd.
    """
    large_width, large_height = (max(round(side * margin / 2) * 2, side + side % 2) for side in (width, height))
    return large_width, large_height
