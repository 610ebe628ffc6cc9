"""Money decides: what is fed to the judge, by shapes of payoff that strangers brought."""

import random
from dataclasses import replace

import numpy as np
import pytest

from console.domain.errors import UsageError
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge
from tests.simulate.shapes import fixed
from tests.simulate.vector import NEVER, judge

PLAN = Settings(margin=0.1, sigma=0.5, lowest=-1.0, highest=3.0, share=0.2, sigma_canary=0.5)
RUNS, ROUNDS = 100, 5000


def stakes(rng: np.random.Generator, large: float = 0.05) -> np.ndarray:
    """One round in twenty has a hundred times the stake."""
    return np.where(rng.random((RUNS, ROUNDS)) < large, 100.0, 1.0)


@pytest.mark.parametrize("form", [Form.FIXED, pytest.param(Form.ADJUSTED, marks=pytest.mark.long)])
def test_a_version_that_wins_on_small_stakes_and_loses_on_large_ones_is_never_promoted(form: Form) -> None:
    rng = np.random.default_rng(1)
    canary, stake = rng.random((RUNS, ROUNDS)) < 0.2, stakes(rng)
    value = rng.uniform(-0.5, 0.5, (RUNS, ROUNDS)) + np.where(canary, np.where(stake > 1.0, -0.3, 0.05), 0.0)
    settings = replace(PLAN, form=form)
    by_money = judge(settings, canary, value, fixed(0.2)(ROUNDS), stake=stake)
    assert (by_money.safe < NEVER).sum() == 0
    by_rounds = judge(settings, canary, value, fixed(0.2)(ROUNDS))
    assert (by_rounds.safe < NEVER).mean() > 0.5, "round by round it looks better, which is what money is for"


def test_what_rounds_and_money_say_is_both_told_where_stakes_differ() -> None:
    rng, judged = random.Random(2), Judge(PLAN)
    for _ in range(2000):
        canary, stake = rng.random() < 0.2, 100.0 if rng.random() < 0.05 else 1.0
        worse = (-0.3 if stake > 1.0 else 0.05) if canary else 0.0
        judged.round(canary, rng.uniform(-0.5, 0.5) + worse, 0.2, stake)
    evidence = judged.evidence
    assert evidence.per_round is not None
    assert evidence.estimate < 0.0 < evidence.per_round[0]
    same = Judge(PLAN)
    same.round(True, 0.1, 0.2, 7.0)
    same.round(False, 0.1, 0.2, 7.0)
    assert same.evidence.per_round is None


def test_the_unit_of_the_stakes_plays_no_part() -> None:
    rng, cents, dollars = random.Random(3), Judge(PLAN), Judge(PLAN)
    for _ in range(500):
        canary, stake, value = rng.random() < 0.2, rng.choice([1.0, 8.0, 64.0]), rng.uniform(-1.0, 1.0)
        cents.round(canary, value, 0.2, stake * 128.0)
        dollars.round(canary, value, 0.2, stake)
    assert cents.evidence == dollars.evidence


@pytest.mark.parametrize("end", ["open", "released"])
def test_a_version_that_never_closes_its_losers_is_never_promoted(end: str) -> None:
    settings = replace(PLAN, lowest=-20.0)
    for seed in range(10):
        rng, judged, held = random.Random(seed), Judge(settings), 0
        for _ in range(8000):
            canary = rng.random() < 0.2
            if canary and rng.random() < 0.01:
                held += 1
                if end == "released":
                    judged.released(1.0)
                continue
            judged.round(canary, rng.uniform(-0.5, 0.5), 0.2)
        judged.unsettled(held if end == "open" else 0, float(held) if end == "open" else 0.0)
        evidence = judged.evidence
        assert evidence.verdict is not Verdict.SAFE
        assert evidence.unsettled == held
        assert evidence.unsettled_loss > 0.15


def test_rounds_that_are_open_for_a_moment_cost_an_innocent_version_little() -> None:
    rng, judged = random.Random(4), Judge(PLAN)
    for _ in range(6000):
        judged.round(rng.random() < 0.2, rng.uniform(-0.5, 0.5), 0.2)
    judged.unsettled(3, 3.0)
    assert judged.evidence.verdict is Verdict.SAFE
    assert judged.evidence.unsettled_loss < 0.004


def test_what_is_safe_at_a_small_share_must_hold_at_the_steps_own() -> None:
    seen = 0
    for seed in range(12):
        rng, judged = random.Random(seed), Judge(replace(PLAN, sigma=0.3, sigma_canary=0.3, highest=0.6))
        for share, effect in ((0.05, 0.05), (0.2, 0.0), (0.5, -0.3)):
            judged.new_step()
            for at in range(4000):
                canary = rng.random() < share
                judged.round(canary, rng.uniform(-0.5, 0.5) + (effect if canary else 0.0), share)
                if at % 20 == 0 or at == 3999:
                    verdict = judged.evidence.verdict
                    seen += verdict is Verdict.SAFE
                    assert effect > -0.3 or verdict is not Verdict.SAFE, (seed, at)
        assert judged.evidence.verdict is Verdict.HARM
    assert seen > 0, "it was safe at the smaller shares"


@pytest.mark.parametrize("prize", [5.0, pytest.param(20.0, marks=pytest.mark.long), 50.0])
@pytest.mark.parametrize("known", [True, False])
def test_other_odds_at_an_equal_mean_are_no_harm(prize: float, known: bool) -> None:
    rng = np.random.default_rng(int(prize))
    canary = rng.random((200, 4000)) < 0.2
    usual = np.where(rng.random((200, 4000)) < 0.5, 1.0, -1.0)
    longer = np.where(rng.random((200, 4000)) < 1.0 / prize, prize - 1.0, -1.0)
    settings = Settings(
        margin=0.1,
        sigma=1.0,
        lowest=-1.0,
        highest=prize - 1.0,
        share=0.2,
        sigma_canary=(prize - 1.0) ** 0.5 if known else None,
    )
    outcome = judge(settings, canary, np.where(canary, longer, usual), fixed(0.2)(4000))
    assert (outcome.harm < NEVER).mean() <= 0.05


def test_losses_that_come_in_spells_are_not_hidden_by_counting_rounds() -> None:
    rng = np.random.default_rng(7)
    runs, rounds, spell = 100, 12_000, 200
    bad = np.repeat(rng.random((runs, rounds // spell)) < 0.02, spell, axis=1)
    canary = rng.random((runs, rounds)) < 0.2
    noise = rng.uniform(-0.1, 0.1, (runs, rounds))
    value = noise + np.where(canary, np.where(bad, -5.0, 0.0), 0.0)
    settings = Settings(margin=0.1, sigma=0.1, lowest=-5.2, highest=0.2, share=0.2, block=spell, sigma_canary=0.7)
    assert (judge(settings, canary, value, fixed(0.2)(rounds)).safe < NEVER).mean() <= 0.01


@pytest.mark.parametrize(("effect", "within"), [(-0.3, 1800), pytest.param(-1.0, 400, marks=pytest.mark.long)])
def test_harm_that_comes_late_is_found_soon(effect: float, within: int) -> None:
    rng = np.random.default_rng(8)
    runs, before, rounds = 40, 12_000, 16_000
    canary = rng.random((runs, rounds)) < 0.5
    value = rng.standard_normal((runs, rounds)) + np.where(canary & (np.arange(rounds) >= before), effect, 0.0)
    settings = Settings(margin=0.1, sigma=1.0, lowest=-7.0, highest=7.0, share=0.5, due_rounds=2000, sigma_canary=1.0)
    found = judge(settings, canary, value, fixed(0.5)(rounds)).harm
    late = found[found > before]
    assert len(late) >= 0.95 * runs
    assert np.median(late) - before < within


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("at", range(3))
def test_a_number_that_is_none_is_refused_and_blinds_nothing(number: float, at: int) -> None:
    judged = Judge(PLAN)
    numbers = [0.1, 0.2, 1.0]
    numbers[at] = number
    before = judged.state()
    with pytest.raises(UsageError):
        judged.round(True, *numbers)
    assert judged.state() == before


def test_a_single_absurd_return_hides_no_harm_and_lets_nothing_be_safe() -> None:
    rng, judged = random.Random(9), Judge(PLAN)
    judged.round(True, 1e20, 0.2)
    for _ in range(4000):
        canary = rng.random() < 0.2
        judged.round(canary, rng.uniform(-0.5, 0.5) - (0.4 if canary else 0.0), 0.2)
    assert judged.evidence.verdict is Verdict.HARM
    assert judged.evidence.outside == 1


@pytest.mark.parametrize("usual", [0.9, 0.0, -0.5])
def test_what_may_still_hide_is_lost_from_the_mean_that_was_seen(usual: float) -> None:
    judged = Judge(PLAN)
    for at in range(200):
        judged.round(at % 5 == 0, usual, 0.2)
    unseen = -np.log(PLAN.alpha_safe / 2.0)
    assert judged.evidence.hidden == pytest.approx(unseen * max((usual + 1.0) / 40, (3.0 - usual) / 160))
