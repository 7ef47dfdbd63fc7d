"""Benchmarks of speed ramps: whole jobs, interpolation, beats, sound coding, memory."""
