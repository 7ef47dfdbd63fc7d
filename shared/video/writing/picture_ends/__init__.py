"""Start and end of a video track: a late first picture, and an exact last duration."""
