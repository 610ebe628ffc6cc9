"""A plan before it begins: its ladder, and what the stable version's history says of its settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from console.domain.canary.outlook import INNOCENT, RUNS, Outlook
from console.domain.canary.plan import Plan
from console.domain.canary.spread import spread_words
from console.domain.canary.text import plan_document
from console.domain.document import FORM, Report


@dataclass(frozen=True, slots=True)
class Declared:
    """What a plan's settings say of a round's return.

    Args:
        sigma: its standard deviation.
        lowest, highest: its bounds.
        block: how many rounds hang together.
    """

    sigma: float
    lowest: float
    highest: float
    block: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in the decision logs; None for what is unknown.

    Args:
        slot: whose rounds: the stable version's.
        rounds: that state a return.
        without_stake: rounds left out since they state no stake.
        refused: lines that are no decision.
        mean, sigma: of a round's return.
        lowest, highest: that were met.
        correlation: of a round with the next one.
        declared: what the plan says of the same.
        doubts: what in the plan it contradicts.
    """

    slot: str
    rounds: int
    without_stake: int
    refused: int
    mean: float
    sigma: float | None
    lowest: float | None
    highest: float | None
    correlation: float | None
    declared: Declared
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanReport(Report):
    """A plan before it begins.

    Args:
        canary: the slot of the new version.
        capital: that the shares are of.
        currency: of the capital.
        digest: of the plan; the audit will carry the same.
        plan: as in a plan file; with the canary's own spread as its shadow shows it, where the file says nothing of it.
        spread: where the canary's own spread comes from, or why nothing is known of it.
    """

    canary: str
    capital: Decimal
    currency: str
    digest: str
    plan: Plan = field(metadata={FORM: plan_document})
    spread: str

    def lines(self) -> Iterator[str]:
        yield f"{self.canary} on {self.capital:,f} {self.currency}, digest {self.digest[:12]}"
        for number, step in enumerate(self.plan.steps, 1):
            money = f"{step.share * self.capital:>14,f} {self.currency}  loss budget {step.loss_budget:,f}"
            yield (
                f"  {number}  {step.share * 100:>6f} %  {money if step.share else 'shadow':<40}  "
                f"{step.min_rounds} rounds, {step.min_dwell_s:g} to {step.max_dwell_s:g} s"
            )
        yield f"the canary's own spread: {spread_words(self.plan.settings.sigma_canary, self.spread)}"


@dataclass(frozen=True, slots=True)
class MeasuredPlan(PlanReport):
    """A plan beside the history of the version that is to be replaced.

    Args:
        canary, capital, currency, digest, plan, spread: as without a history.
        history: what was measured.
        outlook: how a version as good as the stable one fares in each step that compares anything.
    """

    history: Measured
    outlook: tuple[Outlook, ...]

    @property
    def well(self) -> bool:
        """Whether the history contradicts nothing in the plan, and an innocent version passes every step of it."""
        return not self.history.doubts and all(step.well for step in self.outlook)

    def lines(self) -> Iterator[str]:
        yield from PlanReport.lines(self)
        measured, declared = self.history, self.history.declared
        left_out = [
            f"{count:,} {what}"
            for count, what in ((measured.without_stake, "without a stake"), (measured.refused, "no decision"))
            if count
        ]
        yield ""
        yield f"{measured.slot}'s history: {measured.rounds:,} rounds" + (
            f" ({', '.join(left_out)})" if left_out else ""
        )
        yield f"  {'':<12}{'declared':>12}{'measured':>12}"
        rows = (
            ("sigma", f"{declared.sigma:g}", measured.sigma),
            ("lowest", f"{declared.lowest:g}", measured.lowest),
            ("highest", f"{declared.highest:g}", measured.highest),
            ("mean", f"margin {self.plan.settings.margin:g}", measured.mean),
            ("correlation", f"block {declared.block}", measured.correlation),
        )
        for name, said, value in rows:
            yield f"  {name:<12}{said:>12}{'-' if value is None else f'{value:.4g}':>12}"
        yield from (f"▲ {doubt}" for doubt in measured.doubts)
        if not measured.doubts:
            yield "✓ the plan fits it"
        yield ""
        yield f"what to expect, by {RUNS} runs drawn from that history"
        for step in self.outlook:
            yield from self._outlook(step)

    def _outlook(self, seen: Outlook) -> Iterator[str]:
        step, money = self.plan.steps[seen.step - 1], self.currency
        head = f"  {seen.step}  {step.share * 100:>6f} %  "
        if seen.rounds is None or seen.canary_rounds is None:
            yield f"{head}✖ an innocent version is never SAFE: a wider margin, narrower bounds, or pairs"
            return
        time = "" if seen.hours is None else f", {seen.hours:,.1f} h"
        late = "" if not seen.late else f"; ▲ the longest dwell is {step.max_dwell_s / 3600:,.1f} h"
        yield f"{head}SAFE after about {seen.rounds:,} rounds ({seen.canary_rounds:,} of the canary's{time}){late}"
        mark = "✓" if seen.stopped <= INNOCENT else "▲"
        better = "" if seen.stopped <= INNOCENT else f"; {seen.budget:,.2f} {money} would in {INNOCENT:.0%}"
        yield f"{'':<14}{mark} chance alone spends the budget first in {seen.stopped:.0%} of the runs{better}"
        proofs = (
            f"{proof.effect:g} sd "
            + ("never" if proof.rounds is None else f"{proof.rounds:,} rounds, {proof.lost:,.2f} {money} lost")
            for proof in seen.proofs
        )
        yield f"{'':<16}harm is proven: {'; '.join(proofs)}"
