"""The short form of `make simulate`: the vectorised judge is the real one, and the promised rates hold."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge
from tests.simulate import rivals
from tests.simulate.peers import rank_z, welch
from tests.simulate.shapes import SHAPES, Shape, fixed, ramp
from tests.simulate.vector import NEVER, judge


def cases() -> Iterator[tuple[Form, Shape]]:
    for form in Form:
        for shape in SHAPES if form is not Form.BOUNDED else (SHAPES[2],):
            yield form, shape


@pytest.mark.parametrize("spread", [True, pytest.param(False, marks=pytest.mark.long)], ids=["spread-known", "unknown"])
@pytest.mark.parametrize(("form", "shape"), cases(), ids=lambda value: getattr(value, "name", str(value)))
def test_the_vectorised_judge_is_the_real_one_round_by_round(form: Form, shape: Shape, spread: bool) -> None:
    rounds, runs = (240 if form is Form.BOUNDED else 900), 3
    rng = np.random.default_rng(11)
    probability = ramp(rounds) if form is Form.ADJUSTED else fixed(0.4)(rounds)
    canary = np.ones((runs, rounds), bool) if form is Form.PAIRED else rng.random((runs, rounds)) < probability
    effects = np.array([[0.0], [0.6], [-0.6]])
    value, other = shape.draw(rng, (runs, rounds)), shape.draw(rng, (runs, rounds))
    value += np.where(canary, effects, 0.0)
    settings = Settings(
        margin=0.4,
        sigma=0.8,
        lowest=shape.lowest - 1,
        highest=shape.highest + 1,
        form=form,
        block=3 if form is Form.BOUNDED else min(shape.block, 10),
        due_rounds=rounds // 4,
        sigma_canary=0.9 if spread else None,
    )
    steps = frozenset({rounds // 3, 2 * rounds // 3})
    stake = rng.choice([1.0, 2.5, 40.0], p=[0.6, 0.3, 0.1], size=(runs, rounds))
    mates = other if form is Form.PAIRED else None
    outcome = judge(settings, canary, value, probability, mates, steps, stake=stake)
    for run in range(runs):
        real, harm, safe = Judge(settings), NEVER, NEVER
        for at in range(rounds):
            if at in steps:
                real.new_step()
            if form is Form.PAIRED:
                real.pair(value[run, at], other[run, at], stake[run, at])
            else:
                real.round(bool(canary[run, at]), value[run, at], probability[at], stake[run, at])
            verdict = real.evidence.verdict
            harm = min(harm, at + 1) if verdict is Verdict.HARM else harm
            safe = min(safe, at + 1) if verdict is Verdict.SAFE else safe
        evidence = real.evidence
        assert (harm, safe) == (outcome.harm[run], outcome.safe[run])
        assert evidence.estimate == pytest.approx(outcome.estimate[run], abs=1e-9)
        assert evidence.lower == pytest.approx(outcome.lower[run], abs=1e-9)
        assert evidence.upper == pytest.approx(outcome.upper[run], abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_version_like_the_old_one_is_rarely_rolled_back_and_a_much_worse_one_not_promoted(shape: Shape) -> None:
    runs, rounds = 200, 1200
    rng = np.random.default_rng(12)
    canary = rng.random((runs, rounds)) < 0.2
    value = shape.draw(rng, (runs, rounds))
    settings = Settings(
        margin=0.1,
        sigma=1.0,
        lowest=shape.lowest - 1,
        highest=shape.highest,
        share=0.2,
        block=shape.block,
        sigma_canary=1.0,
    )
    same = judge(settings, canary, value, fixed(0.2)(rounds))
    worse = judge(settings, canary, value - canary, fixed(0.2)(rounds))
    assert (same.worse < NEVER).sum() <= 0.05 * runs
    assert (worse.safe < NEVER).sum() <= 0.01 * runs
    assert (worse.harm < NEVER).mean() >= 0.99


def test_the_rank_statistic_of_the_table_is_scipys() -> None:
    rng = np.random.default_rng(13)
    value = np.sort(rng.integers(0, 9, 300).astype(float))
    canary = rng.random(300) < 0.4
    oracle = stats.mannwhitneyu(
        value[canary], value[~canary], alternative="less", method="asymptotic", use_continuity=False
    )
    assert stats.norm.cdf(rank_z(value, canary)) == pytest.approx(oracle.pvalue)


def test_rivals_made_for_many_looks_keep_their_level_on_normal_payoffs_and_see_harm() -> None:
    rng = np.random.default_rng(15)
    canary, value = rng.random((100, 1500)) < 0.5, rng.standard_normal((100, 1500))
    for worse in (0.0, 0.8):
        rounds = value - worse * canary
        arms = rivals.Arms(canary, rounds)
        called = {
            "msprt": rivals.msprt(arms, 1000, 0.5),
            "growthbook": rivals.growthbook(arms),
            "bonferroni": rivals.bonferroni(arms),
            "grid": rivals.betting_grid(canary, rounds, -5.0, 5.0),
        }
        for name, found in called.items():
            share = (found < NEVER).mean()
            assert share <= 0.1 if not worse else share >= 0.9, name


def test_the_mixture_ratio_of_the_rival_is_the_likelihood_mixed_over_effects() -> None:
    canary, value = np.tile([[True, False]], (1, 40)), np.tile([[-0.6, 0.4, -1.4, 1.6]], (1, 20))
    arms = rivals.Arms(canary, value)
    at, tau2 = 79, 0.04
    v, d = float(arms.error2[0, at]), float(arms.apart[0, at])
    effects = np.linspace(-4.0, 4.0, 40_001)
    weights = stats.norm.pdf(effects, scale=tau2**0.5) * (effects[1] - effects[0])
    mixed = float((np.exp(effects * d / v - effects**2 / (2.0 * v)) * weights).sum())
    assert (v / (v + tau2)) ** 0.5 * np.exp(tau2 * d * d / (2 * v * (v + tau2))) == pytest.approx(mixed, rel=1e-6)
    assert np.exp(float(rivals.log_ratio(arms.error2, arms.apart, tau2)[0, at])) == pytest.approx(mixed, rel=1e-6)


def test_on_the_same_rounds_tests_made_for_one_look_call_a_like_version_worse() -> None:
    rng = np.random.default_rng(14)
    canary, value = rng.random((200, 1500)) < 0.5, rng.standard_normal((200, 1500))
    settings = Settings(margin=0.1, sigma=1.0, lowest=-7.0, highest=7.0, share=0.5)
    assert welch(canary, value).mean() > 0.15
    assert (judge(settings, canary, value, fixed(0.5)(1500)).worse < NEVER).mean() <= 0.05
