"""The guard with real processes: who dies, freezes or comes late changes nothing about what must happen once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.guard_fleet import killed_in_a_fleet
from tests.faults.guard_runs import frozen_and_thawed, killed_at_the_trip, left_half_done, receiver_down
from tests.faults.guard_scene import TIMEOUT_S, Scene, until
from tests.faults.guard_triggers import (
    CRITICAL,
    FAST,
    LIMITS_S,
    escrow_missing,
    facts,
    goes_on,
    proven,
    quiet,
    three_sigma,
)
from tests.guard.receiver import Receiver
from tests.guard.records import record, write
from tests.servers import Server

Servers = Callable[..., Server]
KINDS = pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])


def test_what_a_guard_left_between_halt_and_switch_the_other_takes_up(valkey_server: Servers) -> None:
    with Scene(valkey_server()) as scene:
        scene.guard("g1")
        outcome = left_half_done(scene, 3)
        assert (outcome["left_half_done"], outcome["violations"]) == (3, [])
        until(lambda: len(_finished(scene)) == 3, "it does not say that it finished them")


def _finished(scene: Scene) -> list[int]:
    """The epochs of the roll backs that a guard says it finished; that it came too late for one is another word."""
    finished = [line for line in scene.lines("g1") if line["event"] == "finished"]
    return [line["epoch"] for line in finished if line["done"] == "rolled back"]


# from the fact to the other side, with no console open


@KINDS
@pytest.mark.parametrize("trigger", CRITICAL)
def test_a_critical_fact_rolls_back_without_any_console(valkey_server: Servers, trigger: str, fenced: bool) -> None:
    with Scene(valkey_server(), fenced=fenced) as scene:
        scene.guard("g1")
        scene.fact_to_switch_s(*facts(trigger, 1, time.time()))
        until(lambda: "alert" in scene.said("g1"), "no alert")
        until(lambda: "acted" in scene.said("g1"), "it does not say that it acted")
        acted = next(line for line in scene.lines("g1") if line["event"] == "acted")
        assert (acted["trigger"], acted["done"]) == (trigger, "rolled back")


@KINDS
def test_three_sigma_freezes_and_proven_harm_rolls_back_within_a_minute(valkey_server: Servers, fenced: bool) -> None:
    with Scene(valkey_server(), fenced=fenced) as scene:
        scene.guard("g1")
        assert three_sigma(scene) < LIMITS_S["pnl-three-sigma"]
        scene.again()
        assert proven(scene) < LIMITS_S["pnl-proven"]
        assert next(one for one in scene.lines("g1") if one["event"] == "acted")["asked"] == "freeze new risk"


def test_an_escrow_missing_from_the_new_sides_list_rolls_back_within_a_minute(
    valkey_server: Servers, tmp_path: Path
) -> None:
    with Scene(valkey_server()) as scene:
        write(scene.log, [record(time.time() - 60, "blue", inputs={"escrow_id": "e-1"})])
        scene.guard("g1", "--state-file", str(tmp_path / "state.json"))
        assert escrow_missing(scene, tmp_path / "state.json") < LIMITS_S["escrow-missing"]


def test_an_escrow_nobody_looks_at_rolls_back_within_a_minute_of_the_gap(valkey_server: Servers) -> None:
    with Scene(valkey_server(), rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        write(scene.log, [record(scene.now_s(), "green", inputs={"escrow_id": "e-1"})])
        assert 59.0 < goes_on(scene, 600.0) < 60.0 + LIMITS_S["escrow-gap"]


def test_latency_that_lasts_alerts_at_once_and_rolls_back_within_five_minutes(valkey_server: Servers) -> None:
    with Scene(valkey_server(), rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        assert 240.0 < goes_on(scene, 600.0, latency_ms=50.0) < LIMITS_S["latency"]
        until(lambda: "acted" in scene.said("g1"), "it does not say that it acted")
        told = [one["event"] for one in scene.lines("g1") if one.get("trigger") == "latency"]
        assert told.index("alert") < told.index("acted")


# who dies, freezes, or is not there


def test_sigterm_ends_a_guard_clean_and_off_the_lists(valkey_server: Servers) -> None:
    with Scene(valkey_server()) as scene:
        process = scene.guard("g1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
        assert scene.said("g1")[-1] == "stopped"
        assert scene.client.hlen(scene.keys.beside("guards")) == 0
        assert scene.client.hlen("ac:guards") == 0


@pytest.mark.parametrize("fenced", [pytest.param(False, marks=pytest.mark.long), True], ids=["plain", "fenced"])
def test_one_of_two_guards_killed_at_the_trip_and_exactly_one_roll_back_and_one_alert(
    valkey_server: Servers, fenced: bool
) -> None:
    with Receiver() as receiver, Scene(valkey_server(), fenced=fenced) as scene:
        outcome = killed_at_the_trip(scene, receiver, 2)
    assert outcome["violations"] == []
    assert (outcome["roll_backs"], outcome["alerts"]) == (2, 2)


@pytest.mark.long
@pytest.mark.timeout(1800)
@KINDS
def test_the_same_fifty_times(valkey_server: Servers, fenced: bool) -> None:
    with Receiver() as receiver, Scene(valkey_server(), fenced=fenced) as scene:
        assert killed_at_the_trip(scene, receiver, 50)["violations"] == []


@pytest.mark.long
@KINDS
def test_a_guard_that_was_frozen_and_thaws_changes_nothing(valkey_server: Servers, fenced: bool) -> None:
    with Scene(valkey_server(), fenced=fenced) as scene:
        outcome = frozen_and_thawed(scene, 3)
    assert outcome["violations"] == []
    assert outcome["acts_that_won"] == 3


@pytest.mark.long
def test_every_alert_is_delivered_once_when_a_receiver_comes_back_after_an_hour(valkey_server: Servers) -> None:
    with Scene(valkey_server(), rate=300.0) as scene:
        outcome = receiver_down(scene, 4, 3600.0)
    assert outcome["violations"] == []
    assert outcome["down_s"] >= 3600.0
    assert outcome["tries_meanwhile"] > 0


@pytest.mark.long
def test_of_three_guards_on_many_agents_one_is_killed_at_a_trip_and_the_others_take_over(short_dir: Path) -> None:
    outcome = killed_in_a_fleet(short_dir, None, agents=30, rounds=1)
    assert outcome["violations"] == []
    assert outcome["alerts"] == 1


def test_once_acts_for_cron_and_says_so_by_its_exit_code(valkey_server: Servers) -> None:
    with Scene(valkey_server()) as scene:
        command = [
            sys.executable,
            "-m",
            "console",
            "--url",
            scene.server.url,
            "--decisions",
            str(scene.log),
            "guard",
            "--once",
        ]
        assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
        write(scene.log, facts("exception", 1, time.time()))
        assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 1
        assert scene.active == "blue"
