"""Form D, by betting: never better than fair under the null, to the last digit; sooner than what it replaces."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.statistics.betting import SIZES, Purse, TwoSample, _Look, lattice
from console.domain.statistics.bounded import Bounded
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge

SIGMA = 0.3
PLACES = [(place + 1.0) / 2.0 for place in lattice(-1.0, 1.0, 2 * SIGMA)]


def purse(values: list[float]) -> Purse:
    made = Purse(PLACES, SIGMA)
    for value in values:
        made.add(value)
    return made


def capital(values: list[float], mean: float, *, below: bool) -> float:
    made = purse(values)
    return exp(made.capital(made.met(mirrored=False), mean, below=below))


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.13, 0.71), (0.0, 0.37)])
@pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
def test_a_capital_at_the_true_mean_is_a_supermartingale_by_every_path_of_a_two_point_payoff(
    low: float, high: float, chance: float, below: bool
) -> None:
    mean = chance * high + (1.0 - chance) * low
    expected = 0.0
    for path in product((low, high), repeat=7):
        before = list(path[:-1])
        now = capital(before, mean, below=below)
        after = chance * capital([*before, high], mean, below=below)
        after += (1.0 - chance) * capital([*before, low], mean, below=below)
        assert after <= now * (1.0 + 1e-9)
        weight = np.prod([chance if value == high else 1.0 - chance for value in path])
        expected += weight * capital(list(path), mean, below=below)
    assert expected <= 1.0 + 1e-9


@pytest.mark.parametrize(("canary", "stable"), [(0.5, 0.5), (0.1, 0.1), (0.95, 0.95), (0.6, 0.3)])
def test_the_least_product_over_all_means_is_worth_no_more_than_one_where_canary_is_no_worse(
    canary: float, stable: float
) -> None:
    grid, expected, rounds = np.linspace(0.0, 1.0, 41), 0.0, 5
    of = {
        hits: ([1.0] * hits + [0.0] * (rounds - hits)) for hits in range(rounds + 1)
    }  # the order of an arm's rounds plays no part
    below = {hits: np.array([capital(values, m, below=True) for m in grid]) for hits, values in of.items()}
    above = {hits: np.array([capital(values, m, below=False) for m in grid]) for hits, values in of.items()}
    for paths in product((0, 1), repeat=2 * rounds):
        hits_c, hits_s = sum(paths[:rounds]), sum(paths[rounds:])
        weight = canary**hits_c * (1 - canary) ** (rounds - hits_c) * stable**hits_s * (1 - stable) ** (rounds - hits_s)
        expected += weight * float((below[hits_c] * above[hits_s]).min())
    assert expected <= 1.0
    assert below[0].max() > 1.0, "and a bet can be won"


unit = st.floats(0.0, 1.0)


@given(st.lists(unit, min_size=1, max_size=30), st.floats(0.01, 0.99), st.booleans())
def test_what_lies_between_two_places_is_never_to_the_bettors_favour_and_keeps_its_mean(
    values: list[float], mean: float, below: bool
) -> None:
    most = 0.9 / ((1.0 - mean) if below else mean)
    sizes = [0.0, *(min(size / SIGMA, most) for size in SIZES)]
    sign = -1.0 if below else 1.0
    exact = np.mean([np.prod([1.0 + sign * size * (value - mean) for value in values]) for size in sizes])
    assert capital(values, mean, below=below) <= float(exact) * (1.0 + 1e-9)
    assert purse(values).mean == pytest.approx(np.mean(values), abs=1e-9)


@given(st.lists(unit, min_size=3, max_size=40), st.lists(unit, min_size=3, max_size=40), st.integers(-40, 40))
def test_what_is_called_refuted_is_so_at_every_mean(canary: list[float], stable: list[float], apart: int) -> None:
    both, cells, level = (purse(canary), purse(stable)), 64, log(4.0)
    look = _Look(*both, cells, mirrored=False)
    look.start(cells // 2)
    if not look.refutes(apart, level):
        return
    for mean in np.linspace(max(0.0, -apart / cells), min(1.0, 1.0 - apart / cells), 200):
        of_c = both[0].capital(both[0].met(mirrored=False), min(1.0, mean + apart / cells), below=True)
        assert of_c + both[1].capital(both[1].met(mirrored=False), float(mean), below=False) >= level - 1e-9


Draw = Callable[[random.Random], float]


def even(rng: random.Random) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def usual(rng: random.Random) -> float:
    return rng.uniform(-1.0, 1.0)


def fair_tail(rng: random.Random) -> float:
    return -20.0 if rng.random() < 0.015 else rng.uniform(-1.0, 1.0) + 0.3 / 0.985


def bad_tail(rng: random.Random) -> float:
    return -20.0 if rng.random() < 0.02 else usual(rng)


def lottery(rng: random.Random) -> float:
    return 9.0 if rng.random() < 0.1 else -1.0


NULLS: tuple[tuple[str, Draw, Draw, float, float, float], ...] = (
    ("even odds", even, even, -1.0, 1.0, 1.0),
    ("long losses", fair_tail, fair_tail, -20.0, 2.0, 2.5),
    ("long losses of the canary alone", fair_tail, usual, -20.0, 2.0, 0.6),
    ("lottery", lottery, lottery, -1.0, 9.0, 3.0),
    ("sigma ten times off", lottery, lottery, -1.0, 9.0, 0.3),
)
SHAPES, NAMES = [null[1:] for null in NULLS], [null[0] for null in NULLS]


def ever_below(draws: tuple[Draw, Draw], bounds: tuple[float, float], sigma: float, seed: int, rounds: int) -> bool:
    rng, sequence = random.Random(seed), TwoSample(*bounds, sigma)
    for at in range(rounds):
        canary = rng.random() < 0.3
        sequence.add(canary, draws[0 if canary else 1](rng))
        if at % 4 == 0 and sequence.upper(0.1) < 0.0:
            return True
    return False


@pytest.mark.parametrize(
    ("canary", "stable", "low", "high", "sigma"), [n[1:] for n in NULLS], ids=[n[0] for n in NULLS]
)
def test_alike_versions_are_called_worse_in_no_more_than_alpha_of_the_runs(
    canary: Draw, stable: Draw, low: float, high: float, sigma: float
) -> None:
    runs = 16
    wrong = sum(ever_below((canary, stable), (low, high), sigma, seed, 150) for seed in range(runs))
    assert wrong <= 0.1 * runs + 2.0 * (runs * 0.09) ** 0.5


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("canary", "stable", "low", "high", "sigma"), [n[1:] for n in NULLS], ids=[n[0] for n in NULLS]
)
def test_so_it_is_in_two_hundred_runs_of_a_thousand_rounds(
    canary: Draw, stable: Draw, low: float, high: float, sigma: float
) -> None:
    runs = 200
    assert sum(ever_below((canary, stable), (low, high), sigma, seed, 1000) for seed in range(runs)) <= 0.1 * runs


def found_after(add: Callable[[bool, float], object], worse: Callable[[], bool], draw: Draw, seed: int) -> int:
    rng = random.Random(seed)
    for at in range(1, 9001):
        canary = rng.random() < 0.5
        add(canary, (draw if canary else usual)(rng))
        if at % 25 == 0 and worse():
            return at
    return 9001


def test_where_the_loss_tail_carries_the_harm_it_is_found_at_least_1_6_times_sooner_than_by_what_it_replaces() -> None:
    alpha, betting, earlier = 0.045, [], []
    for seed in range(7):
        bets = TwoSample(-20.0, 2.0, 0.6)
        betting.append(found_after(bets.add, lambda bets=bets: bets.upper(alpha) < 0.0, bad_tail, seed))
        arms = Bounded(-20.0, 2.0, alpha / 2), Bounded(-20.0, 2.0, alpha / 2)

        def add(canary: bool, value: float, arms: tuple[Bounded, Bounded] = arms) -> None:
            arms[0 if canary else 1].add(value)

        earlier.append(found_after(add, lambda arms=arms: arms[0].bounds[1] < arms[1].bounds[0], bad_tail, seed))
    now, before = statistics.median(betting), statistics.median(earlier)
    print(f"\nrounds to harm in the loss tail: {now} by betting, {before} before: {before / now:.1f} times")
    assert now * 1.6 <= before


def test_where_a_round_tells_of_the_next_a_block_is_one_bet() -> None:
    wrong = {1: 0, 60: 0}
    for block in wrong:
        for seed in range(16):
            rng, sequence, swing = random.Random(seed), TwoSample(-1.0, 1.0, 1.0, block=block), [1.0, 1.0]
            for at in range(1200):
                arm = at % 2
                if rng.random() < 0.3:
                    swing[arm] = rng.choice((1.0, -1.0))
                sequence.add(arm == 0, swing[arm])
                if at % 25 == 24 and sequence.upper(0.045) < 0.0:
                    wrong[block] += 1
                    break
    assert wrong[60] <= 1
    assert wrong[1] >= 3, "what a block saves us from"


SETTINGS = Settings(margin=0.2, sigma=1.0, lowest=-1.0, highest=1.0, form=Form.BOUNDED, share=0.3, due_rounds=400)


def test_the_interval_holds_the_true_difference_and_both_verdicts_come() -> None:
    def last(worse: float, seed: int) -> Judge:
        rng, judge = random.Random(seed), Judge(SETTINGS)
        for at in range(3600):
            canary = rng.random() < 0.5
            hit = rng.random() < 0.5 - (worse / 2 if canary else 0.0)
            judge.round(canary, 1.0 if hit else -1.0, 0.5)
            if at % 60 == 0:
                assert judge.evidence.lower <= -worse <= judge.evidence.upper
        return judge

    assert last(0.5, 1).evidence.verdict is Verdict.HARM
    assert last(0.0, 2).evidence.verdict is Verdict.SAFE
    assert last(0.0, 2).evidence.lower > -SETTINGS.margin


def test_a_stretch_that_begins_anew_is_judged_by_bets_too_and_finds_harm_that_comes_late() -> None:
    rng, judge = random.Random(3), Judge(SETTINGS)
    for at in range(3000):
        canary = rng.random() < 0.5
        judge.round(canary, 1.0 if rng.random() < (0.1 if canary and at > 1400 else 0.5) else -1.0, 0.5)
        if at > 1400 and at % 20 == 0 and judge.evidence.verdict is Verdict.HARM:
            break
    assert judge.evidence.verdict is Verdict.HARM
    assert at < 1700
    assert judge.evidence.estimate > -SETTINGS.margin, "over the whole run it lies within the margin still"


def test_a_run_of_the_earlier_form_is_read_and_goes_on_in_it() -> None:
    rng, judge, arms = random.Random(4), Judge(SETTINGS), []
    rounds = [(rng.random() < 0.5, rng.choice((1.0, -1.0, 0.25))) for _ in range(200)]
    for canary, value in rounds:
        judge.round(canary, value, 0.5)
    state = judge.state()
    safe, harm = SETTINGS.alpha_safe / 4, SETTINGS.alpha_harm * 0.9 / 2
    for of_canary in (True, False):
        for alpha in (safe, harm):
            arms.append(Bounded(-1.0, 1.0, alpha))
            for canary, value in rounds:
                if canary is of_canary:
                    arms[-1].add(value)
    strand, recent = state["strand"][:3], state["recent"] and [*state["recent"][:2], state["recent"][2][:3]]
    kept = {**state, "strand": strand, "recent": recent, "certain": [arm.state() for arm in arms]}
    earlier = Judge(SETTINGS)
    earlier.restore(json.loads(json.dumps(kept)))
    assert earlier.evidence.lower == pytest.approx(arms[0].bounds[0] - arms[2].bounds[1])
    assert earlier.evidence.upper == pytest.approx(arms[1].bounds[1] - arms[3].bounds[0])
    earlier.round(True, 0.5, 0.5)
    again = Judge(SETTINGS)
    again.restore(json.loads(json.dumps(earlier.state())))
    assert again.state() == earlier.state()
    assert again.evidence == earlier.evidence
    assert judge.evidence.upper < earlier.evidence.upper


@pytest.mark.parametrize(
    "wrong", [[9, [[999, 1.0]]], [9, [[-1, 1.0]]], [9], "x", [9, [["a", 1.0]]], [9, [[1, float("inf")]]]]
)
def test_a_purse_that_can_not_be_read_is_refused(wrong: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        purse([]).restore(wrong)


def test_bounds_a_million_times_the_spread_cost_a_few_hundred_places() -> None:
    assert len(lattice(-1e6, 1e6, 1.0)) < 250
    assert lattice(-0.1, 0.1, 5.0) == [-0.1, 0.0, 0.1]
    sequence = TwoSample(-1e6, 1e6, 1.0)
    for at in range(60):
        sequence.add(at % 2 == 0, -1.0 if at % 2 == 0 else 1.0)
    assert sequence.lower(0.01, -1.0) <= -2.0 <= sequence.upper(0.05)
