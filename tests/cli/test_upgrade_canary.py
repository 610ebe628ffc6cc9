"""A run whose plan has a canary, end to end: the ladder up to 100 %, the switch, its first decisions, watch, warm."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import starmap
from pathlib import Path

import pytest
import redis

from console.agent import CanaryDesk
from console.domain.canary.plan import RunState
from console.domain.canary.run import CanaryRun
from console.store.records.canary import read
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.cli.test_upgrade import KEYS, guard, run_of, switches
from tests.faults.capital import SETTINGS, step
from tests.processes import Process
from tests.waiting import until

__all__ = ["guard"]

RUN = """\
shadow_rounds = 0
canary = "canary.toml"
review = 10
review_by_operator = false
watch_s = 0.3
warm_s = 0.6
"""


def ladder(budget: int, *, few: int = 5) -> str:
    """A canary's plan whose second step may lose so much, a dollar a round at most, and takes so many rounds."""
    steps = (("0.05", 900, 5), ("0.20", budget, few), ("0.50", 900, 5), ("1", 900, 5))
    return f'canary = "green"\n{SETTINGS}' + "".join(starmap(step, steps))


class Play:
    """Blue's process shares its rounds out between both versions, and writes down what the active one decides.

    Args:
        url: of the store.
        log: the decision log.
        two: both agents.
    """

    def __init__(self, url: str, log: Path, two: Two) -> None:
        self.desk = CanaryDesk(url, cap=Decimal(1000), currency="USD", report_s=0.1)
        self._log, self._two = log, two
        self._chance, self._over = random.Random(3), threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self.wins: Callable[[bool], bool] = lambda canary: True

    def start(self) -> None:
        self._log.write_text("")
        self.desk.start()
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self.desk.stop()

    def _play(self) -> None:
        number = 0
        while not self._over.wait(0.005):
            number += 1
            given = self.desk.assign(f"b{number}", Decimal(1))
            fair = Decimal(str(round(self._chance.uniform(-0.48, 0.52), 4)))
            won = fair if self.wins(given.to_canary) else Decimal(-1)
            mine, its = (won, Decimal(0)) if given.to_canary else (Decimal(0), won)
            self.desk.settle(f"b{number}", canary_pnl=mine, stable_pnl=its)
            if self._two.green.active and number % 10 == 0:
                self._write(number, won)

    def _write(self, number: int, won: Decimal) -> None:
        record = {
            "agent_version": "2.5.0",
            "timestamp": time.time(),
            "decision_type": "bet",
            "inputs": {},
            "output": {"bet": number, "pnl": str(won)},
            "reasoning": "because",
        }
        with self._log.open("a") as file:
            file.write(json.dumps(record) + "\n")


@pytest.fixture
def play(two: Two, store_url: str, tmp_path: Path) -> Iterator[Play]:
    (tmp_path / "upgrade.toml").write_text(RUN)
    (tmp_path / "canary.toml").write_text(ladder(900))
    made = Play(store_url, tmp_path / "decisions.jsonl", two)
    made.start()
    yield made
    made.stop()


def walker(store_url: str, folder: Path) -> Process:
    """`upgrade start green --plan …`, as an operator leaves it alone."""
    start = ("upgrade", "start", "green", "--plan", str(folder / "upgrade.toml"), "--yes")
    return Process("console", "--url", store_url, *read_from(folder), *start)


def read_from(folder: Path) -> tuple[str, ...]:
    return ("--decisions", str(folder / "decisions.jsonl"), "--slot", "green=2.5.0")


def over(cli: Cli, first: Process, folder: Path) -> dict[str, object]:
    """The run once it is over; a walker that found a heartbeat too old on a busy machine is followed by another."""
    code = first.process.wait(120)
    while run_of(cli)["state"] == "running":
        code = cli(*read_from(folder), "upgrade", "go").code
    run = run_of(cli)
    assert code == (0 if run["state"] == "done" else 1), (first.lines, first.errors)
    return run


def canary(store: redis.Redis) -> CanaryRun:
    reading = read(store, KEYS).reading
    assert reading is not None
    return reading.run


def told(store: redis.Redis) -> list[str]:
    """What the control log says of the canary and of who acts, in order."""
    events = [{k.decode(): v.decode() for k, v in fields.items()} for _id, fields in store.xrange(KEYS.log)]
    return [f"{e['did']} {e['share']}" if e["k"] == "canary" else e["k"] for e in events if e["k"] != "document"]


def test_a_run_climbs_its_ladder_to_the_end_switches_and_is_watched(
    cli: Cli, two: Two, guard: None, play: Play, tmp_path: Path, store_url: str, valkey_sync: redis.Redis
) -> None:
    run = over(cli, walker(store_url, tmp_path), tmp_path)
    assert run["state"] == "done", run["note"]
    ladder = ["start 0.05", "step 0.20", "step 0.50", "step 1", "finish 1"]
    moved = [one for one in told(valkey_sync) if one in (*ladder, "drain", "switched")]
    assert moved[moved.index("start 0.05") :][:5] == ladder
    assert "switched" in moved[moved.index("finish 1") :], "its 100 % are followed by the switch"
    assert switches(valkey_sync, str(run["id"])) == 1
    evidence = {step["name"]: step["evidence"] for step in run["steps"]}  # type: ignore[attr-defined]
    assert len(evidence["review"]) == 11 and all(evidence[name] for name in ("canary", "switch", "watch", "warm"))


@pytest.mark.parametrize("how", ["it loses", pytest.param("a gate closes", marks=pytest.mark.long)])
def test_a_canary_that_is_taken_back_ends_the_run_with_blue_and_all_the_capital(
    cli: Cli, two: Two, guard: None, play: Play, tmp_path: Path, store_url: str, valkey_sync: redis.Redis, how: str
) -> None:
    (tmp_path / "config").mkdir(exist_ok=True)
    (tmp_path / "config" / "config.toml").write_text('[volatility]\nkey = "vol"\nlimit = 1.0\n')
    valkey_sync.set("vol", "0.1")
    (tmp_path / "canary.toml").write_text(ladder(3) if how == "it loses" else ladder(900, few=1_000_000))
    play.wins = lambda canary: how != "it loses" or not canary or play.desk.share < Decimal("0.20")
    ends = walker(store_url, tmp_path)
    if how == "a gate closes":
        until(lambda: play.desk.share == Decimal("0.20"), "the second step")
        valkey_sync.set("vol", "9")
    run, back = over(cli, ends, tmp_path), canary(valkey_sync)
    assert (run["state"], run["safe_state"]) == ("aborted", "BLUE acts, with all the capital")
    assert (back.state, back.share) == (RunState.ABORTED, 0) and "the canary was taken back by" in str(run["note"])
    until(lambda: play.desk.share == 0, "the desk hears of it")
    assert two.blue.active and not two.green.active and switches(valkey_sync, str(run["id"])) == 0
