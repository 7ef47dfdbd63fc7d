"""Pictures painted from a description by Stable Diffusion: models, schedulers, sizes, tiles."""
