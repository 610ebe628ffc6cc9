"""No script touches more than a hundred entries a call: what is larger goes on in further calls, and meanwhile nothing
may act twice."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Phase, Slot
from console.store import scripts
from console.store.fence import calls
from console.store.fence.blocking import Fence
from console.store.fence.calls import FlagWrite, Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimCode, Intent, Proof, Resolution
from console.store.fence.replies import BeatCode, FlagCode, SwitchCode, TripCode
from console.store.keys import Keys, ProofKeys, StateKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from redis import Redis

LUA: Final = Path(scripts.__file__).parent / "lua"
AT_ONCE: Final = 100
LONG: Final = 600_000
SIZES: Final = (1, 100, 10_000)
WHOLE: Final = {"beat": 2, "canary": 1, "control": 3}
"""How often a script reads something whole: of beat the versions (100 at the most) and their manifests, of canary who
asks its gates (refused above 100), of control the manifests, open claims up to 100 (above, whose doubts they are is not
known) and heartbeats up to 100 (above, some are looked at)."""


@pytest.fixture
def fence(valkey_sync: Redis, keys: Keys) -> Fence:
    return Fence(valkey_sync, keys)


def start(fence: Fence, slot: str = "blue") -> int:
    return fence.switch(SwitchRequest(slot, expected_epoch="any", by="op", mode="now")).epoch  # type: ignore[arg-type]


def flight(fence: Fence, count: int, deadline_ms: int | None = None, slot: str = "blue") -> None:
    """So many claims in flight, as the scripts would have written them."""
    client, keys = fence.client, fence.keys
    seconds, _micros = client.time()
    now, deadline = seconds * 1000, deadline_ms or seconds * 1000 + LONG
    epoch = int(client.hget(keys.ctl, "ep") or 0)
    pipe = client.pipeline(transaction=False)
    for number in range(count):
        key, claim_id = f"in-flight-{number}", uuid.uuid4().hex
        record = (claim_id, f"{slot}-1", slot, epoch, now, deadline, "C", "print", 5, "USD", "enter", "bet")
        pipe.hset(keys.open, key, "\n".join(map(str, record)))
        pipe.zadd(keys.in_flight, {key: deadline})
    pipe.execute()
    client.hset(keys.ctl, mapping={"on": client.hlen(keys.open), "fn": client.zcard(keys.in_flight)})


def intent(fence: Fence, key: str, slot: str = "blue") -> Intent:
    epoch = int(fence.client.hget(fence.keys.ctl, "ep") or 0)
    return Intent(key, uuid.uuid4().hex, slot, epoch, f"{slot}-1", Decimal(5), "USD", Direction.ENTER, "", LONG, epoch)


def test_a_drain_whose_deadline_passed_ends_a_hundred_claims_a_call_and_nobody_claims_until_the_last(
    fence: Fence,
) -> None:
    start(fence)
    flight(fence, 2 * AT_ONCE + 50)
    request = SwitchRequest("green", expected_epoch="any", by="op", drain_ms=0, switch_id="one")
    reply = fence.switch(request)
    assert (reply.code, reply.phase) == (SwitchCode.DRAINING, Phase.DRAIN)
    seen = []
    while reply.phase is Phase.DRAIN:
        assert fence.claim(intent(fence, f"new-{len(seen)}", "green")).code is ClaimCode.DRAINING or seen
        before = reply.in_doubt
        reply = fence.switch(request)
        seen.append(reply.in_doubt - before)
        assert len(seen) < 10
    assert max(seen) <= 2 * AT_ONCE  # a claim that was tried in between did as many
    assert (reply.code, reply.active, reply.in_doubt) == (SwitchCode.SWITCHED, Slot.GREEN, 2 * AT_ONCE + 50)
    assert fence.client.zcard(fence.keys.in_flight) == 0
    assert verify_chain(fence.client.xrange(fence.keys.actions), prefix=(b"d",)).ok


def test_a_crash_between_two_calls_of_a_long_drain_leaves_it_to_whoever_comes_next(fence: Fence) -> None:
    start(fence)
    flight(fence, 3 * AT_ONCE)
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", drain_ms=0))
    assert fence.tend().phase is Phase.DRAIN
    held = fence.client.zcard(fence.keys.in_flight)
    assert 0 < held < 3 * AT_ONCE
    assert fence.claim(intent(fence, "in-flight-0", "green")).code is not ClaimCode.GRANTED
    for _ in range(4):
        last = fence.tend()
    assert (last.phase, last.active, last.in_doubt) == (Phase.RUN, Slot.GREEN, 3 * AT_ONCE)


def test_whose_doubts_they_are_is_known_without_looking_at_each(fence: Fence) -> None:
    start(fence)
    flight(fence, 3 * AT_ONCE, deadline_ms=1)
    for _ in range(3):
        fence.tend()
    counts = fence.client.hmget(fence.keys.ctl, "d_blue", "d_green")
    assert [int(count or -1) for count in counts] == [3 * AT_ONCE, 0]
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    reply = fence.trip(epoch=epoch, why="exception", by="green-1")
    assert reply.code is TripCode.HALT
    assert "blue left 300 actions in doubt" in last_why(fence)


@pytest.mark.parametrize("how", ["settled", "resolved"])
def test_a_doubt_that_has_an_end_is_no_longer_counted_as_its_sides(fence: Fence, how: str) -> None:
    epoch = start(fence)
    claim = intent(fence, "bet")
    assert fence.claim(claim).granted
    fence.settle(claim, Outcome.UNKNOWN)
    assert fence.client.hget(fence.keys.ctl, "d_blue") == b"1"
    if how == "settled":
        fence.settle(claim, Outcome.OK)
    else:
        fence.resolve(Resolution("bet", claim.claim_id, executed=True, by="op", evidence="seen"))
    assert fence.client.hget(fence.keys.ctl, "d_blue") == b"0"
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is TripCode.ROLLBACK


def test_where_it_is_not_known_whose_many_doubts_are_nobody_goes_back_to_a_side_by_itself(fence: Fence) -> None:
    start(fence)
    flight(fence, AT_ONCE + 10, deadline_ms=1, slot="green")
    for _ in range(2):
        fence.tend()
    fence.client.hdel(fence.keys.ctl, "d_blue", "d_green")
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is TripCode.HALT
    assert "is not known" in last_why(fence)


@pytest.mark.parametrize(
    ("whose", "code"), [("blue", TripCode.HALT), ("green", TripCode.ROLLBACK), ("in flight", TripCode.ROLLBACK)]
)
def test_a_few_doubts_of_which_nobody_counted_whose_they_are_are_looked_at_one_by_one(
    fence: Fence, whose: str, code: TripCode
) -> None:
    start(fence)
    flight(fence, 3, deadline_ms=1, slot="green")
    fence.tend()
    if whose != "green":
        claim = intent(fence, "bet")
        assert fence.claim(claim).granted
        if whose == "blue":
            fence.settle(claim, Outcome.UNKNOWN)
    fence.client.hdel(fence.keys.ctl, "d_blue", "d_green")
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is code


def test_a_lease_that_ended_and_that_nobody_counted_is_a_doubt(fence: Fence) -> None:
    start(fence)
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    flight(fence, 1, deadline_ms=1)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is TripCode.HALT


def test_a_lease_that_ended_is_a_doubt_beside_those_that_are_counted(fence: Fence) -> None:
    start(fence)
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    claim = intent(fence, "bet", "green")
    assert fence.claim(claim).granted
    fence.settle(claim, Outcome.UNKNOWN)
    flight(fence, 1, deadline_ms=1)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is TripCode.HALT


def test_whose_doubts_they_are_is_known_however_many_are_in_flight(fence: Fence) -> None:
    start(fence)
    flight(fence, 1, deadline_ms=1, slot="green")
    fence.tend()
    flight(fence, AT_ONCE + 50)
    epoch = start(fence, "green")
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    assert fence.trip(epoch=epoch, why="exception", by="green-1").code is TripCode.ROLLBACK


def test_a_flag_that_is_set_is_known_by_name_and_no_longer_once_it_is_taken_away(fence: Fence) -> None:
    start(fence)
    fence.set_flag(FlagWrite("game", value="1", expected=None))
    assert fence.client.smembers(fence.keys.flags) == {b"game"}
    fence.set_flag(FlagWrite("game", value=None, expected="1"))
    assert not fence.client.exists(fence.keys.flags)


def test_a_flag_is_set_although_the_index_of_flags_is_of_another_type(fence: Fence) -> None:
    start(fence)
    fence.client.set(fence.keys.flags, "text")
    assert fence.set_flag(FlagWrite("game", value="1", expected=None)).code is FlagCode.SET


def test_where_too_many_ask_the_gates_nothing_rises_by_itself(fence: Fence) -> None:
    start(fence)
    keys = fence.keys
    seconds, _micros = fence.client.time()
    fence.client.hset(keys.canary_gates, mapping={f"g{n}": f"r1\n{seconds * 1000}\n\n" for n in range(101)})

    def step(act: str, target: str) -> list[bytes]:
        fields = (act, "r1", "0", "any" if act == "start" else "1", "op", "", target, "0.1", "", "d", "green", "{}")
        key = ProofKeys.of(keys).run
        return fence.runner.run("canary", (*calls.base_keys(keys), keys.audit, key), (*fields, "USD", "1", "agent"))  # type: ignore[no-any-return]

    assert step("start", "3")[0] == b"DONE"
    assert step("step", "1")[0] == b"CLOSED"
    fence.client.hdel(keys.canary_gates, "g0")
    assert step("step", "1")[0] == b"DONE"


def last_why(fence: Fence) -> str:
    ((_id, fields),) = fence.client.xrevrange(fence.keys.log, count=1)
    return fields[b"why"].decode()


def crowd(fence: Fence, count: int, slot: str, age_ms: int = 0, **fields: Any) -> None:
    """So many instances, as they beat so long ago."""
    client, keys = fence.client, fence.keys
    seconds, _micros = client.time()
    at = seconds * 1000 - age_ms
    beat = Heartbeat("", slot, version="1", **fields)
    pipe = client.pipeline(transaction=False)
    for number in range(count):
        pipe.hset(keys.instances, f"{slot}-{age_ms}-{number}", f'{{"ms":{at},"st":{at},"epoch":1,{beat.rest()}')
    pipe.execute()


def test_a_side_is_known_healthy_among_many_instances_by_the_one_that_beat_last(fence: Fence) -> None:
    epoch = start(fence)
    crowd(fence, 5 * AT_ONCE, "blue")
    fence.beat(Heartbeat("green-1", "green"), epoch=epoch, seen=epoch)
    assert fence.client.hget(fence.keys.ctl, "hr_green") == b"green-1", "else it would be found by luck alone"
    wanted = SwitchRequest("green", expected_epoch=epoch, by="op", mode="now", require_healthy=True)
    assert fence.switch(wanted).code is SwitchCode.SWITCHED


def test_a_side_is_not_healthy_by_one_that_said_so_once_and_is_not_any_more(fence: Fence) -> None:
    epoch = start(fence)
    crowd(fence, 5 * AT_ONCE, "blue")
    fence.beat(Heartbeat("green-1", "green"), epoch=epoch, seen=epoch)
    fence.beat(Heartbeat("green-1", "green", ready=False), epoch=epoch, seen=epoch)
    wanted = SwitchRequest("green", expected_epoch=epoch, by="op", mode="now", require_healthy=True)
    assert fence.switch(wanted).code is SwitchCode.UNHEALTHY


def test_instances_that_died_long_ago_leave_and_what_they_left_open_stays_their_versions(fence: Fence) -> None:
    epoch = start(fence, "green")
    fence.beat(Heartbeat("green-1", "green"), epoch=epoch, seen=epoch)
    crowd(fence, 300, "blue", age_ms=4_000_000)
    crowd(fence, 20, "blue", age_ms=5_000_000, in_flight=1)
    crowd(fence, 5, "blue", age_ms=60_000)
    crowd(fence, 3, "green", age_ms=4_000_000)
    for _ in range(200):
        fence.beat(Heartbeat("green-1", "green"), epoch=epoch, seen=epoch)
    names = {name.decode() for name in fence.client.hkeys(fence.keys.instances)}
    living = {"green-1", *(f"blue-60000-{number}" for number in range(5))}
    assert living <= names
    assert {f"green-4000000-{number}" for number in range(3)} <= names  # that the active side is silent must be seen
    assert len(names) <= 16
    left = {name.decode() for name in fence.client.hkeys(fence.keys.left)}
    assert left <= {f"blue-5000000-{number}" for number in range(20)}
    assert len(left) + len([name for name in names if "5000000" in name]) == 20


def test_twenty_thousand_dead_instances_leave_however_young_they_are(fence: Fence) -> None:
    epoch = start(fence)
    crowd(fence, 20_000, "blue", age_ms=90_000, in_flight=1)
    fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    before = fence.client.hlen(fence.keys.instances)
    for _ in range(100):
        fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    assert before - fence.client.hlen(fence.keys.instances) >= 900
    assert fence.client.hlen(fence.keys.left) <= 513
    assert fence.client.hexists(fence.keys.instances, "blue-1")


def test_many_leases_are_moved_along_with_the_servers_clock_and_none_ends_meanwhile(fence: Fence) -> None:
    start(fence)
    flight(fence, 2 * AT_ONCE + 10)
    client, keys = fence.client, fence.keys
    first = dict(client.zrange(keys.in_flight, 0, -1, withscores=True))
    client.hset(keys.ctl, "stw", int(client.hget(keys.ctl, "stw") or 0))
    fence.tend()
    # what a caller's own clock says has passed is nothing, and the server's is two hours on
    at = client.hget(keys.ctl, "stb")
    client.hset(keys.ctl, mapping={"stw": int(client.hget(keys.ctl, "stw") or 0) - 7_200_000, "stb": at or b""})
    moved = [dict(client.zrange(keys.in_flight, 0, -1, withscores=True)) for _ in range(4) if fence.tend()]
    counts = [sum(score != first[key] for key, score in each.items()) for each in moved]
    assert counts == [AT_ONCE, 2 * AT_ONCE, len(first), len(first)]
    assert len({round(score - first[key]) for key, score in moved[-1].items()}) == 1
    assert not client.exists(keys.beside("moving"))
    assert client.hget(keys.ctl, "mv") is None
    deadlines = {raw.split(b"\n")[5] for raw in client.hvals(keys.open)}
    assert deadlines == {str(round(score)).encode() for score in moved[-1].values()}


def test_no_lease_ends_while_they_are_moved_along_with_the_servers_clock(fence: Fence) -> None:
    start(fence)
    flight(fence, 2 * AT_ONCE, deadline_ms=1)
    fence.client.hset(fence.keys.ctl, "mv", 7_200_000)
    fence.client.zrangestore(fence.keys.beside("moving"), fence.keys.in_flight, 0, -1)
    fence.tend()
    assert fence.client.zcard(fence.keys.in_flight) == 2 * AT_ONCE


def claimed(fence: Fence, count: int) -> list[Intent]:
    wanted = [intent(fence, f"bet-{number}") for number in range(count)]
    for one in wanted:
        assert fence.claim(one).granted
    return wanted


def test_many_claims_that_vanished_come_back_step_by_step_and_nobody_claims_until_the_last_is_there(
    fence: Fence,
) -> None:
    start(fence)
    wanted = claimed(fence, 2 * AT_ONCE + 50)
    for one in wanted[::5]:
        fence.settle(one, Outcome.FAIL, retention_ms=1)
    fence.client.delete(fence.keys.open)
    assert fence.tend().code is BeatCode.DAMAGED
    assert 0 < fence.client.hlen(fence.keys.open) <= AT_ONCE
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="known", resume=True, mode="now"))
    oldest = intent(fence, wanted[1].key)._replace(claim_id=uuid.uuid4().hex)
    codes = [fence.claim(oldest).code]
    for _ in range(6):
        assert fence.tend().code is BeatCode.OK
        codes.append(fence.claim(oldest).code)
    assert codes[0] is ClaimCode.DAMAGED
    assert codes[-1] is not ClaimCode.GRANTED
    assert fence.claim(intent(fence, "new")).granted
    there = {key.decode() for key in fence.client.hkeys(fence.keys.open)}
    assert there == {one.key for number, one in enumerate(wanted) if number % 5} | {"new"}
    assert not fence.client.exists(fence.keys.beside("mend"))


def test_what_is_reported_while_lost_claims_come_back_is_not_put_into_doubt_again(fence: Fence) -> None:
    start(fence)
    wanted = claimed(fence, 2 * AT_ONCE + 50)
    fence.client.delete(fence.keys.open)
    fence.tend()
    fence.settle(wanted[0], Outcome.OK)
    for _ in range(6):
        fence.tend()
    there = {key.decode() for key in fence.client.hkeys(fence.keys.open)}
    assert there == {one.key for one in wanted[1:]}


def test_many_leases_that_vanished_are_put_back_step_by_step_and_no_drain_ends_meanwhile(fence: Fence) -> None:
    start(fence)
    wanted = claimed(fence, 5 * AT_ONCE)
    fence.client.delete(fence.keys.in_flight)
    assert fence.tend().code is BeatCode.DAMAGED
    assert 0 < fence.client.zcard(fence.keys.in_flight) < 5 * AT_ONCE
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="known", resume=True, mode="now"))
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", drain_ms=60_000))
    there = {key.decode() for key in fence.client.zrange(fence.keys.in_flight, 0, -1)}
    for one in wanted:
        if one.key in there:
            fence.settle(one, Outcome.OK)
    assert fence.client.hget(fence.keys.ctl, "ph") == b"DRAIN"  # although nothing of what is there yet flies
    for _ in range(8):
        assert fence.tend().phase is Phase.DRAIN
    assert fence.client.zcard(fence.keys.in_flight) == 5 * AT_ONCE - len(there)


def test_whatever_is_read_whole_is_bounded_by_construction() -> None:
    whole = re.compile(r"'(HGETALL|HVALS|HKEYS|SMEMBERS|KEYS)'|'ZRANGE', [^)]*0, -1|'LRANGE'")
    reads = {path.stem: len(whole.findall(path.read_text())) for path in sorted(LUA.glob("*.lua"))}
    assert {name: count for name, count in reads.items() if count} == WHOLE


# commands of a call


def scene(fence: Fence, count: int) -> None:
    """An agent with so many entries of everything."""
    client, keys = fence.client, fence.keys
    start(fence, "green")
    start(fence)
    flight(fence, count, deadline_ms=1)
    pipe = client.pipeline(transaction=False)
    pipe.hset(
        keys.owed, mapping={f"esc_{n}": "\nblue\n1\n1\n1\nescrow\nnew adopts\n0\nin\n1\nUSD\n" for n in range(count)}
    )
    pipe.hset(keys.left, mapping={f"left-{n}": '{"st":1}' for n in range(count)})
    pipe.hset(keys.flag_prefix + "x", "a", "b")
    pipe.hset(keys.beside("experiments"), mapping={f"e-{n}": "1\n{}" for n in range(count)})
    pipe.hset(ProofKeys.of(keys).book, mapping={f"o:{n}": "x" for n in range(count)})
    for number in range(count):
        pipe.xadd(keys.log, {"h": "x", "n": number})
    pipe.execute()
    client.delete(keys.log)
    client.hset(keys.ctl, mapping={"wn": count, "ln": 0, "lh": ""})
    crowd(fence, count, "blue", age_ms=90_000)


def calls_of(fence: Fence) -> Mapping[str, Callable[[], object]]:
    """A call of each script: the one that touches most."""
    keys, run = fence.keys, fence.runner.run
    proofs, states = ProofKeys.of(keys), StateKeys.of(keys)
    base = calls.base_keys(keys)
    epoch = int(fence.client.hget(keys.ctl, "ep") or 0)
    claim = intent(fence, "one")
    doubt = fence.client.hget(keys.open, "in-flight-0")
    held = (doubt or b"").decode().split("\n")[0]
    body = "escrow\nnew adopts\n0\nin\n1\nUSD\n"
    return {
        "claim": lambda: fence.claim(claim),
        "settle": lambda: fence.settle(claim, Outcome.UNKNOWN),
        "resolve": lambda: fence.resolve(
            Resolution("in-flight-0", held, executed=False, by="op", evidence="none", proof=Proof.SILENT)
        ),
        "beat": lambda: fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch),
        "flag": lambda: fence.set_flag(FlagWrite("f", value="1", expected=None, audit={"a": "b"})),
        "limits": lambda: fence.set_limits(Limits(), by="op"),
        "lease": lambda: fence.lease("n", "me", ttl_ms=1000),
        "document": lambda: run(
            "document", (*base, keys.audit, proofs.experiments), ("e-0", "1", "{}", "", "", "", "", "9999", "a", "b")
        ),
        "receipt": lambda: fence.receipt({"a": "b"}),
        "owe": lambda: run("owe", (*base, keys.audit), ("blue", "blue", "1", str(epoch), "1", "put", "esc_0", body)),
        "state": lambda: run(
            "state",
            (*base, *states),
            ("keep", "blue-1", "blue", str(epoch), "0", "root", "n" * 22, "20", "1000000", "", "n" * 22, "text"),
        ),
        "book": lambda: run("book", (proofs.run, proofs.book, proofs.track), ("take", "me")),
        "canary": lambda: run(
            "canary",
            (*base, keys.audit, proofs.run),
            ("start", "r1", "0", "any", "op", "", "3", "0.1", "", "d", "green", "{}", "USD", "1", "operator"),
        ),
        "restrain": lambda: run("restrain", (*base,), (str(epoch), "blue", "1", "g", "why", "freeze", "", "")),
        "trip": lambda: fence.trip(epoch=epoch, why="exception", by="blue-1"),
        "halt": lambda: fence.halt("op", "why"),
        "switch": lambda: fence.switch(
            SwitchRequest("blue", expected_epoch="any", by="op", why="x", resume=True, mode="now", drain_ms=0)
        ),
    }


def spent(client: Redis) -> int:
    told: dict[str, Any] = client.info("commandstats")
    outside = {"cmdstat_info", "cmdstat_config|resetstat", "cmdstat_fcall", "cmdstat_zadd"}
    return sum(stats["calls"] for name, stats in told.items() if name not in outside)


@pytest.fixture
def costs(fence: Fence) -> Iterator[dict[str, list[int]]]:
    found: dict[str, list[int]] = {name: [] for name in scripts.NAMES}
    for count in SIZES:
        fence.client.flushdb()
        scene(fence, count)
        for name, call in calls_of(fence).items():
            fence.client.config_resetstat()
            call()
            found[name].append(spent(fence.client))
    yield found


def test_no_script_sends_more_commands_than_a_hundred_entries_take_however_many_there_are(
    costs: dict[str, list[int]],
) -> None:
    for name, counts in costs.items():
        assert min(counts), name
        assert max(counts) <= 12 * AT_ONCE, (name, counts)  # a claim that goes into doubt takes ten of them
