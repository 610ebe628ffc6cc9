"""An agent hands its state over: kept beside the work, taken as of the switch, and nothing done since is left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import (
    AgentController,
    NoState,
    Position,
    Settings,
    Side,
    StandBy,
    State,
    StateOfOtherSchema,
    StateTooOld,
    migration,
)
from console.agent.fence.process import OtherProcess
from console.domain.errors import Refused
from console.domain.state import migration as migrations
from console.domain.state.kept import Did, read_action
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys, StateKeys
from tests.servers import Server, programs
from tests.waiting import until

Make = Callable[..., AgentController]
STATE = State(version="1", positions=[Position("p1", "BTC", Side.LONG, Decimal("0.10"), Decimal("43000.50"), "USD")])


@pytest.fixture
def fence(valkey_sync: redis.Redis, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(slot: str = "blue", **options: Any) -> AgentController:
        controller = AgentController(options.pop("url", store_url), slot=slot, version="2", **options)
        controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        controller.stop()


@pytest.fixture(autouse=True)
def _own_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "_registered", {})


def switch(fence: Fence, target: str, mode: str = "drain") -> None:
    fence.switch(SwitchRequest(target, expected_epoch="any", by="op", mode=mode))


def keep(agent: AgentController, state: State) -> None:
    """Keep a state, and wait until the store has it."""
    before = agent.kept
    agent.keep(state)
    until(lambda: agent.kept is not before)


def test_what_one_side_kept_the_other_takes_over_with_all_that_was_done_since(make: Make, fence: Fence) -> None:
    blue, green = make(), make("green")
    with blue.action("bet-1", amount=Decimal(5), currency="USD") as act:
        act.settle("won")
    keep(blue, STATE)
    with blue.action("bet-2", amount=Decimal("5.10"), currency="USD") as act:
        act.settle("lost", pnl=Decimal("-1.25"))
    switch(fence, "green")
    until(lambda: green.active)
    taken = green.take_over()
    assert replace(taken.state, timestamp=None) == STATE
    assert taken.state.timestamp is not None
    assert 0 <= taken.age_s < 60
    assert (taken.kept.slot, taken.kept.instance, taken.already) == ("blue", blue.instance, None)
    assert [(one.did, one.key, one.amount, one.outcome) for one in taken.since] == [
        (Did.CLAIM, "bet-2", Decimal("5.10"), ""),
        (Did.SETTLE, "bet-2", Decimal("-1.25"), "ok"),
    ]
    assert taken.since_whole


def test_a_side_that_acts_again_keeps_its_state_although_the_other_side_drove_its_pieces_out(
    make: Make, fence: Fence
) -> None:
    few = Settings(states_kept=2)
    blue, green = make(settings=few), make("green", settings=few)
    keep(blue, State(version="2.4.0", extra={"n": 1}))
    switch(fence, "green")
    until(lambda: green.active)
    green.take_over()
    for number in range(2, 6):
        keep(green, State(version="2.5.0", extra={"n": number}))
    switch(fence, "blue")
    until(lambda: blue.active)
    assert blue.take_over().state.extra == {"n": 5}
    keep(blue, State(version="2.4.0", extra={"n": 6}))  # what it kept before is gone, and what is new was never sent
    assert blue.state_error == ""
    switch(fence, "green")
    until(lambda: green.active)
    assert green.take_over().state.extra == {"n": 6}


@pytest.mark.parametrize(
    ("line", "did"),
    [("owe\n7\n5\nesc_1\nwhat\never", Did.OWE), ("paid\n7\n5\nesc_1\nann\n", Did.PAID), ("new\n7\n5\nx", Did.OTHER)],
)  # fmt: skip
def test_what_is_owed_and_what_a_newer_release_records_is_told_too(line: str, did: Did) -> None:
    acted = read_action(line)
    assert (acted.number, acted.did) == (7, did)
    with pytest.raises(Refused, match="can't be read"):
        read_action("settle\n7\n5\nkey")


def test_it_is_handed_over_once_and_a_second_instance_is_told_to_whom(make: Make, fence: Fence) -> None:
    keep(make(), STATE)
    first, second = make("green"), make("green")
    switch(fence, "green")
    until(lambda: first.active and second.active)
    one, again, other = first.take_over(), first.take_over(), second.take_over()
    assert one.already is None and again.already is None
    assert other.already is not None and other.already.instance == first.instance
    assert other.state == one.state


def test_a_side_that_keeps_before_it_takes_over_hides_nothing_and_is_told_what_to_do(make: Make, fence: Fence) -> None:
    blue, green = make("blue"), make("green")
    blue.keep(STATE)
    until(lambda: blue.kept is not None, "the state to be kept")
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="now"))
    until(lambda: green.active, "green to be active")
    own = replace(STATE, version="3")
    green.keep(own)
    until(lambda: green.state_error, "the state to be refused")
    assert (
        green.state_error == "that of blue is to be taken over first: call take_over() as soon as this side is active"
    )
    assert green.take_over().state.positions == STATE.positions
    green.keep(replace(own, version="4"))
    until(lambda: green.kept is not None, "the state to be kept")
    assert not green.state_error


def test_the_standby_side_takes_nothing_and_keeps_nothing(make: Make, fence: Fence) -> None:
    blue, green = make(), make("green")
    keep(blue, STATE)
    green.keep(replace(STATE, version="3"))
    with pytest.raises(StandBy, match="blue is active"):
        green.take_over()
    assert green.kept is None
    assert green.state_error == ""


def test_where_nothing_was_kept_nothing_is_made_up_and_what_was_done_is_told_all_the_same(make: Make) -> None:
    blue = make()
    with blue.action("bet-1") as act:
        act.settle("won")
    with pytest.raises(NoState) as none:
        blue.take_over()
    assert {one.key for one in none.value.since} == {"bet-1"}
    assert none.value.since_whole


@pytest.mark.parametrize(("age_ms", "ok"), [(299_900, True), (300_000, True), (300_100, False), (-100, False)])
def test_300_seconds_are_accepted_and_more_or_the_future_refused(
    make: Make, fence: Fence, age_ms: int, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make()
    keep(agent, STATE)
    newest = agent._handover._link.run(agent._handover._newest)
    ms = int(newest.kept.at.timestamp() * 1000)
    aged = newest._replace(now_ms=round(newest.kept.at.timestamp() * 1000) + age_ms)
    assert ms
    monkeypatch.setattr(agent._handover, "_newest", lambda fence: aged)
    if ok:
        assert agent.take_over().age_s == Decimal(age_ms) / 1000
    else:
        with pytest.raises(StateTooOld):
            agent.take_over()


def test_a_state_of_another_schema_is_migrated_or_refused_with_the_field(make: Make, fence: Fence) -> None:
    keep(make(), replace(STATE, extra={"limit": 5}))
    green = make("green", settings=Settings(schema=2))
    switch(fence, "green")
    until(lambda: green.active)
    with pytest.raises(StateOfOtherSchema, match="no migration leads there"):
        green.take_over()

    @migration(1, 2)
    def to_2(state: dict[str, Any]) -> dict[str, Any]:
        state["extra"] = {"risk": state["extra"]["limits"]}
        return state

    with pytest.raises(StateOfOtherSchema, match="'limits'"):
        green.take_over()

    def to_2_mended(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "extra": {"risk": state["extra"]["limit"]}}

    migrations._registered.clear()
    migration(1, 2)(to_2_mended)
    taken = green.take_over()
    assert (taken.state.schema, taken.state.extra, len(taken.migrated)) == (2, {"risk": 5}, 1)
    assert taken.already is None  # what was refused was not taken


def test_many_states_at_once_are_kept_as_the_newest_alone(make: Make, fence: Fence) -> None:
    agent = make()
    for number in range(2_000):
        agent.keep(replace(STATE, extra={"n": number}))
    until(lambda: not agent._handover.keeper.waits)
    assert agent.take_over().state.extra == {"n": 1_999}
    assert agent.kept is not None and agent.kept.number < 50


def test_a_drain_sends_what_waits_and_so_does_the_end(make: Make, fence: Fence) -> None:
    blue, green = make(), make("green")
    with blue.action("bet-1") as act:
        keep(blue, STATE)
        blue.keep(replace(STATE, version="2"))  # too soon after the last: it waits
        switch(fence, "green")
        until(lambda: blue.kept is not None and blue.kept.number == 2)
        act.settle("ok")
    until(lambda: green.active)
    assert green.take_over().state.version == "2"
    green.keep(replace(STATE, version="3"))
    green.stop()
    switch(fence, "blue", "now")
    until(lambda: blue.active)
    assert blue.take_over().state.version == "3"


def test_what_can_not_be_kept_is_told_and_never_raised(make: Make, fence: Fence) -> None:
    agent = make(settings=Settings(state_bytes=10_000))
    agent.keep("no state")  # type: ignore[arg-type]
    assert "takes a State" in agent.state_error
    agent.keep(replace(STATE, schema=7))
    assert "schema 7" in agent.state_error
    agent.keep(replace(STATE, extra={"x": "y" * 20_000}))
    until(lambda: "more than 10000 bytes" in agent.state_error)
    agent.keep(replace(STATE, extra={"api_key": "pf_live_1234567890abcdef"}))
    until(lambda: "secret in" in agent.state_error)
    assert agent.kept is None
    until(lambda: any("state is not kept" in str(beat.get("info")) for beat in fence.heartbeats().values()))
    keep(agent, STATE)
    assert agent.state_error == ""


def test_a_store_that_is_away_delays_nobody_and_gets_the_newest_when_it_is_back(
    valkey_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = valkey_server(appendonly="yes")
    agent = AgentController(server.url, slot="blue", version="1", settings=Settings(money=False))
    with agent:
        with redis.Redis.from_url(server.url) as client:
            Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        until(lambda: agent.active)
        keep(agent, STATE)
        server.kill()
        slowest = 0.0
        for number in range(200):
            began = time.perf_counter()
            agent.keep(replace(STATE, extra={"n": number}))
            slowest = max(slowest, time.perf_counter() - began)
            time.sleep(0.002)
        assert slowest < 0.05
        until(lambda: bool(agent.state_error))
        server.start()
        until(lambda: agent.kept is not None and agent.kept.number == 2 and not agent.state_error)
        until(lambda: agent.active)
        assert agent.take_over().state.extra == {"n": 199}


def test_threads_may_keep_at_once(make: Make) -> None:
    agent = make()

    def work(name: int) -> None:
        for number in range(100):
            agent.keep(replace(STATE, extra={"by": name, "n": number}))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: not agent._handover.keeper.waits)
    assert agent.take_over().state.extra["n"] == 99


@pytest.mark.parametrize("key", ["states", "pieces", "uses"])
def test_a_key_of_another_type_is_told_and_crashes_nothing(make: Make, fence: Fence, keys: Keys, key: str) -> None:
    agent = make()
    keep(agent, STATE)
    name = getattr(StateKeys.of(keys), key)
    fence.client.delete(name)
    fence.client.rpush(name, "x")
    agent.keep(replace(STATE, version="3"))
    until(lambda: "wrong Redis type" in agent.state_error)
    assert agent.active
    if key != "uses":
        with pytest.raises(Refused, match="can't be read"):
            agent.take_over()


def test_nothing_is_kept_or_taken_by_a_child_of_the_process(make: Make) -> None:
    import os

    agent = make()
    keep(agent, STATE)
    pid = os.fork()
    if pid == 0:
        try:
            agent.keep(replace(STATE, version="3"))
            agent.take_over()
        except OtherProcess:
            os._exit(0 if not agent._handover.keeper.waits else 2)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("name", programs())
def test_a_state_of_eight_megabytes_is_kept_and_taken_on_every_server(
    valkey_server: Callable[..., Server], name: str
) -> None:
    server = valkey_server(programs()[name])
    with redis.Redis.from_url(server.url) as client:
        Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    state = State(extra={f"k{number}": f"{number:07}" * 90 for number in range(12_000)})
    with AgentController(server.url, slot="blue", version="1", settings=Settings(money=False)) as agent:
        until(lambda: agent.active)
        keep(agent, state)
        assert agent.kept is not None and agent.kept.size > 7_500_000
        assert agent.take_over().state.extra == state.extra


@pytest.mark.parametrize("damage", ["piece", "record", "hashes"])
def test_a_damaged_state_is_refused_and_not_taken(make: Make, fence: Fence, keys: Keys, damage: str) -> None:
    agent, where = make(), StateKeys.of(keys)
    keep(agent, STATE)
    if damage == "piece":
        name = fence.client.hkeys(where.pieces)[0]
        fence.client.hset(where.pieces, name, b"x\x9cnothing")
    elif damage == "record":
        fence.client.hset(where.states, "s:1", "x")
    else:
        fence.client.hset(where.states, "h:1", "A" * 22)
    with pytest.raises(Refused, match=r"damaged|missing"):
        agent.take_over()
    assert not fence.client.hexists(where.states, "t:1")
