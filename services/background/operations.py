"""Operations of the background service."""

from services.background.composite import COMPOSITE
from services.background.generate import GENERATE
from services.background.plate import PLATE
from services.background.studio import STUDIO
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (PLATE, GENERATE, COMPOSITE, STUDIO)

SERVICE = Service(
    name="background",
    title="Background",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=6, title="Background", icon="layers"),
)
