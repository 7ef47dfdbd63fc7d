"""The preset `matte-studio-trails`: the subject in a generated studio, with motion trails."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

PROMPT = "dark room with glass windows looking into deep space"

MATTE_STUDIO_TRAILS = Preset(
    name="matte-studio-trails",
    title="Cut the subject out, place it in a generated studio, add motion trails",
    description="The full pipeline: scales the clip down, cuts the subject out, paints a new place that moves with the camera, and adds "
    "ghosts of the subject. Describe the place with `studio.prompt`.",
    inputs={"video": CLIP},
    steps=(
        step("working", "media.transcode", {"video": "<video>"}, max_edge=640),
        step("matte", "matting.matte", {"video": "working.video"}, backend="rvm", subject="main"),
        step("studio", "background.studio", {"video": "working.video", "alpha": "matte.alpha"}, prompt=PROMPT, resolution=360, seed=42),
        step(
            "trails",
            "effects.motion-trails",
            {"video": "studio.video", "matte": "matte.alpha"},
            ghost="normal",
            layers=4,
            decay=0.5,
            spacing=4,
        ),
    ),
)
