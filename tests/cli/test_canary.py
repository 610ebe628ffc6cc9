"""`canary …` and `experiment …` from the command line: what is refused, and why, and what it changes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import redis

from console.store.keys import Keys, ProofKeys
from console.store.records.canary import read
from tests import ROOT
from tests.cli.conftest import Cli

PLAN = """
canary = "green"
capital = "10000"
currency = "USD"
[settings]
margin = 0.05
sigma = 1.0
lowest = -1.0
highest = 9.0
[[steps]]
share = "0"
min_rounds = 50
[[steps]]
share = "0.05"
loss_budget = "60"
[[steps]]
share = "0.20"
loss_budget = "60"
"""
EXPERIMENT = """
flag = "bet_sizing"
a = "kelly_floor"
b = "flat"
capital = "1000"
currency = "USD"
rounds_each = 100
[settings]
margin = 0.05
sigma = 1.0
lowest = -1.0
highest = 9.0
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def started(cli: Cli, plan: Path, valkey_sync: redis.Redis) -> redis.Redis:
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("canary", "start", str(plan), "--run", "r1", "--yes", "--reason", "2.5.0").code == 0
    return valkey_sync


def test_a_plan_is_checked_and_shown_before_anything_is_started(cli: Cli, plan: Path) -> None:
    document = cli("canary", "plan", str(plan), "--json").json
    assert (document["canary"], document["capital"], document["currency"]) == ("green", "10000", "USD")
    assert [step["share"] for step in document["plan"]["steps"]] == ["0", "0.05", "0.20"]
    assert "2,000.00 USD" in cli("canary", "plan", str(plan)).out


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('loss_budget = "60"\n[[steps]]', "[[steps]]", "loss budget above 0"),
        ('currency = "USD"', "", "currency"),
        ('capital = "10000"', 'capital = "-1"', "above 0"),
        ("sigma = 1.0", "", "settings.sigma is missing"),
        ("margin = 0.05", "margn = 0.05", "there is no settings.margn; did you mean margin?"),
        ('share = "0.20"', 'share = "0.04"', "rise from step to step"),
        ('canary = "green"', 'canary = "purple"', "canary is 'blue' or 'green', not 'purple'"),
    ],
)
def test_a_plan_that_can_not_be_followed_is_refused_in_words(
    cli: Cli, plan: Path, before: str, after: str, said: str
) -> None:
    assert PLAN.count(before) == 1
    plan.write_text(PLAN.replace(before, after))
    result = cli("canary", "plan", str(plan))
    assert (result.code, said in result.err) == (2, True), result.err


def write_log(path: Path, returns: list[float], **more: object) -> Path:
    """Decisions of blue's, each with a stake of 2 and a return on it, and some lines that count for nothing."""
    lines = [
        {
            "agent_version": "blue",
            "timestamp": 1_700_000_000 + at,
            "decision_type": "bet",
            "output": {"pnl": round(2 * value, 6), "amount_bet": 2, "currency": "USD"},
            **more,
        }
        for at, value in enumerate(returns)
    ]
    others = [
        {**lines[0], "agent_version": "green", "output": {"pnl": -500, "amount_bet": 1, "currency": "USD"}},
        {**lines[0], "output": {"pnl": -500, "amount_bet": 1, "currency": "EUR"}},
        {**lines[0], "output": {"pnl": -500, "amount_bet": 1, "currency": "USD", "dry": True}},
        {**lines[0], "output": {"pnl": -500, "amount_bet": 0, "currency": "USD"}},
        {**lines[0], "output": {"action": "HOLD"}},
    ]
    path.write_text("\n".join([*(json.dumps(line) for line in (*lines, *others)), "{broken"]) + "\n")
    return path


def test_a_plan_is_held_against_the_history_of_the_stable_version(cli: Cli, plan: Path, tmp_path: Path) -> None:
    rng = random.Random(5)
    log = write_log(tmp_path / "blue.jsonl", [rng.choice((-1.0, 1.1)) for _ in range(400)])
    result = cli("canary", "plan", str(plan), "--history", str(log), "--json")
    measured = result.json["history"]
    assert measured["doubts"] == []
    assert (measured["rounds"], measured["without_stake"], measured["refused"]) == (400, 1, 1)
    assert (measured["lowest"], measured["highest"]) == (-1.0, 1.1)
    assert measured["sigma"] == pytest.approx(1.05, abs=0.01)
    shown = cli("canary", "plan", str(plan), "--history", str(log)).out
    assert "blue's history: 400 rounds (1 without a stake, 1 no decision)" in shown
    assert "✓ the plan fits it" in shown


def test_a_plan_tells_the_chance_that_an_innocent_version_is_stopped_and_what_would_be_better(
    cli: Cli, plan: Path, tmp_path: Path
) -> None:
    rng = random.Random(6)
    log = write_log(tmp_path / "blue.jsonl", [rng.choice((-1.0, 1.05)) for _ in range(1000)])
    result = cli("canary", "plan", str(plan), "--history", str(log), "--json")
    assert result.code == 1, "the loss budget is chance's before anything can be proven"
    first = result.json["outlook"][0]
    assert (first["step"], first["stopped"] > 0.05, first["budget"] > 60) == (2, True, True)
    assert [proof["effect"] for proof in first["proofs"]] == [0.1, 0.3, 1.0]
    shown = cli("canary", "plan", str(plan), "--history", str(log)).out
    assert "chance alone spends the budget first in" in shown
    assert "would in 5%" in shown
    works = PLAN.replace('"60"', '"400"').replace("margin = 0.05", "margin = 0.2\nsigma_canary = 1.1")
    plan.write_text(works.replace("highest = 9.0", "highest = 1.2"))
    assert cli("canary", "plan", str(plan), "--history", str(log)).code == 0


def test_the_plan_of_the_documents_is_one_that_an_innocent_version_passes(cli: Cli, tmp_path: Path) -> None:
    rng, log = random.Random(7), tmp_path / "blue.jsonl"
    lines = [
        {
            "agent_version": "blue",
            "timestamp": 1_700_000_000 + 5 * at,
            "decision_type": "bet",
            "output": {"pnl": 5 * rng.choice((-1.0, 0.96)), "amount_bet": 5, "currency": "USD"},
        }
        for at in range(4000)
    ]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    shown = cli("canary", "plan", str(ROOT / "docs/examples/canary.toml"), "--history", str(log))
    assert shown.code == 0, shown.out


def test_a_form_that_fits_no_ladder_is_refused_with_the_reason(cli: Cli, plan: Path) -> None:
    for form in ("fixed", "bounded"):
        plan.write_text(PLAN.replace("sigma = 1.0", f'sigma = 1.0\nform = "{form}"'))
        for verb in ("plan", "start"):
            result = cli("canary", verb, str(plan))
            assert result.code == 2
            assert "compares at one share from start to end" in result.err


def test_a_plan_that_its_history_contradicts_ends_with_no(cli: Cli, plan: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "blue.jsonl", [-1.0, 0.2, -1.5, 0.3] * 100)
    result = cli("canary", "plan", str(plan), "--history", str(log))
    assert result.code == 1
    assert "▲ A round returned -1.5, below lowest = -1" in result.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--stake", "output.risk"), "401 state nothing at output.risk"),
        (("--stake", "output..risk"), "is no path into a record"),
        (("--history", "missing.jsonl"), "can't be read"),
    ],
)
def test_a_history_that_can_not_be_measured_is_an_error_and_no_figure(
    cli: Cli, plan: Path, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    log = write_log(tmp_path / "blue.jsonl", [0.1, -0.1] * 200)
    result = cli("canary", "plan", str(plan), "--history", str(log), *more)
    assert (result.code, said in result.err) == (2, True), result.err


def test_rounds_of_no_slot_are_not_taken_for_the_stable_versions(cli: Cli, plan: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "old.jsonl", [0.1, -0.1] * 200, agent_version="2.4.0")
    result = cli("canary", "plan", str(plan), "--history", str(log))
    assert (result.code, "401 rounds belong to no slot" in result.err) == (2, True), result.err
    assert (
        cli("--slot", "blue=2.4.0", "canary", "plan", str(plan), "--history", str(log), "--json").json["history"][
            "rounds"
        ]
        == 400
    )


def test_a_canary_is_started_with_a_receipt(cli: Cli, started: redis.Redis) -> None:
    reading = read(started, Keys.of()).reading
    assert reading is not None
    assert (reading.run.name, reading.run.slot, str(reading.run.why)) == ("r1", "green", "2.5.0")
    assert "canary start  canary r1" in cli("audit").out


def test_a_second_canary_is_refused_while_one_goes_on(cli: Cli, started: redis.Redis, plan: Path) -> None:
    result = cli("canary", "start", str(plan), "--run", "r2", "--yes")
    assert (result.code, "Canary r1 goes on." in result.err) == (4, True)


def test_promoting_is_refused_by_the_gate_that_holds(cli: Cli, started: redis.Redis) -> None:
    result = cli("canary", "promote", "--yes")
    assert (result.code, "held by fresh analysis: There is no analysis." in result.err) == (4, True)


def test_a_hold_is_overruled_only_with_a_reason_and_one_step_at_a_time(cli: Cli, started: redis.Redis) -> None:
    assert cli("canary", "set", "20", "--yes", "--reason", "hurry").code == 4
    assert cli("canary", "set", "5", "--yes").code == 2
    assert cli("canary", "set", "7", "--yes", "--reason", "x").code == 2
    assert cli("canary", "set", "5", "--yes", "--reason", "a known good build").code == 0
    assert cli("canary", "set", "20%", "--yes", "--reason", "and on").code == 0
    assert cli("canary", "set", "0", "--yes").code == 0, "down takes no reason"
    reading = read(started, Keys.of()).reading
    assert reading is not None and reading.run.position.step == 0


def test_what_was_decided_on_an_old_view_is_a_conflict(cli: Cli, started: redis.Redis) -> None:
    assert cli("canary", "set", "5", "--yes", "--reason", "x", "--expect", "r1/1/1").code == 0
    result = cli("canary", "set", "20", "--yes", "--reason", "x", "--expect", "r1/1/1")
    assert (result.code, "stands at r1/2/2" in result.err) == (4, True)


def test_pause_resume_and_abort(cli: Cli, started: redis.Redis) -> None:
    assert cli("canary", "pause").code == 0
    assert "paused" in cli("canary", "set", "5", "--yes", "--reason", "x").err
    assert cli("canary", "resume", "--yes").code == 0
    assert cli("canary", "abort", "--yes", "--reason", "enough").code == 0
    reading = read(started, Keys.of()).reading
    assert reading is not None and not reading.run.live
    assert "is over" in cli("canary", "promote", "--yes").err


def test_nothing_rises_while_halted_and_an_abort_works(cli: Cli, started: redis.Redis) -> None:
    cli("halt", "--yes")
    result = cli("canary", "set", "5", "--yes", "--reason", "x")
    assert (result.code, "halted" in result.err) == (4, True)
    assert cli("canary", "abort", "--yes").code == 0


def test_without_a_canary_every_verb_says_so(cli: Cli) -> None:
    for verb in (("promote",), ("pause",), ("abort",), ("set", "5")):
        result = cli("canary", *verb, "--yes")
        assert (result.code, "There is no canary." in result.err) == (4, True)


def test_a_read_only_console_moves_no_capital(cli: Cli, started: redis.Redis, plan: Path) -> None:
    for verb in (("abort",), ("start", str(plan)), ("pause",)):
        assert cli("--read-only", "canary", *verb, "--yes").code == 4


def test_an_experiment_is_defined_started_stopped_and_adopted_with_a_reason(
    cli: Cli, tmp_path: Path, valkey_sync: redis.Redis
) -> None:
    file = tmp_path / "sizing.toml"
    file.write_text(EXPERIMENT)
    cli("switch", "blue", "--yes")
    cli("flag", "set", "bet_sizing", "kelly_floor")
    assert cli("experiment", "define", "sizing", str(file)).code == 0
    assert cli("experiment", "define", "sizing", str(file)).code == 4, "a name is never used twice"
    assert cli("experiment", "adopt", "sizing", "--yes").code == 4
    assert cli("experiment", "start", "sizing", "--yes").code == 0
    other = cli("experiment", "define", "again", str(file))
    assert other.code == 0
    assert "runs on the same flag" in cli("experiment", "start", "again", "--yes").err
    assert "no winner" in cli("experiment", "adopt", "sizing", "--yes").err
    assert cli("experiment", "adopt", "sizing", "--arm", "B", "--yes").code == 2, "without a winner it takes a reason"
    assert cli("experiment", "stop", "sizing", "--yes").code == 0
    assert cli("experiment", "adopt", "sizing", "--arm", "B", "--yes", "--reason", "simpler").code == 0
    assert valkey_sync.get("flag:bet_sizing") == b"flat"
    assert cli("experiment", "adopt", "sizing", "--arm", "A", "--yes", "--reason", "x").code == 4
    raw = valkey_sync.hget("ac:{agent:active_version}:experiments", "sizing")
    assert raw is not None
    document = json.loads(raw.partition(b"\n")[2])
    assert (document["state"], document["winner"], document["why"]) == ("ADOPTED", "flat", "simpler")


def test_a_strategy_that_the_flag_can_not_hold_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(EXPERIMENT.replace('flag = "bet_sizing"', 'flag = "crash_target"'))
    assert cli("experiment", "define", "x", str(file)).code in (2, 4)


def tell_shadow(client: redis.Redis, **more: object) -> None:
    """The report of green's shadow, as its reporter writes it: 400 rounds at even odds, priced with their stakes."""
    own = {"rounds": 400, "mean": 0.0, "squares": 400.0}
    told = {"at": "2026-01-01T00:00:00+00:00", "holder": "h", "currency": "USD", "slot": "green", "own": own, **more}
    client.hset(ProofKeys.of(Keys.of()).shadows, "2.5.0", json.dumps(told))


def test_the_canarys_own_spread_is_its_shadows_and_show_says_where_it_comes_from(
    cli: Cli, tmp_path: Path, valkey_sync: redis.Redis
) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace("highest = 9.0", "highest = 1.0"))
    source = "1.246, 400 priced rounds of 2.5.0's shadow: 1.001 measured, at most 1.246"
    assert cli("switch", "blue", "--yes").code == 0
    assert "unknown: no shadow of green's version" in cli("canary", "plan", str(path)).out
    tell_shadow(valkey_sync)
    assert f"the canary's own spread: {source}" in cli("canary", "plan", str(path)).out
    document = cli("canary", "plan", str(path), "--json").json
    assert document["plan"]["settings"]["sigma_canary"] == 1.246
    assert cli("canary", "start", str(path), "--run", "r1", "--yes", "--reason", "2.5.0").code == 0
    stored = read(valkey_sync, Keys.of()).reading
    assert stored is not None
    assert stored.run.plan is not None
    assert stored.run.digest == stored.run.plan.digest == document["digest"]
    assert stored.run.plan.settings.sigma_canary == 1.246
    shown = cli("canary", "show", "--json").json
    assert shown["plan"]["settings"]["sigma_canary_from"] == source.partition(", ")[2]


def test_a_spread_of_another_currency_or_manifest_is_not_taken_and_the_start_says_so(
    cli: Cli, plan: Path, valkey_sync: redis.Redis
) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    tell_shadow(valkey_sync, currency="JPY")
    assert "counts in JPY" in cli("canary", "plan", str(plan)).out
    tell_shadow(valkey_sync, manifest="ab" * 32)
    assert "not said to be of the manifest" in cli("canary", "plan", str(plan)).out
    assert cli("canary", "start", str(plan), "--run", "r1", "--yes", "--reason", "2.5.0").code == 0
    stored = read(valkey_sync, Keys.of()).reading
    assert stored is not None
    assert stored.run.plan is not None
    assert stored.run.plan.settings.sigma_canary is None


def test_a_plan_is_checked_without_a_store_too(cli: Cli, plan: Path) -> None:
    result = cli("--url", "redis://127.0.0.1:1/0", "canary", "plan", str(plan))
    assert (result.code, "unknown: no store to ask for its shadow" in result.out) == (0, True), result.err
