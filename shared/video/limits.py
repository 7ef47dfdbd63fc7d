"""Size limits of untrusted media."""

from dataclasses import dataclass
from typing import Self

from shared.errors import TooLarge
from shared.settings import Settings, current


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Upper limits on the size of untrusted media.

    They are checked before a frame is decoded, and again while decoding.
    """

    max_pixels: int = 8192 * 4320
    max_duration_s: float = 6 * 3600.0
    max_streams: int = 64
    max_bytes: int = 16 * 1024**3

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the limits in `settings`."""
        return cls(
            max_pixels=settings.max_pixels,
            max_duration_s=settings.max_duration_s,
            max_streams=settings.max_streams,
            max_bytes=settings.max_upload_bytes,
        )

    @classmethod
    def current(cls) -> Self:
        """Return the limits in the current settings (REELWRIGHT_MAX_*)."""
        return cls.from_settings(current())

    def check_bytes(self, size: int) -> None:
        """Raise TooLarge if a file of `size` bytes exceeds the limit."""
        if size > self.max_bytes:
            raise TooLarge(f"The file has {size} bytes; at most {self.max_bytes} are allowed. Cut or compress it.")

    def check_size(self, width: int, height: int) -> None:
        """Raise TooLarge if a picture of `width` x `height` pixels exceeds the limit."""
        if width * height > self.max_pixels:
            raise TooLarge(f"The picture is {width}x{height} pixels; at most {self.max_pixels} pixels are allowed. Scale it down.")

    def check_duration(self, duration_s: float) -> None:
        """Raise TooLarge if a video of `duration_s` seconds exceeds the limit."""
        if duration_s > self.max_duration_s:
            raise TooLarge(f"The video lasts {duration_s:.1f} s; at most {self.max_duration_s:g} s are allowed. Cut it to a shorter part.")

    def check_streams(self, count: int) -> None:
        """Raise TooLarge if a file with `count` streams exceeds the limit."""
        if count > self.max_streams:
            raise TooLarge(f"The file holds {count} streams; at most {self.max_streams} are allowed. Remove streams that are not needed.")
