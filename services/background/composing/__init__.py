"""Reading and mixing of a composite's layers."""
