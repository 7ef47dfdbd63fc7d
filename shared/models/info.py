"""Descriptions of models for the API and for results."""

from pydantic import BaseModel, Field

from shared.errors import ModelDamaged
from shared.models.folder import Manifest, ModelFolder
from shared.models.model import Model


class ModelFileInfo(BaseModel):
    """One file of a model."""

    path: str = Field(description="Path in the folder of the model.")
    url: str = Field(description="Address of the file; empty: part of a package.")
    sources: list[str] = Field([], description="Every source, in the order they are tried: an address, or a wheel and the path in it.")
    checksum: str | None = Field(
        description="Checksum that was published, or recorded when the file was first pulled: `sha256:<hex>` or `md5:<hex>`."
    )


class ModelUsed(BaseModel):
    """A model that a job used, as part of its result."""

    name: str
    title: str
    source: str
    revision: str = Field(description="Commit or release; for a moving branch, the commit that was pulled.")
    licence: str
    commercial_use: bool = Field(description="Whether the licence allows commercial use.")


class ModelInfo(ModelUsed):
    """A model of the catalog, with its licence and state."""

    purpose: str
    services: list[str] = Field(description="Services that can use the model.")
    gated: bool = Field(description="Whether its publisher requires an account that accepted the licence (HF_TOKEN).")
    bytes: int | None = Field(description="Size on disk if installed, otherwise an estimate.")
    installed: bool
    install: str | None = Field(description="The command that installs the model; null if it is installed.")
    files: list[ModelFileInfo]
    notes: str = ""


def describe_model(folder: ModelFolder, model: Model) -> ModelInfo:
    """Build the description of a model for `GET /v1/models`.

    Reads only the model's manifest, not its files.
    """
    manifest, installed = _recorded(folder, model), folder.installed(model)
    checksums = {path: f"sha256:{record.sha256}" for path, record in manifest.files.items()}
    hub = f"https://huggingface.co/{model.repository}/resolve/{model.revision}"
    files = [
        ModelFileInfo(
            path=file.path,
            url=f"{hub}/{file.hub_path}" if file.hub_path else file.url,
            sources=[
                *([file.url] if file.url else []),
                *([f"{hub}/{file.hub_path}"] if file.hub_path else []),
                *([str(file.wheel)] if file.wheel else []),
            ],
            checksum=file.checksum or checksums.get(file.path),
        )
        for file in model.files
    ]
    return ModelInfo(
        **_used(folder, model).model_dump(),
        purpose=model.purpose,
        services=list(model.services),
        gated=model.gated,
        bytes=folder.bytes_on_disk(model) if installed else model.about_bytes,
        installed=installed,
        install=None if installed else model.command,
        files=files,
        notes=model.notes,
    )


def model_used(name: str) -> ModelUsed:
    """Build the description of a used model for a job's result."""
    folder = ModelFolder.current()
    return _used(folder, folder.model(name))


def _recorded(folder: ModelFolder, model: Model) -> Manifest:
    """Return a model's manifest, empty if it is damaged.

    So `GET /v1/models` works with a damaged manifest.
    """
    try:
        return folder.manifest(model)
    except ModelDamaged:
        return Manifest()


def _used(folder: ModelFolder, model: Model) -> ModelUsed:
    pulled = next((record.revision for record in _recorded(folder, model).files.values() if record.revision), "")
    return ModelUsed(
        name=model.name,
        title=model.title,
        source=model.source,
        revision=pulled or model.revision,
        licence=model.licence,
        commercial_use=model.commercial_use,
    )
