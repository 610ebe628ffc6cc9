"""A/B tests: sticky and even assignment, four verdicts, and the alarm when the split is not what was assigned."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.experiment.trial import Arm, Experiment, ExperimentJudge, ExperimentVerdict
from console.domain.statistics.evidence import Settings

SETTINGS = Settings(margin=0.3, sigma=1.0, lowest=-6.0, highest=6.0)
SIZING = Experiment("sizing-3", "bet_sizing", "kelly_floor", "flat", SETTINGS)


def run(experiment: Experiment, a: float, b: float, rounds: int, seed: int = 1) -> ExperimentJudge:
    rng, judge = random.Random(seed), ExperimentJudge(experiment)
    for at in range(rounds):
        arm = experiment.assign(f"{seed}:{at}")
        judge.add(arm, max(-6.0, min(6.0, rng.gauss(a if arm is Arm.A else b, 1))))
    return judge


@given(st.text())
def test_a_unit_always_has_the_same_arm(unit: str) -> None:
    assert SIZING.assign(unit) is SIZING.assign(unit)


def test_the_arms_are_even_and_experiments_are_independent() -> None:
    units = [f"round-{at}" for at in range(20_000)]
    first = [SIZING.assign(unit) for unit in units]
    second = [replace(SIZING, name="sizing-4").assign(unit) for unit in units]
    assert 9_700 < first.count(Arm.A) < 10_300
    both = sum(x is y for x, y in zip(first, second, strict=True))
    assert 9_700 < both < 10_300


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (0.0, 0.6, ExperimentVerdict.B_BETTER),
        (0.6, 0.0, ExperimentVerdict.A_BETTER),
        (0.0, 0.0, ExperimentVerdict.NO_DIFFERENCE),
    ],
)
def test_the_verdict_is_the_truth_once_there_are_enough_rounds(a: float, b: float, verdict: ExperimentVerdict) -> None:
    assert run(SIZING, a, b, 6000).reading().verdict is verdict


def test_undecided_is_an_answer_and_says_how_many_more_rounds() -> None:
    reading = run(SIZING, 0.0, 0.0, 400).reading()
    assert reading.verdict is ExperimentVerdict.UNDECIDED
    assert reading.rounds_needed is not None and reading.rounds_needed > 0
    assert not reading.due


def test_two_equal_strategies_rarely_get_a_winner_however_often_one_looks() -> None:
    winners = 0
    for seed in range(60):
        rng, judge = random.Random(seed), ExperimentJudge(SIZING)
        for at in range(600):
            judge.add(SIZING.assign(f"{seed}:{at}"), max(-6.0, min(6.0, rng.gauss(0, 1))))
            if judge.reading().verdict in (ExperimentVerdict.A_BETTER, ExperimentVerdict.B_BETTER):
                winners += 1
                break
    assert winners <= 3


def test_an_arm_that_leaves_out_its_bad_rounds_sets_off_the_alarm_and_does_not_win() -> None:
    rng, judge = random.Random(3), ExperimentJudge(SIZING)
    for at in range(4000):
        arm, value = SIZING.assign(str(at)), max(-6.0, min(6.0, rng.gauss(0, 1)))
        if arm is Arm.B and value < -0.8:
            continue
        judge.add(arm, value)
    reading = judge.reading()
    assert reading.ratio_alarm
    assert reading.lower > 0, "it would have won"
    assert reading.verdict is ExperimentVerdict.UNDECIDED


def test_a_winner_may_hide_a_loss_it_has_not_met() -> None:
    lottery = replace(SIZING, settings=replace(SETTINGS, lowest=-200.0, highest=1.0, sigma=0.1, margin=0.01))
    judge = ExperimentJudge(lottery)
    for at in range(1500):
        arm = lottery.assign(str(at))
        judge.add(arm, 0.2 if arm is Arm.A else 1.0)
    reading = judge.reading()
    assert reading.lower > 0.7
    assert reading.verdict is ExperimentVerdict.UNDECIDED


def test_a_return_beyond_the_bounds_ends_all_verdicts() -> None:
    judge = run(SIZING, 0.0, 0.6, 3000)
    assert judge.reading().verdict is ExperimentVerdict.B_BETTER
    judge.add(Arm.A, -7.0)
    assert judge.outside == 1
    assert judge.reading().verdict is ExperimentVerdict.UNDECIDED


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"name": ""}, {"b": "kelly_floor"}, {"rounds_each": 0}])
def test_what_cannot_be_an_experiment_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(SIZING, **wrong)
