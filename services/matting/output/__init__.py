"""Output pictures and files made from a clip and its matte."""
