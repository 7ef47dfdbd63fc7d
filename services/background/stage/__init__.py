"""The studio's render: the subject over a background that moves as the camera does."""
