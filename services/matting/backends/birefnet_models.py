"""Table of the BiRefNet models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BirefnetChoice:
    """A choice of a BiRefNet model, as a row of BIREFNET_CHOICES."""

    name: str
    label: str
    """Label in a form."""
    description: str
    model: str | None
    """Name in the catalog; None: the first installed model."""


BIREFNET_CHOICES = {
    row.name: row
    for row in (
        BirefnetChoice(name="auto", label="Automatic", description="the first of the following that is installed", model=None),
        BirefnetChoice(name="general", label="General", description="objects of any kind", model="birefnet-general"),
        BirefnetChoice(name="portrait", label="Portrait", description="people", model="birefnet-portrait"),
        BirefnetChoice(
            name="general-lite", label="General, light", description="objects of any kind, in less time", model="birefnet-general-lite"
        ),
    )
}
"""Name -> choice, in the order of the API reference and of preference."""
BIREFNET_MODELS = tuple(row.model for row in BIREFNET_CHOICES.values() if row.model is not None)
"""Names in the catalog, in order of preference."""
