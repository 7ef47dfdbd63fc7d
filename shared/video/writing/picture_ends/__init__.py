"""Start and end of a video track: late first pictures, exact last durations."""
