"""Shots as a QP file for video encoders.

`x264 --qpfile shots.qp` (also x265) puts a keyframe at the start of each shot.
"""

from services.keyframes.output.report import VideoReport


def qpfile(report: VideoReport) -> str:
    """Return a QP file with one line per shot.

    A line holds the number of the shot's first frame, `I` for an IDR frame, and -1 to leave the frame's quality to the encoder. Frame
    numbers are those of the source, also at a variable frame rate, so the encoder has to get every frame.
    """
    return "".join(f"{shot.start_frame} I -1\n" for shot in report.shots)
