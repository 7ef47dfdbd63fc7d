"""Verified model files, for operations that load models.

Missing files are pulled if the settings allow it.
"""

from pathlib import Path

from shared.models.folder import ModelFolder, missing_error, pulled_by_jobs
from shared.models.install.pull import Step, pull
from shared.models.model import Model
from shared.operation import Progress
from shared.settings import current


def model_files(name: str, progress: Progress | None = None) -> dict[str, Path]:
    """Return the local paths of a model's verified files.

    The keys are their paths in the catalog. Raises ModelMissing with the command to run, and ModelDamaged for a file that has changed.
    Nothing is downloaded, unless REELWRIGHT_MODELS_AUTO_PULL is set and the licence lets everybody use the model: then `progress` has a
    stage for the download.
    """
    settings = current()
    folder = ModelFolder(settings.models_folder)
    model = folder.model(name)
    if not folder.installed(model):
        if not (settings.models_auto_pull and pulled_by_jobs(model)):
            raise missing_error(model)
        _pull(folder, model, settings.models_mirror, progress)
    for file in model.files:
        folder.check(model, file)
    return {file.path: folder.path(model, file) for file in model.files}


def _pull(folder: ModelFolder, model: Model, mirror: str, progress: Progress | None) -> None:
    stage = progress.part(f"downloading {model.title}", 0, 0) if progress else None

    def on_step(step: Step) -> None:
        if stage is not None:
            stage(step.done / 1e6, (step.total or model.about_bytes or step.done) / 1e6)

    pull(folder, model, mirror=mirror, on_step=on_step)
