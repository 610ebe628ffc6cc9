"""A guard at work: from a line in a log to the other side acting, on a real store."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.domain.fence.claims import Direction, Outcome
from console.domain.guard.alerts import AlertKind
from console.domain.triggers.finding import Severity, Trigger, Verdict
from console.logs.mapping.mapping import Mapping
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.ids import new_id
from console.store.fence.replies import SwitchCode
from tests.guard.records import record, write
from tests.guard.stage import Stage
from tests.waiting import until_async


async def holds(stage: Stage, active: str, alerts: int = 0) -> bool:
    return await stage.active() == active and len(await stage.alerts()) >= alerts


CRITICAL: list[tuple[str, list[dict[str, Any]]]] = [
    ("exception", [{"decision_type": "unhandled_exception", "pnl": None, "output": {"error": "KeyError: 'odds'"}}]),
    ("auth", [{"pnl": None, "output": {"http_status": 401}}]),
    ("double-spend", [{"key": "bet-17"}, {"key": "bet-17"}]),
    ("double-spend", [{"inputs": {"round_id": 17}}, {"inputs": {"round_id": 17}}]),
]


@pytest.mark.parametrize(("trigger", "records"), CRITICAL, ids=["exception", "auth", "key", "content"])
async def test_a_critical_event_rolls_back_with_an_alert_that_holds_the_evidence(
    stage: Stage, trigger: str, records: list[dict[str, Any]]
) -> None:
    guard = await stage.guard()
    stage.write(*(stage.now(**one) for one in records))
    await guard.step()
    assert await stage.active() == "blue"
    await guard.step()
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.severity, alert.trigger) == (AlertKind.ROLLED_BACK, Severity.CRITICAL, trigger)
    assert alert.reason.startswith(f"{trigger}: ")
    assert alert.samples
    assert alert.by == "guard g1"


async def test_nothing_happens_while_all_is_well(stage: Stage) -> None:
    guard = await stage.guard()
    before = await stage.state.control()
    for number in range(30):
        stage.write(stage.now(pnl=2.0 * (number % 2)))
        assert await guard.step(force=True) is None
    assert await stage.state.control() == before
    assert await stage.alerts() == ()


async def test_money_lost_beyond_the_budget_rolls_back(stage: Stage) -> None:
    guard = await stage.guard(pnl__budget="5")
    stage.write(stage.now(pnl=-5.0))
    await guard.step()
    assert await stage.active() == "blue"


async def test_three_sigma_alone_only_tells_unless_it_is_armed(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(*(stage.now(pnl=-0.5 + number % 2) for number in range(20)))
    await guard.step()
    control = await stage.state.control()
    assert (await stage.active(), control.level) == ("green", 0)
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.trigger) == (AlertKind.WARNING, "pnl")


async def test_three_sigma_freezes_new_risk_where_armed_and_an_operator_s_resume_is_respected(stage: Stage) -> None:
    guard = await stage.guard(pnl__freeze="armed")
    stage.write(*(stage.now(pnl=-0.5 + number % 2) for number in range(20)))
    await guard.step()
    control = await stage.state.control()
    assert (await stage.active(), control.level) == ("green", 1)
    await guard.step()
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.trigger) == (AlertKind.FROZEN, "pnl")
    await stage.fence.switch(
        SwitchRequest("green", expected_epoch=control.epoch, by="op", why="seen", resume=True, mode="now")
    )
    again = await stage.guard("g2", pnl__freeze="armed")
    for one in (guard, again):
        await one.step(force=True)
        await one.step(force=True)
    assert (await stage.state.control()).level == 0


async def test_latency_alerts_at_once_and_rolls_back_when_it_has_lasted(stage: Stage) -> None:
    guard = await stage.guard()
    for _ in range(30):
        stage.write(stage.now(latency_ms=50.0))
    await guard.step()
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.trigger, await stage.active()) == (AlertKind.WARNING, "latency", "green")
    for _ in range(25):
        stage.ahead_s += 10.0
        stage.write(*(stage.now(latency_ms=50.0) for _ in range(5)), stage.now("blue", pnl=None))
        await guard.step(force=True)
    assert await stage.active() == "blue"
    assert len(await stage.alerts()) <= 2


async def test_an_escrow_nobody_looks_at_rolls_back(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(inputs={"escrow_id": "e-1"}))
    await guard.step()
    stage.ahead_s = 59.0
    stage.write(stage.now())
    await guard.step(force=True)
    assert await stage.active() == "green"
    stage.ahead_s = 61.0
    stage.write(stage.now("blue", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "blue"
    assert "audit the escrows" in (await stage.state.events())[-1].why


async def test_an_escrow_that_is_not_on_the_new_sides_list_rolls_back(stage: Stage, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    stage.write({**stage.now("blue", inputs={"escrow_id": "e-1"}), "timestamp": time.time() - 60})
    guard = await stage.guard(state_file=state)
    await guard.tend()
    await guard.step(force=True)
    assert await stage.active() == "green"
    state.write_text(json.dumps({"escrow_ids": ["e-2"]}))
    await guard.tend()
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_silence_freezes_and_then_rolls_back_at_the_deadline(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now())
    await guard.step()
    stage.ahead_s = 70.0
    await guard.step(force=True)
    assert (await stage.state.control()).level == 1
    stage.ahead_s = 371.0
    stage.write(stage.now("blue", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_a_log_that_cannot_be_read_is_an_error_and_not_success(stage: Stage) -> None:
    guard = await stage.guard()
    stage.log.rename(stage.log.with_suffix(".old"))
    stage.log.mkdir()
    for _ in range(200):
        await guard.step(force=True)
        if not stage.ahead_s and guard.ward.feed.source().problem_since is not None:
            assert (await stage.state.control()).level == 0, "a moment is no blindness"
            stage.ahead_s = 70.0
        if guard.ward.watch.last and guard.ward.watch.last.by_trigger[Trigger.PNL].verdict is Verdict.ERROR:
            break
        await asyncio.sleep(0.05)
    assert (await stage.state.control()).level == 1


@pytest.mark.parametrize(("off_s", "way"), [(-900.0, "behind"), (900.0, "ahead")])
async def test_what_arrives_is_news_whatever_the_agents_clock_says_and_the_clock_is_named(
    stage: Stage, off_s: float, way: str
) -> None:
    guard = await stage.guard()
    await guard.step(force=True)
    now_s = stage.clock().timestamp()
    stage.write(record(now_s, "blue", pnl=None), record(now_s + off_s, "green", pnl=None))
    await guard.step(force=True)
    await guard.ward.watch.keep_memory()
    (told,) = [alert for alert in await stage.alerts() if "clock" in alert.reason]
    assert "green's clock is 9" in told.reason
    assert way in told.reason
    stage.write(record(now_s + off_s, "green", decision_type="exception", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_what_is_old_when_it_is_first_read_is_no_news(stage: Stage) -> None:
    old = record(stage.clock().timestamp() - 900.0, "green", decision_type="exception", pnl=None)
    guard = await stage.guard()
    await guard.step(force=True)
    stage.log.rename(stage.log.with_name("gone"))
    stage.write(stage.now("blue", pnl=None), old)  # another file at the log's name, with what is in it
    await guard.step(force=True)
    assert await stage.active() == "green"


async def test_a_guard_that_never_could_read_its_log_says_so_at_the_start_and_freezes_nobody(stage: Stage) -> None:
    stage.log.rename(stage.log.with_suffix(".old"))
    stage.log.mkdir()
    guard = await stage.guard()
    (told,) = [one for one in stage.told if one["event"] == "log can't be read"]
    assert "directory" in told["reason"]
    for ahead_s in (0.0, 100.0, 1000.0):
        stage.ahead_s = ahead_s
        await guard.step(force=True)
    control = await stage.state.control()
    assert (control.level, control.plain) == (0, "green")
    assert any("never could read" in alert.reason for alert in await stage.alerts())


async def test_a_guard_whose_mapping_looks_for_the_money_in_vain_says_so_once(stage: Stage) -> None:
    mapping = Mapping(version="agent_version", type="decision_type", time="timestamp", time_format="s", pnl="money")
    stage.write(stage.now("green"), stage.now("green"))
    guard = await stage.guard(mapping=mapping)
    stage.write(stage.now("green"))
    await guard.step(force=True)
    (told,) = [one for one in stage.told if one["event"] == "never in the log"]
    assert told["reason"].startswith("pnl (money), in ")


async def test_a_target_that_is_silent_leaves_everything_stopped_with_an_alert(stage: Stage) -> None:
    guard = await stage.guard()
    stage.ahead_s = 120.0
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    assert await stage.active() == "halted"
    await guard.tend()
    (alert,) = await stage.alerts()
    assert alert.kind is AlertKind.HALTED
    assert "stays halted: blue has written no decision for 1" in alert.reason
    await guard.step(force=True)
    assert len(await stage.alerts()) == 1


async def test_a_dry_trigger_alerts_and_changes_nothing(stage: Stage) -> None:
    guard = await stage.guard(exception__arming="dry")
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    await guard.step(force=True)
    assert await stage.active() == "green"
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.trigger) == (AlertKind.WARNING, "exception")


async def test_a_guard_that_starts_late_does_not_act_on_old_news(stage: Stage) -> None:
    stage.write(stage.now(decision_type="exception", pnl=None))
    stage.ahead_s = 120.0
    stage.write(stage.now())
    guard = await stage.guard()
    await guard.step(force=True)
    assert await stage.active() == "green"
    (alert,) = await stage.alerts()
    assert "not acted on" in alert.reason


async def test_a_guard_that_starts_late_acts_on_what_still_is(stage: Stage) -> None:
    stage.write(*(stage.now(pnl=-3.0 + n % 2) for n in range(100)))
    guard = await stage.guard()
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_state_survives_a_restart(stage: Stage) -> None:
    guard = await stage.guard()
    first = guard.ward.watch.facts.baseline
    stage.write(*(stage.now(latency_ms=50.0) for _ in range(30)))
    await guard.step(force=True)
    await guard.tend()
    since = guard.ward.watch.memory.slow_since
    await guard.aclose()
    stage.write(*(record(1000.0 + n, "blue", pnl=-500.0) for n in range(300)))
    again = await stage.guard("g2")
    assert since is not None
    assert again.ward.watch.memory.slow_since == since
    assert again.ward.watch.facts.baseline == first, "the baseline was frozen with the tenure"


async def test_a_plain_deployment_is_taken_over_as_it_is_found(stage: Stage) -> None:
    await stage.client.flushall()
    await stage.client.set(stage.keys.active, "green")
    stage.write(stage.now("blue", pnl=None))
    guard = await stage.guard()
    assert await stage.active() == "green"
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    assert await stage.active() == "blue"


async def test_a_switch_by_hand_begins_a_new_tenure(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now())
    await guard.step()
    await stage.client.set(stage.keys.active, "blue")
    await guard.tend()
    await guard.step()
    tenure = guard.ward.watch.facts.tenure
    assert tenure is not None
    assert tenure.slot == "blue"


async def test_nobody_active_means_nothing_to_judge(stage: Stage) -> None:
    guard = await stage.guard()
    await stage.fence.halt("op", "enough")
    await guard.tend()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "halted"
    assert guard.ward.watch.last is not None
    assert guard.ward.watch.last.findings == ()


async def test_of_two_guards_one_rolls_back_and_there_is_one_alert(stage: Stage) -> None:
    one, two = await stage.guard("g1"), await stage.guard("g2")
    stage.write(stage.now(decision_type="exception", pnl=None))
    await asyncio.gather(one.step(), two.step())
    await asyncio.gather(one.step(), two.step())
    events = await stage.state.events()
    assert sum(event.automatic_rollback for event in events) == 1
    assert len(await stage.alerts()) == 1


async def test_a_guard_that_was_frozen_over_a_switch_is_refused(stage: Stage) -> None:
    late = await stage.guard("late")
    stage.write(stage.now(decision_type="exception", pnl=None))
    assert late.ward.feed.log is not None
    late.ward.feed.log.poll(stage.clock())
    assessment = late.ward.watch.look(stage.clock(), late.ward.feed.source())  # evidence in hand, and then it froze
    epoch = (await stage.state.control()).epoch
    await stage.fence.switch(SwitchRequest("blue", expected_epoch=epoch, mode="now", by="op"))
    before = await stage.state.control()
    result = await late.ward.watch.respond(assessment)
    assert result is not None
    assert result.done.value == "too late"
    assert await stage.state.control() == before


async def test_a_roll_back_within_an_agent_is_told_by_the_guards_too(stage: Stage) -> None:
    guard = await stage.guard()
    epoch = (await stage.state.control()).epoch
    await stage.fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    await stage.fence.trip(epoch=epoch, why="unhandled KeyError", by="green-1", trigger="exception")
    await guard.tend()
    await guard.step()
    (alert,) = await stage.alerts()
    assert (alert.kind, alert.trigger) == (AlertKind.ROLLED_BACK, "exception")


async def test_a_fenced_agent_is_guarded_by_its_actions_in_the_store_without_any_log(stage: Stage) -> None:
    guard = await stage.guard(logs=False, pnl__budget="5")
    epoch = (await stage.state.control()).epoch
    await stage.fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)
    await stage.fence.beat(Heartbeat("green-1", "green"), epoch=epoch, seen=epoch)
    intent = Intent(
        "bet-1", new_id(), "green", epoch, "green-1", Decimal(1), "USD", Direction.ENTER, "bet", 5000, epoch
    )
    assert (await stage.fence.claim(intent)).granted
    await stage.fence.settle(intent, Outcome.OK, pnl=Decimal(-6))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_a_guard_writes_down_which_sides_are_healthy_and_reconciled_until_a_trigger_sees_harm(
    stage: Stage,
) -> None:
    guard = await stage.guard(exception__arming="dry")
    good = stage.keys.good
    assert await stage.client.hkeys(good) == [b"blue"], "it stands by, warm; of green no trigger has judged yet"
    stage.write(stage.now())
    await guard.step(force=True)
    await guard.ward._upkeep.look_now(guard.ward.watch)
    assert set(await stage.client.hkeys(good)) == {b"blue", b"green"}
    before = await stage.client.hget(good, "green")
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step(force=True)
    await guard.ward._upkeep.look_now(guard.ward.watch)
    assert await stage.client.hget(good, "green") == before


async def test_a_record_of_another_type_is_told_and_stops_nothing_else(stage: Stage) -> None:
    await stage.client.set(stage.keys.good, "text")
    guard = await stage.guard()
    assert "when a side was well is not recorded" in guard.ward.problem
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "halted", "blue can't be judged, and no freeze binds a plain green"


async def test_after_a_freeze_that_was_lifted_new_evidence_is_acted_on_and_the_same_is_not(stage: Stage) -> None:
    guard = await stage.guard()
    for slot in ("blue", "green"):
        await stage.fence.beat(Heartbeat(f"{slot}-1", slot), epoch=1, seen=1)
    await stage.client.set(stage.keys.good, "text")  # so that blue can't be judged
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step(force=True)
    assert (await stage.active(), (await stage.state.control()).level) == ("green", 1)
    await stage.client.delete(stage.keys.good)
    lift = SwitchRequest("green", expected_epoch="any", mode="now", by="op", why="looked at", resume=True)
    assert (await stage.fence.switch(lift)).code is SwitchCode.RESUMED
    await guard.step(force=True)
    assert (await stage.active(), (await stage.state.control()).level) == ("green", 0), "a person has seen that one"
    for slot in ("blue", "green"):
        await stage.fence.beat(Heartbeat(f"{slot}-1", slot), epoch=1, seen=1)
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_a_guard_shows_itself_and_leaves(stage: Stage) -> None:
    guard = await stage.guard()
    await guard.step(force=True)
    await guard.tend()
    (seen,) = await stage.heartbeats()
    assert (seen.name, seen.watching, seen.problem) == ("g1", "green", "")
    assert [one.trigger for one in seen.triggers] == list(Trigger)
    await guard.aclose()
    assert await stage.heartbeats() == ()
    stage.guards.clear()


async def test_an_agents_own_thresholds_in_the_store_are_taken_and_bad_ones_are_refused_aloud(stage: Stage) -> None:
    guard = await stage.guard()
    await stage.client.hset(stage.state.names.triggers, "pnl.sigmas", "4")
    await guard.tend()
    assert guard.ward.watch.settings.pnl_sigmas == 4.0
    await stage.client.hset(stage.state.names.triggers, "pnl.sigmas", "many")
    await guard.tend()
    assert guard.ward.watch.settings.pnl_sigmas == 3.0
    assert "thresholds refused" in stage.events()


async def test_what_is_kept_of_old_tenures_is_bounded(stage: Stage) -> None:
    names = stage.state.names
    for name in (names.trips, names.baselines):
        await stage.client.hset(name, mapping={f"{1000 + n}/roll back": "{}" for n in range(900)})
    await stage.client.hset(names.trips, "cursor", json.dumps({"id": "5-0"}))
    await stage.guard()
    assert await stage.client.hlen(names.trips) < 100
    assert await stage.client.hlen(names.baselines) < 100
    assert await stage.client.hexists(names.trips, "cursor")


async def test_hostile_entries_in_the_guards_keys_harm_nobody(stage: Stage) -> None:
    names = stage.state.names
    for key in (names.guards, names.alerts, names.trips, names.baselines, names.sent):
        await stage.client.hset(key, mapping={"x": b"\xff", "y": "[]", "z": json.dumps({"at": 5, "ms": -1, "id": {}})})
    guard = await stage.guard()
    await guard.step(force=True)
    assert await stage.alerts() == ()
    assert [one.name for one in await stage.heartbeats()] == ["g1"]


async def test_the_whole_process_runs_reacts_and_stops_clean(stage: Stage) -> None:
    guard = await stage.guard()
    stop = asyncio.Event()
    running = asyncio.create_task(guard.run(stop))
    stage.write(stage.now(decision_type="exception", pnl=None))
    await until_async(lambda: holds(stage, "blue", alerts=1))
    stop.set()
    await asyncio.wait_for(running, 20)
    assert stage.events()[-1] == "stopped"


async def test_the_process_outlives_its_store(stage: Stage, valkey_server: Any, tmp_path: Any) -> None:
    from console.store.server.connect import connect

    server = valkey_server()
    client = await connect(server.url, timeout_s=10.0)
    other = await Stage(client, server.url, tmp_path).begin(decisions=10)
    write(other.log, [])
    guard = await other.guard()
    stop = asyncio.Event()
    running = asyncio.create_task(guard.run(stop))
    await asyncio.sleep(0.2)
    server.restart()
    await client.aclose()
    other.client = await connect(server.url, timeout_s=10.0)
    other.state._client = other.client
    other.write(other.now(decision_type="exception", pnl=None), other.now("blue", pnl=None))
    await until_async(lambda: holds(other, "blue"))
    stop.set()
    await asyncio.wait_for(running, 20)
    await other.close()
    await other.client.aclose()


async def test_a_guard_on_one_agent_goes_on_saying_that_it_is_there(stage: Stage) -> None:
    guard = await stage.guard()
    stop = asyncio.Event()
    running = asyncio.create_task(guard.run(stop))
    seen: set[object] = set()

    async def said_four_times() -> bool:
        seen.update(reading.heartbeat_at for reading in await stage.heartbeats())
        return len(seen) >= 4

    await until_async(said_four_times, timeout_s=20.0)
    stop.set()
    await running
