"""The preset `best-frame-of-each-shot`: a video's shots, and each shot's best frame."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

BEST_FRAME_OF_EACH_SHOT = Preset(
    name="best-frame-of-each-shot",
    title="Find the shots of a video and the best frame of each",
    description="Finds cuts, fades and dissolves, and scores the frames of each shot. To score without the NIMA model: "
    '`{"best": {"scorer": "technical"}}` as params.',
    inputs={"video": CLIP},
    steps=(
        step("shots", "keyframes.detect", {"video": "<video>"}),
        step("best", "aesthetics.best-frames", {"video": "<video>"}, group_by="shot", shots={"from": "shots.videos"}),
    ),
)
