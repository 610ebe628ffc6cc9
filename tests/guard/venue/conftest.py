"""An agent on a real store, its venue that fails at the turn of a switch, and guards in this process."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.demo.faulty import FaultyVenue
from console.domain.fence.claims import Direction, Outcome
from console.guard.keep.charge import Charge
from console.guard.keep.state import GuardState
from console.guard.venue.alarm import Alarm
from console.guard.venue.doubts import Doubts
from console.guard.venue.lifeline import Lifeline
from console.guard.venue.watch import VenueWatch
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Intent
from console.store.keys import Keys
from console.store.records.guards import read_alerts
from console.venue.prober import Prober
from console.venue.setup import load
from tests.venue.stage import PATIENT_S, write_document

if TYPE_CHECKING:
    import redis.asyncio

    from console.domain.guard.alerts import Alert

MORE = """
[escrow]
payee = "counterparty"
provenance = "the terms of 2026"
[keys]
window_s = 60
provenance = "the API reference"
[deadman]
armed = true
[deadman.terms]
timeout_s = 2
every_s = 0.4
takes = "all"
goodbye = "disarms"
per_day = 3
provenance = "the API reference"
"""


class Care:
    """Green is active; nobody has halted anything.

    Args:
        client: on an empty store.
        folder: for documents.
        venue: the venue.
        timeout_s: how long it is waited for.
    """

    def __init__(self, client: redis.asyncio.Redis, folder: Path, venue: FaultyVenue, timeout_s: float) -> None:
        self.client, self.folder, self.venue, self.keys = client, folder, venue, Keys.of()
        self.fence, self.state = AsyncFence(client, self.keys), GuardState(client, self.keys)
        self.document = write_document(folder, venue, "rest", MORE, timeout_s=timeout_s)
        self.books = folder / "state.json"
        self.told: list[dict[str, Any]] = []
        self.vouched = ""
        self.watches: list[VenueWatch] = []
        self.probers: list[Prober] = []

    async def begin(self) -> Care:
        """A first tenure, and books that agree."""
        await self.client.set(self.keys.active, "green")
        await self.fence.switch(SwitchRequest("green", expected_epoch=0, mode="now", by="op"))
        self.write_books()
        return self

    def clock(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)

    def tell(self, event: str, **fields: object) -> None:
        """What guards say."""
        self.told.append({"event": event, **fields})

    async def vouch(self, side: str) -> str:
        """Why a side can't be vouched for."""
        return self.vouched

    def write_books(self, **other: object) -> None:
        """The agent's state file, as the venue has it."""
        held = self.venue.holdings
        ids = [one["position_id"] for one in held.positions]
        kept = {"balance": float(held.balance), "open_positions": ids, "escrow_ids": [*held.escrows]}
        orders = [one["order_id"] for one in held.orders]
        self.books.write_text(json.dumps({**kept, "open_orders": orders, "timestamp": time.time(), **other}))

    def charge(self, name: str = "g1") -> Charge:
        """The agent, in a guard's charge."""
        return Charge(name, self.fence, self.state, self.tell)

    def prober(self) -> Prober:
        """Something to ask the venue with."""
        self.probers.append(Prober(load(self.document, {"VENUE_KEY": self.venue.key}), "agent"))
        return self.probers[-1]

    def watch(self, name: str = "g1") -> tuple[VenueWatch, Prober, Doubts]:
        """A guard's looks at the venue."""
        watch, prober = VenueWatch(self.charge(name), self.document, self.books, self.clock, self.vouch), self.prober()
        self.watches.append(watch)
        return watch, prober, Doubts(self.charge(name), prober, Alarm(self.charge(name), self.clock))

    def lifeline(self, name: str = "g1") -> Lifeline:
        """A guard's line to the dead man's switch."""
        return Lifeline(self.charge(name), self.prober(), self.clock, self.vouch)

    async def doubt(self, key: str, amount: str = "5") -> None:
        """An action whose outcome its holder does not know."""
        authority = await self.fence.authority()
        assert authority is not None
        epoch = authority.epoch
        intent = Intent(
            key, f"c-{key}", "green", epoch, "green-1", Decimal(amount), "USD", Direction.ENTER, "buy", 1, epoch
        )
        assert (await self.fence.claim(intent)).granted
        time.sleep(0.005)  # noqa: ASYNC251 - the lease is 1 ms long
        await self.fence.settle(intent, Outcome.UNKNOWN)

    async def alerts(self) -> tuple[Alert, ...]:
        """Every alert."""
        return read_alerts(await self.state.hash(self.state.names.alerts))

    async def close(self) -> None:
        """End everything."""
        for watch in self.watches:
            await watch.aclose()
        for prober in self.probers:
            await prober.aclose()


IMPATIENT = pytest.mark.parametrize("care", [0.6], indirect=True, ids=["impatient"])
"""For a test in which the venue does not answer on purpose."""


@pytest.fixture
async def care(
    valkey: redis.asyncio.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Care]:
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        made = await Care(valkey, tmp_path, venue, getattr(request, "param", PATIENT_S)).begin()
        yield made
        await made.close()
