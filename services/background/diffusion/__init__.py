"""Painting of pictures from prompts with Stable Diffusion.

The tables of models and schedulers, the pipelines, prompts of scenes, and the sizes and tiles that they paint in.
"""
