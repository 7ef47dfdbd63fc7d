"""The next picture that a sampling reader needs from a decoder."""

from dataclasses import dataclass


@dataclass(slots=True)
class SeekTarget:
    """The picture to seek to.

    It is the first picture that begins at or after `target`; the reader moves the target as it goes. `alone`: no picture close behind it is
    needed, so the decoder is drained as soon as it holds the picture; then `emptied` is set. `nearest`: time of the first suitable picture
    among the packets decoded for this target; None before there is one.
    """

    target: int
    alone: bool = False
    emptied: bool = False
    nearest: int | None = None

    def move(self, target: int, *, alone: bool) -> None:
        """Set `target` and `alone` for the next picture; reset the other fields."""
        self.target, self.alone, self.emptied, self.nearest = target, alone, False, None
