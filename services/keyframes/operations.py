"""Everything this service can do."""

from services.keyframes.detect import detect
from services.keyframes.params import DetectParams, DetectResult
from shared.models.folder import to_install
from shared.operation import Input, Kind, Operation, Service

DETECT = Operation(
    name="keyframes.detect",
    summary="Find the shots of videos, keep the frames that stand for them, and show both on a timeline",
    params=DetectParams,
    result=DetectResult,
    inputs={"video": Input(kind=Kind.VIDEO, many=True)},
    outputs={"gallery": Kind.HTML, "keyframes": Kind.IMAGES, "files": Kind.ARCHIVE},
    run=detect,
    example=DetectParams(),
    unavailable=lambda params: to_install("transnetv2") if params.method == "transnet" else None,
)

OPERATIONS = (DETECT,)

SERVICE = Service(name="keyframes", title="Keyframes and scenes", module=__name__, operations=OPERATIONS)
