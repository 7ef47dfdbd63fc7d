"""The shots as a QP file: `x264 --qpfile shots.qp` (x265 has it, too) puts a keyframe where each shot begins."""

from services.keyframes.params import VideoReport


def as_qpfile(report: VideoReport) -> str:
    """One line a shot: the number of its first frame, an IDR picture, and -1, which leaves its quality to the encoder.

    Frames are those of the file by number, also where their distance varies: all of them have to be encoded.
    """
    return "".join(f"{shot.start_frame} I -1\n" for shot in report.shots)
