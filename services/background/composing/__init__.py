"""The frames of a composite: reading their layers, and mixing them on several cores."""
