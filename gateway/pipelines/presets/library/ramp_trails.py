"""The preset `ramp-trails`: a speed ramp with motion trails."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

RAMP_TRAILS = Preset(
    name="ramp-trails",
    title="A speed ramp with motion trails",
    description="Slows the action down, then leaves ghosts behind moving subjects. Needs no model.",
    inputs={"video": CLIP},
    steps=(
        step("ramp", "speed-ramp.render", {"video": "<video>"}, min_speed=0.4, max_speed=2.5, smoothing=0.8),
        step("trails", "effects.motion-trails", {"video": "ramp.video"}, ghost="glow", layers=6, decay=0.7, spacing=4),
    ),
)
