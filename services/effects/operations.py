"""Everything this service can do."""

from services.effects.motion_trails import motion_trails
from services.effects.params import MotionTrailsParams, MotionTrailsResult
from shared.operation import Input, Kind, Operation, Service

MOTION_TRAILS = Operation(
    name="effects.motion-trails",
    summary="Leave ghosts behind moving subjects, over a scene that stays sharp",
    params=MotionTrailsParams,
    result=MotionTrailsResult,
    inputs={"video": Kind.VIDEO, "matte": Input(kind=Kind.VIDEO, optional=True)},
    outputs={"video": Kind.VIDEO},
    run=motion_trails,
    example=MotionTrailsParams(layers=5, spacing=4, ghost="glow"),
)

OPERATIONS = (MOTION_TRAILS,)

SERVICE = Service(name="effects", title="Effects", module=__name__, operations=OPERATIONS)
