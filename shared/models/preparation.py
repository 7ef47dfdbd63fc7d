"""Preparation of the models folder, which is read-only for worker processes."""

import logging
from contextlib import suppress

from shared.errors import ModelDamaged, ModelMissing
from shared.models.folder import ModelFolder

CONVERTED = "converted"
"""Folder beside a model's files that keeps converted networks; worker processes may write it."""
log = logging.getLogger(__name__)


def make_converted_folders(folder: ModelFolder, service: str) -> None:
    """Create the folders for a service's converted networks.

    Leaves a read-only folder unchanged.
    """
    for model in folder.catalog:
        if model.converts and service in model.services and folder.installed(model):
            with suppress(OSError):
                (folder.root / model.name / CONVERTED).mkdir(exist_ok=True)


def record_models(folder: ModelFolder, service: str) -> None:
    """Record checksums of a service's manually copied models.

    Each is read once; otherwise every new worker process would read it again. A damaged model is left to the job that loads it.
    """
    for model in folder.catalog:
        if service in model.services and not model.package and folder.installed(model):
            try:
                for file in model.files:
                    folder.check(model, file)
            except (ModelDamaged, ModelMissing) as error:
                log.warning("%s", error.detail)
