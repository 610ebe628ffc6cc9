"""The guard's rounds: stakes that changed are no harm, and one result that can be none hides nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from console.domain.statistics.absurd import FIRST
from console.domain.triggers.baseline import Baseline, as_document, from_document
from console.domain.triggers.finding import Response, Trigger, Verdict
from console.domain.triggers.pnl import judge_pnl
from console.domain.triggers.rounds import PnlWindow
from console.domain.triggers.settings import TriggerSettings, changed
from tests.domain.triggers.test_rules import Case, row

SETTINGS = TriggerSettings()


def money(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))


def tripped(edge: float, stake: Callable[[random.Random], float], *, seed: int, worse: float = 0.0) -> bool:
    """Whether a version is rolled back that stakes otherwise than the old one did, within 400 rounds."""
    chance = random.Random(seed)
    old, new = PnlWindow(SETTINGS), PnlWindow(SETTINGS)
    for number in range(500):
        staked = 5.0 * chance.choice((0.5, 1.0, 1.5))
        old.add(number, money(staked * chance.gauss(edge, 1.0)), "", money(staked))
    before = old.frozen()
    for number in range(400):
        staked = stake(chance)
        new.add(number, money(staked * chance.gauss(edge - worse, 1.0)), "", money(staked))
        if not number % 10 and judge_pnl("USD", new, before, SETTINGS).verdict is Verdict.HARM:
            return True
    return False


def halved(chance: random.Random) -> float:
    return 2.5 * chance.choice((0.5, 1.0, 1.5))


def doubled(chance: random.Random) -> float:
    return 10.0 * chance.choice((0.5, 1.0, 1.5))


def flat(chance: random.Random) -> float:
    return 2.5


@pytest.mark.parametrize(("edge", "stake"), [(0.6, halved), (-0.6, doubled), (0.6, doubled), (0.6, flat)])
def test_stakes_that_changed_at_an_equal_edge_are_no_harm(edge: float, stake: Callable[[random.Random], float]) -> None:
    assert sum(tripped(edge, stake, seed=seed) for seed in range(20)) <= 1


@pytest.mark.parametrize("stake", [halved, doubled])
def test_harm_at_changed_stakes_is_still_harm(stake: Callable[[random.Random], float]) -> None:
    assert sum(tripped(0.6, stake, seed=seed, worse=0.8) for seed in range(5)) >= 4


def test_without_stakes_rounds_are_judged_in_money_as_ever_and_the_weakness_is_named() -> None:
    case = Case().rounds([0.5, -1.5] * 100)
    finding = case.of(Trigger.PNL, 201)
    assert finding.verdict is Verdict.HARM
    assert "USD a round" in finding.reason
    assert "held against the past" in finding.reason


def test_a_version_that_loses_on_large_stakes_is_harm_though_most_rounds_win() -> None:
    old, new, chance = PnlWindow(SETTINGS), PnlWindow(SETTINGS), random.Random(1)
    for window, large in ((old, 0.05), (new, -0.6)):
        for number in range(600):
            staked = 100.0 if chance.random() < 0.2 else 1.0
            edge = large if staked > 1.0 else 0.05
            window.add(number, money(staked * chance.gauss(edge, 0.5)), "", money(staked))
    view = judge_pnl("USD", new, old.frozen(), SETTINGS)
    assert view.verdict is Verdict.HARM
    assert "; worse on large stakes: from 64 on " in view.reason and " a unit in 1" in view.reason
    assert ", before +" in view.reason


@pytest.mark.parametrize("staked", [True, False])
def test_harm_is_told_as_people_meet_it_also_against_a_baseline_that_was_kept(staked: bool) -> None:
    old, new = PnlWindow(SETTINGS), PnlWindow(SETTINGS)
    for number in range(600):
        for window, wins in ((old, 3), (new, 1)):
            window.add(number, Decimal(2 if number % 5 < wins else -2), "", Decimal(2) if staked else None)
    kept = Case().facts.baseline
    assert kept is not None
    baseline = from_document(as_document(Baseline(kept.version, kept.slot, kept.frozen_at, 600, {"USD": old.frozen()})))
    view = judge_pnl("USD", new, baseline.pnl["USD"], SETTINGS)
    assert view.verdict is Verdict.HARM
    assert "; lower win rate: 20 % of 600 rounds, before 60 % of 600 rounds" in view.reason
    without = judge_pnl("USD", new, replace(old.frozen(), payoffs=None), SETTINGS)
    assert without.verdict is Verdict.HARM and "win rate" not in without.reason


def test_a_baseline_whose_payoffs_are_none_is_refused() -> None:
    old = PnlWindow(SETTINGS)
    old.add(1, Decimal(1), "")
    kept = Case().facts.baseline
    assert kept is not None
    document = as_document(Baseline(kept.version, kept.slot, kept.frozen_at, 1, {"USD": old.frozen()}))
    for torn in ([], [[1, 2], [], []], "wins", 7):
        document["pnl"]["USD"][8] = torn
        with pytest.raises(ValueError):
            from_document(document)


def test_a_baseline_is_the_same_after_it_was_kept_and_one_of_an_earlier_guard_is_read() -> None:
    old = PnlWindow(SETTINGS)
    for number in range(50):
        old.add(number, Decimal(number % 3), "", Decimal(2))
    kept = Case().facts.baseline
    assert kept is not None
    baseline = Baseline(kept.version, kept.slot, kept.frozen_at, 50, {"USD": old.frozen()})
    document = as_document(baseline)
    assert from_document(document) == baseline
    document["pnl"]["USD"] = document["pnl"]["USD"][:7]
    assert from_document(document).pnl["USD"].returns is None


# results that can be none


@pytest.mark.parametrize("absurd", ["1e29", "-1e29", "1e20", "Infinity", "NaN", "1e30"])
@pytest.mark.parametrize("where", [0, FIRST - 1, 40])
def test_one_absurd_result_is_named_and_harm_is_found_all_the_same(absurd: str, where: int) -> None:
    plain = Case().rounds([0.0, -2.0] * 100)
    case, amounts = Case(), [Decimal(0), Decimal(-2)] * 100
    amounts.insert(where, Decimal(absurd))
    for number, amount in enumerate(amounts, 1):
        case.add(row(number, amount=amount, currency="USD"))
    finding = case.of(Trigger.PNL, 202)
    assert finding.verdict is plain.of(Trigger.PNL, 202).verdict is Verdict.HARM
    assert "1 set aside" in finding.reason
    assert f"green@{where + 1}" in finding.reason


def test_an_absurd_result_of_a_version_that_is_well_alerts_while_it_is_news() -> None:
    case = Case().rounds([0.0, 2.0] * 20).add(row(41, amount=Decimal("1e20"), currency="USD"))
    finding = case.of(Trigger.PNL, 42)
    assert (finding.verdict, finding.response) == (Verdict.SAFE, Response.ALERT)
    case.rounds([0.0, 2.0] * 40, start=43)
    assert case.of(Trigger.PNL, 130).response is Response.CONTINUE


def test_an_absurd_loss_is_held_against_the_budget_and_an_absurd_gain_is_not() -> None:
    settings = changed(SETTINGS, {"pnl.budget": "50"})
    lost = Case(settings).rounds([0.0, 2.0] * 20).add(row(41, amount=Decimal("-1e20"), currency="USD"))
    assert lost.of(Trigger.PNL, 42).verdict is Verdict.HARM
    won = Case(settings).rounds([0.0, -1.0] * 40).add(row(81, amount=Decimal("1e20"), currency="USD"))
    assert won.rounds([-1.0] * 20, start=82).of(Trigger.PNL, 103).verdict is Verdict.HARM


def test_an_absurd_result_in_the_old_versions_rounds_does_not_spoil_the_baseline() -> None:
    old = PnlWindow(SETTINGS)
    for number in range(200):
        old.add(number, Decimal("1e25") if number in (3, 77) else Decimal(2 * (number % 2)), "")
    before = old.frozen()
    assert (before.rounds, before.mean) == (198, pytest.approx(1.0, abs=0.02))
    assert before.deviation < 1.1


@pytest.mark.parametrize("prize", [50, 1000])
def test_rare_large_wins_are_results_and_none_is_set_aside(prize: int) -> None:
    window, chance = PnlWindow(SETTINGS), random.Random(3)
    for number in range(5 * prize):
        window.add(number, Decimal(prize - 1 if chance.random() < 1 / prize else -1), "", Decimal(1))
    assert window.aside.count == 0
    assert window.returns.moments.count == 5 * prize


def test_a_return_beyond_what_the_plan_allows_counts_as_the_bound_and_is_named() -> None:
    case = Case()
    case.facts.allow("green", "USD", (-1.0, 9.0))
    for number in range(60):
        case.add(row(number + 1, amount=Decimal(number % 2), currency="USD", stake=Decimal(1)))
    case.add(row(61, amount=Decimal(5000), currency="USD", stake=Decimal(1), id="odd"))
    window = case.facts.now.pnl["USD"]
    assert window.returns.recent.mean < 1.0
    assert window.total == 5030
    assert "allows -1 to 9" in case.of(Trigger.PNL, 62).reason


def test_rounds_of_no_currency_are_a_window_of_their_own_and_named() -> None:
    settings = changed(SETTINGS, {"pnl.budget": "50", "pnl.currency": "USD"})
    case = Case(settings)
    for number in range(60):
        case.add(row(number + 1, amount=Decimal(-9000), currency=""))
    finding = case.of(Trigger.PNL, 61)
    assert set(case.facts.now.pnl) == {""}
    assert finding.verdict is Verdict.UNDECIDED
    assert "the rounds name no currency, the budget is in USD and does not watch them" in finding.reason
