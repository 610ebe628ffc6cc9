"""What a hostile store, log, clock or receiver does to a guard: it goes on, acts, and says what it could not use."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from console.domain.errors import Refused
from console.domain.fence.intent import Aim, Source
from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe
from console.domain.triggers.finding import Severity, Trigger, Verdict
from console.guard.hear import fenced
from console.guard.keep import tidy
from console.guard.keep.drill import stream_of
from console.guard.setup.settings import Webhook
from console.guard.tell import posts
from console.store.fence.calls import SwitchRequest
from console.store.keys import GuardKeys, Keys
from tests.guard.receiver import Receiver
from tests.guard.records import record
from tests.guard.stage import Stage


def alert(number: int, *, seen: bool = False) -> Alert:
    at = datetime.fromtimestamp(time.time() + number / 1000, UTC)
    made = Alert(alert_id("x", number), at, Safe("agent"), AlertKind.WARNING, Severity.HIGH, Safe(""), Safe("why"))
    return made.acknowledged("ann", at) if seen else made


# keys


@pytest.mark.parametrize("key", ["trips", "alerts", "baselines", "triggers", "guards", "sent", "drills"])
async def test_a_key_that_only_helps_keeps_no_guard_from_acting_and_is_said(stage: Stage, key: str) -> None:
    names = GuardKeys.of(stage.keys)._asdict() | {"drills": stream_of(stage.keys)}
    await stage.client.set(names[key], "text")
    with Receiver() as receiver:
        guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url),))
        stage.write(stage.now(decision_type="exception", pnl=None))
        await guard.step()
        assert await stage.active() == "blue"
        await guard.step()
        await guard.tend()
        for _ in range(3):
            await guard.ward.notify()
        assert len(receiver.taken) == (key != "alerts"), "once, also where that can't be noted in the store"
    assert list(guard.ward.state.spoiled) == [names[key]]
    assert names[key] in guard.ward.problem
    await stage.client.delete(names[key])
    await guard.tend()
    await guard.step(force=True)
    guard.ward.wake()
    await guard.step()
    if key not in ("trips", "baselines", "sent"):  # those are used when there is something to be kept
        assert not guard.ward.state.spoiled


@pytest.mark.parametrize("field", ["ep", "ten", "lvl"])
async def test_an_authority_that_no_script_of_ours_has_written_is_refused_by_name(stage: Stage, field: str) -> None:
    await stage.client.hset(stage.keys.ctl, field, "soon")
    with pytest.raises(Refused, match=f"no number as {field}, but 'soon'"):
        await stage.state.control()


async def test_a_place_in_the_stream_that_is_none_is_not_believed(stage: Stage) -> None:
    for place in ("soon", "99999999999999999-0", "0-0", "1" * 5000):
        await stage.state.remember("cursor", {"id": place})
        guard = await stage.guard(f"g-{len(place)}")
        epoch = (await stage.state.control()).epoch
        await stage.fence.halt(f"op {place[:5]}", "enough")
        await stage.fence.switch(
            SwitchRequest(
                "green",
                expected_epoch="any",
                mode="now",
                by="guard x",
                why="pnl: y",
                resume=True,
                source=Source.GUARD,
                aim=Aim.GO_BACK,
            )
        )
        guard.ward.wake()
        await guard.step()
        assert any(one.epoch > epoch for one in await stage.alerts())


async def test_an_operator_who_is_called_guard_is_no_guard(stage: Stage) -> None:
    guard = await stage.guard()
    await stage.fence.halt("guard duty", "a drill; going back to blue")
    guard.ward.wake()
    await guard.step()
    request = SwitchRequest("blue", expected_epoch="any", mode="now", by="guard duty", why="over", resume=True)
    await stage.fence.switch(request)
    guard.ward.wake()
    await guard.step()
    assert await stage.alerts() == ()
    assert not any(event.automatic_rollback or event.going_back for event in await stage.state.events())


async def test_evidence_that_is_no_json_or_nested_without_end_is_none(stage: Stage) -> None:
    deep = "[" * 100_000
    for field, value in (("memory", deep), ("cursor", "{"), ("x", "\xff")):
        await stage.client.hset(stage.state.names.trips, field, value)
        assert await stage.state.noted(field) == {}
    await stage.client.hset(stage.state.names.baselines, str((await stage.state.control()).epoch), deep)
    guard = await stage.guard()
    assert guard.ward.watch.caught_up


async def test_guards_that_died_long_ago_leave_the_list_and_the_newest_dead_stay_on_it(stage: Stage) -> None:
    now_ms = int(time.time() * 1000)
    names = stage.state.names
    old = {f"old{n}": json.dumps({"ms": now_ms - 7_200_000 - n}) for n in range(100)}
    dead = {f"dead{n:03}": json.dumps({"ms": now_ms - 60_000 - n * 1000}) for n in range(40)}
    await stage.client.hset(names.guards, mapping={**old, **dead, "alive": json.dumps({"ms": now_ms}), "odd": "?"})
    await stage.guard()
    left = {name.decode() for name in await stage.client.hkeys(names.guards)}
    assert left == {"g1", "alive", *(f"dead{n:03}" for n in range(tidy.MOST_SILENT))}


async def test_alerts_are_bounded_without_any_webhook_and_the_newest_open_ones_stay(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "KEPT", 10)
    guard = await stage.guard()
    for number in range(700):
        await stage.state.raise_alert(alert(number, seen=number >= 650))
    await stage.client.hset(stage.state.names.alerts, "odd", "?")
    await guard.tend()
    assert [one.id for one in await stage.alerts()] == [alert(number).id for number in range(640, 650)]
    told = next(one for one in stage.told if one["event"] == "alerts dropped")
    assert (told["count"], told["unread"]) == (691, 640)


# what comes in


async def test_a_decision_from_the_future_does_not_make_a_silent_agent_look_alive(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write({**stage.now(), "timestamp": time.time() + 1e6})
    await guard.step()
    stage.ahead_s = 70.0
    await guard.step(force=True)
    assert guard.ward.watch.last is not None
    assert guard.ward.watch.last.by_trigger[Trigger.PNL].verdict is Verdict.STALE
    assert guard.ward.watch.ahead == 1
    await guard.tend()
    (seen,) = await stage.heartbeats()
    assert seen.ahead == 1


async def test_lines_that_are_not_understood_are_counted_and_shown(stage: Stage) -> None:
    guard = await stage.guard()
    with stage.log.open("a") as file:
        file.write("not json\n{}\n" + json.dumps(record(time.time(), "purple")) + "\n")
    await guard.step()
    await guard.tend()
    (seen,) = await stage.heartbeats()
    assert (seen.rejected, seen.unplaced) == (2, 1)


async def test_latency_that_comes_back_is_warned_of_again(stage: Stage) -> None:
    guard = await stage.guard()
    for _ in range(2):
        stage.write(*(stage.now(latency_ms=50.0) for _ in range(130)))
        await guard.step()
        stage.write(*(stage.now(latency_ms=10.0) for _ in range(130)))
        await guard.step()
        stage.ahead_s += 1.0
    assert [one.trigger for one in await stage.alerts()] == ["latency", "latency"]


async def test_a_warning_whose_guard_died_before_it_was_kept_is_raised_by_the_next(stage: Stage) -> None:
    guard = await stage.guard("g1", exception__arming="dry")
    stage.write(stage.now(decision_type="exception", pnl=None))

    async def dies(*_args: Any) -> bool:
        raise ConnectionError("killed between the note and the alert")

    guard.ward.state.__class__.raise_alert, kept = dies, guard.ward.state.__class__.raise_alert  # type: ignore[method-assign]
    try:
        with pytest.raises(ConnectionError):
            await guard.step()
    finally:
        guard.ward.state.__class__.raise_alert = kept  # type: ignore[method-assign]
    other = await stage.guard("g2", exception__arming="dry")
    await other.step(force=True)
    await guard.step(force=True)
    assert [one.trigger for one in await stage.alerts()] == ["exception"]


async def test_of_very_many_actions_only_the_newest_are_read_at_the_start_and_it_is_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fenced, "MOST_ACTIONS", 100)
    monkeypatch.setattr(fenced, "MAX_ENTRIES", 30)
    now_ms = int(time.time() * 1000)
    for number in range(250):
        settled = (
            "settle",
            number,
            now_ms - 60_000 + number,
            f"k{number}",
            f"c{number}",
            "blue-1",
            "blue",
            0,
            "ok",
            1_000_000,
            "USD",
            "",
        )
        await stage.client.xadd(stage.keys.actions, {"h": "", "d": "\n".join(map(str, settled))})
    guard = await stage.guard(logs=False)
    feed = guard.ward.feed
    assert (feed.actions.skipped, feed.actions.count, guard.ward.watch.facts.decisions) == (150, 100, 100)
    newest = guard.ward.watch.facts.history["blue"]
    assert (newest.count, newest.last_s) == (100, pytest.approx((now_ms - 60_000 + 249) / 1000))


# receivers


class Endless(BaseHTTPRequestHandler):
    """Takes a request and answers without end."""

    taken = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).taken += 1
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65_536)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def endless() -> Iterator[str]:
    Endless.taken = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_receiver_that_answers_without_end_has_taken_the_alert_and_costs_no_memory(
    stage: Stage, endless: str
) -> None:
    guard = await stage.guard(webhooks=(Webhook("w", "json", endless),))
    await guard.once()
    await stage.state.raise_alert(alert(1))
    for _ in range(3):
        await asyncio.wait_for(guard.ward.notify(), 10.0)
    assert Endless.taken == 1


async def test_a_receiver_that_never_answers_delays_nobody_elses_alerts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "TIMEOUT_S", 1.0)
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.Event().wait(), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with Receiver() as receiver:
        hooks = (Webhook("dead", "json", f"http://127.0.0.1:{port}/"), Webhook("live", "json", receiver.url))
        guard = await stage.guard(webhooks=hooks)
        await guard.once()
        for number in range(3):
            await stage.state.raise_alert(alert(number))
        turn = asyncio.create_task(guard.ward.notify())
        while len(receiver.taken) < 3:
            assert not turn.done(), "the live one waited for the dead one"
            await asyncio.sleep(0.01)
        await turn
    silent.close()
    failed = [one for one in stage.told if one["event"] == "not notified"]
    assert [one["webhook"] for one in failed] == ["dead"], "the others of that receiver wait, and are not tried"
    assert failed[0]["problem"] == "no answer within 1 s"
    assert posts.TIMEOUT_S * 1000 < 10_000, "a lease never ends under a request"


async def test_keys_of_another_agent_are_never_touched(stage: Stage) -> None:
    other = Keys.of("other")
    await stage.client.set(other.active, "blue")
    guard = await stage.guard()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.once()
    await guard.tend()
    assert [key async for key in stage.client.scan_iter("*other*")] == [other.active.encode()]


async def test_a_second_roll_back_becomes_a_halt_however_many_events_lie_between(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    assert await stage.active() == "blue"
    epoch = (await stage.state.control()).epoch
    pipe = stage.client.pipeline(transaction=False)
    for number in range(3_000):
        pipe.xadd(stage.keys.log, {"k": "ack", "ep": epoch, "ts": int(time.time() * 1000), "by": f"i{number}"})
    await pipe.execute()
    await stage.fence.switch(SwitchRequest("green", expected_epoch=epoch, mode="now", by="op"))
    guard.ward.wake()
    await guard.step()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    assert await stage.active() == "halted"


async def test_how_a_tenure_began_is_known_however_long_ago(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.step()
    pipe = stage.client.pipeline(transaction=False)
    for number in range(200):
        pipe.xadd(stage.keys.log, {"k": "ack", "ep": 1, "ts": int(time.time() * 1000), "by": f"i{number}"})
    await pipe.execute()
    again = await stage.guard("g2")
    assert again.ward.watch.control is not None
    assert again.ward.watch.control.began_back


async def test_a_log_that_grows_as_fast_as_it_is_read_keeps_no_other_agent_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.guard.hear.follow import RowLog
    from console.guard.watch import feed

    monkeypatch.setattr(feed, "CATCH_UP_S", 0.05)
    honest = RowLog.poll

    def endless(self: RowLog, now: datetime) -> bool:
        honest(self, now)
        self.behind = True
        return True

    monkeypatch.setattr(RowLog, "poll", endless)
    guard = await asyncio.wait_for(stage.guard(), 10.0)
    assert "still behind" in stage.events()
    assert guard.ward.watch.caught_up
