"""The canary's own spread is taken from its shadow's priced rounds: the most that it may be, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from console.domain.canary.plan import Plan, usual_plan
from console.domain.canary.spread import MOST, by_shadow, largest, measure
from console.domain.canary.text import plan_text, read_plan
from console.domain.shadow.pairs import PairSums
from console.domain.shadow.rates import ShadowReading
from console.domain.shadow.report import ShadowReport, read_report, report_text
from console.domain.statistics.evidence import Form, Settings
from console.domain.text import Safe
from tests.simulate.shapes import fixed
from tests.simulate.vector import NEVER, judge

SETTINGS = Settings(margin=0.1, sigma=1.0, lowest=-1.0, highest=1.0)
PLAN = usual_plan(SETTINGS, Decimal(60))
EVEN = PairSums(400, 0.0, 400.0)
"""400 rounds at even odds."""


def report(own: PairSums | None = EVEN, **more: Any) -> ShadowReport:
    told = ShadowReport(
        Safe("2.5.0"), datetime(2026, 1, 1, tzinfo=UTC), Safe("h"), ShadowReading(own=own), Safe("USD"), "green"
    )
    return told._replace(**more)


def of(values: np.ndarray) -> PairSums:
    return PairSums(len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum()))


def measured(*reports: ShadowReport, plan: Plan = PLAN, version: str = "2.5.0", **held: str) -> tuple[Plan, str]:
    names = {name.replace("_", "."): mark for name, mark in held.items()}
    return by_shadow(plan, reports, "green", "USD", version, names)


def test_the_spread_is_filled_in_with_where_it_comes_from_and_survives_the_store() -> None:
    plan, words = measured(report())
    settings = plan.settings
    assert settings.sigma_canary == pytest.approx(1.246, abs=0.002)
    assert settings.sigma_canary_from == words == "400 priced rounds of 2.5.0's shadow: 1.001 measured, at most 1.246"
    assert read_plan(plan_text(plan)) == plan
    assert plan.digest != PLAN.digest


def test_what_the_plan_says_itself_stays_and_a_plan_that_says_nothing_has_the_digest_that_it_had() -> None:
    own = replace(PLAN, settings=replace(SETTINGS, sigma_canary=3.0))
    assert measured(report(), plan=own) == (own, "by the plan itself")
    assert "sigma_canary_from" in plan_text(PLAN)
    assert PLAN.digest == replace(PLAN, settings=replace(SETTINGS, sigma_canary_from=None)).digest


@pytest.mark.parametrize(
    ("reports", "version", "held", "why"),
    [
        ((), "2.5.0", {}, "no shadow of 2.5.0 has priced rounds"),
        ((report(own=None),), "2.5.0", {}, "no shadow of 2.5.0 has priced rounds"),
        ((report(own=PairSums()),), "2.5.0", {}, "no shadow of 2.5.0 has priced rounds"),
        ((report(slot="blue"),), "2.5.0", {}, "no shadow of 2.5.0"),
        ((report(),), "2.6.0", {}, "no shadow of 2.6.0"),
        ((report(), report(name=Safe("2.6.0"))), "", {}, "green's version, which is not known"),
        ((report(currency=Safe("JPY")),), "2.5.0", {}, "counts in JPY"),
        ((report(),), "2.5.0", {"2_5_0": "ab"}, "not said to be of the manifest"),
        ((report(manifest="cd"),), "2.5.0", {"2_5_0": "ab"}, "not said to be of the manifest"),
        ((report(manifest="cd"),), "2.5.0", {}, "not said to be of the manifest"),
        ((report(own=PairSums(99, 0.0, 99.0)),), "2.5.0", {}, "100 are needed"),
        ((report(own=PairSums(400, 0.0, 4.0)),), "2.5.0", {}, "may be chance: about 2,39"),
        ((report(own=PairSums(400, -1.0, 0.0)),), "2.5.0", {}, "none differs from another"),
        ((report(own=PairSums(400, 0.0, 4000.0)),), "2.5.0", {}, "beyond the plan's bounds"),
        ((report(own=PairSums(400, 7.0, 400.0)),), "2.5.0", {}, "beyond the plan's bounds"),
    ],
)
def test_what_can_not_be_told_is_named_and_left_unknown(
    reports: tuple[ShadowReport, ...], version: str, held: dict[str, str], why: str
) -> None:
    plan, words = measured(*reports, version=version, **held)
    assert plan == PLAN
    assert words.startswith("unknown: ")
    assert why in words


def test_it_is_of_the_very_manifest_that_the_version_is_held_to() -> None:
    assert measured(report(manifest="ab"), **{"2_5_0": "ab"})[0].settings.sigma_canary is not None


def test_where_one_version_alone_is_shadowed_for_the_side_that_is_the_canarys() -> None:
    assert measured(report(), version="")[0].settings.sigma_canary is not None


def test_the_bounded_form_needs_none() -> None:
    plan = replace(PLAN, steps=PLAN.steps[-2:], settings=replace(SETTINGS, form=Form.BOUNDED))
    assert measured(report(), plan=plan)[0] == plan


def test_a_report_keeps_the_returns_and_what_can_not_be_read_of_them_is_none() -> None:
    kept = report_text(report(manifest="ab", tenure=7))
    assert read_report("2.5.0", kept) == report(manifest="ab", tenure=7)
    for broken in ('{"rounds":1,"mean":"NaN","squares":0}', "[]", '{"rounds":-3,"mean":0,"squares":0}', "7"):
        told = read_report("2.5.0", kept.replace('{"rounds": 400', '{"rounds":400').replace(_own(kept), broken))
        assert told is None or told.reading.own is None or not told.reading.own.rounds


def _own(kept: str) -> str:
    begin = kept.index('"own":') + len('"own":')
    return kept[begin : kept.index("}", begin) + 1]


@pytest.mark.parametrize("prize", [2.0, 5.0, 20.0, 50.0])
def test_the_true_spread_is_larger_than_what_is_taken_in_no_more_than_5_of_100(prize: float) -> None:
    rng = np.random.default_rng(int(prize))
    values = np.where(rng.random((400, 200)) < 1.0 / prize, prize - 1.0, -1.0)
    true = (prize - 1.0) ** 0.5
    assert np.mean([largest(of(run), -1.0, prize - 1.0) < true for run in values]) <= 0.05


def shown(prize: float, settings: Settings, rng: np.random.Generator, shadows: int) -> list[float]:
    """The spreads that so many shadows led to, smallest first."""
    needed = max(100, int(1.2 * (1.0 + 6.0 * prize**2 / (prize - 1.0))))
    wins = rng.random((shadows, needed)) < 1.0 / prize
    told = [measure(of(run), settings, "2.5.0").sigma for run in np.where(wins, prize - 1.0, -1.0)]
    taken = sorted(sigma for sigma in told if sigma is not None)
    assert len(taken) >= shadows // 2, "that many rounds mostly suffice"
    return taken


def harmed(prize: float, runs: int, rounds: int, shadows: int) -> float:
    """The share of innocent canaries of other odds that are rolled back with the spread that their shadow showed."""
    rng = np.random.default_rng(int(prize))
    settings = Settings(margin=0.1, sigma=1.0, lowest=-1.0, highest=prize - 1.0, share=0.2)
    fired = []
    taken = shown(prize, settings, rng, 40)
    for sigma in taken[:: max(1, len(taken) // shadows)][:shadows]:
        canary = rng.random((runs, rounds)) < 0.2
        usual = np.where(rng.random((runs, rounds)) < 0.5, 1.0, -1.0)
        longer = np.where(rng.random((runs, rounds)) < 1.0 / prize, prize - 1.0, -1.0)
        known = replace(settings, sigma_canary=sigma)
        outcome = judge(known, canary, np.where(canary, longer, usual), fixed(0.2)(rounds))
        fired.append((outcome.harm < NEVER).mean())
    return float(np.mean(fired))


@pytest.mark.parametrize("prize", [5.0, 20.0, 50.0])
def test_other_odds_at_an_equal_mean_are_no_harm_though_the_spread_is_the_smallest_of_40_shadows(prize: float) -> None:
    assert harmed(prize, 200, 800, 1) <= 0.05


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("prize", [5.0, 20.0, 50.0])
def test_other_odds_are_no_harm_over_thousands_of_rounds_either(prize: float) -> None:
    assert harmed(prize, 100, 3000, 6) <= 0.05


def test_what_is_taken_is_never_more_than_so_many_times_what_was_measured() -> None:
    for rounds in (100, 150, 400, 5000):
        found = measure(PairSums(rounds, 0.0, rounds * 0.09), SETTINGS, "2.5.0").sigma
        assert found is None or found <= MOST * 0.31
