"""Verdicts: the named cases, the order of the rules, the loss budget."""

import random
from dataclasses import fields, replace
from decimal import Decimal
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.statistics.evidence import Form, LossBudget, Settings, Verdict, decide, margin_of
from console.domain.statistics.judge import Judge

BASE = Settings(margin=0.05, sigma=1.0, lowest=-5.0, highest=5.0)


def play(judge: Judge, rng: random.Random, canary: float, stable: float, sigma: float, rounds: int) -> set[Verdict]:
    """Rounds by the announced share, both versions with the same spread; every verdict that was ever given."""
    seen = set()
    share = judge.settings.share
    for _ in range(rounds):
        to_canary = rng.random() < share
        judge.round(to_canary, rng.gauss(canary if to_canary else stable, sigma), share)
        seen.add(judge.evidence.verdict)
    return seen


@pytest.mark.parametrize("form", [Form.FIXED, Form.ADJUSTED])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_a_doubled_loss_is_harm_and_never_safe(form: Form, share: float) -> None:
    settings = Settings(margin=margin_of(-1.07), sigma=1.5, lowest=-10.0, highest=10.0, form=form, share=share)
    judge = Judge(settings)
    seen = play(judge, random.Random(1), canary=-2.07, stable=-1.07, sigma=1.5, rounds=4000)
    assert Verdict.SAFE not in seen
    assert judge.evidence.verdict is Verdict.HARM


def test_a_doubled_loss_is_harm_in_pairs() -> None:
    rng = random.Random(2)
    judge = Judge(Settings(margin=margin_of(-1.07), sigma=1.5, lowest=-10.0, highest=10.0, form=Form.PAIRED))
    seen = set()
    for _ in range(400):
        market = rng.gauss(0, 1)
        judge.pair(market - 2.07 + rng.gauss(0, 1), market - 1.07 + rng.gauss(0, 1))
        seen.add(judge.evidence.verdict)
    assert Verdict.SAFE not in seen
    assert judge.evidence.verdict is Verdict.HARM


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form is Form.ADJUSTED else pytest.mark.long) for form in Form]
)
def test_pennies_before_a_steamroller_are_never_safe(form: Form) -> None:
    settings = Settings(margin=margin_of(0.20), sigma=0.05, lowest=-200.0, highest=1.0, form=form, share=0.5)
    for seed in range(40):
        rng, judge, seen = random.Random(seed), Judge(settings), set()
        for _ in range(1500):
            canary, stable = (1.0 if rng.random() < 0.99 else -200.0), 0.20
            if form is Form.PAIRED:
                judge.pair(canary, stable)
            else:
                to_canary = rng.random() < 0.5
                judge.round(to_canary, canary if to_canary else stable, 0.5)
            seen.add(judge.evidence.verdict)
        assert Verdict.SAFE not in seen, seed


def test_pennies_are_not_safe_even_in_a_run_that_never_meets_the_steamroller() -> None:
    judge = Judge(Settings(margin=0.01, sigma=0.05, lowest=-200.0, highest=1.0, share=0.5))
    for at in range(1000):
        judge.round(at % 2 == 0, 1.0 if at % 2 == 0 else 0.2, 0.5)
    assert judge.evidence.estimate == pytest.approx(0.8, abs=0.05)
    assert judge.evidence.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("form", [Form.FIXED, Form.ADJUSTED])
def test_a_loss_within_five_per_cent_of_a_negative_mean_is_safe(form: Form) -> None:
    settings = Settings(
        margin=margin_of(-1.50), sigma=0.1, lowest=-3.0, highest=1.0, form=form, share=0.5, due_rounds=2000
    )
    assert settings.margin == pytest.approx(0.075)
    judge = Judge(settings)
    seen = play(judge, random.Random(3), canary=-1.55, stable=-1.50, sigma=0.1, rounds=8000)
    assert Verdict.HARM not in seen, "proven to be a little worse, and within what was accepted"
    assert judge.evidence.upper < 0
    assert judge.evidence.verdict is Verdict.SAFE


def test_a_loss_beyond_five_per_cent_of_a_negative_mean_is_harm() -> None:
    judge = Judge(Settings(margin=margin_of(-1.50), sigma=0.1, lowest=-3.0, highest=1.0, share=0.5))
    seen = play(judge, random.Random(4), canary=-1.62, stable=-1.50, sigma=0.1, rounds=4000)
    assert Verdict.SAFE not in seen
    assert judge.evidence.verdict is Verdict.HARM


def test_harm_that_only_a_larger_share_brings_is_not_averaged_away() -> None:
    rng = random.Random(5)
    with_steps, without = Judge(BASE), Judge(BASE)
    for at in range(12_000):
        share, effect = (0.05, 0.1) if at < 10_000 else (0.5, -0.4)
        if at == 10_000:
            with_steps.new_step()
        canary = rng.random() < share
        value = max(-5.0, min(5.0, rng.gauss(effect if canary else 0.0, 1)))
        with_steps.round(canary, value, share)
        without.round(canary, value, share)
    assert with_steps.evidence.verdict is Verdict.HARM
    assert without.evidence.verdict is not Verdict.HARM


def test_the_first_step_is_the_run_itself() -> None:
    told, untold = Judge(BASE), Judge(BASE)
    for _ in range(3):
        told.new_step()
    for at in range(300):
        for judge in (told, untold):
            judge.round(at % 4 == 0, at % 7 - 3.0, 0.25)
    assert told.state() == untold.state()
    assert told.evidence == untold.evidence


def test_each_further_step_has_a_smaller_part_of_alpha_so_that_all_together_have_no_more_than_their_share() -> None:
    def harm_in_step(number: int) -> int:
        """Rounds of a canary that is worse by 1 in its last step only, until that is found, after as many steps."""
        rng, judge, rounds = random.Random(11), Judge(replace(BASE, share=0.5)), 0
        for step in range(number):
            for at in range(4000 if not step else 1):
                judge.round(at % 2 == 0, rng.gauss(0.4 if at % 2 == 0 else 0.0, 1) * 0.5, 0.5)
            judge.new_step()
        rng = random.Random(12)
        while judge.evidence.verdict is not Verdict.HARM:
            canary = rng.random() < 0.5
            judge.round(canary, max(-5.0, min(5.0, rng.gauss(-1.0 if canary else 0.0, 1))), 0.5)
            rounds += 1
            assert rounds < 2000
        return rounds

    assert harm_in_step(1) < harm_in_step(30) < 3 * harm_in_step(1)


def test_a_step_may_bring_its_own_margin_and_alphas_and_nothing_else() -> None:
    judge = Judge(replace(BASE, share=0.5))
    play(judge, random.Random(10), 0.0, 0.0, 1.0, 600)
    assert judge.evidence.verdict is Verdict.UNDECIDED
    judge.new_step(replace(judge.settings, margin=0.5, alpha_safe=0.02))
    play(judge, random.Random(11), 0.0, 0.0, 1.0, 200)
    assert judge.evidence.verdict is Verdict.SAFE
    with pytest.raises(UsageError, match="frozen"):
        judge.new_step(replace(judge.settings, sigma=0.1))
    bounded = Judge(replace(BASE, form=Form.BOUNDED))
    with pytest.raises(UsageError, match="frozen"):
        bounded.new_step(replace(bounded.settings, alpha_safe=0.02))


def test_a_return_beyond_the_declared_bounds_is_counted_and_nothing_is_safe_after_it() -> None:
    judge = Judge(replace(BASE, margin=1.0, share=0.5))
    rng = random.Random(6)
    play(judge, rng, 0.0, 0.0, 0.5, 1000)
    assert judge.evidence.verdict is Verdict.SAFE
    judge.round(True, -5.5, 0.5)
    assert judge.evidence.outside == 1
    assert judge.evidence.verdict is Verdict.UNDECIDED


def test_nothing_is_said_before_there_are_enough_blocks() -> None:
    judge = Judge(replace(BASE, share=0.5))
    assert judge.evidence.verdict is Verdict.NOT_ENOUGH
    assert judge.evidence.hidden == inf
    for at in range(50):
        judge.round(at % 2 == 0, 0.0, 0.5)
    assert judge.evidence.verdict is Verdict.NOT_ENOUGH


def test_the_rounds_still_needed_are_about_those_then_played() -> None:
    rng = random.Random(7)
    judge = Judge(Settings(margin=0.3, sigma=1.0, lowest=-5.0, highest=5.0, form=Form.PAIRED, due_rounds=500))
    promised = None
    for at in range(1, 3000):
        judge.pair(rng.gauss(0, 1), rng.gauss(0, 1))
        if at == 300:
            promised = judge.evidence.rounds_needed
        if judge.evidence.verdict is Verdict.SAFE:
            break
    assert promised is not None
    assert 300 < at < 300 + 3 * promised + 200


def test_a_canary_outside_the_margin_needs_no_number_of_rounds() -> None:
    judge = Judge(replace(BASE, share=0.5))
    play(judge, random.Random(8), -0.2, 0.0, 1.0, 500)
    assert judge.evidence.rounds_needed is None


@pytest.mark.parametrize(
    ("estimate", "lower", "upper", "outside", "verdict"),
    [
        (-0.2, -0.4, -0.01, 0, Verdict.HARM),
        (-0.2, -0.4, 0.01, 0, Verdict.UNDECIDED),
        (-0.03, -0.06, -0.001, 0, Verdict.UNDECIDED),
        (-0.03, -0.04, -0.001, 0, Verdict.SAFE),
        (0.1, -0.04, 0.3, 0, Verdict.SAFE),
        (0.1, -0.05, 0.3, 0, Verdict.UNDECIDED),
        (0.1, -0.04, 0.3, 1, Verdict.UNDECIDED),
        (-0.2, -0.4, -0.01, 9, Verdict.HARM),
    ],
)
def test_the_rule(estimate: float, lower: float, upper: float, outside: int, verdict: Verdict) -> None:
    assert decide(BASE, blocks=30, estimate=estimate, lower=lower, upper=upper, outside=outside) is verdict


def test_more_metrics_make_each_interval_wider() -> None:
    one, two = Judge(BASE), Judge(replace(BASE, metrics=("pnl", "slippage")))
    for judge in (one, two):
        play(judge, random.Random(9), 0.0, 0.0, 1.0, 500)
    assert two.evidence.lower < one.evidence.lower
    assert two.evidence.upper > one.evidence.upper


def test_the_digest_is_stable_and_every_setting_is_in_it() -> None:
    assert BASE.digest == "556f027def5d1d4b1f3860d7c1685c50f4965110de4ab69460cf237b27dab280"
    for change in fields(Settings):
        value = getattr(BASE, change.name)
        other = (
            Form.PAIRED
            if change.name == "form"
            else ("pnl", "x")
            if change.name == "metrics"
            else 0.5
            if value is None
            else value * 1.1 + 0.001
            if isinstance(value, float)
            else value + 1
        )
        assert replace(BASE, **{change.name: other}).digest != BASE.digest, change.name


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": 0.0},
        {"margin": float("nan")},
        {"sigma": 0.0},
        {"lowest": 0.5},
        {"highest": -0.5},
        {"lowest": float("-inf")},
        {"share": 1.0},
        {"correlation": 1.0},
        {"correlation": float("nan")},
        {"explained": 1.0},
        {"explained": -0.1},
        {"explained": float("nan")},
        {"alpha_harm": 0.0},
        {"alpha_safe": 0.5},
        {"block": 0},
        {"min_blocks": 0},
        {"due_rounds": 10, "block": 20},
        {"metrics": ()},
    ],
)
def test_settings_that_no_verdict_could_rest_on_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(BASE, **wrong)


def test_a_share_of_a_mean_of_nothing_is_no_margin() -> None:
    with pytest.raises(UsageError, match="units of return"):
        margin_of(0.0)


@given(st.lists(st.decimals(-100, 100, places=6), max_size=40))
def test_the_loss_budget_is_exact_to_the_last_digit(rounds: list[Decimal]) -> None:
    budget = LossBudget(Decimal(60))
    for pnl in rounds:
        budget.add(pnl)
    total = sum(rounds, Decimal(0))
    assert budget.balance == total
    assert budget.spent == (total <= -60)
    assert budget.left == max(60 + total, 0)


@pytest.mark.parametrize("limit", ["0", "-1", "NaN", "Infinity"])
def test_a_step_without_a_loss_budget_is_refused(limit: str) -> None:
    with pytest.raises(UsageError):
        LossBudget(Decimal(limit))
