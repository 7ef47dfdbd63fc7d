"""NIMA: the network, its weights and its scores.

Runs on OpenVINO, ONNX Runtime or TensorFlow.
"""
