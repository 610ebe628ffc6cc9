"""From the settings to the past: what a store keeps, and the decision logs that belong to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console import paths
from console.cli.log_options import log_options
from console.cli.runtime import primary
from console.commands.clock import utc_now
from console.domain.text import Safe, clean, redact_url
from console.store.server.cluster import keys_on

if TYPE_CHECKING:
    from console.config import Settings
    from console.domain.seen.observation import LogReading, Observation
    from console.live.past import PastTimeline


def open_past(settings: Settings, url: str) -> Callable[[], Awaitable[PastTimeline]]:
    """Reads what is kept, anew each time.

    Args:
        settings: whose, and which logs.
        url: of the store.
    """

    async def opened() -> PastTimeline:
        from console.domain.seen.kept import SAME_CLOCK
        from console.live.past import PastTimeline
        from console.store.reading.past import read_kept
        from console.store.reading.reader import StoreReader

        client = await primary(url, name="agent-console-past")
        try:
            keys, now = keys_on(client, settings.agent), utc_now()
            reader = StoreReader(client, keys, settings.registry)
            try:
                reading = await reader.read(now)
            finally:
                reader.close()
            kept = await read_kept(client, keys, now, reading.flags)
        finally:
            await client.aclose()
        ahead = reading.server_at - reading.at
        ahead = ahead if abs(ahead) > SAME_CLOCK else timedelta(0)
        return PastTimeline(kept, logs_of(settings), redact_url(url), ahead)

    return opened


def logs_of(settings: Settings) -> Callable[[datetime], LogReading] | None:
    """The decision logs as they stood at a moment; None where none is named."""
    if not settings.decisions:
        return None
    options = log_options(settings)

    def logs(moment: datetime) -> LogReading:
        from console.logs.past import logs_at

        return logs_at(settings.decisions, options, paths.index_dir(), moment)

    return logs


async def observe_at(settings: Settings, url: str, moment: datetime) -> Observation:
    """What was to be seen at a moment: the same each time, whatever the time is now.

    Raises:
        Refused: nothing is known of that moment.
        StoreUnreachable: the store does not answer.
    """
    timeline = await open_past(settings, url)()
    profile = clean(settings.profile, 40) if settings.profile else Safe("")
    return timeline.looked_at(moment)._replace(profile=profile)
