"""Matting networks stored as ONNX, run by OpenVINO or onnxruntime."""
