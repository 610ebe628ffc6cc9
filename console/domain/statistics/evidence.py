"""What the rounds so far say about a new version: settings frozen at the start, evidence, verdict, and the loss budget.

The question is always absolute: canary less stable, per unit of money at risk, against a margin the operator accepts.
Ranks and ratios of means answer other questions (a doubled loss has a higher ratio). The money comes first: a loss
budget, exact, is judged before any of this and stops a step whatever the intervals say.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from math import inf, isfinite, sqrt
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.statistics.payoffs import Payoff


class Form(StrEnum):
    """How the two versions' rounds are compared; the letters are those of `console.domain.statistics.sequences`."""

    FIXED = "fixed"
    """A: each round one version, at one share from start to end."""
    ADJUSTED = "adjusted"
    """B: each round one version, by an announced probability that may change."""
    PAIRED = "paired"
    """C: both versions play every round."""
    BOUNDED = "bounded"
    """D: as A, by betting between the declared bounds: it holds for any number of rounds, not only asymptotically."""


class Verdict(StrEnum):
    """What may be said of the canary."""

    NOT_ENOUGH = "NOT ENOUGH DATA"
    UNDECIDED = "UNDECIDED"
    SAFE = "SAFE"
    """Not worse than stable by the margin or more."""
    HARM = "HARM"
    """Worse than stable, and by its best estimate by more than the margin."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a verdict depends on beside the rounds, fixed before the first and written to the audit.

    Args:
        margin: how much worse, per unit at risk and round, the operator accepts; above 0. See `margin_of`.
        sigma: standard deviation of a round's return, from the stable version's history; above 0.
        lowest, highest: bounds of one round's return (a lost stake is -1). What the fence and the venue enforce, not
            what was seen: a loss that has not happened yet can undo any mean.
        form: how the versions are compared.
        due_rounds: rounds of both versions after which the first promotion is due; sets where intervals are tightest.
        share: the canary's share at which it is due; above 0, below 1.
        correlation: of the two versions' returns in one round, as shadow rounds showed it; for pairs only.
        block: rounds in a block; 1 where rounds are independent, about 20 where they are autocorrelated.
        min_blocks: blocks before a promotion.
        min_blocks_harm: blocks before a roll back by statistics (the loss budget needs none).
        alpha_harm, alpha_safe, alpha_alarm: levels to roll back, to promote, and for all share alarms together.
        metrics: names of the metrics judged side by side; the first two levels are divided among them.
        sigma_canary: standard deviation of a round's return of the canary, by its design (other odds) or its shadow
            rounds; above 0. None where nothing is known: then what it may not have met yet counts in its favour too,
            and a roll back by statistics comes later.
        explained: share of a return's variance that both versions' priced decisions explain, 0 to below 1, as earlier
            rounds showed it; for the adjusted form. It says where intervals are tightest, and is never trusted.
        sigma_canary_from: where that was measured; None where the plan says it by itself. Filled in at the start.

    Raises:
        UsageError: a value outside its range.
    """

    margin: float
    sigma: float
    lowest: float
    highest: float
    form: Form = Form.ADJUSTED
    due_rounds: int = 2000
    share: float = 0.2
    correlation: float = 0.0
    block: int = 1
    min_blocks: int = 30
    min_blocks_harm: int = 10
    alpha_harm: float = 0.05
    alpha_safe: float = 0.01
    alpha_alarm: float = 0.01
    metrics: tuple[str, ...] = field(default=("pnl",))
    sigma_canary: float | None = None
    explained: float | None = None
    sigma_canary_from: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no verdict could rest on."""
        numbers = (self.margin, self.sigma, self.lowest, self.highest, self.share)
        alphas = (self.alpha_harm, self.alpha_safe, self.alpha_alarm)
        for wrong, message in (
            (not all(isfinite(number) for number in numbers), "Margin, sigma, bounds and share must be finite."),
            (self.margin <= 0, "The margin must be above 0: no number of rounds proves equality."),
            (self.sigma <= 0, "Sigma must be above 0: take it from the stable version's history."),
            (
                self.sigma_canary is not None and not (isfinite(self.sigma_canary) and self.sigma_canary > 0),
                "The canary's own sigma must be above 0, or left out where it is not known.",
            ),
            (not self.lowest < 0.0 < self.highest, "A round's lowest return must be below 0, its highest above."),
            (not 0.0 < self.share < 1.0, "The share must lie between 0 and 1."),
            (not -1.0 <= self.correlation < 1.0, "The correlation must lie between -1 and 1."),
            (
                self.explained is not None and not 0.0 <= self.explained < 1.0,
                "What prices explain is a share, 0 or more and below 1.",
            ),
            (not all(0.0 < alpha <= 0.2 for alpha in alphas), "Each alpha must lie between 0 and 0.2."),
            (
                min(self.due_rounds, self.block, self.min_blocks, self.min_blocks_harm) < 1,
                "Rounds and blocks are counted from 1.",
            ),
            (self.due_rounds < self.block, "The first decision can't be due within the first block."),
            (not self.metrics, "At least one metric must be judged."),
        ):
            if wrong:
                raise UsageError(message)

    @property
    def spread(self) -> float:
        """The standard deviation by which the sequences are tuned: for pairs, that of a difference over root two."""
        return self.sigma * sqrt(1.0 - self.correlation) if self.form is Form.PAIRED else self.sigma

    @property
    def digest(self) -> str:
        """SHA-256 of the settings in canonical JSON: in the audit it shows that none was changed on the way."""
        return digest_of(asdict(self))


LATER: Final = frozenset(
    {"sigma_canary", "sigma_canary_from", "explained", "accepted_errors", "accepted_skipped", "accepted_slow"}
)
"""What the first release did not know; where it is not set a plan has the digest that it had then."""


def digest_of(document: object) -> str:
    """SHA-256 of plain values in canonical JSON: 60 and 60.0 are the same, and so are an amount and its text."""

    def canonical(value: object) -> object:
        if isinstance(value, dict):
            named = ((str(name), inner) for name, inner in value.items())
            return {name: canonical(inner) for name, inner in named if inner is not None or name not in LATER}
        if isinstance(value, list | tuple):
            return [canonical(inner) for inner in value]
        return float(value) if type(value) is int else value

    text = json.dumps(canonical(document), sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()


def margin_of(baseline_mean: float, tolerance: float = 0.05) -> float:
    """The absolute margin for a tolerance relative to the stable version's mean: 5 % of -1.50 is 0.075.

    Raises:
        UsageError: the mean is so near to 0 that a share of it means nothing.
    """
    margin = abs(baseline_mean) * tolerance
    if not (isfinite(margin) and margin > 1e-9):
        raise UsageError("A share of a mean of 0 is no margin.", "State the margin in units of return.")
    return margin


class Evidence(NamedTuple):
    """What is known after the rounds so far.

    Args:
        verdict: in one word.
        rounds_canary, rounds_stable, blocks: what it rests on.
        estimate: canary less stable, per unit at risk and round.
        lower: not below this, at the level for promotion, with `hidden` taken off.
        upper: not above this, at the level for rolling back.
        hidden: the mean loss that rounds not met yet could still hold.
        outside: returns beyond the declared bounds; with any, nothing is SAFE.
        rounds_needed: further rounds until SAFE if the estimate stays; None where it would not come.
        unsettled: rounds of the canary that are open, or were released without an outcome.
        unsettled_loss: what they take off `lower`, each at its worst.
        per_round: estimate, lower and upper with every round counting the same, whatever its stake; None where all
            stakes are the same. The verdict goes by the money.
        hidden_gain: what outcomes not met yet add to `upper`; 0 where the canary's own spread is known.
        priced: rounds on which both versions' own decisions were priced, so that the market's part is taken off.
        explained: the share of the scatter of those rounds that prices took away; below 0 where they added to it.
        priced_apart: prices differed by who played the round: none was used since, and the evidence began anew then.
        payoffs: how the canary's rounds went, and stable's (`Judge.payoffs`); None where nobody asked, or where the run
            began before these were kept.
    """

    verdict: Verdict
    rounds_canary: int
    rounds_stable: int
    blocks: int
    estimate: float
    lower: float
    upper: float
    hidden: float
    outside: int
    rounds_needed: int | None
    unsettled: int = 0
    unsettled_loss: float = 0.0
    per_round: tuple[float, float, float] | None = None
    hidden_gain: float = 0.0
    priced: int = 0
    explained: float = 0.0
    priced_apart: bool = False
    payoffs: tuple[Payoff, Payoff] | None = None


STEP_MARGINS: Final = 3.0
"""By how many margins the running step alone may be worse: what is SAFE at a small share may harm at a larger."""


def decide(
    settings: Settings,
    blocks: int,
    estimate: float,
    lower: float,
    upper: float,
    outside: int = 0,
    lower_in_step: float = inf,
) -> Verdict:
    """The verdict on an interval; the arguments are those of `Evidence`.

    Args:
        settings, blocks, estimate, lower, upper, outside: see there.
        lower_in_step: as `lower`, of the running step alone; infinite where the step is the run.

    A canary that is proven a little worse (upper < 0) while its best estimate lies inside the margin is not HARM: the
    operator accepted the margin, so the rounds go on until it is left or kept.
    """
    if blocks >= settings.min_blocks_harm and upper < 0.0 and estimate < -settings.margin:
        return Verdict.HARM
    if blocks < settings.min_blocks:
        return Verdict.NOT_ENOUGH
    safe = lower > -settings.margin and lower_in_step > -STEP_MARGINS * settings.margin and not outside
    return Verdict.SAFE if safe else Verdict.UNDECIDED


@dataclass(slots=True)
class LossBudget:
    """How much money a step may lose, exact; judged before any statistics.

    Args:
        limit: above 0, in the currency of the rounds.
        balance: the canary's money won or lost in this step.

    Raises:
        UsageError: no limit, or one that is not above 0.
    """

    limit: Decimal
    balance: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """A step without a finite budget is not started."""
        if not self.limit.is_finite() or self.limit <= 0:
            raise UsageError("A step's loss budget must be an amount above 0.")

    def add(self, pnl: Decimal) -> None:
        """Book one settled round of the canary."""
        self.balance += pnl

    @property
    def left(self) -> Decimal:
        """What may still be lost; never below 0."""
        return max(self.limit + self.balance, Decimal(0))

    @property
    def spent(self) -> bool:
        """Whether the whole budget is lost."""
        return self.balance <= -self.limit
