"""A canary that leaves out, fails or delays its rounds is noticed by the split and the shares."""

import random
from decimal import Decimal

import pytest

from console.agent.canary.router import CanaryRouter
from console.domain.canary.guardrails import Guardrails
from console.domain.canary.plan import Mode, Position


def rounds(share: str, count: int, seed: int) -> list[tuple[bool, float, float]]:
    """Rounds as a router gives them out: who plays, with what probability, and what would be won."""
    rng, router = random.Random(seed), CanaryRouter(f"run-{seed}", mode=Mode.ROUTE, cap=Decimal(1000))
    router.apply(Position(1, 1), Decimal(share), Decimal(10**6))
    drawn = []
    for at in range(count):
        given = router.assign(str(at), Decimal(rng.choice([1, 2, 10])))
        router.settle(str(at))
        drawn.append((given.to_canary, given.probability, rng.gauss(0, 1)))
    return drawn


@pytest.mark.parametrize("share", ["0.05", "0.2", "0.5"])
def test_the_split_is_that_of_the_rounds_given_out_whoever_ends_them_late(share: str) -> None:
    honest, bent = Guardrails(0.01), Guardrails(0.01)
    for at, (canary, probability, value) in enumerate(rounds(share, 12_000, 1)):
        honest.draw(canary, probability)
        bent.draw(canary and value > -0.5, probability)
        if not canary or at < 6000:  # the canary's second half has not ended yet
            honest.round(canary, probability)
    assert not honest.ratio_alarm
    assert bent.ratio_alarm


@pytest.mark.parametrize("rate", [0.003, 0.03, 0.3])
def test_a_version_that_fails_as_often_as_stable_is_innocent_however_often_that_is(rate: float) -> None:
    fired = 0
    for seed in range(60):
        rng, guard = random.Random(seed), Guardrails(0.05)
        for _ in range(4000):
            guard.round(rng.random() < 0.2, 0.2, error=rng.random() < rate, skipped=rng.random() < rate)
        fired += bool(guard.alarms)
    assert fired <= 3


def test_a_version_that_fails_twice_as_often_as_stable_is_told_from_it() -> None:
    rng, guard = random.Random(5), Guardrails(0.01)
    for _ in range(8000):
        canary = rng.random() < 0.2
        guard.round(canary, 0.2, error=rng.random() < (0.1 if canary else 0.03))
    assert guard.alarms[0].startswith("errors 1")
    assert "stable 3" in guard.alarms[0] or "stable 2" in guard.alarms[0]


def test_failures_within_what_the_plan_accepts_are_no_alarm_even_where_stable_has_none() -> None:
    for accepted, fires in ((0.01, True), (0.1, False)):
        rng, guard = random.Random(6), Guardrails(0.01, errors=accepted)
        for _ in range(4000):
            canary = rng.random() < 0.2
            guard.round(canary, 0.2, error=canary and rng.random() < 0.05)
        assert bool(guard.alarms) is fires


def test_a_canary_that_reports_its_bad_rounds_as_skipped_sets_off_the_skipped_share() -> None:
    guard = Guardrails(0.01)
    for canary, probability, value in rounds("0.2", 1500, 2):
        guard.round(canary, probability, skipped=canary and value < -1.3)
    assert not guard.ratio_alarm
    assert guard.alarms[0].startswith("skipped rounds")


@pytest.mark.parametrize(
    ("rates", "expected"),
    [((0.05, 0.0, 0.0), "errors"), ((0.0, 0.05, 0.0), "skipped rounds"), ((0.0, 0.0, 0.15), "slow rounds")],
)
def test_each_guardrail_fires_for_its_own_share(rates: tuple[float, float, float], expected: str) -> None:
    rng, guard = random.Random(3), Guardrails(0.01)
    for _ in range(2500):
        error, skipped, slow = (rng.random() < rate for rate in rates)
        guard.round(True, 1.0, error=error, skipped=skipped, slow=slow)
    assert [alarm.split(" ")[0] for alarm in guard.alarms] == [expected.split(" ")[0]]


def test_stables_errors_are_not_the_canarys() -> None:
    guard = Guardrails(0.01)
    for _ in range(500):
        guard.round(False, 0.5, error=True)
    assert guard.alarms == ()


def test_rates_as_accepted_fire_no_alarm_over_many_steps() -> None:
    fired = 0
    for seed in range(40):
        rng, guard = random.Random(seed), Guardrails(0.05)
        for step in range(4):
            if step:
                guard.new_step()
            for _ in range(400):
                guard.round(
                    rng.random() < 0.3,
                    0.3,
                    error=rng.random() < 0.01,
                    skipped=rng.random() < 0.01,
                    slow=rng.random() < 0.05,
                )
            fired += bool(guard.alarms) or guard.ratio_alarm
    assert fired <= 2


def test_a_new_step_counts_from_nothing() -> None:
    guard = Guardrails(0.01)
    for _ in range(100):
        guard.draw(True, 0.5)
        guard.round(True, 0.5, error=True)
    assert guard.alarms and guard.ratio_alarm
    guard.new_step()
    assert (guard.alarms, guard.ratio_alarm, guard.ratio) == ((), False, None)


def test_another_probability_is_another_draw() -> None:
    rng, guard = random.Random(4), Guardrails(0.01)
    for at in range(6000):
        probability = 0.1 if at < 3000 else 0.4
        guard.draw(rng.random() < probability, probability)
    assert not guard.ratio_alarm
    assert guard.ratio is not None and guard.ratio[1] == 0.4
