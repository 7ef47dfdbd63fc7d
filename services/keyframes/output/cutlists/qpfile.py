"""The shots as a QP file: `x264 --qpfile shots.qp` (x265, too) puts a keyframe at the start of each shot."""

from services.keyframes.output.report import VideoReport


def qpfile(report: VideoReport) -> str:
    """Write one line per shot.

    A line holds the number of the first frame, `I` for an IDR frame, and -1 to leave its quality to the encoder. Frame numbers are the
    file's own, also at a variable frame rate, so all frames have to be encoded.
    """
    return "".join(f"{shot.start_frame} I -1\n" for shot in report.shots)
