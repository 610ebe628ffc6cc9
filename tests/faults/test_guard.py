"""The guard with real processes: who dies, freezes or comes late changes nothing about what must happen once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.guard_scene import TIMEOUT_S, Scene, wait_for
from tests.guard.receiver import Receiver
from tests.guard.records import record
from tests.servers import Server

FACTS: dict[str, list[dict[str, Any]]] = {
    "exception": [{"decision_type": "exception", "pnl": None}],
    "auth": [{"pnl": None, "output": {"http_status": 401}}],
    "double-spend": [{"key": "bet-17"}, {"key": "bet-17"}],
}


def facts(name: str) -> list[dict[str, Any]]:
    return [record(time.time(), "green", **one) for one in FACTS[name]]


@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
@pytest.mark.parametrize("trigger", FACTS)
def test_from_the_fact_to_the_other_side_without_any_console(
    valkey_server: Callable[..., Server], trigger: str, fenced: bool
) -> None:
    with Scene(valkey_server(), fenced=fenced) as scene:
        scene.guard("g1")
        scene.fact_to_switch_s(*facts(trigger))
        wait_for(lambda: "alert" in scene.said("g1"), "no alert")
        acted = next(line for line in scene.lines("g1") if line["event"] == "acted")
        assert (acted["trigger"], acted["done"]) == (trigger, "rolled back")


def test_sigterm_ends_a_guard_clean_and_off_the_list(valkey_server: Callable[..., Server]) -> None:
    with Scene(valkey_server()) as scene:
        process = scene.guard("g1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
        assert scene.said("g1")[-1] == "stopped"
        assert scene.client.hlen(scene.keys.ctl.removesuffix("ctl") + "guards") == 0


def kill_one_of_two(scene: Scene, receiver: Receiver, rounds: int, file: Path) -> None:
    for number in range(rounds):
        first, second = f"a{number}", f"b{number}"
        one = scene.guard(first, "--triggers", str(file))
        scene.guard(second, "--triggers", str(file))
        before = len(receiver.taken)
        began = time.monotonic()
        scene.warm()  # on a busy machine two guards take longer to start than a heartbeat is fresh
        scene_facts = facts("exception")
        from tests.guard.records import write

        write(scene.log, scene_facts)
        while time.monotonic() - began < (number % 10) * 0.012:
            time.sleep(0.001)
        one.kill()
        wait_for(lambda: scene.active == "blue", f"round {number}: {scene.active}")
        wait_for(lambda before=before: len(receiver.taken) > before, f"round {number}: no alert was delivered")
        assert scene.rollbacks() == 1, number
        survivor = scene.guards[second]
        survivor.terminate()
        survivor.wait(TIMEOUT_S)
        ids = [taken.json["alert"]["id"] for taken in receiver.taken]
        kinds = [taken.json["alert"]["kind"] for taken in receiver.taken[before:]]
        assert len(set(ids)) == len(set(ids[:before])) + 1, "one transition, one alert"
        assert set(kinds) == {"rolled back"}
        scene.again()


@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
def test_one_of_two_guards_killed_at_the_trip_and_exactly_one_roll_back_and_one_alert(
    valkey_server: Callable[..., Server], tmp_path: Path, fenced: bool
) -> None:
    with Receiver() as receiver, Scene(valkey_server(), fenced=fenced) as scene:
        file = tmp_path / "guard.toml"
        file.write_text(f'[[webhooks]]\nname = "w"\nurl = "{receiver.url}"\n')
        kill_one_of_two(scene, receiver, 2, file)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
def test_the_same_fifty_times(valkey_server: Callable[..., Server], tmp_path: Path, fenced: bool) -> None:
    with Receiver() as receiver, Scene(valkey_server(), fenced=fenced) as scene:
        file = tmp_path / "guard.toml"
        file.write_text(f'[[webhooks]]\nname = "w"\nurl = "{receiver.url}"\n')
        kill_one_of_two(scene, receiver, 50, file)


def test_a_guard_that_was_frozen_and_thaws_changes_nothing(valkey_server: Callable[..., Server]) -> None:
    with Scene(valkey_server()) as scene:
        frozen = scene.guard("frozen")
        scene.guard("awake")
        os.kill(frozen.pid, signal.SIGSTOP)
        scene.fact_to_switch_s(*facts("exception"))
        wait_for(lambda: "alert" in scene.said("awake"), "no alert")
        before = scene.epoch
        os.kill(frozen.pid, signal.SIGCONT)
        wait_for(
            lambda: any(one["event"] == "watching" and one["active"] == "blue" for one in scene.lines("frozen")),
            "the thawed guard did not look again",
        )
        assert (scene.active, scene.rollbacks(), scene.epoch) == ("blue", 1, before)


def test_once_acts_for_cron_and_says_so_by_its_exit_code(valkey_server: Callable[..., Server]) -> None:
    with Scene(valkey_server()) as scene:
        command = [
            sys.executable, "-m", "console", "--url", scene.server.url, "--decisions", str(scene.log), "guard", "--once"
        ]  # fmt: skip
        assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
        from tests.guard.records import write

        write(scene.log, facts("exception"))
        assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 1
        assert scene.active == "blue"
