"""How often the simulated venue may be asked: so many requests in each minute, and what every answer says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

RATE_LIMIT: Final = 6000
"""Requests that are answered in a minute; the demo's agents send a third of that."""
WINDOW_S: Final = 60.0


class Limit:
    """How many requests are answered in each minute.

    Args:
        requests: so many.
    """

    def __init__(self, requests: int = RATE_LIMIT) -> None:
        self._most = requests
        self._left = requests
        self._resets_s = 0.0

    def take(self, now_s: float) -> bool:
        """Count a request; whether it is still answered.

        Args:
            now_s: epoch seconds.
        """
        if now_s >= self._resets_s:
            self._left, self._resets_s = self._most, now_s + WINDOW_S
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        reset = {"X-RateLimit-Reset": str(int(self._resets_s))}
        return {"X-RateLimit-Limit": str(self._most), "X-RateLimit-Remaining": str(self._left), **reset}

    def refusal(self) -> tuple[int, dict[str, str]]:
        """What a request too many is answered."""
        reset_at = datetime.fromtimestamp(self._resets_s, UTC).isoformat()
        return 429, {"error": "rate_limit_exceeded", "message": "Too many requests.", "reset_at": reset_at}
