"""The preset `clean-plate`: recover the empty scene behind the subject."""

from gateway.pipelines.presets.preset import CLIP, Preset, step

CLEAN_PLATE = Preset(
    name="clean-plate",
    title="Recover the empty scene behind the subject",
    description="Cuts the subject out and fills its place with the background that other frames of the clip show. "
    "Needs only a model for the matte.",
    inputs={"video": CLIP},
    steps=(
        step("matte", "matting.matte", {"video": "<video>"}, backend="rvm", subject="main"),
        step("plate", "background.plate", {"video": "<video>", "alpha": "matte.alpha"}),
    ),
)
