"""Request counts per API key in the current minute."""

import time

from shared.errors import TooManyRequests
from shared.keys.access import Access

MINUTE_S = 60


class RequestRates:
    """Counts of this process's requests in the current minute, by owner and API key."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, access: Access) -> None:
        """Count a request. Raises TooManyRequests above the key's limit."""
        if access.max_requests is None:
            return
        minute, elapsed_s = divmod(time.time(), MINUTE_S)
        if minute != self._minute:
            self._minute, self._counts = int(minute), {}
        key = access.owner, access.name
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] > access.max_requests:
            detail = f"The API key {access.name!r} has reached its limit of {access.max_requests} requests per minute."
            raise TooManyRequests(f"{detail} Try again later.", headers={"Retry-After": str(int(MINUTE_S - elapsed_s) + 1)})
