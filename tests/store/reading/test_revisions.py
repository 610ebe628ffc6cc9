"""What has not changed is not fetched, and whoever reads in turns sees what somebody who begins anew sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import redis.asyncio

from console.commands.gateway.door import Door, Order
from console.commands.gateway.guard import GuardGate
from console.domain.canary.gate_report import GateReport
from console.domain.experiment.record import ExperimentState
from console.domain.experiment.trial import ExperimentVerdict
from console.domain.guard.alerts import Alert, AlertKind
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.domain.venue.deadman import Deadman
from console.guard.keep.state import GuardState
from console.store import scripts
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.keys import GuardKeys, Keys, ProofKeys
from console.store.reading import sections
from console.store.reading.reader import StoreReader
from console.store.records import canary, canary_gates, experiments, shadows, venue
from console.store.server.connect import connect
from tests.generate.cases.language import Call, Of, Step
from tests.generate.vectors import CASES
from tests.protocol_client import ByHash, Connection, empty, run
from tests.scenarios.proving import experiment, shadow_report
from tests.servers import Server
from tests.store.reading.alike import compare
from tests.store.records.test_canary import begun

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEYS = Keys.of()
TRAFFIC = ("total_net_input_bytes", "total_net_output_bytes")


@pytest.fixture
def only_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched again for safety: what is seen is seen by its mark."""
    monkeypatch.setattr(sections, "has_come", lambda _at: False)


@pytest.fixture
def by_hand(valkey: redis.asyncio.Redis) -> Iterator[Connection]:
    """A connection of the protocol's, to the same server."""
    with Connection(valkey.connection_pool.connection_kwargs["path"]) as connection:
        yield connection


def play(step: Step, number: int, connection: Connection, plain: list[Any]) -> None:
    """One step of a case of the vectors."""
    if not isinstance(step, Call):
        plain.append(connection.command(*step.words))
        return
    args = [plain[arg.step][arg.element] if isinstance(arg, Of) else arg for arg in step.args]
    written = {"script": step.script, "keys": list(step.keys), "args": [*args, f"call-{number}"]}
    plain.append(run(written, connection, ByHash(connection), {}))


@pytest.mark.parametrize("name", scripts.NAMES)
@pytest.mark.usefixtures("only_marks")
async def test_what_a_script_did_is_seen_at_once_as_by_a_reader_that_begins_anew(
    valkey: redis.asyncio.Redis, by_hand: Connection, name: str
) -> None:
    cases = [case for case in CASES if case.call.script == name]
    assert cases
    for case in cases[:: 1 + len(cases) // 12]:
        empty(by_hand)
        reader, plain = None, list[Any]()
        for number, step in enumerate((*case.given, case.call)):
            if reader is None and isinstance(step, Call):
                reader = StoreReader(valkey, Keys.of(), {})
                await reader.read(NOW)
            play(step, number, by_hand, plain)
            if reader is not None and isinstance(step, Call):
                await compare(reader)
            else:
                reader = None  # what a hand wrote is seen later


async def sent_and_got(client: redis.asyncio.Redis, reader: StoreReader) -> tuple[int, int]:
    """Bytes that one reading sends and gets."""
    before = await client.info("stats")
    between = await client.info("stats")
    await reader.read(NOW)
    after = await client.info("stats")
    own = [between[name] - before[name] for name in TRAFFIC]
    sent, got = (after[name] - between[name] - less for name, less in zip(TRAFFIC, own, strict=True))
    return sent, got


async def started(client: redis.asyncio.Redis) -> AsyncFence:
    """The fence of a deployment whose blue side is active."""
    fence = AsyncFence(client, KEYS)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def beat_of(instance: str, **fields: Any) -> Heartbeat:
    return Heartbeat(instance, "blue", "v1", **fields)


def alert_of(number: int, reason: str = "slow") -> Alert:
    words = (Safe(f"a{number}"), NOW + timedelta(seconds=number), Safe("agent"))
    return Alert(*words, AlertKind.WARNING, Severity.CRITICAL, Safe("latency"), Safe(reason))


@pytest.mark.usefixtures("only_marks")
async def test_400_alerts_that_nobody_has_seen_cost_under_1_kb_a_turn(valkey: redis.asyncio.Redis) -> None:
    reader = StoreReader(valkey, KEYS, {})
    await reader.read(NOW)
    _, quiet = await sent_and_got(valkey, reader)
    state = GuardState(valkey, KEYS)
    many = {f"m{n}": json.dumps(alert_of(n, "slower than before " * 20).document()) for n in range(399)}
    await valkey.hset(GuardKeys.of(KEYS).alerts, mapping=many)
    await state.raise_alert(alert_of(400))
    assert len((await compare(reader)).alerts) == 400
    _, got = await sent_and_got(valkey, reader)
    assert got - quiet < 100


@pytest.mark.usefixtures("only_marks")
async def test_an_alert_is_seen_at_once_and_so_is_who_saw_it(valkey: redis.asyncio.Redis) -> None:
    reader, state = StoreReader(valkey, KEYS, {}), GuardState(valkey, KEYS)
    for number in range(3):
        await state.raise_alert(alert_of(number))
        assert len((await compare(reader)).alerts) == number + 1
    gate = GuardGate(Door(valkey, KEYS, url="", registry={}, who="op"))
    await gate.acknowledge(["a1"], Order("guard ack", "seen"))
    told = await compare(reader)
    assert [str(one.acknowledged_by or "") for one in told.alerts] == ["", "op", ""]
    await state.drop(state.names.alerts, ["a0"])
    assert len((await compare(reader)).alerts) == 2


@pytest.mark.usefixtures("only_marks")
async def test_what_an_instance_tells_anew_is_seen_at_once(valkey: redis.asyncio.Redis) -> None:
    fence, reader = await started(valkey), StoreReader(valkey, KEYS, {})
    for name in ("i1", "i2", "i3"):
        await fence.beat(beat_of(name), epoch=0, seen=0)
        await compare(reader)
    for fields in ({"info": "warm"}, {"info": "warm", "ready": False}, {"info": "warm", "in_flight": 3}, {}):
        await fence.beat(beat_of("i2", **fields), epoch=0, seen=0)
        await compare(reader)
    await fence.beat(beat_of("i2"), epoch=7, seen=0)
    assert [one.epoch_seen for one in (await compare(reader)).deployment.instances] == [0, 7, 0]
    await fence.beat(beat_of("i1"), epoch=0, seen=0, leaving=True)
    await fence.beat(beat_of("i4"), epoch=0, seen=0)
    assert [one.name for one in (await compare(reader)).deployment.instances] == ["i2", "i3", "i4"]


@pytest.mark.usefixtures("only_marks")
async def test_who_beats_on_saying_the_same_costs_a_line_each(valkey: redis.asyncio.Redis) -> None:
    fence, reader = await started(valkey), StoreReader(valkey, KEYS, {})
    for number in range(40):
        await fence.beat(beat_of(f"i{number:02}", info="x" * 200), epoch=0, seen=0)
    for _ in range(3):
        await asyncio.sleep(0.005)
        await reader.read(NOW)  # what was told anew is behind us
    _, quiet = await sent_and_got(valkey, reader)
    for number in range(20):
        await fence.beat(beat_of(f"i{number:02}", info="x" * 200), epoch=0, seen=0)
    _, got = await sent_and_got(valkey, reader)
    assert 20 * 20 < got - quiet < 20 * 48
    for number in range(20):
        await fence.beat(beat_of(f"i{number:02}", info="x" * 200), epoch=0, seen=0)
    await compare(reader)


@pytest.mark.usefixtures("only_marks")
async def test_an_instance_of_a_release_that_writes_nothing_down_is_read_at_every_turn(
    valkey: redis.asyncio.Redis,
) -> None:
    fence, reader = await started(valkey), StoreReader(valkey, KEYS, {})
    await fence.beat(beat_of("new"), epoch=0, seen=0)
    for number in range(4):
        seconds, micros = await valkey.time()
        beat = {"ms": seconds * 1000 + micros // 1000, "slot": "green", "epoch": number}
        await valkey.hset(KEYS.instances, "old", json.dumps(beat))
        told = await compare(reader)
        assert told.deployment.instances[1].epoch_seen == number


@pytest.mark.usefixtures("only_marks")
async def test_two_reports_of_one_moment_are_seen_apart(valkey: redis.asyncio.Redis) -> None:
    fence, book = AsyncFence(valkey, KEYS), ProofKeys.of(KEYS).book
    await begun(fence)
    reader = StoreReader(valkey, KEYS, {})
    token = (await fence.call(canary.take(KEYS, "desk"))).token
    await fence.call(canary.report(KEYS, token, '{"share": "0", "balance": "0", "open": 1}'))
    first = await compare(reader)
    at = await valkey.hget(book, "at")
    await fence.call(canary.report(KEYS, token, '{"share": "0", "balance": "0", "open": 2}'))
    await valkey.hset(book, "at", at)
    assert (await compare(reader)).canary != first.canary


@pytest.mark.usefixtures("only_marks")
async def test_what_is_written_under_no_chain_is_seen_at_once(
    valkey: redis.asyncio.Redis, valkey_sync: redis.Redis
) -> None:
    reader = StoreReader(valkey, KEYS, {})
    await reader.read(NOW)
    fence, told, run = AsyncFence(valkey, KEYS), experiment("odds", ExperimentState.RUNNING), Safe("r1")
    await begun(fence)
    assert told.record is not None
    await fence.call(experiments.put(KEYS, told.record, 0, before="", after="", audit=None))
    for number in (1, 2):
        shadows.say(valkey_sync, KEYS, shadow_report()._replace(tenure=number))
        assert (await compare(reader)).shadows[0].tenure == number
        kept = Deadman(epoch=number, by=Safe("g1"), beaten_at=NOW)
        await venue.keep_deadman(valkey, KEYS, kept)
        assert (await compare(reader)).deadman == kept
        at = datetime.fromtimestamp(1_900_000_000 + number, UTC)
        await canary_gates.keep(valkey, KEYS, GateReport(Safe("g1"), run, at, (), ()))
        seen = (await compare(reader)).canary
        assert seen is not None and seen.gates[0].at == at
        report = experiment("odds", ExperimentState.RUNNING, ExperimentVerdict.UNDECIDED).report
        assert report is not None
        experiments.say(valkey_sync, KEYS, "odds", report._replace(refused=number), None)
        view = (await compare(reader)).experiments[0]
        assert view.report is not None and view.report.refused == number


@pytest.mark.usefixtures("only_marks")
async def test_a_mark_that_is_gone_marks_nothing_until_there_is_another(valkey: redis.asyncio.Redis) -> None:
    reader, state, alerts = StoreReader(valkey, KEYS, {}), GuardState(valkey, KEYS), GuardKeys.of(KEYS).alerts
    await state.raise_alert(alert_of(1))
    await compare(reader)
    await valkey.delete(KEYS.revisions)
    for words in ("slower", "slowest"):
        await valkey.hset(alerts, "a1", json.dumps(alert_of(1, words).document()))
        assert (await compare(reader)).alerts[0].reason == words
    await valkey.set(KEYS.revisions, "of another type")
    assert await state.raise_alert(alert_of(2))
    assert len((await compare(reader)).alerts) == 2


@pytest.mark.usefixtures("only_marks")
async def test_a_store_that_came_back_from_a_copy_is_read_anew(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server(appendonly="no")
    client = await connect(server.url, timeout_s=5.0)
    fence, state, reader = await started(client), GuardState(client, KEYS), StoreReader(client, KEYS, {})
    await fence.beat(beat_of("i1"), epoch=0, seen=0)
    await state.raise_alert(alert_of(1))
    await client.save()
    await state.raise_alert(alert_of(2))
    await fence.beat(beat_of("i1", info="later"), epoch=3, seen=0)
    await compare(reader)
    server.kill()
    server.start()
    await client.connection_pool.disconnect()  # nobody hears of it: the next command is on a new connection
    told = await compare(reader)
    assert [len(told.alerts), told.deployment.instances[0].epoch_seen] == [1, 0]
    await client.aclose()


async def test_what_a_hand_wrote_is_seen_when_it_is_looked_at_again(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, state = StoreReader(valkey, KEYS, {}), GuardState(valkey, KEYS)
    await state.raise_alert(alert_of(1))
    await (await started(valkey)).beat(beat_of("i1"), epoch=0, seen=0)
    await compare(reader)
    await valkey.hset(GuardKeys.of(KEYS).alerts, "a1", json.dumps(alert_of(1, "by hand").document()))
    await valkey.hset(KEYS.instances, "i1", json.dumps({"ms": 5, "slot": "green"}))
    assert (await reader.read(NOW)).alerts[0].reason == "slow"
    clock = sections.monotonic()
    monkeypatch.setattr(sections, "monotonic", lambda: clock + sections.AGAIN_S + 0.1)
    assert (await compare(reader)).alerts[0].reason == "by hand"


@pytest.mark.usefixtures("only_marks")
async def test_marks_and_notes_that_somebody_flooded_are_not_fetched_and_nothing_is_missed(
    valkey: redis.asyncio.Redis,
) -> None:
    fence, state, reader = await started(valkey), GuardState(valkey, KEYS), StoreReader(valkey, KEYS, {})
    await fence.beat(beat_of("i1"), epoch=0, seen=0)
    await reader.read(NOW)
    await valkey.hset(KEYS.revisions, "guards", "x" * 1_000_000)
    await valkey.zadd(KEYS.beats, {f"nobody-{number}": 9e15 for number in range(5_000)})
    await valkey.zadd(KEYS.changed, {"i1": float("inf")})
    await reader.read(NOW)
    for number in range(3):
        await state.raise_alert(alert_of(number))
        await fence.beat(beat_of("i1", info=str(number)), epoch=0, seen=0)
        told = await compare(reader)
        assert (len(told.alerts), told.deployment.instances[0].info) == (number + 1, str(number))
    _, got = await sent_and_got(valkey, reader)
    assert got < 200_000
