"""The preset `studio-over-picture`: the subject in front of a given picture, with motion trails."""

from gateway.pipelines.presets.preset import CLIP, Preset, PresetInput, step
from shared.operation import Kind

STUDIO_OVER_PICTURE = Preset(
    name="studio-over-picture",
    title="Cut the subject out, place it in front of your picture, add motion trails",
    description="Like `matte-studio-trails`, but the new place is a picture of yours. It moves with the camera. "
    "Needs only a model for the matte.",
    inputs={"video": CLIP, "background": PresetInput(kind=Kind.IMAGE, description="A picture of the place.")},
    steps=(
        step("working", "media.transcode", {"video": "<video>"}, max_edge=1280),
        step("matte", "matting.matte", {"video": "working.video"}, backend="rvm", subject="main"),
        step(
            "studio",
            "background.studio",
            {"video": "working.video", "alpha": "matte.alpha", "background": "<background>"},
            depth="plane",
        ),
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
