"""Matting networks stored as ONNX, run by OpenVINO or onnxruntime.

Backends and `matting.mask` run them; a network knows nothing of clips and files.
"""
