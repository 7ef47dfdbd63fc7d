"""Operations of the speed ramp service."""

from services.speed_ramp.analyze import ANALYZE
from services.speed_ramp.export import EXPORT
from services.speed_ramp.plan import PLAN
from services.speed_ramp.render import RENDER
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (ANALYZE, RENDER, EXPORT, PLAN)

SERVICE = Service(
    name="speed-ramp",
    title="Speed ramping",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=1, title="Speed", icon="ramp"),
    packages={"python_stretch": "sound that keeps its pitch (audio=keep)"},
)
