"""In what way a canary is worse, as people meet it: it wins more rarely, loses deeper, plays longer odds, fails where
the stakes are large.

Standard deviations say little where payoffs are rare. Every way is told with the numbers of both versions; where none
stands out against chance, that is what is said.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite, sqrt
from typing import Final, NamedTuple

from console.domain.statistics.evidence import Evidence, Verdict
from console.domain.statistics.payoffs import Mean, Payoff

APART: Final = 3.0
"""Standard errors beyond which a way stands out; it explains a verdict and gives none, so one look's level will do."""
FACTOR: Final = 1.25
"""By which a usual win or loss is another one."""
LEAST_DEEP: Final = 3
"""Deep losses below which they may be chance, whatever the standard error says."""
MOST_TOLD: Final = 2
UNCLEAR: Final = "not clear which rounds: no way stands out yet"


class Way(StrEnum):
    """In what way a version is worse."""

    WIN_RATE = "lower win rate"
    ODDS = "longer odds"
    WIN_SIZE = "smaller wins"
    LOSS_TAIL = "fatter loss tail"
    LARGE_STAKES = "worse on large stakes"


class Worse(NamedTuple):
    """One way in which the canary is worse.

    Args:
        way: which.
        apart: by how many standard errors.
        words: with the numbers of both.
    """

    way: Way
    apart: float
    words: str


def ways(canary: Payoff, stable: Payoff, beside: str = "stable") -> tuple[Worse, ...]:
    """Every way that stands out, the clearest first.

    Args:
        canary, stable: the version that is judged, and the one that it is held against.
        beside: what that one is called.
    """
    if not canary.rounds or not stable.rounds:
        return ()
    each = (judge(canary, stable, beside) for judge in (_wins, _loss_tail, _large_stakes))
    return tuple(sorted((worse for worse in each if worse is not None), key=lambda worse: (-worse.apart, worse.way)))


def harm_words(evidence: Evidence | None, most: int = MOST_TOLD) -> str:
    """How the canary's rounds are worse than stable's; empty where they are not, or where nobody knows.

    Args:
        evidence: with both versions' payoffs.
        most: ways that are told.
    """
    if evidence is None or evidence.payoffs is None or evidence.estimate >= 0.0:
        return ""
    told = [worse.words for worse in ways(*evidence.payoffs)[:most]]
    return "; ".join(told) if told or evidence.verdict is not Verdict.HARM else UNCLEAR


def ways_words(payoffs: tuple[Payoff, Payoff], beside: str, most: int = MOST_TOLD) -> str:
    """In what way a version's rounds are worse than another's; that it is not clear, where no way stands out.

    Args:
        payoffs: of both, by the same bounds of what is deep and what is large.
        beside: what the other one is called.
        most: ways that are told.
    """
    return "; ".join(worse.words for worse in ways(*payoffs, beside)[:most]) or UNCLEAR


def _wins(canary: Payoff, stable: Payoff, name: str) -> Worse | None:
    rarer = -_shares_apart(canary.wins.rounds, canary.rounds, stable.wins.rounds, stable.rounds)
    more = _means_apart(canary.wins, stable.wins)
    pays, paid = canary.wins.mean, stable.wins.mean
    odds = f"{_rate(canary.wins.rounds, canary.rounds)} at {pays:+.3g}"
    beside = f"{name} {_rate(stable.wins.rounds, stable.rounds)} at {paid:+.3g}"
    if rarer >= APART and more >= APART and pays >= FACTOR * paid:
        return Worse(Way.ODDS, min(rarer, more), f"{Way.ODDS}: wins {odds}, {beside}")
    if rarer >= APART and rarer >= -more:
        rates = f"{_of(canary.wins.rounds, canary.rounds)}, {name} {_of(stable.wins.rounds, stable.rounds)}"
        return Worse(Way.WIN_RATE, rarer, f"{Way.WIN_RATE}: {rates}")
    if more <= -APART and pays * FACTOR <= paid:
        return Worse(Way.WIN_SIZE, -more, f"{Way.WIN_SIZE}: wins {odds}, {beside}")
    return None


def _loss_tail(canary: Payoff, stable: Payoff, name: str) -> Worse | None:
    deeper = _shares_apart(canary.deep, canary.rounds, stable.deep, stable.rounds)
    if isfinite(canary.deep_at) and canary.deep >= LEAST_DEEP and deeper >= APART:
        rates = f"{_of(canary.deep, canary.rounds)}, {name} {_of(stable.deep, stable.rounds)}"
        return Worse(Way.LOSS_TAIL, deeper, f"{Way.LOSS_TAIL}: loses {canary.deep_at:.3g} or more in {rates}")
    more, lost, usual = _means_apart(canary.losses, stable.losses), canary.losses.mean, stable.losses.mean
    if more >= APART and lost >= FACTOR * usual:
        return Worse(Way.LOSS_TAIL, more, f"{Way.LOSS_TAIL}: a lost round costs {lost:.3g}, {name} {usual:.3g}")
    return None


def _large_stakes(canary: Payoff, stable: Payoff, name: str) -> Worse | None:
    parts = (canary.large, stable.large, canary.small, stable.small)
    if min(part.rounds for part in parts) < 2:
        return None
    large, small = canary.large.mean - stable.large.mean, canary.small.mean - stable.small.mean
    error = sqrt(sum(part.error * part.error for part in parts))
    apart = _apart(small - large, error)
    if large >= 0.0 or apart < APART:
        return None
    words = (
        f"{Way.LARGE_STAKES}: from {canary.large_at:.6g} on {canary.large.mean:+.3g} a unit in "
        f"{canary.large.rounds:,} rounds, {name} {stable.large.mean:+.3g} in {stable.large.rounds:,}; below "
        f"{canary.small.mean:+.3g}, {name} {stable.small.mean:+.3g}"
    )
    return Worse(Way.LARGE_STAKES, apart, words)


def _shares_apart(hits: int, of: int, others: int, of_others: int) -> float:
    """One share less the other in standard errors of both pooled."""
    share = (hits + others) / (of + of_others)
    return _apart(hits / of - others / of_others, sqrt(share * (1.0 - share) * (1.0 / of + 1.0 / of_others)))


def _means_apart(one: Mean, other: Mean) -> float:
    """One mean less the other in standard errors; 0 where either has fewer than two rounds."""
    if min(one.rounds, other.rounds) < 2:
        return 0.0
    return _apart(one.mean - other.mean, sqrt(one.error * one.error + other.error * other.error))


def _apart(difference: float, error: float) -> float:
    """A difference in standard errors; one without any spread is as far as can be told."""
    if abs(difference) <= 1e-9 * max(1.0, error):
        return 0.0
    return max(-1e6, min(1e6, difference / error)) if error > 0.0 else (1e6 if difference > 0.0 else -1e6)


def _rate(hits: int, of: int) -> str:
    return f"{hits / of * 100:.3g} %"


def _of(hits: int, of: int) -> str:
    return f"{_rate(hits, of)} of {of:,} rounds"
