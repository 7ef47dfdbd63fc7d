"""What one small pass over a clip and its matte tells: the camera's path, exposure, where light comes from, how high the camera stands."""
