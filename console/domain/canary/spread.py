"""How far the canary's returns spread, by the priced rounds of its own shadow: other odds at an equal mean are no harm.

What was measured of a payoff that pays rarely is too small until it has paid, and a spread that is too small takes
odds for harm. So it is not the measured spread that is taken, but the most that it may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil, log, sqrt
from typing import Final, NamedTuple

from console.domain.canary.history import ENOUGH
from console.domain.canary.plan import Plan
from console.domain.shadow.pairs import PairSums
from console.domain.shadow.report import ShadowReport
from console.domain.statistics.evidence import Form, Settings

DELTA: Final = 0.05
"""How often the true spread may be larger than what is taken for it."""
MOST: Final = 2.0
"""What is taken may be so many times the measured spread: beyond that more rounds are needed."""
ROUNDED: Final = 1.0 + 1e-9
"""What rounding may add."""


class Measured(NamedTuple):
    """What the shadow tells of the canary's spread.

    Args:
        sigma: to be taken; None where it can't be told.
        words: where it comes from, or why it can't be told.
    """

    sigma: float | None
    words: str


def largest(own: PairSums, lowest: float, highest: float) -> float:
    """The most that the standard deviation may be, but for `DELTA`, of at least two returns within bounds: Maurer &
    Pontil 2009 (arXiv:0907.3740), Theorem 10."""
    measured = sqrt(own.squares / (own.rounds - 1))
    return measured + (highest - lowest) * sqrt(2.0 * log(1.0 / DELTA) / (own.rounds - 1))


def measure(own: PairSums, settings: Settings, name: str) -> Measured:
    """The spread that a version's shadow shows.

    Args:
        own: its returns, per unit at risk.
        settings: the plan's, for the bounds of a return.
        name: of the version.
    """
    whose = f"{own.rounds:,} priced rounds of {name}'s shadow"
    if own.rounds < ENOUGH:
        return Measured(None, f"{whose} tell how large their stakes were: {ENOUGH} are needed")
    measured, reach = sqrt(own.squares / (own.rounds - 1)), settings.highest - settings.lowest
    widest = reach / 2.0 * sqrt(own.rounds / (own.rounds - 1)) * ROUNDED  # half of the rounds at either bound
    if not settings.lowest <= own.mean <= settings.highest or measured > widest:
        return Measured(None, f"{whose} spread by {measured:.4g} about {own.mean:+.4g}: beyond the plan's bounds")
    most = largest(own, settings.lowest, settings.highest)
    if most > MOST * measured:
        needed = ENOUGH if not measured else ceil(1.0 + 2.0 * log(1.0 / DELTA) * (reach / measured) ** 2)
        more = f"about {needed:,} are needed" if measured else "none differs from another"
        return Measured(None, f"{whose} spread by {measured:.4g}, which may be chance: {more}")
    return Measured(float(f"{most:.4g}"), f"{whose}: {measured:.4g} measured, at most {most:.4g}")


def by_shadow(
    plan: Plan, shadows: Iterable[ShadowReport], slot: str, currency: str, version: str, held: Mapping[str, str]
) -> tuple[Plan, str]:
    """The plan with the canary's spread as its shadow shows it, where the plan does not say it itself.

    Args:
        plan: before it begins.
        shadows: every shadow that reported.
        slot, version: of the canary; the version is empty where it is not known what runs there.
        currency: of the plan.
        held: version → SHA-256 of the manifest that it is held to, where there is one.

    Returns:
        The plan, and where the spread comes from, or why nothing is known of it.
    """
    settings = plan.settings
    if settings.sigma_canary is not None:
        return plan, settings.sigma_canary_from or "by the plan itself"
    if settings.form is Form.BOUNDED:
        return plan, "not needed: the bounded form rests on the bounds alone"
    priced = [one for one in shadows if one.slot == slot and one.reading.own is not None and one.reading.own.rounds]
    names = sorted({str(one.name) for one in priced})
    if not version and len(names) == 1:
        version = names[0]
    own = [one for one in priced if str(one.name) == version]
    if not own:
        which = version or f"{slot}'s version, which is not known"
        return plan, f"unknown: no shadow of {which} has priced rounds that tell how large their stakes were"
    newest = max(own, key=lambda one: one.at)
    if newest.currency and newest.currency != currency:
        return plan, f"unknown: the shadow of {version} counts in {newest.currency}"
    if held.get(version, "") != newest.manifest:
        return plan, f"unknown: the shadow of {version} is not said to be of the manifest that it is held to"
    found = measure(newest.reading.own or PairSums(), settings, version)
    if found.sigma is None:
        return plan, f"unknown: {found.words}"
    return replace(
        plan, settings=replace(settings, sigma_canary=found.sigma, sigma_canary_from=found.words)
    ), found.words


def spread_words(sigma: float | None, source: str) -> str:
    """The spread and its source in one line."""
    return source if sigma is None else f"{sigma:g}, {source}"
