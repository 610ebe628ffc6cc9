"""A guard in this process, on a real store and a real log, with a clock that a test can move on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.keep.state import GuardState
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import GuardFile, Webhook
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.guards import read_alerts, read_guards
from tests.guard.records import history, record, write

if TYPE_CHECKING:
    import redis.asyncio

    from console.domain.guard.alerts import Alert, GuardReading


class Stage:
    """Blue ran for 200 rounds and stands by, warm; green has been active for a moment.

    Args:
        client: on an empty store.
        url: of it.
        folder: for the log.
    """

    def __init__(self, client: redis.asyncio.Redis, url: str, folder: Path) -> None:
        self.client, self.url, self.keys = client, url, Keys.of()
        self.fence, self.state = AsyncFence(client, self.keys), GuardState(client, self.keys)
        self.log = folder / "decisions.jsonl"
        self.ahead_s = 0.0
        self.told: list[dict[str, Any]] = []
        self.guards: list[Guard] = []

    def clock(self) -> datetime:
        """The time now, as far ahead as the test wants it."""
        return datetime.fromtimestamp(time.time() + self.ahead_s, UTC)

    def tell(self, event: str, **fields: object) -> None:
        """What guards say."""
        self.told.append({"event": event, **fields})

    def events(self) -> list[str]:
        """The names of what guards said."""
        return [str(one["event"]) for one in self.told]

    async def begin(self, *, decisions: int = 200) -> Stage:
        """Blue, and then green."""
        await self.client.set(self.keys.active, "blue")
        now_s = time.time()
        write(self.log, [*history(now_s - decisions - 50, decisions, "blue"), record(now_s, "blue", pnl=None)])
        await self.fence.switch(SwitchRequest("green", expected_epoch=0, mode="now", by="op"))
        return self

    def write(self, *records: dict[str, Any]) -> None:
        """Append to the log."""
        write(self.log, list(records))

    def now(self, version: str = "green", **more: Any) -> dict[str, Any]:
        """A record of this moment."""
        return record(self.clock().timestamp(), version, **more)

    async def guard(
        self,
        name: str = "g1",
        *,
        webhooks: tuple[Webhook, ...] = (),
        logs: bool = True,
        state_file: Path | None = None,
        venue: Path | None = None,
        mapping: Mapping | None = None,
        **settings: str,
    ) -> Guard:
        """A guard, opened and caught up."""
        values = {key.replace("__", "."): value for key, value in settings.items()}
        file = GuardFile(changed(TriggerSettings(), values), webhooks=webhooks)
        options = GuardOptions(
            self.url,
            "agent",
            (str(self.log),) if logs else (),
            LogOptions(last_lines=100_000).mapped(mapping),
            file,
            state_file,
            name,
            self.clock,
            venue=venue,
        )
        guard = Guard(options, self.tell)
        self.guards.append(guard)
        await guard.open()
        return guard

    async def active(self) -> str:
        """What plain agents read."""
        return (await self.state.control()).plain

    async def alerts(self) -> tuple[Alert, ...]:
        """Every alert."""
        return read_alerts(await self.state.hash(self.state.names.alerts))

    async def heartbeats(self) -> tuple[GuardReading, ...]:
        """Every guard."""
        return read_guards(await self.state.hash(self.state.names.guards))

    async def close(self) -> None:
        """Stop every guard."""
        for guard in self.guards:
            await guard.aclose()
