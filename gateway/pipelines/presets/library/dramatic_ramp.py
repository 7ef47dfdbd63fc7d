"""The preset `dramatic-ramp`: slow motion for action, time lapse for stillness."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

DRAMATIC_RAMP = Preset(
    name="dramatic-ramp",
    title="Slow motion for action, time lapse for stillness",
    description="Measures the motion and retimes the clip with its sound. Needs no model.",
    inputs={"video": CLIP},
    steps=(step("ramp", "speed-ramp.render", {"video": "<video>"}, min_speed=0.3, max_speed=4.0, smoothing=1.0),),
)
