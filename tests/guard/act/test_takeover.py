"""A dead side is taken over from by a healthy one: real agents that die, guards in processes of their own."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from console.guard.act.takeover import Silence
from console.guard.keep.control import event_of
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.guards import read_alerts
from tests.processes import Agent, GuardProcess
from tests.waiting import until

WITHIN_S = 10.0
"""A dead side is taken over from within so many seconds: five are waited for, and looked every second."""


class Scene:
    """Blue is active and green stands by: real processes, both. Guards come when the test wants them."""

    def __init__(self, client: Any, url: str, cleanup: ExitStack) -> None:
        self.client, self.url, self._cleanup = client, url, cleanup
        self.fence = Fence(client, Keys.of())
        self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        self.set(guard__takeover_s="2")

    def agent(self, slot: str, settings: dict[str, Any] | None = None, **options: Any) -> Agent:
        return self._cleanup.enter_context(Agent(self.url, slot, settings, **options)).until("ready")

    def guard(self, name: str = "g1") -> GuardProcess:
        guard = self._cleanup.enter_context(GuardProcess(self.url, name))
        guard.until("started")
        return guard

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self.client.hset("ac:{agent:active_version}:triggers", name.replace("__", "."), value)

    @property
    def active(self) -> str:
        authority = self.fence.authority()
        assert authority is not None
        return authority.active.value if authority.active else authority.phase.value

    def events(self, kind: str) -> list[dict[str, str]]:
        entries: Any = self.client.xrange(Keys.of().log)
        words = [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]
        return [one for one in words if one["k"] == kind]

    def stays(self, active: str, for_s: float = 5.0) -> None:
        """Nobody takes over in a time in which somebody would have."""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            assert self.active == active
            time.sleep(0.1)


@pytest.fixture
def scene(valkey_sync: Any, store_url: str) -> Iterator[Scene]:
    with ExitStack() as cleanup:
        yield Scene(valkey_sync, store_url, cleanup)


def took_over(scene: Scene, within_s: float = WITHIN_S) -> None:
    until(lambda: scene.active == "green", "the take-over", timeout_s=within_s)


def test_of_a_side_that_was_killed_the_healthy_other_one_takes_over_within_ten_seconds(scene: Scene) -> None:
    scene.set(guard__takeover_s="5")
    blue, green = scene.agent("blue"), scene.agent("green")
    guard = scene.guard()
    blue.kill()
    took_over(scene)
    until(lambda: guard.said("took over"))
    event = scene.events("switched")[-1]
    assert (event["src"], event["aim"], event["side"]) == ("guard", "take_over", "green")
    assert not event_of("1-1", event).automatic_rollback  # nothing speaks against the side that died
    receipts: Any = scene.client.xrange(Keys.of().audit)
    assert receipts[-1][1][b"command"] == b"takeover"
    until(lambda: scene.client.hlen("ac:{agent:active_version}:alerts"))
    alerts = read_alerts(scene.client.hgetall("ac:{agent:active_version}:alerts"))
    assert ["no process of blue has beaten" in alert.reason for alert in alerts] == [True]
    assert green.process.poll() is None


@pytest.mark.long
def test_two_guards_take_over_once(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    guards = [scene.guard("g1"), scene.guard("g2")]
    blue.kill()
    took_over(scene)
    time.sleep(3)
    assert len(scene.events("switched")) == 2  # the operator's, and one more
    assert sum(len(guard.said("took over")) for guard in guards) == 1
    assert scene.active == "green"


def test_a_guard_that_starts_after_the_death_takes_over_too(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    blue.kill()
    scene.guard()
    took_over(scene, 15)


@pytest.mark.long
def test_a_standby_that_is_not_ready_is_not_made_active(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green", ending=True)
    scene.guard()
    until(lambda: any(beat["ready"] is False for beat in scene.fence.heartbeats().values()))
    blue.kill()
    scene.stays("blue")


@pytest.mark.long
def test_a_side_that_said_goodbye_is_not_dead(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    scene.guard()
    assert blue.end() == 0
    scene.stays("blue")


@pytest.mark.long
def test_one_that_died_long_before_does_not_speak_for_a_side_whose_last_process_said_goodbye(scene: Scene) -> None:
    earlier, blue, _green = scene.agent("blue"), scene.agent("blue"), scene.agent("green")
    scene.guard()
    earlier.kill()
    time.sleep(2)
    assert blue.end() == 0
    assert len(scene.fence.heartbeats()) == 2
    scene.stays("blue")


@pytest.mark.long
def test_a_side_of_which_one_process_lives_is_not_dead(scene: Scene) -> None:
    dead, _blue, _green = scene.agent("blue"), scene.agent("blue"), scene.agent("green")
    scene.guard()
    dead.kill()
    scene.stays("blue")


@pytest.mark.long
def test_nobody_takes_over_while_everything_is_halted(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    scene.guard()
    scene.fence.halt("op", "enough")
    blue.kill()
    scene.stays("HALT")


@pytest.mark.parametrize(
    "arming", [pytest.param("dry", marks=pytest.mark.long), pytest.param("off", marks=pytest.mark.long)]
)
def test_a_guard_that_is_not_armed_for_it_changes_nothing(scene: Scene, arming: str) -> None:
    scene.set(guard__takeover=arming, guard__takeover_s="1")
    blue, _green = scene.agent("blue"), scene.agent("green")
    guard = scene.guard()
    blue.kill()
    scene.stays("blue")
    assert len(guard.said("would take over")) == (1 if arming == "dry" else 0)


@pytest.mark.long
def test_a_side_that_an_operator_made_active_without_a_process_is_left_to_them(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    blue.kill()
    scene.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="op", why="green misbehaves"))
    scene.guard()
    scene.stays("blue")


@pytest.mark.long
def test_a_side_that_a_trigger_rolled_back_from_gets_nothing_back(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    scene.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    guard = scene.guard()
    scene.fence.trip(epoch=scene.fence.authority().epoch, why="loss 100", by="green")  # type: ignore[union-attr]
    assert scene.active == "blue"
    time.sleep(2)  # it lives on in its new tenure
    blue.kill()
    scene.stays("blue")
    until(lambda: guard.said("does not take over"))


@pytest.mark.long
def test_a_guard_that_was_frozen_does_not_take_over_from_the_living(scene: Scene) -> None:
    _blue, _green = scene.agent("blue"), scene.agent("green")
    guard = scene.guard()
    time.sleep(2)
    guard.send(signal.SIGSTOP)
    time.sleep(20)
    guard.send(signal.SIGCONT)
    scene.stays("blue", 4)
    assert not guard.said("took over")


def test_a_side_that_was_frozen_is_dead_and_does_nothing_when_it_wakes(scene: Scene) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    scene.guard()
    blue.send(signal.SIGSTOP)
    took_over(scene)
    blue.send(signal.SIGCONT)
    scene.stays("green", 4)


@pytest.mark.long
def test_an_agent_that_beats_seldom_is_not_dead_for_it(scene: Scene) -> None:
    _blue = scene.agent("blue", {"heartbeat_ms": 4_000, "stale_after_ms": 10_000})
    scene.agent("green")
    scene.guard()
    scene.set(guard__takeover_s="1")
    scene.stays("blue", 12)


@pytest.mark.long
def test_a_server_s_clock_that_was_set_back_hides_no_death(scene: Scene) -> None:
    epoch = scene.fence.authority().epoch  # type: ignore[union-attr]
    beat = {"slot": "blue", "ms": epoch - 3_600_000, "st": 1, "epoch": epoch, "every": 500, "ready": True}
    scene.client.hset(Keys.of().instances, "blue-1", json.dumps(beat))
    scene.agent("green")
    scene.guard()
    took_over(scene)


def test_one_look_after_a_long_pause_proves_no_silence() -> None:
    silence = Silence()
    beats: dict[str, dict[str, object]] = {"blue-1": {"slot": "blue", "ms": 1, "every": 500}}
    silence.look(beats, 100.0, 6.0)
    silence.look(beats, 200.0, 6.0)
    assert silence.heard["blue-1"].silent_s == 2.0
    silence.look({"blue-1": {"slot": "blue", "ms": 2}}, 201.0, 6.0)
    assert silence.heard["blue-1"].silent_s == 0.0


HOSTILE: list[dict[str, object]] = [
    {},
    {"slot": ["blue"], "ms": 1},
    {"slot": {"a": 1}, "ms": {"b": 2}},
    {"slot": "blue", "ms": "soon", "every": "never", "ready": 1},
    {"slot": "blue", "ms": -1, "every": -5},
    {"slot": "blue", "ms": 10**300, "every": 10**300, "ready": "true"},
    {"slot": "blue", "ms": float("inf"), "every": float("nan")},
    {"slot": None, "ms": None, "ready": None},
    {"slot": "green", "ms": True, "ready": True, "every": False},
]


@pytest.mark.parametrize("beat", HOSTILE, ids=str)
def test_no_heartbeat_whatsoever_breaks_the_look(beat: dict[str, object]) -> None:
    silence = Silence()
    for now_s in range(5):
        silence.look({"x": beat}, float(now_s), 5.0)
    silence.look({}, 6.0, 5.0)
    assert silence.heard == {}


@pytest.mark.long
def test_hostile_heartbeats_neither_bring_about_a_take_over_nor_stand_in_its_way(
    scene: Scene, valkey_sync: Any
) -> None:
    blue, _green = scene.agent("blue"), scene.agent("green")
    raw = [b"{", b"[]", b'{"slot":["blue"],"ms":1}', b'{"slot":"blue","ms":"x"}', b"\xff\x00", b'{"ms":1e999}']
    for number, text in enumerate(raw):
        valkey_sync.hset(Keys.of().instances, f"hostile-{number}\n\x1b[31m", text)
    guard = scene.guard()
    scene.stays("blue", 7)
    blue.kill()
    took_over(scene)
    assert not guard.said("watch failed")
