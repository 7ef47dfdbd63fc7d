"""The table of all models."""

from shared.models.catalog.aesthetics import AESTHETICS
from shared.models.catalog.background import BACKGROUND
from shared.models.catalog.keyframes import KEYFRAMES
from shared.models.catalog.matting import MATTING
from shared.models.model import Model

CATALOG: tuple[Model, ...] = (*AESTHETICS, *KEYFRAMES, *MATTING, *BACKGROUND)
