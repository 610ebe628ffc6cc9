"""What screen 6 shows of the venue: asked on arrival and now and then, by a guard where one asks about all of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import redis.asyncio

from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.demo.faulty import Fault, FaultyVenue
from console.domain.commitments.commitment import Commitment, Kind, to_record
from console.domain.commitments.kept_listing import KeptListing, kept_listing
from console.domain.commitments.listing import Listing, Place, Thing
from console.live.held import Before, read_held
from console.store.keys import Keys
from console.store.records.venue import VenueKeys
from console.store.server.connect import connect
from tests.venue.stage import PATIENT_S, write_document

POSITIONS = "GET /v1/trade/positions"


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyVenue]:
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        yield venue


@pytest.fixture
async def ctx(store_url: str, tmp_path: Path, venue: FaultyVenue) -> AsyncIterator[Context]:
    gateway = Gateway(await connect(store_url, name="board"), Keys.of(), url=store_url, registry={}, who="ana")
    document = write_document(tmp_path, venue, "purple-flea", timeout_s=PATIENT_S)
    yield replace(Context(gateway, {}, tmp_path / "snapshots"), venue=document)
    await gateway.aclose()


async def owe(valkey: redis.asyncio.Redis, venue: FaultyVenue) -> str:
    """An escrow of ours, at the venue and on the store's list."""
    name = venue.holdings.add_escrow("25.00", 24)
    owed = Commitment(name, Kind.ESCROW, Decimal(25), "USD", due=venue.holdings.escrows[name].release_at)
    await valkey.hset(Keys.of().owed, name, f"\nblue\n2.4.0\n41\n1773490000000\n{to_record(owed)}")
    return name


async def guard_saw(valkey: redis.asyncio.Redis, *ids: str, age_s: float = 0.0) -> None:
    """A look of a guard that was asked about these escrows."""
    things = tuple(Thing(name, Kind.ESCROW, Decimal(25), "USD") for name in ids)
    look = Listing(Place.VENUE, "guarded", datetime.now(UTC) - timedelta(seconds=age_s), things)
    await valkey.set(VenueKeys.of(Keys.of()).things, json.dumps(kept_listing(KeptListing(look, 5.0))))


async def test_the_venue_is_asked_on_arrival_and_when_somebody_asks_and_not_with_every_reading(
    ctx: Context, venue: FaultyVenue, valkey: redis.asyncio.Redis
) -> None:
    name = await owe(valkey, venue)
    held, before = await read_held(ctx, Before(), outside=True)
    assert venue.received[POSITIONS] == 1
    for _ in range(3):
        held, before = await read_held(ctx, before, outside=False)
    assert venue.received[POSITIONS] == 1
    (row,) = held.whole.rows
    assert (row.thing.id, [place for place, _at in row.seen]) == (name, [Place.STORE, Place.VENUE])
    await read_held(ctx, before, outside=True)
    assert venue.received[POSITIONS] == 2


async def test_a_guard_that_asks_about_all_that_is_ours_spares_the_venue_our_own_look(
    ctx: Context, venue: FaultyVenue, valkey: redis.asyncio.Redis
) -> None:
    name = await owe(valkey, venue)
    await guard_saw(valkey, name)
    held, _before = await read_held(ctx, Before(), outside=False)
    assert venue.received[POSITIONS] == 0
    assert [place for place, _at in held.whole.rows[0].seen] == [Place.STORE, Place.VENUE]


@pytest.mark.parametrize("age_s", [0.0, 600.0], ids=["of something else", "that is old"])
async def test_a_guards_look_that_does_not_tell_of_ours_is_no_answer(
    ctx: Context, venue: FaultyVenue, valkey: redis.asyncio.Redis, age_s: float
) -> None:
    name = await owe(valkey, venue)
    await guard_saw(valkey, *([name] if age_s else ["esc_other"]), age_s=age_s)
    held, _before = await read_held(ctx, Before(), outside=False)
    assert venue.received[POSITIONS] == 1
    assert [place for place, _at in held.whole.rows[0].seen] == [Place.STORE, Place.VENUE]


async def test_a_look_that_failed_is_a_gap_and_what_it_said_before_is_not_shown_on(
    ctx: Context, venue: FaultyVenue, valkey: redis.asyncio.Redis
) -> None:
    await owe(valkey, venue)
    _held, before = await read_held(ctx, Before(), outside=True)
    venue.turn(Fault.SERVER_ERROR, "/")
    held, _before = await read_held(ctx, before, outside=True)
    assert {gap.place.place for gap in held.whole.gaps} == {Place.VENUE}
    assert held.whole.rows[0].unknown
