"""Who acted last and who opened what, out of the chain of actions of a real server."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.domain.commitments.commitment import Commitment, Kind, Op, to_record
from console.domain.commitments.sight import Opened
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent, Resolution, ResolveCode
from console.store.fence.owing import Who, over, put
from console.store.reading import owed
from console.store.reading.owed import read_acts, read_left, read_mark, read_openers

if TYPE_CHECKING:
    import redis

    from console.store.keys import Keys

ESCROW = Commitment("esc_1", Kind.ESCROW, Decimal(5), "USD")
BLUES = Opened("2.4.0", Kind.ESCROW)


@pytest.fixture
def fence(valkey_sync: redis.Redis, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def claimed(fence: Fence, op: Op, version: str = "2.4.0", *, lease_ms: int = 60_000) -> Intent:
    """A claim of blue-1 that names the escrow."""
    authority = fence.authority()
    assert authority is not None
    ours = f"{op}\n{ESCROW.id}\n{version}\n{to_record(ESCROW) if op is Op.OPEN else ''}"
    way, now = Direction.ENTER if op is Op.OPEN else Direction.REDUCE, authority.epoch
    id_ = uuid.uuid4().hex
    wanted = Intent(id_, id_, "blue", now, "blue-1", Decimal(5), "USD", way, "", lease_ms, now, named=ours)
    assert fence.claim(wanted).granted
    return wanted


def ended(fence: Fence, op: Op, version: str = "2.4.0") -> None:
    fence.settle(claimed(fence, op, version), Outcome.OK)


async def test_who_opened_what_is_known_however_many_actions_came_since(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "LOOKED_AT", 10)
    ended(fence, Op.OPEN)
    ended(fence, Op.CLOSE)
    for number in range(25):
        fence.owe(Who("green-1", "green", "2.5.0", 1), [put(ESCROW._replace(id=f"esc_{number + 2}"))])
    assert "esc_1" not in (await read_acts(valkey, keys)).opened
    asked = frozenset({"esc_1", "esc_3", "nobody's"})
    assert await read_openers(valkey, keys, asked) == {
        "esc_1": frozenset({BLUES}),
        "esc_3": frozenset({Opened("2.5.0", Kind.ESCROW)}),
    }
    monkeypatch.setattr(owed, "LOOKED_FOR", 20)
    assert not await read_openers(valkey, keys, {"esc_1"}), "it is bounded"


async def test_everybody_who_opened_something_of_a_name_is_remembered_after_it_is_over(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    for version in ("2.4.0", "2.5.0"):
        ended(fence, Op.OPEN, version)
        ended(fence, Op.CLOSE)
    acts = await read_acts(valkey, keys)
    assert acts.opened == {"esc_1": frozenset({BLUES, Opened("2.5.0", Kind.ESCROW)})}
    assert acts.over["esc_1"] == acts.last["blue-1"] and acts.before is None


async def test_what_a_claim_in_flight_opens_is_told_until_it_is_listed(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    wanted = claimed(fence, Op.OPEN)
    assert (await read_left(valkey, keys)).opening == {"esc_1": frozenset({BLUES})}
    assert (await read_acts(valkey, keys)).opened == {}
    fence.settle(wanted, Outcome.OK)
    assert (await read_left(valkey, keys)).opening == {}
    assert (await read_acts(valkey, keys)).opened == {"esc_1": frozenset({BLUES})}


async def test_what_somebody_put_on_the_list_and_took_off_it_was_opened_by_whoever_put_it_there(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    fence.owe(Who("blue-1", "blue", "2.4.0", 1), [put(ESCROW)])
    fence.owe(Who("ann"), [over("esc_1", "it is over there")])
    acts = await read_acts(valkey, keys)
    assert acts.opened == {"esc_1": frozenset({BLUES})}
    assert "esc_1" in acts.over and acts.last == {}, "nobody acted"


async def test_that_a_doubt_is_ended_is_an_act_of_whose_it_was(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    wanted = claimed(fence, Op.OPEN, lease_ms=1)
    await asyncio.sleep(0.005)
    before = (await read_acts(valkey, keys)).last["blue-1"]
    code = fence.resolve(Resolution(wanted.key, wanted.claim_id, True, "ann", "it is in the history")).code
    assert code is ResolveCode.RESOLVED
    acts = await read_acts(valkey, keys)
    assert acts.last["blue-1"] > before and acts.opened == {"esc_1": frozenset({BLUES})}


@pytest.mark.parametrize(
    "record", [b"", b"owe\n9", b"owe\n9\nx\nesc_1\n\nblue\n2.4.0\n1\n1\nescrow", b"owe\n9\n7\nesc_1\n\nblue\n2.4.0\n1"]
)
async def test_an_action_that_can_not_be_read_opens_nothing(
    valkey_sync: redis.Redis, valkey: redis.asyncio.Redis, keys: Keys, record: bytes
) -> None:
    valkey_sync.xadd(keys.actions, {"h": "x", "d": record})
    assert (await read_acts(valkey, keys)).opened == {}


async def test_what_is_looked_for_from_now_on_is_newer_than_the_newest_action(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    assert (await read_mark(valkey, keys))[1] == 0
    ended(fence, Op.OPEN)
    at, newest = await read_mark(valkey, keys)
    acts = await read_acts(valkey, keys)
    assert at >= acts.last["blue-1"] and newest >= acts.numbers["blue-1"] > 0
    claimed(fence, Op.CLOSE)
    assert (await read_acts(valkey, keys)).numbers["blue-1"] > newest


@pytest.mark.parametrize("damage", [("hset", "an", "many"), ("set", "x"), ("del",)])
async def test_a_damaged_authority_gives_a_mark_that_proves_nothing(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys, damage: tuple[str, ...]
) -> None:
    ended(fence, Op.OPEN)
    if damage[0] != "hset":
        await valkey.delete(keys.ctl)
    if damage[0] != "del":
        await valkey.execute_command(damage[0], keys.ctl, *damage[1:])
    assert (await read_mark(valkey, keys))[1] == 0


async def test_a_process_and_a_version_with_long_names_are_found_again_in_claims_acts_and_what_is_watched(
    fence: Fence, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    name, version = f"blue-{'pod-' * 28}~ab12cd", f"2.4.0+sha256.{'e' * 64}"
    epoch = fence.beat(Heartbeat(name, "blue", version), epoch=0, seen=0).epoch
    wanted = Intent("k", "k", "blue", epoch, name, Decimal(1), "USD", Direction.ENTER, "", 60_000, epoch)
    assert fence.claim(wanted).granted
    fence.watch(name, ["esc_1"], None, 60_000)
    left, acts = await read_left(valkey, keys), await read_acts(valkey, keys)
    assert {str(one.name): str(one.version) for one in left.instances} == {name: version}
    assert set(acts.last) == {name} == {one.instance for one in left.claims}
    assert left.watched == {name: frozenset({"esc_1"})} and set(left.versions) == {version}
