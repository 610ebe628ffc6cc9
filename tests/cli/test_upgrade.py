"""One run from blue to green, with real agents on a real store."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from console.agent import AgentController, Commitment, Kind, Settings
from console.store.keys import GuardKeys, Keys
from tests.cli.conftest import Cli
from tests.processes import Process
from tests.waiting import until

KEYS = Keys.of()
PLAN = "shadow_rounds = 0\nreview = {review}\nreview_by_operator = {ask}\nwatch_s = {watch}\nwarm_s = {watch}\n"


class Two:
    """A blue and a green agent on the same store, blue active."""

    def __init__(self, url: str, cli: Cli) -> None:
        self.blue = AgentController(url, slot="blue", version="2.4.0", settings=Settings(money=False))
        self.green = AgentController(url, slot="green", version="2.5.0", settings=Settings(money=False))
        for one in (self.blue, self.green):
            one.start()
        assert cli("switch", "blue", "--yes").code == 0
        until(lambda: self.blue.active, "blue to be active")


@pytest.fixture
def two(store_url: str, cli: Cli) -> Iterator[Two]:
    two = Two(store_url, cli)
    yield two
    for one in (two.blue, two.green):
        one.stop()


@pytest.fixture
def guard(two: Two, valkey_sync: redis.Redis) -> Iterator[None]:
    """A guard's heartbeat, as often as a guard says it."""
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            seconds, micros = valkey_sync.time()
            ms = int(seconds) * 1000 + int(micros) // 1000
            body = {"ms": ms, "started": ms, "watching": "blue", "every_s": 1.0, "triggers": []}
            valkey_sync.hset(GuardKeys.of(KEYS).guards, "guard-1", json.dumps(body))
            over.wait(0.3)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def plan(folder: Path, *, review: int = 0, ask: bool = False, watch: float = 0.0) -> str:
    file = folder / "upgrade.toml"
    file.write_text(PLAN.format(review=review, ask=str(ask).lower(), watch=watch))
    return str(file)


def switches(store: redis.Redis, identity: str) -> int:
    """How often the run's switch moved the active side."""
    return sum(1 for _id, fields in store.xrange(KEYS.log) if fields.get(b"sid") == identity.encode())


def run_of(cli: Cli) -> dict[str, object]:
    run: dict[str, object] = cli("upgrade", "show", "--json").json["run"]
    return run


def steps(cli: Cli) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run_of(cli)["steps"]}  # type: ignore[attr-defined]


def escrow() -> Commitment:
    due = datetime.now(UTC) + timedelta(minutes=120)
    return Commitment("esc_1", Kind.ESCROW, Decimal(12), "USD", due=due)


def test_a_run_goes_from_its_snapshot_to_its_end_and_switches_once(
    cli: Cli, two: Two, guard: None, tmp_path: Path, valkey_sync: redis.Redis
) -> None:
    done = cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=0.5), "--yes")
    assert done.code == 0, (done.out, done.err)
    until(lambda: two.green.active, "green to be active")
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    evidence = {step["name"]: step["evidence"] for step in run["steps"]}  # type: ignore[attr-defined]
    assert all(evidence[name] for name in ("snapshot", "gates", "health", "superset", "switch", "watch", "warm"))
    assert steps(cli) | {"shadow": "skipped", "state": "skipped", "canary": "skipped", "review": "skipped"} == steps(
        cli
    )


def test_an_escrow_that_green_does_not_watch_blocks_the_run_until_it_does(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    two.blue.commitments.put(escrow())
    blocked = cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--yes")
    assert blocked.code == 1
    assert "green does not watch 1 of 1: esc_1" in blocked.out
    assert two.blue.active and steps(cli)["gates"] == "blocked"
    two.green.commitments.watch(["esc_1"])
    assert cli("upgrade", "go").code == 0
    until(lambda: two.green.active, "green to be active")


def test_a_second_run_is_refused_while_one_goes_on(cli: Cli, two: Two, tmp_path: Path) -> None:
    words = ("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes")
    assert cli(*words).code == 0
    assert cli(*words).code == 4


def test_a_change_by_hand_holds_the_run_until_it_is_handed_back(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    assert cli("switch", "green", "--yes").code == 0
    assert cli("switch", "blue", "--yes").code == 0
    until(lambda: two.blue.active, "blue to be active again")
    held = cli("upgrade", "go")
    assert held.code == 1 and "switched blue" in held.out
    assert run_of(cli)["state"] == "held" and cli("upgrade", "go").code == 1
    assert cli("upgrade", "resume").code == 0
    assert cli("upgrade", "go").code == 0
    until(lambda: two.green.active, "green to be active")


def test_an_abort_before_the_switch_leaves_blue_with_all_the_capital(cli: Cli, two: Two, tmp_path: Path) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    assert cli("upgrade", "abort").code == 2, "an abort says why"
    assert cli("upgrade", "abort", "--reason", "not today").code == 0
    run = run_of(cli)
    assert (run["state"], run["safe_state"]) == ("aborted", "BLUE acts, with all the capital")
    assert two.blue.active and cli("upgrade", "go").code == 1


def test_an_abort_after_the_switch_rolls_back(cli: Cli, two: Two, guard: None, tmp_path: Path) -> None:
    waits = cli("upgrade", "start", "green", "--plan", plan(tmp_path, review=1, ask=True), "--yes")
    assert waits.code == 1 and "no decision log is followed" in waits.out
    until(lambda: two.green.active, "green to be active")
    assert cli("upgrade", "abort", "--reason", "it is odd").code == 0
    assert run_of(cli)["safe_state"] == "BLUE acts, rolled back"
    until(lambda: two.blue.active, "blue to be active again")


def test_where_the_old_side_is_dead_an_abort_after_the_switch_stops_all(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, review=1), "--yes").code == 1
    two.blue.stop()
    assert cli("upgrade", "abort", "--reason", "it is odd").code == 0
    assert run_of(cli)["safe_state"] == "all is halted"
    until(lambda: not two.green.active, "green to stop")


@pytest.mark.parametrize("at", ["snapshot", "gates", "health", "superset", "switch", "watch"])
def test_a_walker_that_is_killed_at_a_step_is_followed_by_another_and_the_switch_happens_once(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis, at: str
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=0.8), "--detach", "--yes").code == 0
    walker = Process("console", "--url", store_url, "upgrade", "go")
    walker.until(f" {at} ")
    os.kill(walker.process.pid, signal.SIGKILL)
    walker.process.wait()
    gone_on = cli("upgrade", "go")
    assert gone_on.code == 0, (gone_on.out, gone_on.err)
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    assert two.green.active and not two.blue.active


def test_of_two_walkers_one_acts(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=1.0), "--detach", "--yes").code == 0
    walkers = [Process("console", "--url", store_url, "upgrade", "go") for _ in range(2)]
    for walker in walkers:
        walker.process.wait(40)
    time.sleep(0.1)
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    taken = [fields for _id, fields in valkey_sync.xrange(KEYS.audit) if fields.get(b"command") == b"snapshot take"]
    assert len(taken) == 1
