"""Start and end of a video track: late first pictures, exact last durations.

Sound that begins earlier or lasts longer then stays in sync.
"""
