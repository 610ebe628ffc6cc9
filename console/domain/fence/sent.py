"""When an idempotency key was sent for the first time, and until when it may be sent again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from console.domain.fence.claims import OpenClaim

LIVING_MS: Final = 60_000
"""An instance that was not heard of for longer decides nothing: it may be dead."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_000
_MARK: Final = re.compile(r"(\d{1,15})\n\d+\n\d+\n([^\n]*)", re.ASCII)
"""As `SENT` of `console/store/lua/base.lua`."""


class Sending(NamedTuple):
    """What is known of the sendings of a key in doubt.

    Args:
        first_ms: when it was sent first at the earliest, in server milliseconds; 0 where nobody knows.
        until_ms: until when it may be sent again after an end as *not executed*; None where a living instance doesn't
            know for how long the venue knows a key: it checks nothing.
        never: its claim came past the window and was never granted: *not executed* uses the key up.
    """

    first_ms: int
    until_ms: int | None = None
    never: bool = False

    def words(self, now_ms: int) -> str:
        """For how long its key may be sent again, in words.

        Args:
            now_ms: the server's clock.
        """
        first = sent_text(self.first_ms)
        if self.never:
            return f"sent first {first}; past the venue's window, never sent again"
        if self.until_ms is None:
            return f"sent first {first}; for how long the venue knows its key not every living agent was told"
        if self.until_ms <= now_ms:
            return f"sent first {first}; the venue may have forgotten its key, never sent again"
        return f"sent first {first}; may be sent again until {_moment(self.until_ms)}"


def sending(claim: OpenClaim, mark: bytes | str | None, window_ms: int | None) -> Sending:
    """What is known of the sendings of a claim's key.

    Args:
        claim: without an end.
        mark: the value of `…:sent:KEY`; None where there is none, and the claim is the first that may have sent it.
        window_ms: for how long after its first sending a key may be granted again (`window_of`).
    """
    text = mark.decode("utf-8", "replace") if isinstance(mark, bytes) else mark
    first, refused = (claim.claimed_ms, "") if text is None else _parts(text)
    until = None if window_ms is None else min(first + window_ms, _LAST_MS)
    return Sending(first, until, refused == claim.claim_id)


def window_of(beats: Iterable[Mapping[str, object]], now_ms: int) -> int | None:
    """The shortest window that living instances go by; None where one of them goes by none, or none is alive.

    Args:
        beats: the fields of heartbeats.
        now_ms: the server's clock.
    """
    told: list[int] = []
    for beat in beats:
        at, window = beat.get("ms"), beat.get("window")
        if isinstance(at, int) and now_ms - at <= LIVING_MS:
            if type(window) is not int or window < 0:
                return None
            told.append(window)
    return min(told, default=None)


def sent_text(first_ms: int) -> str:
    """A first sending in words."""
    return f"at {_moment(first_ms)}" if first_ms > 0 else "nobody knows when"


def _moment(ms: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=min(ms, _LAST_MS)):%Y-%m-%d %H:%M:%S}Z"


def _parts(mark: str) -> tuple[int, str]:
    """When a key was sent first, and the claim that came too late to send it again; what is no mark is the longest
    ago."""
    parts = _MARK.fullmatch(mark)
    return (int(parts[1]), parts[2]) if parts else (0, "")
