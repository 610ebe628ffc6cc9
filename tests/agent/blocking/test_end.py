"""An agent that is told to end: it claims no more, brings to its end what it does, and hands over only if it may."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, Proposal, Settings, StandBy
from console.agent.blocking.waits import Termination
from console.domain.fence.claims import Level
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.processes import Agent
from tests.servers import Server
from tests.waiting import until

Start = Callable[..., Agent]


@pytest.fixture
def fence(valkey_sync: Any, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def start(store_url: str, fence: Fence) -> Iterator[Start]:
    with ExitStack() as cleanup:
        yield lambda *words, **options: cleanup.enter_context(Agent(store_url, *words, **options))


def active(fence: Fence) -> str:
    authority = fence.authority()
    assert authority is not None
    return authority.active.value if authority.active else authority.phase.value


def kinds(fence: Fence) -> list[str]:
    entries: Any = fence.client.xrange(fence.keys.actions)
    return [fields[b"d"].split(b"\n")[0].decode() for _, fields in entries]


MODES = pytest.mark.parametrize("mode", ["blocking", "aio"])


@MODES
def test_what_is_being_done_is_settled_and_nothing_more_is_claimed(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, execute_s=1.5).until("executing blue-0")
    assert agent.end() == 0
    assert agent.lines[-2:] == ["settled blue-0", "over"]
    assert kinds(fence) == ["claim", "settle"]
    assert fence.open_claims() == []
    assert fence.heartbeats() == {}
    assert active(fence) == "blue"


@MODES
def test_what_was_decided_when_it_was_told_to_end_is_not_claimed(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, decide_s=2).until("deciding")
    until(lambda: [beat for beat in fence.heartbeats().values() if beat["ready"]])
    agent.send(signal.SIGTERM)
    until(lambda: [beat for beat in fence.heartbeats().values() if beat["info"] == "it comes to its end"])
    assert agent.wait() == 0
    assert agent.lines == ["deciding", "over"]
    assert kinds(fence) == []
    assert fence.heartbeats() == {}


@MODES
def test_while_nothing_is_to_be_done_it_ends_at_once(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, keys=0, interval_s=60).until("deciding")
    until(lambda: fence.heartbeats())
    time.sleep(0.3)
    began = time.monotonic()
    assert agent.end() == 0
    assert time.monotonic() - began < 10
    assert fence.heartbeats() == {}


@MODES
def test_it_hands_over_to_a_healthy_standby_where_it_may(start: Start, fence: Fence, mode: str) -> None:
    green = start("green").until("ready")
    blue = start("blue", {"hand_over": True}, mode=mode, keys=1).until("settled blue-0")
    assert blue.end() == 0
    assert active(fence) == "green"
    entries: Any = fence.client.xrange(fence.keys.log)
    assert any(b"hands over" in fields.get(b"why", b"") for _, fields in entries)
    assert next(iter(fence.heartbeats().values()))["slot"] == "green"
    assert green.process.poll() is None


@MODES
def test_without_being_allowed_it_hands_over_to_nobody(start: Start, fence: Fence, mode: str) -> None:
    start("green").until("ready")
    assert start("blue", mode=mode, keys=1).until("settled blue-0").end() == 0
    assert active(fence) == "blue"


def test_it_hands_over_to_nobody_who_is_not_ready(start: Start, fence: Fence) -> None:
    start("green", ending=True).until("ready")
    until(lambda: [beat for beat in fence.heartbeats().values() if beat["ready"] is False])
    assert start("blue", {"hand_over": True}, mode="blocking", keys=1).until("settled blue-0").end() == 0
    assert active(fence) == "blue"


def test_another_process_of_its_side_goes_on_in_its_place(start: Start, fence: Fence) -> None:
    start("green").until("ready")
    start("blue").until("ready")
    assert start("blue", {"hand_over": True}, mode="blocking", keys=1).until("settled blue-0").end() == 0
    assert active(fence) == "blue"
    assert len(fence.heartbeats()) == 2


def test_of_two_processes_that_end_at_once_one_hands_over(start: Start, fence: Fence) -> None:
    start("green").until("ready")
    both = [start("blue", {"hand_over": True}, mode="blocking", keys=0).until("deciding") for _ in range(2)]
    until(lambda: len(fence.heartbeats()) == 3)
    for one in both:
        one.send(signal.SIGTERM)
    assert [one.wait() for one in both] == [0, 0]
    assert active(fence) == "green"


def test_while_halted_it_hands_over_to_nobody(start: Start, fence: Fence) -> None:
    start("green").until("ready")
    blue = start("blue", {"hand_over": True}, mode="blocking", keys=1).until("settled blue-0")
    fence.halt("op", "enough", level=Level.HALT)
    assert blue.end() == 0
    assert active(fence) == "HALT"


def test_the_other_side_stands_by_and_ends_without_a_switch(start: Start, fence: Fence) -> None:
    start("blue").until("ready")
    green = start("green", {"hand_over": True}, mode="blocking", keys=0).until("deciding")
    assert green.end() == 0
    assert active(fence) == "blue"


@MODES
def test_a_second_signal_changes_nothing(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, execute_s=1.5).until("executing blue-0")
    for _ in range(5):
        agent.send(signal.SIGTERM)
        time.sleep(0.05)
    assert agent.wait() == 0
    assert kinds(fence) == ["claim", "settle"]


@pytest.mark.parametrize("mode", ["blocking", pytest.param("aio", marks=pytest.mark.long)])
def test_while_the_store_is_away_it_ends_all_the_same(
    valkey_server: Callable[..., Server], mode: str, tmp_path: Path
) -> None:
    from console.store.server.connect import connect_sync

    server = valkey_server()
    with connect_sync(server.url) as client:
        Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    settings = {"spool_dir": str(tmp_path), "hand_over": True}
    with Agent(server.url, "blue", settings, mode=mode, execute_s=1).until("executing blue-0") as agent:
        server.kill()
        assert agent.end() == 0
        assert any("the store has not taken 1 results" in line for line in agent.errors)
    server.start()
    with Agent(server.url, "blue", settings).until("ready"), connect_sync(server.url) as client:
        until(lambda: kinds(Fence(client, Keys.of())) == ["claim", "doubt", "settle"])


@MODES
def test_a_stop_from_elsewhere_ends_the_loop_at_once(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, keys=0, interval_s=600, stop_after_s=1.0)
    assert agent.wait() == 0
    assert agent.lines[-1] == "over"
    assert fence.heartbeats() == {}


@MODES
def test_a_child_that_is_told_to_end_ends_and_its_parent_does_not(start: Start, fence: Fence, mode: str) -> None:
    agent = start("blue", mode=mode, fork=True, keys=2).until("settled blue-1")
    assert [line for line in agent.lines if line.startswith("child")] == [f"child -{signal.SIGTERM.value}"] * 2
    time.sleep(0.5)
    assert agent.process.poll() is None
    assert agent.end() == 0
    assert kinds(fence) == ["claim", "settle"] * 2


def test_of_several_agents_on_one_loop_each_comes_to_its_end(start: Start, fence: Fence) -> None:
    agent = start("blue", mode="aio", slots=["blue", "green"], execute_s=1).until("executing")
    until(lambda: len(fence.heartbeats()) == 2)
    assert agent.end() == 0
    assert kinds(fence) == ["claim", "settle"]
    assert fence.heartbeats() == {}


# -- drain, in a loop of one's own -------------------------------------------------------------------------------------


def test_what_is_not_over_in_time_is_named_and_is_in_doubt_when_its_lease_ends(
    store_url: str, fence: Fence, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(lease_ms=1_000, margin_ms=100, hand_over=True)
    controller = AgentController(store_url, slot="blue", version="1", settings=settings)
    controller.start()
    entered, leave = threading.Event(), threading.Event()

    def act() -> None:
        with controller.action("bet-1"):
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=act)
    thread.start()
    assert entered.wait(10)
    drained = controller.drain(timeout_s=0.3)
    assert (drained.acting, drained.handed_over) == (("bet-1",), False)
    assert "bet-1" in caplog.text
    with pytest.raises(StandBy, match="comes to its end"), controller.action("bet-2"):
        pytest.fail("it must not run")
    controller.stop()
    until(lambda: [claim.key for claim in fence.open_claims() if claim.in_doubt] == ["bet-1"] or fence.tend() is None)
    leave.set()
    thread.join(20)


def test_a_controller_that_was_drained_begins_again(store_url: str, fence: Fence) -> None:
    controller = AgentController(store_url, slot="blue", version="1")
    for number in range(2):
        controller.start()
        with controller.action(f"bet-{number}") as act:
            act.settle("won")
        assert controller.drain() == ((), 0, False)
        controller.stop()
    assert kinds(fence) == ["claim", "settle"] * 2


def test_no_beat_follows_the_goodbye(store_url: str, fence: Fence) -> None:
    for _ in range(10):
        controller = AgentController(store_url, slot="blue", version="1", settings=Settings(heartbeat_ms=1))
        controller.start()
        time.sleep(0.05)
        controller.stop()
        assert fence.heartbeats() == {}


def test_stops_from_many_threads_at_once_are_one_end(store_url: str, fence: Fence) -> None:
    controller = AgentController(store_url, slot="blue", version="1", decide=lambda _state: None)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            controller.run(interval_s=60)
        except BaseException as error:
            failed.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    until(lambda: fence.heartbeats())
    stops = [threading.Thread(target=controller.stop) for _ in range(4)]
    for thread in stops:
        thread.start()
    for thread in (*stops, runner):
        thread.join(20)
        assert not thread.is_alive()
    assert failed == []
    assert fence.heartbeats() == {}


def test_a_handler_that_was_there_before_is_there_again(store_url: str, fence: Fence) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        controller = AgentController(store_url, slot="blue", version="1", decide=lambda _state: None)
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        controller.run(interval_s=60)
        assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        until(lambda: heard == [signal.SIGTERM])
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_is_heard_even_while_another_thread_is_being_started() -> None:
    woken = threading.Event()
    ending = Termination(lambda: None, woken.set)
    try:
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)
        assert woken.wait(10)
        assert ending.asked
    finally:
        ending.over()


def test_a_round_of_ones_own_is_refused_after_the_drain(store_url: str, fence: Fence) -> None:
    controller = AgentController(store_url, slot="blue", version="1", decide=lambda _state: Proposal("bet-1"))
    controller.start()
    controller.drain()
    assert controller.round() is False
    assert kinds(fence) == []
    controller.stop()
