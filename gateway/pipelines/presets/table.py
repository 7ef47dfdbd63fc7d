"""List of all presets, with access by name."""

from gateway.pipelines.presets.library.best_frame_of_each_shot import BEST_FRAME_OF_EACH_SHOT
from gateway.pipelines.presets.library.clean_plate import CLEAN_PLATE
from gateway.pipelines.presets.library.dramatic_ramp import DRAMATIC_RAMP
from gateway.pipelines.presets.library.highlight_reel import HIGHLIGHT_REEL
from gateway.pipelines.presets.library.matte_studio_trails import MATTE_STUDIO_TRAILS
from gateway.pipelines.presets.library.new_background import NEW_BACKGROUND
from gateway.pipelines.presets.library.ramp_trails import RAMP_TRAILS
from gateway.pipelines.presets.library.studio_over_picture import STUDIO_OVER_PICTURE
from gateway.pipelines.presets.preset import Preset
from shared.errors import UnknownPreset

PRESETS = (
    DRAMATIC_RAMP,
    RAMP_TRAILS,
    BEST_FRAME_OF_EACH_SHOT,
    HIGHLIGHT_REEL,
    NEW_BACKGROUND,
    CLEAN_PLATE,
    STUDIO_OVER_PICTURE,
    MATTE_STUDIO_TRAILS,
)


def preset_named(name: str) -> Preset:
    """Return a preset by its name. Raises UnknownPreset."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise UnknownPreset(f"No preset is called {name[:64]!r}. Presets: {', '.join(preset.name for preset in PRESETS)}.")
