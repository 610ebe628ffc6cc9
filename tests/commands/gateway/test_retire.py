"""Retiring a version while it acts: the retirement holds for what was so when it was judged, and for nothing since."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.commands.gateway.door import Order
from console.commands.gateway.gateway import Gateway
from console.commands.gateway.owing import OwingGate
from console.domain.commitments.commitment import Commitment, Kind
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing, Place, Thing
from console.domain.commitments.sight import Sight
from console.domain.commitments.versions import VersionFacts, VersionState, judge
from console.domain.errors import Conflict, Refused
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.owing import Who, over, put
from console.store.keys import Keys
from console.store.reading import owed
from console.store.server.connect import connect

if TYPE_CHECKING:
    import redis

ORDER = Order("retire")


class Raced(OwingGate):
    """Something happens right before, or right after, it is read what is left."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)

    async def left(self) -> Left:
        self.before()
        left = await super().left()
        self.after()
        return left


class Stalled:
    """2.4.0 in blue: its process beats no more, and was not fenced off. What an operator makes of it."""

    def __init__(self, owing: Raced, gateway: Gateway, fence: Fence) -> None:
        self.owing, self.gateway, self.fence = owing, gateway, fence
        self.claims = 0

    def claim(self) -> Intent:
        authority = self.fence.authority()
        assert authority is not None
        self.claims += 1
        key, now = f"k{self.claims}", authority.epoch
        wanted = Intent(key, key, "blue", now, "blue-1", Decimal(1), "USD", Direction.ENTER, "", 60_000, now)
        assert self.fence.claim(wanted).granted
        return wanted

    def act(self) -> None:
        """It wakes, and does something."""
        self.fence.settle(self.claim(), Outcome.OK)

    async def sight(self) -> Sight:
        """Somebody looked at the venue now, and saw nothing."""
        return Sight(None, "", await self.gateway.gates.now())

    async def facts(self, sight: Sight = Sight(None)) -> VersionFacts:  # noqa: B008 - a value
        return (await self.owing.versions(sight))[0]


@pytest.fixture
async def stalled(store_url: str, valkey_sync: redis.Redis) -> AsyncIterator[Stalled]:
    gateway = Gateway(await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="ann")
    fence = Fence(valkey_sync, Keys.of())
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    beat = {"ms": 1, "slot": "blue", "version": "2.4.0"}
    valkey_sync.hset(Keys.of().instances, "blue-1", json.dumps(beat))
    yield Stalled(Raced(gateway.owing._door), gateway, fence)
    await gateway.aclose()


async def wait_a_tick(stalled: Stalled) -> None:
    """Until the store's clock shows another millisecond: of two things in one nobody can tell which was first."""
    began = await stalled.gateway.gates.now()
    while await stalled.gateway.gates.now() == began:
        pass


async def test_an_act_of_the_version_while_it_is_retired_is_a_conflict_and_nothing_is_retired(
    stalled: Stalled, valkey_sync: redis.Redis
) -> None:
    sight = await stalled.sight()
    judged = stalled.owing.versions

    async def versions(sight: Sight = sight) -> tuple[VersionFacts, ...]:
        facts = await judged(sight)
        if not stalled.claims:
            await wait_a_tick(stalled)
            stalled.act()
        return facts

    stalled.owing.versions = versions  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="did something meanwhile"):
        await stalled.owing.retire("2.4.0", sight, ORDER)
    assert not valkey_sync.hexists(Keys.of().retired, "2.4.0")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_claim_that_ends_while_it_is_judged_is_an_act_by_then(stalled: Stalled, when: str) -> None:
    wanted = stalled.claim()
    await wait_a_tick(stalled)
    sight = await stalled.sight()
    await wait_a_tick(stalled)
    setattr(stalled.owing, when, lambda: stalled.fence.settle(wanted, Outcome.OK))
    assert judge(await stalled.facts(sight)).state is not VersionState.DRAINED
    with pytest.raises(Refused, match="since its last act"):
        await stalled.owing.retire("2.4.0", sight, ORDER)


async def test_a_version_that_acts_after_it_was_retired_is_unknown_again(stalled: Stalled) -> None:
    receipt = await stalled.owing.retire("2.4.0", await stalled.sight(), ORDER)
    assert receipt.changes and "by the venue as of" in receipt.note
    assert judge(await stalled.facts()).state is VersionState.RETIRED
    stalled.act()
    assert judge(await stalled.facts()).state is VersionState.UNKNOWN


async def test_what_the_venue_shows_is_of_who_opened_it_though_ten_thousand_actions_came_since(
    stalled: Stalled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "LOOKED_AT", 5)
    escrow, who = Commitment("esc_1", Kind.ESCROW, Decimal(5), "USD"), Who("blue-1", "blue", "2.4.0", 1)
    stalled.fence.owe(who, [put(escrow)])
    stalled.fence.owe(who, [over("esc_1", "paid out")])
    for _ in range(4):
        stalled.act()
    now = await stalled.gateway.gates.now()
    listing = Listing(Place.VENUE, "v", now, (Thing("esc_1", Kind.ESCROW),), frozenset(Kind))
    await wait_a_tick(stalled)
    told = await stalled.facts(Sight(listing._replace(at=await stalled.gateway.gates.now())))
    assert [(item.what, item.id) for item in told.items] == [("escrow at the venue", "esc_1")]
    with pytest.raises(Refused, match="draining"):
        await stalled.owing.retire("2.4.0", Sight(listing._replace(at=await stalled.gateway.gates.now())), ORDER)


@pytest.mark.parametrize("off", [timedelta(hours=1), -timedelta(hours=1)])
async def test_the_moment_of_a_retirement_is_the_stores_whatever_the_operators_clock_says(
    stalled: Stalled, off: timedelta
) -> None:
    door = stalled.gateway.owing._door
    door.clock = lambda: datetime.now(UTC) + off  # type: ignore[method-assign]
    await stalled.owing.retire("2.4.0", await stalled.sight(), ORDER)
    retired = (await stalled.facts()).retired_at
    assert retired is not None and abs(retired - await stalled.gateway.gates.now()) < timedelta(minutes=30)
    stalled.act()
    assert judge(await stalled.facts()).state is VersionState.UNKNOWN
