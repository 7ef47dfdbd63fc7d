"""The preset `highlight-reel`: the best moments of a clip, cut together and ramped."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

HIGHLIGHT_REEL = Preset(
    name="highlight-reel",
    title="The best moment of the best shots, cut together and ramped",
    description="Finds the shots, picks the best frame of each shot, cuts the moments around the best frames together and slows the action "
    'down. Ranks frames by technical quality and needs no model. To rank with NIMA, too: `{"best": {"scorer": "both"}}` as params.',
    inputs={"video": CLIP},
    steps=(
        step("shots", "keyframes.detect", {"video": "<video>"}),
        step("best", "aesthetics.best-frames", {"video": "<video>"}, group_by="shot", shots={"from": "shots.videos"}, scorer="technical"),
        step(
            "reel", "media.reel", {"video": "<video>"}, moments={"from": "best.items"}, shots={"from": "shots.videos"}, most=8, around=2.0
        ),
        step("ramp", "speed-ramp.render", {"video": "reel.video"}, min_speed=0.5, max_speed=1.5, smoothing=0.4),
    ),
)
