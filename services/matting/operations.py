"""Operations of the matting service."""

from services.matting.compare import COMPARE
from services.matting.mask import MASK
from services.matting.matte import MATTE
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (MATTE, COMPARE, MASK)

SERVICE = Service(
    name="matting",
    title="Matting",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=5, title="Cut out", icon="person"),
)
