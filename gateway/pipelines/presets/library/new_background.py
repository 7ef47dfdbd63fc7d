"""The preset `new-background`: put the subject of a clip over a picture."""

from gateway.pipelines.presets.preset import CLIP, Preset, PresetInput, step
from shared.operation import Kind

NEW_BACKGROUND = Preset(
    name="new-background",
    title="Put the subject of a clip over a picture",
    description="Cuts the subject out and composites it, with clean edges, light wrap and grain. Needs only a "
    'model for the matte; for a green screen none, with `{"matte": {"backend": "chroma"}}` as params.',
    inputs={"video": CLIP, "background": PresetInput(kind=Kind.IMAGE, description="The new background.")},
    steps=(
        step("matte", "matting.matte", {"video": "<video>"}, backend="rvm", subject="main"),
        step("composite", "background.composite", {"video": "<video>", "alpha": "matte.alpha", "background": "<background>"}),
    ),
)
