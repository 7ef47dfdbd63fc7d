"""Operations of the effects service."""

from services.effects.motion_trails import MOTION_TRAILS
from services.effects.strobe import STROBE
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (MOTION_TRAILS, STROBE)

SERVICE = Service(
    name="effects",
    title="Effects",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=2, title="Effects", icon="trails"),
)
