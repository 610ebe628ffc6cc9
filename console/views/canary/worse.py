"""In what ways a canary is worse, in a document."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.domain.canary.harm import ways
from console.domain.document import FORM
from console.domain.statistics.evidence import Evidence
from console.domain.statistics.payoffs import Payoff
from console.views.format import finite


@dataclass(frozen=True, slots=True)
class WorseRecord:
    """One way in which the canary is worse.

    Args:
        way: `lower win rate`, `longer odds`, `smaller wins`, `fatter loss tail` or `worse on large stakes`.
        apart: by how many standard errors.
        words: with the numbers of both, for people.
    """

    way: str
    apart: float
    words: str


@dataclass(frozen=True, slots=True)
class PayoffRecord:
    """How one version's rounds went.

    Args:
        rounds: how many.
        wins: rounds that returned more than 0.
        mean_win: what such a round returned of a unit at risk.
        losses: rounds that returned less than 0.
        mean_loss: what such a round lost of a unit at risk, above 0.
        deep: rounds that lost `deep_at` of a unit at risk or more.
        deep_at: where stable's tail begins; null where there is no loss.
        large: rounds on stakes of `large_at` and more.
        large_at: where large stakes begin; 0 where all are of one size.
        mean_large: what a round on large stakes returned of a unit at risk.
        mean_small: the same on smaller ones.
    """

    rounds: int
    wins: int
    mean_win: float
    losses: int
    mean_loss: float
    deep: int
    deep_at: float = field(metadata={FORM: finite})
    large: int
    large_at: float
    mean_large: float
    mean_small: float


def worse_records(evidence: Evidence) -> tuple[WorseRecord, ...]:
    """The ways that stand out, the clearest first; none where its rounds are not worse, or nobody knows."""
    if evidence.payoffs is None or evidence.estimate >= 0.0:
        return ()
    return tuple(WorseRecord(worse.way.value, worse.apart, worse.words) for worse in ways(*evidence.payoffs))


def payoff_record(payoff: Payoff | None) -> PayoffRecord | None:
    """How one version's rounds went; None where that is not known."""
    if payoff is None:
        return None
    return PayoffRecord(
        rounds=payoff.rounds,
        wins=payoff.wins.rounds,
        mean_win=payoff.wins.mean,
        losses=payoff.losses.rounds,
        mean_loss=payoff.losses.mean,
        deep=payoff.deep,
        deep_at=payoff.deep_at,
        large=payoff.large.rounds,
        large_at=payoff.large_at,
        mean_large=payoff.large.mean,
        mean_small=payoff.small.mean,
    )
