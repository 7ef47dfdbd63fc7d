"""Operations of the media service."""

from services.media.peaks import PEAKS
from services.media.proxy import PROXY
from services.media.reel import REEL
from services.media.strip import STRIP
from services.media.transcode import TRANSCODE
from shared.declarations.cards import ToolGroup
from shared.operation import Service

OPERATIONS = (TRANSCODE, REEL, PROXY, STRIP, PEAKS)

SERVICE = Service(
    name="media",
    title="Media",
    module=__name__,
    operations=OPERATIONS,
    tools=ToolGroup(place=7, title="Convert and cut", icon="cut"),
    commands="services.media.commands:add_commands",
)
