"""A side is recorded as healthy and reconciled only while everything that is seen of it says so."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.commitments.commitment import Commitment, HandOver, Kind
from console.domain.errors import Refused
from console.domain.fence.claims import Direction, Level, Outcome
from console.domain.fence.condition import SideSeen, unfit
from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, renewed, running
from console.domain.manifest import lines
from console.domain.manifest.manifest import Manifest
from console.domain.text import Safe
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.ids import new_id
from console.store.fence.owing import Who, put
from console.store.keys import Keys
from console.store.reading.fitness import read_fitness
from console.store.reading.good import Judge, note_sides
from console.store.records.venue import VenueKeys

if TYPE_CHECKING:
    import redis.asyncio

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Scene:
    """Blue acts as 2.4.0, green stands by as 2.5.0; both were there before blue began."""

    def __init__(self, client: redis.asyncio.Redis, keys: Keys) -> None:
        self.client, self.keys = client, keys
        self.fence = AsyncFence(client, keys)
        self.harm: dict[Slot, str] = {}

    async def begin(self) -> Scene:
        await self.client.set(self.keys.active, "green")
        await self.beat("green", "2.5.0")
        await self.beat("blue", "2.4.0")
        await self.to("blue")
        return self

    async def to(self, slot: str) -> None:
        await self.fence.switch(SwitchRequest(slot, expected_epoch="any", mode="now", by="op"))
        for one, version in (("blue", "2.4.0"), ("green", "2.5.0")):
            await self.beat(one, version)

    async def beat(self, slot: str, version: str, **more: Any) -> None:
        authority = await self.fence.authority()
        epoch = authority.epoch if authority is not None else 0
        beat = Heartbeat(f"{slot}-{version}", slot, version, **more)
        await self.fence.beat(beat, epoch=epoch, seen=epoch)

    async def note(self) -> dict[str, SideSeen]:
        judge = Judge(
            "guard g1",
            lambda side: self.harm.get(side, ""),
            lambda side: f"{side.value} is unknown",
            lambda: datetime.now(UTC),
        )
        return {one.side.value: one for one in await note_sides(self.client, self.keys, judge)}

    async def recorded(self) -> set[str]:
        return {name.decode() for name in await self.client.hkeys(self.keys.good)}

    async def claim(self, slot: str, outcome: Outcome) -> None:
        authority = await self.fence.authority()
        assert authority is not None
        intent = Intent(
            "bet-1", new_id(), slot, authority.epoch, "i", Decimal(1), "USD", Direction.ENTER, "", 5000, authority.epoch
        )
        assert (await self.fence.claim(intent)).granted
        await self.fence.settle(intent, outcome)

    async def owe(self, name: str, hand_over: HandOver | None = None) -> None:
        what = Commitment(name, Kind.ESCROW, Decimal(5), "USD", hand_over=hand_over)
        await self.fence.owe(Who("blue", "blue", "2.4.0", 1), [put(what)])

    async def venue(self, standing: str, age_s: float = 1.0) -> None:
        at = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
        row = {"what": "balance", "standing": standing, "venue_age_s": 1.0}
        body = {"venue": "v", "at": at, "by": "g", "every_s": 10.0, "closed": 0, "items": [], "rows": [row]}
        await self.client.set(VenueKeys.of(self.keys).seen, json.dumps(body))


@pytest.fixture
async def scene(valkey: redis.asyncio.Redis, keys: Keys) -> Scene:
    return await Scene(valkey, keys).begin()


async def doubt(scene: Scene) -> None:
    await scene.claim("blue", Outcome.UNKNOWN)


async def torn_claim(scene: Scene) -> None:
    await scene.client.hset(scene.keys.open, "bet-9", "torn")


async def silent(scene: Scene) -> None:
    name = "blue-2.4.0"
    raw = await scene.client.hget(scene.keys.instances, name)
    await scene.client.hset(scene.keys.instances, name, json.dumps({**json.loads(raw or b""), "ms": 1}))


async def not_ready(scene: Scene) -> None:
    await scene.beat("blue", "2.4.0", ready=False)


async def without_process(scene: Scene) -> None:
    await scene.client.hdel(scene.keys.instances, "blue-2.4.0")


async def harm(scene: Scene) -> None:
    scene.harm[Slot.BLUE] = "harm: PnL"


async def frozen(scene: Scene) -> None:
    await scene.fence.halt("op", "enough", level=Level.NO_NEW_ENTRIES)


async def another_manifest(scene: Scene) -> None:
    await scene.beat("blue", "2.4.0", manifest=lines.to_text(Manifest.of(code="a")))
    await scene.beat("blue", "2.4.0", manifest=lines.to_text(Manifest.of(code="b")))


async def unwatched(scene: Scene) -> None:
    await scene.owe("esc_1", HandOver.OLD_CLOSES)


async def torn_commitment(scene: Scene) -> None:
    await scene.client.hset(scene.keys.owed, "esc_9", "torn")


async def late(scene: Scene) -> None:
    await scene.client.hset(scene.keys.ctl, "c_late", 1)


async def books_apart(scene: Scene) -> None:
    await scene.venue("differs")


async def venue_unknown(scene: Scene) -> None:
    await scene.venue("unknown")


async def venue_old(scene: Scene) -> None:
    await scene.venue("agrees", 3600.0)


@pytest.mark.parametrize(
    ("spoil", "both"),
    [
        (doubt, False), (torn_claim, True), (silent, False), (not_ready, False), (without_process, False),
        (harm, False), (frozen, False), (another_manifest, False),
        (unwatched, False), (torn_commitment, True), (late, True), (books_apart, True),
        (venue_unknown, True), (venue_old, True),
    ],
)  # fmt: skip
async def test_whatever_speaks_against_a_side_keeps_it_from_being_recorded(
    scene: Scene, spoil: Callable[[Scene], Awaitable[None]], both: bool
) -> None:
    await spoil(scene)
    seen = await scene.note()
    assert unfit(seen["blue"])
    assert await scene.recorded() == (set() if both else {"green"})


async def test_both_sides_are_recorded_with_their_version_and_unbroken_since(scene: Scene) -> None:
    await scene.venue("agrees")
    await scene.owe("esc_1")
    for name in ("blue-2.4.0", "green-2.5.0"):
        await scene.fence.watch(name, ["esc_1"], None, 60_000)
    await scene.note()
    first = (await read_fitness(scene.client, scene.keys, Slot.BLUE)).last
    await scene.note()
    again = (await read_fitness(scene.client, scene.keys, Slot.BLUE)).last
    assert first is not None and again is not None
    assert (again.runs, again.since, again.by) == (running([("2.4.0", "")]), first.since, "guard g1")
    assert again.at > first.at
    assert await scene.recorded() == {"blue", "green"}


async def test_a_version_that_was_put_there_after_its_side_had_stopped_acting_is_nothing_to_go_back_to(
    scene: Scene,
) -> None:
    await scene.note()
    await scene.to("green")
    await scene.client.hdel(scene.keys.instances, "blue-2.4.0")
    await scene.beat("blue", "2.6.0")
    seen = await scene.note()
    assert unfit(seen["blue"]) == ("2.6.0 has not acted yet",)
    fitness = await read_fitness(scene.client, scene.keys, Slot.BLUE)
    assert fitness.unproved.startswith("blue runs 2.6.0; healthy and reconciled was 2.4.0 from ")
    assert fitness.good, "nothing speaks against it: a person may go over that"


async def test_the_version_that_acted_stays_recorded_although_it_was_started_anew(scene: Scene) -> None:
    await scene.note()
    await scene.to("green")
    await scene.client.hdel(scene.keys.instances, "blue-2.4.0")
    await scene.beat("blue", "2.4.0")
    assert not unfit((await scene.note())["blue"])
    assert not (await read_fitness(scene.client, scene.keys, Slot.BLUE)).unproved


async def test_nothing_is_recorded_while_nobody_acts(scene: Scene) -> None:
    await scene.fence.halt("op", "enough")
    assert await scene.note() == {}
    assert await scene.recorded() == set()


async def test_a_key_of_another_type_is_refused(scene: Scene) -> None:
    await scene.client.set(scene.keys.good, "text")
    with pytest.raises(Refused):
        await scene.note()


@pytest.mark.parametrize("after_s", [60.0, 60.1])
def test_a_record_goes_on_from_where_it_began_unless_more_than_a_minute_is_missing(after_s: float) -> None:
    runs = running([("2.4.0", "")])
    before = LastGood(Slot.BLUE, runs, NOW, NOW + timedelta(seconds=5), Safe("g"))
    now = before.at + timedelta(seconds=after_s)
    assert renewed(before, Slot.BLUE, runs, now, "g").since == (NOW if after_s <= 60.0 else now)
    assert renewed(before, Slot.BLUE, running([("2.6.0", "")]), now, "g").since == now


async def test_ten_thousand_commitments_are_looked_at_without_reading_one_whole(scene: Scene) -> None:
    records = {f"esc_{number}": b"\nblue\n1\n1\n1\nescrow" for number in range(10_000)}
    await scene.client.hset(scene.keys.owed, mapping=records)  # type: ignore[arg-type]
    assert (await scene.note())["blue"].unwatched == 10_000
    await scene.fence.watch("blue-2.4.0", list(records), None, 60_000)
    assert (await scene.note())["blue"].unwatched == 0
