"""NIMA: the network, its weights and its scores.

The network runs on OpenVINO, ONNX Runtime or TensorFlow.
"""
