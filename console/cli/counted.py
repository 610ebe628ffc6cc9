"""Exact sums over whole decision logs, for verbs and consoles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from console import paths
from console.cli.log_options import log_options
from console.commands.clock import utc_now

if TYPE_CHECKING:
    from console.config import Settings
    from console.domain.seen.observation import LogReading, StoreReading
    from console.logs.index.counting import Counting

COUNT_S: Final = 0.5
"""How long a verb counts, at most."""


def counting_of(settings: Settings) -> Counting | None:
    """Who counts exact sums over the decision logs; None where there are none."""
    if not settings.decisions:
        return None
    from console.logs.index.counting import Counting

    return Counting(settings.decisions, log_options(settings), paths.index_dir())


def count_logs(settings: Settings, logs: LogReading | None, store: StoreReading) -> LogReading | None:
    """The reading with exact sums, where its own lines do not cover 24 hours: as far as they are counted in no time, by
    the index that is kept."""
    from console.domain.seen.first import first_decisions
    from console.views.cover import is_whole_day, logs_since

    now = utc_now()
    counting = counting_of(settings) if logs is not None and not is_whole_day(logs_since(logs), now) else None
    if logs is None or counting is None:
        return logs
    first = first_decisions(store, logs, None)
    counting.switched_at = first.since if first is not None else None
    until = time.monotonic() + COUNT_S
    try:
        counting.poll(now)
        while counting.behind and time.monotonic() < until:
            counting.poll(now)
        return logs._replace(counted=counting.reading(now))
    finally:
        counting.close()
