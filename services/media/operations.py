"""The operations of the media service."""

from services.media.reel import REEL
from services.media.transcode import TRANSCODE
from shared.operation import Service

OPERATIONS = (TRANSCODE, REEL)

SERVICE = Service(name="media", title="Media", module=__name__, operations=OPERATIONS)
