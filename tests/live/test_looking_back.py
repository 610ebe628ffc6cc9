"""Looking back: a moment that is over is shown as it was, or as not known; and the present goes on beneath it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
import redis.asyncio

from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import ActiveState, Phase, Slot
from console.domain.seen.looking import LookingKind
from console.domain.seen.observation import Observation, StoreReading
from console.domain.seen.playback import HasPresent
from console.live.looking_back import LookingBackSource
from console.live.past import PastTimeline
from console.logs.options import LogOptions
from console.logs.past import logs_at
from console.store.keys import Keys
from console.store.reading.past import read_kept
from console.store.reading.reader import StoreReader
from tests.cli.conftest import Cli, cli, home
from tests.waiting import until_async

__all__ = ["cli", "home"]


class Told:
    """A source of the present that a test tells what to publish."""

    def __init__(self) -> None:
        self.publish: Callable[[Observation], None] = lambda observation: None

    async def run(self, publish: Callable[[Observation], None]) -> None:
        self.publish = publish
        await asyncio.Event().wait()

    def refresh(self) -> None:
        """Nothing new."""


async def kept_of(client: redis.asyncio.Redis, keys: Keys) -> PastTimeline:
    now = datetime.now(UTC)
    reading = await StoreReader(client, keys, {}).read(now)
    return PastTimeline(await read_kept(client, keys, now, reading.flags), None, reading.server)


def now() -> datetime:
    return datetime.now(UTC)


async def moments(cli: Cli, *calls: tuple[str, ...]) -> list[datetime]:
    """Carry commands out one after another; the moments between them, from before the first to after the last."""
    between = [now()]
    for call in calls:
        await asyncio.sleep(0.02)
        assert (await asyncio.to_thread(cli, *call)).code == 0, call
        await asyncio.sleep(0.02)
        between.append(now())
    return between


async def test_who_acted_and_how_much_was_allowed_is_as_it_was(
    cli: Cli, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    never, blue, halted, green = await moments(
        cli,
        ("switch", "blue", "--yes"),
        ("halt", "--yes", "--reason", "a dispute"),
        ("resume", "green", "--yes", "--reason", "settled"),
    )
    timeline = await kept_of(valkey, keys)

    def at(moment: datetime) -> StoreReading:
        store = timeline.at(moment).store
        assert store is not None
        return store

    assert at(never).deployment.active.state is ActiveState.MISSING and at(never).deployment.authority is None
    assert at(blue).deployment.active.slot is Slot.BLUE and at(blue).deployment.authority is not None
    assert at(halted).deployment.authority.phase is Phase.HALT  # type: ignore[union-attr]
    assert at(halted).deployment.active.state is ActiveState.HALTED
    assert at(green).deployment.active.slot is Slot.GREEN
    assert [entry.command for entry in at(halted).audit][-1] == "halt" and len(at(never).audit) == 0


async def test_a_flag_is_what_its_changes_say_and_else_not_known(
    cli: Cli, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    await valkey.set("flag:untouched", "7")
    before, low, high = await moments(
        cli, ("flag", "set", "crash_target", "1.5", "--yes"), ("flag", "set", "crash_target", "2.5", "--yes")
    )
    await valkey.set("flag:crash_target", "9")  # by hand: no receipt tells of it
    timeline = await kept_of(valkey, keys)

    def flag(moment: datetime, name: str) -> tuple[str, str]:
        store = timeline.at(moment).store
        assert store is not None
        return store.flags[name].text, store.flags[name].problem

    assert flag(low, "crash_target") == ("1.5", "")
    assert flag(high, "crash_target")[0] == "2.5" and "by hand" in flag(high, "crash_target")[1]
    assert flag(before, "crash_target")[0] == ""
    for moment in (before, low, high):
        text, problem = flag(moment, "untouched")
        assert text == "" and "not known" in problem


#: Fields of a reading, and what is said of each in the past.
PAST = {
    "at": "the moment",
    "server_at": "the moment",
    "server": "empty",
    "latency_ms": "empty",
    "deployment": "kept",
    "flags": "kept",
    "flags_more": "empty",
    "audit": "kept",
    "open_claims": "empty",
    "guards": "empty",
    "alerts": "kept",
    "canary": "empty",
    "shadows": "empty",
    "divergences": "empty",
    "experiments": "empty",
    "broken": "empty",
    "unfit": "empty",
    "fills": "empty",
    "barred": "empty",
    "flags_walk": "empty",
    "refuses": "empty",
    "deadman": "empty",
    "upgrade": "empty",
    "sendings": "empty",
    "place": "empty",
}


async def test_nothing_of_today_is_passed_off_as_of_then(cli: Cli, valkey: redis.asyncio.Redis, keys: Keys) -> None:
    (_, after) = await moments(cli, ("switch", "blue", "--yes"))
    store = (await kept_of(valkey, keys)).at(after).store

    assert set(PAST) == set(StoreReading._fields)
    assert store is not None and store.deployment.instances == ()
    defaults = StoreReading._field_defaults
    for name, said in PAST.items():
        if said == "empty":
            assert getattr(store, name) in (defaults.get(name), "", 0.0, (), None), name
        elif said == "the moment":
            assert getattr(store, name) == after
    assert (await kept_of(valkey, keys)).missing(after)


async def test_the_future_is_refused_and_the_time_before_anything_is_empty(
    cli: Cli, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    await moments(cli, ("switch", "blue", "--yes"))
    timeline = await kept_of(valkey, keys)

    with pytest.raises(Refused):
        timeline.at(now() + timedelta(hours=1))
    long_ago = timeline.at(datetime(2001, 2, 3, tzinfo=UTC))
    assert long_ago.store is not None and long_ago.store.deployment.authority is None and long_ago.store.audit == ()


def line(at: datetime, pnl: str, slot: str = "blue") -> str:
    output = {"pnl": pnl, "currency": "USD"}
    record = {"agent_version": slot, "timestamp": at.timestamp(), "decision_type": "bet", "output": output}
    return json.dumps(record) + "\n"


def test_logs_of_then_are_what_a_console_would_have_read_then(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 14, 0, 5, tzinfo=UTC)  # five minutes past midnight
    log = tmp_path / "decisions.jsonl"
    rows = [(moment - timedelta(hours=25), "100"), (moment - timedelta(hours=1), "1.10"), (moment, "0.20")]
    log.write_text("".join(line(at, pnl) for at, pnl in rows) + line(moment + timedelta(seconds=1), "50"))

    then = logs_at([str(log)], LogOptions(), None, moment)

    assert str(then.by_slot["blue"].pnl[0].last_24h) == "1.30" and then.total == 2
    assert [str(one.pnl.amount) for one in then.recent if one.pnl is not None] == ["1.10", "0.20"]
    assert {one.source for one in then.recent} == {file.path for file in then.files} == {str(log)}
    whole = log.read_bytes()
    assert [json.loads(whole[one.offset :].split(b"\n")[0]) for one in then.recent] == [
        json.loads(one.raw) for one in then.recent
    ]
    assert logs_at([str(log)], LogOptions(), None, moment) == then


async def test_the_present_goes_on_beneath_and_is_returned_to(
    cli: Cli, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    (_, after) = await moments(cli, ("switch", "blue", "--yes"))
    live, seen, beside, told = Told(), [], [], []  # type: ignore[var-annotated]

    async def opened() -> PastTimeline:
        return await kept_of(valkey, keys)

    source = LookingBackSource(live, opened)
    assert isinstance(source, HasPresent)
    source.told = lambda text, tone: told.append(text)
    source.beside = beside.append
    running = asyncio.create_task(source.run(seen.append))
    await asyncio.sleep(0)
    present = (await opened()).at(after)
    live.publish(present)
    assert seen == [present] and not source.looks_back

    source.seek("2001-02-03")
    await until_async(lambda: source.looks_back)
    assert seen[-1].looking.kind is LookingKind.PAST and seen[-1].looking.missing
    live.publish(present)
    assert beside == [present] and seen[-1] is not present

    source.to_event(forward=True)
    await until_async(lambda: seen[-1].looking.at.year == 2026)
    assert "switch" in told[-1]
    source.to_live()
    assert seen[-1] is present and not source.looks_back
    with pytest.raises(UsageError):
        source.seek("when it went wrong")
    running.cancel()


async def test_what_was_asked_for_last_is_what_is_shown(cli: Cli, valkey: redis.asyncio.Redis, keys: Keys) -> None:
    await moments(cli, ("switch", "blue", "--yes"))
    seen: list[Observation] = []

    async def opened() -> PastTimeline:
        return await kept_of(valkey, keys)

    source = LookingBackSource(Told(), opened)
    running = asyncio.create_task(source.run(seen.append))
    await asyncio.sleep(0)
    for text in ("2001-02-03", "2002-02-03", "2003-02-03"):
        source.seek(text)
    await until_async(lambda: bool(seen))
    await asyncio.sleep(0.1)
    assert [one.looking.at.year for one in seen if one.looking is not None] == [2003]
    running.cancel()


@pytest.mark.parametrize(
    "screen",
    [
        "overview",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("decisions", "canary", "flags", "state", "checklist", "audit")
        ),
    ],
)
async def test_a_picture_of_a_moment_is_the_same_whenever_it_is_drawn(
    screen: str, cli: Cli, valkey: redis.asyncio.Redis, keys: Keys, tmp_path: Path
) -> None:
    log = tmp_path / "decisions.jsonl"
    log.write_text(line(now() - timedelta(minutes=1), "1.10"))
    _, after = await moments(cli, ("switch", "blue", "--yes", "--reason", "opening"))
    words = ("--decisions", str(log), "export", "--screen", screen, "--format", "txt", "--at", after.isoformat())

    first = await asyncio.to_thread(cli, *words)
    await moments(cli, ("halt", "--yes", "--reason", "later"))
    second = await asyncio.to_thread(cli, *words)

    assert first.code == second.code == 0 and first.out == second.out
    assert f"AT {after:%H:%M:%S}" in first.out and "BLUE" in first.out and "HALT" not in first.out.replace("H halt", "")


async def test_status_of_a_moment_says_what_is_not_kept(cli: Cli, valkey: redis.asyncio.Redis, keys: Keys) -> None:
    _, blue, _ = await moments(cli, ("switch", "blue", "--yes"), ("halt", "--yes", "--reason", "later"))

    then = await asyncio.to_thread(cli, "status", "--at", blue.isoformat())

    assert "BLUE" in then.out and "not kept" in then.out and "NO GUARD" not in then.out
    assert "STANDBY" not in then.out and "the plain key agrees" not in then.out  # neither is kept
    assert (await asyncio.to_thread(cli, "status", "--at", "2999-01-01")).code == 4
    assert (await asyncio.to_thread(cli, "status", "--at", "teatime")).code == 2
    assert (await asyncio.to_thread(cli, "status", "--at", "1m", "--watch")).code == 2


async def test_an_act_is_one_row_then_as_it_is_now(cli: Cli, valkey: redis.asyncio.Redis, keys: Keys) -> None:
    """Also one that is written when it begins and when it ends, and what no receipt accounts for."""
    calls = (("switch", "blue", "--yes"), ("switch", "green", "--yes"), ("halt", "--yes", "--reason", "later"))
    moment = (await moments(cli, *calls))[-1]
    await valkey.set(keys.active, "blue")  # a hand, while nobody may act: it is put right, and told
    await asyncio.to_thread(cli, "status", "--repair")
    live = (await StoreReader(valkey, keys, {}).read(now())).audit

    timeline = await kept_of(valkey, keys)
    then = timeline.at(timeline.bounds()[1]).store

    assert then is not None and [one.stream_id for one in then.audit] == [one.stream_id for one in live]
    assert len(live) > 3 and moment < now()


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "behind"])
async def test_a_store_whose_clock_is_an_hour_off_is_shown_as_it_was_by_ours(
    off: timedelta, cli: Cli, valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    blue, halted = (await moments(cli, ("switch", "blue", "--yes"), ("halt", "--yes", "--reason", "later")))[1:]
    reading = await StoreReader(valkey, keys, {}).read(now())
    kept = await read_kept(valkey, keys, now(), reading.flags)
    moved = replace(
        kept,
        receipts=tuple(one._replace(at=one.at + off) for one in kept.receipts),
        events=tuple(one._replace(at=one.at + off) for one in kept.events),
    )
    timeline = PastTimeline(moved, None, reading.server, off)

    then, later = timeline.at(blue).store, timeline.at(halted).store

    assert then is not None and then.deployment.active.slot is Slot.BLUE and then.at == blue
    assert then.server_at == blue + off
    assert later is not None and later.deployment.active.state is ActiveState.HALTED
    assert all(blue - timedelta(minutes=1) < mark.at <= halted for mark in timeline.marks())
