"""Everything this service can do."""

from services.matting.mask import MASK
from services.matting.matte import MATTE
from shared.operation import Service

OPERATIONS = (MATTE, MASK)

SERVICE = Service(name="matting", title="Matting", module=__name__, operations=OPERATIONS)
