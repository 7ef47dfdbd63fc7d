"""Words with which operations declare what their params, inputs, outputs and results mean."""

from typing import Literal

Group = Literal["basics", "more", "expert"]
"""Groups of a form: parameters for most people, closer control, and experts."""

Unit = Literal["s", "px", "fps", "%", "x", "frames", "GB"]
"""Unit of a number; "x" is a speed."""

Widget = Literal["curve", "points", "box", "colour", "frame", "time", "text"]
"""Control of a parameter in a form. It is stated where the type does not determine the control.

In this order: a speed curve, clicks on a frame, a box on a frame, a colour, a frame number, a time in the clip, text of several lines.
Lists and tables are made from the types of their items, whose fields have `cell`.
"""

ParamRole = Literal[
    "part_start",
    "part_length",
    "target_length",
    "keeps_times",
    "longest_side",
    "output_rate",
    "snap_times",
    "colour_match",
    "edge_light",
    "mixing_space",
    "parallax",
    "depth_source",
    "backdrop_fit",
    "backdrop_colour",
    "backdrop_start",
    "backdrop_end",
    "painted_scene",
    "exposure_window",
]
"""Effect of a parameter that the studio uses or shows.

In this order: the start of the part to use, whose first frame a mask is drawn on; the length of that part; the length of the output;
whether the output of a part keeps the clip's times; the size of the output's longer side; the output's frame rate; times to which a curve
snaps; how strongly the subject's colours follow the backdrop; light of the backdrop on the subject's edges; mixing of signal values or of
light; parallax of the backdrop; the source of the backdrop's depth; the fit of the backdrop's picture; the colour of a backdrop without a
picture; the start of a moving backdrop; what follows the end of a moving backdrop; the words from which a backdrop is painted; the
frames over which the subject's exposure is averaged.
"""

InputRole = Literal["matte", "plate", "mask", "backdrop"]
"""What an input shows.

In this order: a gray video, white where the subject is; the clip's scene without the subject; a mask that a user draws on a frame; what is
behind the subject.
"""

OutputRole = Literal["matte", "mask", "backdrop", "depth"]
"""What an output shows, if it is not the finished picture or video.

In this order: a gray video or picture, white where the subject is; a mask of one frame; what is behind the subject; the depth of what is
behind.
"""

ResultRole = Literal[
    "speed_curve",
    "clip_parts",
    "clip_shots",
    "clip_length",
    "result_length",
    "frame_count",
    "frame_rate",
    "encoder",
    "mask_method",
    "picture_name",
    "picture_time",
    "picture_score",
]
"""Meaning of a field of a result.

In this order: the speed curve along which the output plays; the parts of the clip that the output consists of, each with `start_s`, `end_s`
and `at_s`, its place in the output; shots and keyframes of each video; seconds of the clip that were used; seconds of the output; number of
frames of the output; frame rate of the output; the video encoder; the way in which a mask was found; name, time and score of a picture in
the output. An output whose times are not the clip's has a curve or parts.
"""

OperationRole = Literal["motion_analysis", "ramp_plan", "ramp_export", "click_mask"]
"""What an operation does for the studio's editors.

In this order: measures a clip's motion, beats and cuts; computes the frames of a ramp; writes a ramp as timelines of editing programs;
makes a mask of clicks or a box.
"""

Icon = Literal["ramp", "trails", "frames", "star", "person", "layers", "cut"]
"""Icon of a service or of a look in the studio."""
