"""The CPU and the GPUs: detection, number formats, memory and sharing."""
