"""The operations of the media service."""

from services.media.transcode import TRANSCODE
from shared.operation import Service

OPERATIONS = (TRANSCODE,)

SERVICE = Service(name="media", title="Media", module=__name__, operations=OPERATIONS)
