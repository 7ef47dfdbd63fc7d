"""Matting networks as ONNX files, run by OpenVINO or onnxruntime."""
