"""The named cases, played through the real router in both of its modes, with every verdict on the way looked at."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from console.agent.canary.router import CanaryRouter
from console.domain.canary.guardrails import Guardrails
from console.domain.canary.plan import Mode, Position
from console.domain.statistics.evidence import Form, Settings, Verdict, margin_of
from console.domain.statistics.judge import Judge

Draw = Callable[[random.Random], float]
FORMS = [(Mode.ROUTE, Form.ADJUSTED), (Mode.ROUTE, Form.FIXED), (Mode.ROUTE, Form.BOUNDED), (Mode.SPLIT, Form.PAIRED)]
STAKES = tuple(Decimal(stake) for stake in ("0.5", "1", "2.25", "20"))


def normal(mean: float, sigma: float, reach: float) -> Draw:
    return lambda rng: max(mean - reach, min(mean + reach, rng.gauss(mean, sigma)))


def play(
    settings: Settings, mode: Mode, canary: Draw, stable: Draw, rounds: int, seed: int = 1
) -> tuple[Judge, set[Verdict]]:
    """Rounds of many stakes at the settings' share; the judge at the end, and every verdict that was ever given."""
    rng, judge = random.Random(seed), Judge(settings)
    router = CanaryRouter(f"run {seed}", mode=mode, cap=Decimal(100), quantum=Decimal("0.0001"))
    router.apply(Position(1, 1), Decimal(str(settings.share)), Decimal(10**6))
    seen = set()
    for at in range(rounds):
        given = router.assign(str(at), rng.choice(STAKES))
        router.settle(str(at))
        if mode is Mode.SPLIT:
            judge.pair(canary(rng), stable(rng))
        else:
            judge.round(given.to_canary, (canary if given.to_canary else stable)(rng), given.probability)
        seen.add(judge.evidence.verdict)
    return judge, seen


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_a_loss_that_doubled_is_never_safe_and_soon_harm(mode: Mode, form: Form, share: float) -> None:
    settings = Settings(
        margin=margin_of(-1.07), sigma=1.5, lowest=-10.0, highest=10.0, form=form, share=share, due_rounds=1000
    )
    judge, seen = play(settings, mode, normal(-2.07, 1.5, 7.5), normal(-1.07, 1.5, 7.5), 3000)
    assert Verdict.SAFE not in seen
    if form is not Form.BOUNDED:  # whose bounds are those of any payoff between -10 and 10
        assert judge.evidence.verdict is Verdict.HARM


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_one_in_ninety_nine_rounds_and_then_minus_two_hundred_is_never_safe(mode: Mode, form: Form) -> None:
    settings = Settings(margin=margin_of(0.20), sigma=0.05, lowest=-200.0, highest=1.0, form=form, share=0.2)
    for seed in range(8):
        _, seen = play(settings, mode, lambda rng: 1.0 if rng.random() < 0.99 else -200.0, lambda rng: 0.20, 1500, seed)
        assert Verdict.SAFE not in seen, seed


@pytest.mark.parametrize(("mode", "form"), [case for case in FORMS if case[1] is not Form.BOUNDED])
def test_minus_1_55_against_minus_1_50_is_within_five_per_cent(mode: Mode, form: Form) -> None:
    settings = Settings(margin=margin_of(-1.50), sigma=0.1, lowest=-2.0, highest=0.5, form=form, share=0.5)
    judge, seen = play(settings, mode, normal(-1.55, 0.1, 0.4), normal(-1.50, 0.1, 0.4), 6000)
    assert Verdict.HARM not in seen
    assert judge.evidence.verdict is Verdict.SAFE
    beyond, seen = play(settings, mode, normal(-1.60, 0.1, 0.4), normal(-1.50, 0.1, 0.4), 6000)
    assert Verdict.SAFE not in seen
    assert beyond.evidence.verdict is Verdict.HARM


@pytest.mark.parametrize("share", ["0.05", "0.2", "0.5"])
@pytest.mark.parametrize("reported", [False, True])
def test_a_canary_that_skips_its_bad_rounds_looks_better_and_is_never_promoted(share: str, reported: bool) -> None:
    """Left out altogether, they stay open, and count at their worst; reported as skipped, they show in that share."""
    rng, guard, left = random.Random(3), Guardrails(0.01), 0
    judge = Judge(Settings(margin=0.1, sigma=1.0, lowest=-5.0, highest=5.0, share=float(share)))
    router = CanaryRouter("run", mode=Mode.ROUTE, cap=Decimal(100))
    router.apply(Position(1, 1), Decimal(share), Decimal(10**6))
    for at in range(12_000):
        given, value = router.assign(str(at), rng.choice(STAKES)), normal(0.0, 1.0, 5.0)(rng)
        router.settle(str(at))
        bad = given.to_canary and value < -0.8
        if bad and not reported:
            left += 1
            judge.unsettled(left, float(left * given.canary))
            continue
        judge.round(given.to_canary, 0.0 if bad else value, given.probability)
        guard.round(given.to_canary, given.probability, skipped=bad)
    assert judge.evidence.estimate > 0.1, "it would have looked better"
    assert bool(guard.alarms) is reported
    assert reported or judge.evidence.verdict is not Verdict.SAFE
