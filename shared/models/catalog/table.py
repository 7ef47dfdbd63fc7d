"""The table of all models.

Checksums are those that the publisher states. If there is none, the checksum of the first pull is recorded, and the file must match it from
then on (folder.py). Files of a Hugging Face repository must match the checksum that the hub states, too.
"""

from shared.models.catalog.aesthetics import AESTHETICS
from shared.models.catalog.background import BACKGROUND
from shared.models.catalog.keyframes import KEYFRAMES
from shared.models.catalog.matting import MATTING
from shared.models.model import Model

CATALOG: tuple[Model, ...] = (*AESTHETICS, *KEYFRAMES, *MATTING, *BACKGROUND)
