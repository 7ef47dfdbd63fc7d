"""Operations of the keyframes service."""

from services.keyframes.detect import DETECT
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (DETECT,)

SERVICE = Service(
    name="keyframes",
    title="Keyframes and scenes",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=3, title="Shots and keyframes", icon="frames"),
)
