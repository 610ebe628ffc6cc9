"""Where rounds hang together a cluster counts once, and what was known of it before makes the interval narrower."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.agent.experiment.trial import ABTest
from console.domain.errors import UsageError
from console.domain.experiment.clusters import MAX_CLUSTERS, WATCHED
from console.domain.experiment.record import ExperimentReport, read_report, report_text
from console.domain.experiment.trial import Arm, Experiment, ExperimentJudge, ExperimentVerdict
from console.domain.statistics.boundary import Boundary
from console.domain.statistics.evidence import Settings
from console.domain.text import Safe
from console.store.records.experiments import MAX_REPORT_BYTES

SETTINGS = Settings(margin=0.3, sigma=1.0, lowest=-6.0, highest=6.0)
BY_CUSTOMER = Experiment("sizing", "bet_sizing", "kelly", "flat", SETTINGS, rounds_each=60, cluster="inputs.customer")


def play(
    seed: int,
    customers: int,
    rounds: int,
    *,
    shape: str = "early",
    known: bool = False,
    effect: float = 0.0,
    experiment: Experiment = BY_CUSTOMER,
) -> tuple[ExperimentJudge, bool]:
    """Customers of whom each has a mean of its own; whether 0 ever lay outside the interval, looked at often."""
    rng, judge = random.Random(seed), ExperimentJudge(replace(experiment, name=f"e{seed}"))
    means = [rng.gauss(0.0, 0.7) for _ in range(customers)]
    before = [mean + rng.gauss(0.0, 0.3) for mean in means]
    apart = False
    for at in range(rounds):
        late, some = rng.randrange(1 + customers * at // rounds), rng.random()
        who = {"early": int(customers * some), "late": late, "uneven": int(customers * some**3)}[shape]
        arm = judge.experiment.assign(f"c{who}")
        value = means[who] + rng.gauss(0.0, 0.7) + (effect if arm is Arm.B else 0.0)
        judge.add(arm, max(-6.0, min(6.0, value)), f"c{who}", before[who] if known else None)
        if at % 13 == 0 or at == rounds - 1:
            reading = judge.reading()
            apart = apart or reading.lower > 0.0 or reading.upper < 0.0
    return judge, apart


@pytest.mark.parametrize("known", [False, True], ids=["alone", "known-before"])
@pytest.mark.parametrize(("shape", "customers"), [("early", 12), ("early", 90), ("late", 120), ("uneven", 120)])
def test_alike_arms_over_clusters_are_called_apart_in_no_more_than_5_per_cent(
    shape: str, customers: int, known: bool
) -> None:
    runs = 20
    wrong = sum(play(seed, customers, 500, shape=shape, known=known)[1] for seed in range(runs))
    assert wrong <= 0.05 * runs


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("known", [False, True], ids=["alone", "known-before"])
@pytest.mark.parametrize("shape", ["early", "late", "uneven"])
@pytest.mark.parametrize("customers", [12, 60, 400])
def test_so_it_is_in_four_hundred_runs(shape: str, customers: int, known: bool) -> None:
    runs = 400
    wrong = sum(play(seed, customers, 2000, shape=shape, known=known)[1] for seed in range(runs))
    assert wrong <= 0.05 * runs


def test_each_round_by_itself_would_call_a_dozen_customers_luck_a_winner() -> None:
    by_rounds = sum(naive_apart(seed) for seed in range(16))
    assert by_rounds >= 4, "what the cluster saves us from"


def naive_apart(seed: int) -> bool:
    rng, judge = random.Random(seed), ExperimentJudge(replace(BY_CUSTOMER, cluster="", name=f"e{seed}"))
    means = [rng.gauss(0.0, 0.7) for _ in range(12)]
    for _ in range(1500):
        who = rng.randrange(12)
        judge.add(judge.experiment.assign(f"c{who}"), max(-6.0, min(6.0, means[who] + rng.gauss(0.0, 0.7))))
    reading = judge.reading()
    return reading.lower > 0.0 or reading.upper < 0.0


def test_a_real_difference_is_found_and_sooner_with_what_was_known_before() -> None:
    alone, without = play(3, 400, 2500, shape="late", effect=0.5)
    known, within = play(3, 400, 2500, shape="late", effect=0.5, known=True)
    assert without
    assert within
    wide, narrow = alone.reading(), known.reading()
    assert (wide.reduction, wide.known_before) == (0.0, 0)
    assert narrow.reduction > 0.5
    assert narrow.known_before == sum(narrow.clusters or ())
    assert narrow.upper - narrow.lower < 0.8 * (wide.upper - wide.lower)
    assert narrow.lower < 0.5 < narrow.upper


def test_few_clusters_are_never_a_winner_however_many_rounds_they_have() -> None:
    judge, _apart = play(5, 12, 3000, effect=6.0)
    assert judge.reading().verdict is ExperimentVerdict.UNDECIDED
    assert sum(judge.reading().clusters or ()) == 12


def test_a_unit_with_several_rounds_is_a_cluster_though_none_is_named_and_its_split_is_no_alarm() -> None:
    unnamed = replace(BY_CUSTOMER, cluster="")
    judge, _apart = play(7, 12, 3000, experiment=unnamed)
    reading = judge.reading()
    assert judge.clustered
    assert sum(reading.clusters or ()) == 12
    assert not reading.ratio_alarm
    assert reading.verdict is ExperimentVerdict.UNDECIDED


def test_units_of_one_round_each_are_rounds() -> None:
    judge = ExperimentJudge(replace(BY_CUSTOMER, cluster=""))
    for at in range(WATCHED + 200):
        judge.add(judge.experiment.assign(f"r{at}"), 0.1 * (at % 3), f"r{at}")
    assert judge.reading().clusters is None
    judge.add(judge.experiment.assign("r5"), 0.1, "r5")
    reading = judge.reading()
    assert reading.clusters is not None, "from the first unit that comes again"
    assert reading.left_out == 200


def test_an_arm_that_leaves_out_rounds_within_its_clusters_sets_off_the_alarm() -> None:
    rng, judge = random.Random(2), ExperimentJudge(BY_CUSTOMER)
    for at in range(6000):
        who = f"c{at % 150}"
        arm, value = judge.experiment.assign(who), max(-6.0, min(6.0, rng.gauss(0.0, 1.0)))
        if arm is Arm.B and value < 0.0:
            continue
        judge.add(arm, value, who)
    reading = judge.reading()
    assert reading.lower > 0.0, "it would have won"
    assert reading.ratio_alarm
    assert reading.verdict is ExperimentVerdict.UNDECIDED


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-5, 5)), min_size=30, max_size=60))
def test_the_view_is_that_of_the_clusters_means_worked_out_at_once(rounds: list[tuple[int, float]]) -> None:
    judge, values = ExperimentJudge(BY_CUSTOMER), dict[int, list[float]]()
    for who, value in rounds:
        judge.add(BY_CUSTOMER.assign(f"c{who}"), value, f"c{who}")
        values.setdefault(who, []).append(value)
    means = {who: sum(some) / len(some) for who, some in values.items()}
    arms = {
        arm: [mean for who, mean in means.items() if BY_CUSTOMER.assign(f"c{who}") is arm] for arm in (Arm.A, Arm.B)
    }
    if not all(arms.values()):
        return
    reading, usual = judge.reading(), sum(means.values()) / len(means)
    a, b = (sum(arms[arm]) / len(arms[arm]) for arm in (Arm.A, Arm.B))
    assert reading.estimate == pytest.approx(b - a, abs=1e-9)
    squares = sum((mean - usual) ** 2 for mean in means.values())
    assert judge._clusters._sums[2][0] - sum(means.values()) ** 2 / len(means) == pytest.approx(squares, abs=1e-6)
    assert reading.upper - reading.estimate >= Boundary(0.0125, (1e9, 1.0)).reach(0.0)


def test_a_cluster_that_is_no_place_in_a_record_is_refused() -> None:
    for wrong in ("a..b", ".", "a b", "x" * 100):
        with pytest.raises(UsageError, match="no place in a record"):
            replace(BY_CUSTOMER, cluster=wrong)


@pytest.mark.parametrize("row", [[1, 0, 1.0, None], [1, -2, 1.0, None], [1, 1, 1e999, None], [1, 1, 1.0, 1e999], [1]])
def test_a_state_with_a_cluster_that_can_not_be_is_refused_and_changes_nothing(row: list[object]) -> None:
    judge = ExperimentJudge(BY_CUSTOMER)
    judge.add(Arm.A, 1.0, "c1")
    before = judge.state()
    clusters, ratio = judge.state()["clusters"]
    wrong = {**before, "clusters": [{**clusters, "rows": {**clusters["rows"], "x": row}}, ratio]}
    with pytest.raises(UsageError):
        judge.restore(wrong)
    assert judge.state() == before


def test_a_state_of_the_earlier_release_is_read_and_its_rounds_stand_for_themselves() -> None:
    experiment = replace(BY_CUSTOMER, cluster="")
    lived, restored = ExperimentJudge(experiment), ExperimentJudge(experiment)
    for at in range(50):
        lived.add(experiment.assign(f"r{at}"), 0.1 * (at % 5), f"r{at}")
    restored.restore({name: kept for name, kept in lived.state().items() if name != "clusters"})
    assert restored.reading() == lived.reading()
    assert restored.reading().clusters is None


def test_one_absurd_return_from_before_takes_nothing_from_the_others() -> None:
    def reduction(absurd: float) -> float:
        judge = ExperimentJudge(BY_CUSTOMER)
        for at in range(200):
            before = absurd if at == 0 else (at % 7) / 3.0
            judge.add(judge.experiment.assign(f"c{at}"), (at % 7) / 3.0, f"c{at}", before)
        return judge.reading().reduction

    assert reduction(0.0) > 0.99
    assert reduction(1e200) > 0.5


def test_all_that_is_kept_of_clusters_fits_into_the_report_and_comes_back() -> None:
    test = ABTest(BY_CUSTOMER, capital=Decimal(1000), before={f"c{at}": at / 7.0 for at in range(3000)})
    for at in range(2 * MAX_CLUSTERS + 100):
        who = f"c{at if at < MAX_CLUSTERS + 100 else at - MAX_CLUSTERS - 100}"
        test.record(f"r{at}", pnl=Decimal(at % 11) / 7 - Decimal("0.5"), at_risk=Decimal(3), cluster=who)
    assert test.reading().left_out == 100
    money = test.money()
    report = ExperimentReport(datetime(2026, 3, 1, tzinfo=UTC), Safe("one"), test.reading(), *money)
    assert len(report_text(report, test.state())) < MAX_REPORT_BYTES
    assert read_report(report_text(report, test.state())) == report


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_return_that_is_no_number_is_refused_and_blinds_nothing(wrong: float) -> None:
    judge = ExperimentJudge(BY_CUSTOMER)
    judge.add(Arm.A, 1.0, "c1")
    before = judge.state()
    for value, known in ((wrong, None), (1.0, wrong)):
        with pytest.raises(UsageError):
            judge.add(Arm.A, value, "c1", known)
    assert judge.state() == before
