"""Operations of the aesthetics service."""

from services.aesthetics.best_frames import BEST_FRAMES
from services.aesthetics.extract_frames import EXTRACT_FRAMES
from services.aesthetics.top_images import TOP_IMAGES
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (BEST_FRAMES, TOP_IMAGES, EXTRACT_FRAMES)

SERVICE = Service(
    name="aesthetics",
    title="Aesthetics",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=4, title="Best pictures", icon="star"),
    commands="services.aesthetics.commands:add_commands",
    packages={"tensorflow": "rating by NIMA (scorer=nima)"},
)
