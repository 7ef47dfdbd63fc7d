"""Sandboxes for the worker processes of this server process."""

import logging

from shared.models.catalog.table import CATALOG
from shared.models.preparation import CONVERTED
from shared.settings import Settings
from shared.worker.folders.slot_folders import SlotFolders, sweep_slots
from shared.worker.sandbox import OPTIONAL, Layer, Sandbox, available
from shared.worker.sandbox.paths import has_gpu

LOCKS = "locks"
"""Folder of lock files with which worker processes take turns on a GPU. Without a GPU, they have no access."""
log = logging.getLogger(__name__)


class Sandboxes:
    """Factory of sandboxes, one for each slot.

    A slot is a place for one worker process.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._folders = SlotFolders(settings.data_dir)

    def new(self, *, packages: tuple[str, ...], service: str = "") -> Sandbox:
        """Return a sandbox for a new slot whose process may import `packages`.

        `service`: the service whose jobs it runs. They may write its converted networks, and download models if the settings allow that.
        Empty: it runs no jobs.
        """
        settings, models = self._settings, self._settings.models_folder
        writable = [*([settings.data_dir.absolute() / LOCKS] if has_gpu() else []), *settings.sandbox_write]
        converting = (model.name for model in CATALOG if model.converts and service in model.services)
        pulls = settings.models_auto_pull and service != ""
        writable += [models] if pulls else [models / name / CONVERTED for name in converting]
        return Sandbox(
            folder=str(self._folders.new()),
            data_dir=str(settings.data_dir.absolute()),
            mode=settings.sandbox,
            readable=(str(models), *(str(path.absolute()) for path in settings.sandbox_read)),
            writable=tuple(str(path.absolute()) for path in writable),
            packages=packages,
            network=pulls,
        )

    def open(self) -> None:
        """Create this process's folder of slots; delete the folders of dead processes.

        Logs the layers that are missing.
        """
        self._settings.data_dir.joinpath(LOCKS).mkdir(parents=True, exist_ok=True)
        self._folders.hold()
        sweep_slots(self._settings.data_dir)
        for layer in self.layers():
            if not layer.active:
                log.warning("worker processes run without %s: %s", layer.name, layer.detail)

    def layers(self) -> list[Layer]:
        """Return the sandbox's layers, each active or not."""
        return layers(self._settings, serving=True)

    def tend(self) -> None:
        """Mark this process's folder of slots as used; delete dead processes' folders."""
        self._folders.hold()
        sweep_slots(self._settings.data_dir)

    def close(self) -> None:
        """Delete the slot folders, after all worker processes have ended."""
        self._folders.close()


def layers(settings: Settings, *, serving: bool = False) -> list[Layer]:
    """Return the sandbox's layers under `settings`, each active or not.

    They depend on the settings and on this machine. `serving`: whether this process is a server.
    """
    off = "switched off (REELWRIGHT_SANDBOX=off)"
    return [
        Layer(name=layer.name, active=False, detail=off) if settings.sandbox == "off" and layer.name in OPTIONAL else layer
        for layer in available(serving=serving, network=settings.models_auto_pull)
    ]
