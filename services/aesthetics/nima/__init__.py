"""NIMA, a network that rates pictures: models, backends, scores.

The network runs on OpenVINO, ONNX Runtime or TensorFlow.
"""
