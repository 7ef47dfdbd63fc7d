"""Painting of pictures from a description by Stable Diffusion.

The tables of models and schedulers, the pipelines, and the sizes and tiles that they paint in.
"""
