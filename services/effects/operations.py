"""Everything this service can do."""

from services.effects.motion_trails import motion_trails
from services.effects.params import MotionTrailsParams, MotionTrailsResult, StrobeParams, StrobeResult
from services.effects.strobe import strobe
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

STROBE = Operation(
    name="effects.strobe",
    summary="Stamp the moving subject at intervals over its scene, as a video and as one picture",
    params=StrobeParams,
    result=StrobeResult,
    inputs={"video": Kind.VIDEO, "matte": Input(kind=Kind.VIDEO, optional=True)},
    outputs={"video": Kind.VIDEO, "picture": Kind.IMAGE},
    run=strobe,
    example=StrobeParams(interval=0.4),
)

OPERATIONS = (MOTION_TRAILS, STROBE)

SERVICE = Service(name="effects", title="Effects", module=__name__, operations=OPERATIONS)
