"""A canary in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.canary.plan import Plan, Proposal
from console.domain.canary.run import CanaryReading, DeskReading
from console.domain.canary.text import plan_document
from console.domain.document import FORM, Record
from console.domain.statistics.evidence import Evidence
from console.views.canary.figures import desk_of
from console.views.canary.worse import PayoffRecord, WorseRecord, payoff_record, worse_records
from console.views.format import TIME, finite


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """An interval; an end is null while there is none.

    Args:
        estimate: canary less stable, per unit at risk and round.
        lower, upper: its ends.
    """

    estimate: float
    lower: float = field(metadata={FORM: finite})
    upper: float = field(metadata={FORM: finite})


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """What the rounds show; an interval's end is null while there is none.

    Args:
        verdict: in one word.
        rounds_canary, rounds_stable, blocks: what it rests on.
        estimate: canary less stable, per unit at risk and round.
        lower: not below this, at the level for promotion, with `hidden` taken off.
        upper: not above this, at the level for rolling back.
        hidden: the mean loss that rounds not met yet could still hold.
        outside: returns beyond the declared bounds; with any, nothing is safe.
        rounds_needed: further rounds until a promotion if the estimate stays; null where it would not come.
        unsettled: rounds of the canary that are open, or were released without an outcome.
        unsettled_loss: what they take off `lower`, each at its worst.
        per_round: estimate, lower and upper with every round counting the same, whatever its stake; null where all
            stakes are the same.
        hidden_gain: what outcomes not met yet add to `upper`; 0 where the canary's own spread is known.
        priced: rounds on which both versions' own decisions were priced.
        explained: the share of the scatter of those rounds that prices took away; below 0 where they added to it.
        priced_apart: whether prices differed by who played: none was used since, and the evidence began anew then.
        worse: in what ways the canary's rounds are worse, the clearest first; empty where none stands out.
        payoff_canary, payoff_stable: how the rounds of each went; null where that is not known.
    """

    verdict: str
    rounds_canary: int
    rounds_stable: int
    blocks: int
    estimate: float
    lower: float = field(metadata={FORM: finite})
    upper: float = field(metadata={FORM: finite})
    hidden: float = field(metadata={FORM: finite})
    outside: int
    rounds_needed: int | None
    unsettled: int
    unsettled_loss: float = field(metadata={FORM: finite})
    per_round: IntervalRecord | None
    hidden_gain: float = field(metadata={FORM: finite})
    priced: int
    explained: float
    priced_apart: bool
    worse: tuple[WorseRecord, ...]
    payoff_canary: PayoffRecord | None
    payoff_stable: PayoffRecord | None


@dataclass(frozen=True, slots=True)
class DeskRecord:
    """What the process says that routes the rounds.

    Args:
        holder: its name.
        at: when it said so.
        share_in_force: the canary's share of the capital that it routes by.
        routed_share: the canary's share of the money given out in this step; null before the first round.
        exposure_canary, exposure_stable: at stake in open rounds.
        open_rounds: how many.
        rounds: that the canary has finished in this step.
        balance: the canary's money won or lost in the step.
        budget_blocked: whether a stake was withheld since it could have broken the loss budget.
        refused: rounds refused: the cap, or an opposite position.
        too_large: stakes of this step that alone exceed its loss budget: they went to stable, and stay untested.
        sample_ratio: the canary's share of the draws, as seen and as expected; null before the first.
        ratio_alarm: whether the two are too far apart.
        alarms: what else is wrong.
        evidence: what the rounds show; null before there is any.
    """

    holder: str
    at: datetime = field(metadata=TIME)
    share_in_force: Decimal
    routed_share: float | None
    exposure_canary: Decimal
    exposure_stable: Decimal
    open_rounds: int
    rounds: int
    balance: Decimal
    budget_blocked: bool
    refused: int
    too_large: int
    sample_ratio: tuple[float, ...] | None
    ratio_alarm: bool
    alarms: tuple[str, ...]
    evidence: EvidenceRecord | None


@dataclass(frozen=True, slots=True)
class NextRecord:
    """What the rules say now.

    Args:
        action: what they would do.
        gate: the gate that holds the canary; null where none does.
        reason: for people.
        rounds_needed: further rounds until a promotion if the estimate stays; null where that is not known.
        page: whether a person is to be called.
    """

    action: str
    gate: str | None
    reason: str
    rounds_needed: int | None
    page: bool


@dataclass(frozen=True, slots=True)
class CanaryRecord(Record):
    """A canary's run: where it stands, its money, its evidence.

    Args:
        run: its name.
        slot: of the new version.
        state: `RUNNING`, `PAUSED`, `ABORTED` or `DONE`.
        step: counted from 1.
        revision: rises with every change of the run.
        share: of the capital, in this step.
        loss_budget: what this step may lose; null where its plan can't be read.
        currency: of the capital.
        capital: that the shares are of.
        began_at: the run.
        step_began_at: this step.
        by: who changed it last.
        why: the reason given.
        problem: what is wrong with what the store holds.
        digest: of the plan.
        plan: as in a plan file; null where it can't be read.
        desk: what the process says that routes the rounds; null before it said anything.
        next: what the rules say now.
    """

    run: str
    slot: str
    state: str
    step: int
    revision: int
    share: Decimal
    loss_budget: Decimal | None
    currency: str
    capital: Decimal
    began_at: datetime = field(metadata=TIME)
    step_began_at: datetime = field(metadata=TIME)
    by: str
    why: str
    problem: str | None
    digest: str
    plan: Plan | None = field(metadata={FORM: plan_document})
    desk: DeskRecord | None
    next: NextRecord | None


def canary_record(reading: CanaryReading, proposal: Proposal | None) -> CanaryRecord:
    """The record of a canary, and of what the rules say of it."""
    run, desk = reading.run, desk_of(reading)
    return CanaryRecord(
        run=run.name,
        slot=run.slot,
        state=run.state.value,
        step=run.position.step + 1,
        revision=run.position.revision,
        share=run.share,
        loss_budget=run.loss_budget,
        currency=run.currency,
        capital=run.capital,
        began_at=run.began_at,
        step_began_at=run.step_began_at,
        by=run.by,
        why=run.why,
        problem=run.problem or None,
        digest=run.digest,
        plan=run.plan,
        desk=_desk(desk) if desk is not None else None,
        next=_next(proposal) if proposal is not None else None,
    )


def _desk(desk: DeskReading) -> DeskRecord:
    analysis = desk.analysis
    return DeskRecord(
        holder=desk.holder,
        at=desk.at,
        share_in_force=desk.share,
        routed_share=desk.routed_share,
        exposure_canary=desk.exposure_canary,
        exposure_stable=desk.exposure_stable,
        open_rounds=desk.open_rounds,
        rounds=desk.rounds,
        balance=desk.balance,
        budget_blocked=desk.budget_blocked,
        refused=desk.refused,
        too_large=desk.too_large,
        sample_ratio=desk.ratio or None,
        ratio_alarm=analysis.ratio_alarm if analysis else False,
        alarms=analysis.alarms if analysis else (),
        evidence=_evidence(analysis.evidence) if analysis and analysis.evidence else None,
    )


def _evidence(evidence: Evidence) -> EvidenceRecord:
    each = evidence.per_round
    per_round = None if each is None else IntervalRecord(*each)
    fields = {name: value for name, value in evidence._asdict().items() if name != "payoffs"}
    canary, stable = (payoff_record(one) for one in evidence.payoffs or (None, None))
    return EvidenceRecord(
        **{**fields, "per_round": per_round}, worse=worse_records(evidence), payoff_canary=canary, payoff_stable=stable
    )


def _next(proposal: Proposal) -> NextRecord:
    return NextRecord(
        action=proposal.action.value,
        gate=proposal.gate.value or None,
        reason=proposal.reason,
        rounds_needed=proposal.rounds_needed,
        page=proposal.page,
    )
