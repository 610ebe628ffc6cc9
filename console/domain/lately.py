"""Whether something was lately enough to count: what others write is dated by the store's clock, and read beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

FRESH_S: Final = 5.0
"""An older heartbeat is late, in seconds; and so much may lie ahead of the clock."""


def lately(at: datetime, now: datetime, within_s: float = FRESH_S) -> bool:
    """Whether that is lately enough to count.

    It may lie a little ahead of the clock: it came while the rest was read. Far ahead of it, it proves nothing: the
    clock was set back since, and the dead would live until it has caught up.

    Args:
        at: when it was written, by the store's clock.
        now: the store's clock as it was read beside it.
        within_s: how old it may be, in seconds.
    """
    return -FRESH_S <= (now - at).total_seconds() <= within_s
