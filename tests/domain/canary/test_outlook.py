"""What a plan lets expect is what then happens."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from console.domain.canary.outlook import Bet, outlook
from console.domain.canary.plan import Plan, Step
from console.domain.statistics.evidence import Settings, Verdict
from console.domain.statistics.judge import Judge

SETTINGS = Settings(margin=0.2, sigma=1.0, lowest=-1.0, highest=1.0, share=0.5, due_rounds=500, sigma_canary=1.0)
STEPS = (Step(Decimal(0), min_rounds=50), Step(Decimal("0.5"), Decimal(60), min_rounds=1))
PLAN = Plan(STEPS, SETTINGS)
COINS = tuple(Bet(1.0, value) for value in (-1.0, 1.0))


def test_an_innocent_version_is_safe_about_when_it_was_told() -> None:
    (seen,) = outlook(PLAN, COINS, pace_s=36.0)
    assert seen.rounds is not None
    assert seen.hours == pytest.approx(seen.rounds * 36.0 / 3600.0)
    took = []
    for seed in range(20):
        rng, judge, rounds = random.Random(seed), Judge(SETTINGS), 0
        while judge.evidence.verdict is not Verdict.SAFE and rounds < 6 * seen.rounds:
            judge.round(rng.random() < 0.5, rng.choice((-1.0, 1.0)), 0.5)
            rounds += 1
        took.append(rounds)
    assert 0.4 * seen.rounds < sorted(took)[10] < 2.0 * seen.rounds


def test_the_chance_to_be_stopped_is_that_of_the_rounds_drawn() -> None:
    (tight,) = outlook(replace(PLAN, steps=(STEPS[0], replace(STEPS[1], loss_budget=Decimal(8)))), COINS, None)
    (loose,) = outlook(replace(PLAN, steps=(STEPS[0], replace(STEPS[1], loss_budget=Decimal(500)))), COINS, None)
    assert tight.stopped > 0.4 > 0.01 > loose.stopped
    (mended,) = outlook(
        replace(PLAN, steps=(STEPS[0], replace(STEPS[1], loss_budget=Decimal(str(tight.budget + 1))))), COINS, None
    )
    assert mended.stopped <= 0.1
    assert tight.hours is None


def test_large_stakes_among_small_ones_take_longer_and_cost_more() -> None:
    whales = (*(Bet(1.0, value) for value in (-1.0, 1.0) for _ in range(10)), Bet(50.0, -1.0), Bet(50.0, 1.0))
    (even,), (uneven,) = outlook(PLAN, COINS, None), outlook(PLAN, whales, None)
    assert even.rounds is not None and uneven.rounds is not None
    assert uneven.rounds > 3 * even.rounds
    assert uneven.budget > 3 * even.budget


def test_bounds_that_hide_everything_are_said_to_be_never_safe_or_very_late() -> None:
    wide = replace(PLAN, settings=replace(SETTINGS, lowest=-1e9))
    (seen,) = outlook(wide, COINS, 1.0)
    assert not seen.well


def test_the_same_seed_tells_the_same() -> None:
    assert outlook(PLAN, COINS, 1.0, seed=3) == outlook(PLAN, COINS, 1.0, seed=3)


def test_a_harm_within_the_margin_is_never_proven_since_it_is_accepted() -> None:
    (seen,) = outlook(PLAN, COINS, None)
    assert [proof.rounds is None for proof in seen.proofs] == [True, False, False]
    assert seen.proofs[1].lost is not None and seen.proofs[2].lost is not None
