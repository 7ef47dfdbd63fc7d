"""Speed curve as CSV and JSON."""

import csv
import io
import json

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import to_points
from services.speed_ramp.curve.straight_pieces import time_map
from services.speed_ramp.handover.ramped_clip import RampedClip

_TOLERANCE_S = 0.001


def as_csv(clip: RampedClip) -> str:
    """Return the curve as CSV with one line per control point.

    Columns are source second, speed, easing, freeze, and the output second at which the point is reached.
    """
    clock, text = Clock(clip.points, start=clip.start), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source_s", "speed", "easing", "freeze_s", "output_s"])
    for point in clip.points:
        writer.writerow([round(point.t, 6), round(point.speed, 9), point.easing, point.freeze, round(float(clock.out(point.t)), 6)])
    return text.getvalue()


def as_json(clip: RampedClip) -> str:
    """Return the curve and its time map as JSON.

    The curve is in the form that `render` takes. The map is in straight pieces, accurate to a millisecond.
    """
    pairs = time_map(clip.points, start=clip.start, end=clip.end, tolerance_s=_TOLERANCE_S)
    body = {
        "media_url": clip.media_url,
        "frame_rate": clip.frame_rate,
        "start": clip.start,
        "duration": clip.end - clip.start,
        "curve": [point.model_dump() for point in to_points(clip.points)],
        "time_map": [{"output_s": round(out, 6), "source_s": round(source, 6)} for out, source in pairs],
        "slow_parts": [part.model_dump() for part in clip.slow_parts],
    }
    return json.dumps(body, indent=1)
