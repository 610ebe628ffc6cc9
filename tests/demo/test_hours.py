"""A demo that is left running goes on: for hours, past every cap, with bounded files, and through its venue's end."""

from __future__ import annotations

import json
import os
import random
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.demo.agent import CEILING, FLOOR, SESSION_S, Agent, Options, Session
from console.demo.files import LOG_BYTES, Log
from console.demo.prover import CAP
from console.demo.stage import Stage
from console.demo.stagehand import FLAGS, ROLES, Role
from console.demo.venue import Venue
from tests.waiting import until

ROUNDS_A_SECOND = 8
HOURS = 3


class Quick(Agent):
    """An agent whose requests reach the venue's rules without the wire."""

    def __init__(self, options: Options, venue: Venue) -> None:
        super().__init__(options)
        self._rules = venue

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, version: str = ""
    ) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": "Bearer k", "x-agent-version": version or self.options.version}
        status, answer = self._rules.answer(method, path, headers, json.dumps(body or {}).encode())
        return status, dict(answer)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.slot)
def test_after_hours_of_rounds_each_version_still_bets_less_than_the_cap(role: Role, tmp_path: Path) -> None:
    options = Options(
        role.slot,
        role.version,
        "redis://127.0.0.1:1",
        1,
        "k",
        tmp_path / "log",
        tmp_path / "state",
        0.12,
        1,
        role.second_guess,
        role.greed,
    )
    agent = Quick(options, Venue("k", 7))
    _status, balance = agent.call("GET", "/api/v1/auth/balance")
    agent.session.balance = agent.session.start_balance = Decimal(str(balance["balance_usd"]))
    chance, flags = random.Random(3), {"max_session_bets": float(FLAGS["max_session_bets"]), "stop_loss_pct": 0.5}
    began = agent.session.began
    played = [0] * HOURS
    for number in range(HOURS * 3600 * ROUNDS_A_SECOND):
        seconds = number / ROUNDS_A_SECOND
        agent.session.roll(began + seconds)
        if agent.must_stop(flags):  # its own rule, until its session ends
            continue
        played[int(seconds // 3600)] += 1
        amount = agent.stake("kelly_floor")
        assert FLOOR <= amount <= CEILING < CAP / 2
        bet, _why = agent.strategy.choose("coinflip", 2.0, chance)
        assert agent.play("coinflip", bet, amount)["executed"]
    assert min(played) > 1000, played


def test_a_session_that_lost_too_much_begins_anew_after_its_hour() -> None:
    session = Session(bets=100_000, pnl=Decimal(-600), start_balance=Decimal(1000), balance=Decimal(400), began=0.0)
    session.roll(SESSION_S - 1)
    assert (session.bets, session.pnl) == (100_000, Decimal(-600))
    session.roll(SESSION_S)
    assert (session.bets, session.pnl, session.start_balance) == (0, Decimal(0), Decimal(400))


def test_a_log_never_holds_more_than_its_bound_and_the_one_before(tmp_path: Path) -> None:
    log = Log(tmp_path / "blue.jsonl", most_bytes=1000)
    for number in range(500):
        log.write(b'{"n": %d}\n' % number)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["blue.jsonl", "blue.jsonl.1"]
    assert max(file.stat().st_size for file in files) <= 1000
    kept = [json.loads(line)["n"] for file in reversed(files) for line in file.read_bytes().splitlines()]
    assert kept == list(range(kept[0], 500))
    assert LOG_BYTES < 1 << 26


def test_the_demo_goes_on_after_its_venue_was_killed() -> None:
    def executed(log: Path) -> int:
        return log.read_bytes().count(b'"executed": true') if log.exists() else 0

    with Stage(period_s=0.05, seed=7) as stage:
        log = stage.decision_logs[0]
        until(lambda: executed(log) > 5, "rounds")
        os.kill(stage.processes["venue"], signal.SIGKILL)
        until(lambda: b"venue away" in log.read_bytes(), "the end of the venue")
        before = executed(log)
        until(lambda: executed(log) > before + 5, "rounds at a venue that was started again")
