"""State of a service's installed models, on which its results depend."""

from typing import Any

from shared.models.folder import ModelFolder


def installed_state(folder: ModelFolder, service: str) -> list[list[Any]]:
    """Return name, revision and files of each installed model of a service.

    Files are (path, bytes, modification time in ns). The result changes whenever such a model is installed, replaced or removed, because
    `auto` choices depend on the installed models. Reads no file.
    """
    state: list[list[Any]] = []
    for model in folder.catalog:
        if service in model.services and folder.installed(model):
            files = [(file.path, folder.path(model, file).stat()) for file in model.files]
            state.append([model.name, model.revision, [[path, about.st_size, about.st_mtime_ns] for path, about in files]])
    return state
