"""The canary's plan, the facts about its run, and proposals: values. What follows from them is in `canary_rules`.

A step is taken at most once: every proposal carries the (step, revision) it was made for, and is void for any other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from console.domain.errors import Conflict, UsageError
from console.domain.statistics.evidence import Evidence, Form, Settings, digest_of

MAX_STEPS: Final = 20
USUAL_SHARES: Final = tuple(Decimal(share) for share in ("0", "0.05", "0.20", "0.50", "1"))


class Mode(StrEnum):
    """How the canary's share of the money reaches it."""

    SPLIT = "split"
    """Both versions play every round, with stakes f and 1 - f."""
    ROUTE = "route"
    """Each round goes whole to one version."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder.

    Args:
        share: of the capital, 0 to 1; at 0 the canary is a shadow, at 1 there is nothing left to compare it with.
        loss_budget: how much of the money the canary may lose in this step; above 0 wherever it has any.
        min_rounds: rounds the canary plays in this step before the next (at 0: shadow rounds).
        min_dwell_s, max_dwell_s: the least time in this step, and the time after which a person is called.
        margin, alpha_harm, alpha_safe: where they differ from the plan's settings; None where they do not.
    """

    share: Decimal
    loss_budget: Decimal = Decimal(0)
    min_rounds: int = 100
    min_dwell_s: float = 600.0
    max_dwell_s: float = 86_400.0
    margin: float | None = None
    alpha_harm: float | None = None
    alpha_safe: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A ladder, frozen at its start.

    Args:
        steps: shares rising from step to step.
        settings: of the judge; a step may narrow or widen margin and alphas.
        mode: how money reaches the canary.
        automatic: whether a step that passed every gate is taken without asking.
        interval_s: the time between two evaluations.
        stale_after_s: the age at which an analysis no longer counts.
        quiet_after_s: the time without a round of the canary after which there is no traffic.
        accepted_errors, accepted_skipped, accepted_slow: the share of the canary's rounds that may fail, be skipped, or
            be slow, whatever the stable version does; above 0, below 1. None for 0.01, 0.01 and 0.05.

    Raises:
        UsageError: it can't be followed, or risks money without a budget.
    """

    steps: tuple[Step, ...]
    settings: Settings
    mode: Mode = Mode.ROUTE
    automatic: bool = False
    interval_s: float = 60.0
    stale_after_s: float = 180.0
    quiet_after_s: float = 600.0
    accepted_errors: float | None = None
    accepted_skipped: float | None = None
    accepted_slow: float | None = None

    def __post_init__(self) -> None:
        """Refuse a ladder that can't be climbed one gate at a time."""
        steps = self.steps
        for wrong, message in (
            (not 2 <= len(steps) <= MAX_STEPS, f"A plan has 2 to {MAX_STEPS} steps."),
            (any(not 0 <= step.share <= 1 for step in steps), "A step's share lies between 0 and 1."),
            (any(after.share <= before.share for before, after in pairwise(steps)), "Shares rise from step to step."),
            (
                any(step.share > 0 and not (step.loss_budget.is_finite() and step.loss_budget > 0) for step in steps),
                "Every step with capital needs a loss budget above 0.",
            ),
            (any(step.min_rounds < 1 for step in steps), "Every step needs at least one round."),
            (
                (self.mode is Mode.SPLIT) != (self.settings.form is Form.PAIRED),
                "Split rounds are compared in pairs, routed ones never: mode split and form paired go together.",
            ),
            (
                self.settings.form is Form.BOUNDED
                and any(step.alpha_harm is not None or step.alpha_safe is not None for step in steps),
                "In the bounded form the bets rest on alpha: no step can have one of its own.",
            ),
            (any(not 0 <= step.min_dwell_s <= step.max_dwell_s for step in steps), "Dwell: 0 <= minimum <= maximum."),
            (
                any(rate is not None and not 0.0 < rate < 1.0 for rate in self.accepted),
                "The accepted shares of errors, skipped and slow rounds lie between 0 and 1.",
            ),
            (min(self.interval_s, self.stale_after_s, self.quiet_after_s) <= 0, "Times must be above 0 seconds."),
        ):
            if wrong:
                raise UsageError(message)
        for at in range(len(steps)):
            self.settings_at(at)

    @property
    def accepted(self) -> tuple[float | None, float | None, float | None]:
        """The accepted shares of errors, skipped and slow rounds; None for the usual ones."""
        return self.accepted_errors, self.accepted_skipped, self.accepted_slow

    def settings_at(self, step: int) -> Settings:
        """The settings by which that step is judged."""
        own = self.steps[step]
        return replace(
            self.settings,
            margin=self.settings.margin if own.margin is None else own.margin,
            alpha_harm=self.settings.alpha_harm if own.alpha_harm is None else own.alpha_harm,
            alpha_safe=self.settings.alpha_safe if own.alpha_safe is None else own.alpha_safe,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the plan in canonical JSON, for the audit."""
        return digest_of(asdict(self))


def misfit(plan: Plan) -> str:
    """Why a plan of this form can't be judged along this ladder; empty where it can.

    Only the adjusted and the paired form follow a market that moves while the share changes: with the others a better
    canary was rolled back in 76 of 100 runs when the market fell on the way.
    """
    shares = [step.share for step in plan.steps if 0 < step.share < 1]
    if plan.settings.form in (Form.FIXED, Form.BOUNDED) and len(shares) > 1:
        return (
            f"The form {plan.settings.form.value} compares at one share from start to end; this ladder has "
            f"{len(shares)}: rounds of another share are rounds of another market."
        )
    return ""


def usual_plan(settings: Settings, loss_budget: Decimal, *, shadow_rounds: int = 50, automatic: bool = False) -> Plan:
    """The usual ladder, 0 → 5 → 20 → 50 → 100 %, with the same loss budget for each step."""
    return Plan(
        tuple(
            Step(share, loss_budget if share else Decimal(0), min_rounds=100 if share else shadow_rounds)
            for share in USUAL_SHARES
        ),
        settings,
        automatic=automatic,
    )


class RunState(StrEnum):
    """Where a canary's run stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """Nothing advances; what protects goes on."""
    ABORTED = "ABORTED"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Position:
    """Where the ladder stands: the step, and how many changes there were before it; only the pair is unique."""

    step: int
    revision: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the judge said, and about what.

    Args:
        at: when; aware UTC.
        position: the step it is about.
        evidence: None where it failed.
        error: why it failed; empty where it did not.
        alarms: guardrails that fired in this step, in words: errors, latency, skipped rounds, a trigger.
        ratio_alarm: whether the rounds reported are not those that were given out.
    """

    at: datetime
    position: Position
    evidence: Evidence | None = None
    error: str = ""
    alarms: tuple[str, ...] = ()
    ratio_alarm: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a run.

    Args:
        position: recorded in the store.
        state: recorded in the store.
        step_started_at: when the step was taken; aware UTC.
        evaluated_at: when it was last evaluated; None for never in this step.
        analysis: the newest; None where there is none.
        rounds: of the canary in this step (at share 0: shadow rounds).
        last_round_at: of the canary; None where it played none in this step.
        balance: the canary's money won or lost in this step, exact.
        budget_blocked: whether a stake was withheld from the canary since it could have broken the budget.
        share_in_force: what the router says it is using; None where it has not said.
        closed_gates: gates that forbid raising risk now (the one rule, the checklist), in words.
        approved: the position an operator approved leaving; None for none.
        closed_since: gates that closed while the step's capital is out, in words.
    """

    position: Position
    state: RunState
    step_started_at: datetime
    evaluated_at: datetime | None = None
    analysis: Analysis | None = None
    rounds: int = 0
    last_round_at: datetime | None = None
    balance: Decimal = Decimal(0)
    budget_blocked: bool = False
    share_in_force: Decimal | None = None
    closed_gates: tuple[str, ...] = ()
    approved: Position | None = None
    closed_since: tuple[str, ...] = ()


class Action(StrEnum):
    """What to do."""

    WAIT = "wait"
    """It is not time to look again."""
    HOLD = "hold"
    PROMOTE = "promote"
    FINISH = "finish"
    """The last step is over: the canary is the version now."""
    ROLL_BACK = "roll back"


class Gate(StrEnum):
    """The one gate that decided, in the order in which they are asked."""

    STATE = "state"
    LOSS_BUDGET = "loss budget"
    INTERVAL = "interval"
    ANALYSIS = "fresh analysis"
    CAPITAL = "capital in force"
    TRAFFIC = "traffic"
    GUARDRAIL = "guardrail"
    SAMPLE_RATIO = "sample ratio"
    MINIMUM_SAMPLE = "minimum sample"
    SIGNAL = "signal"
    QUIET = "closed gate"
    PAUSED = "paused"
    APPROVAL = "approval"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the evaluator says.

    Args:
        action: what to do.
        gate: which gate decided.
        reason: why, in a sentence fit for a screen and the audit.
        expected: the position it was made for; whoever carries it out refuses on any other.
        target: the step to go to; that of `expected` for WAIT, HOLD and FINISH.
        next_check_at: when to ask again; None when there is nothing left to ask.
        page: whether a person should be called.
        rounds_needed: further rounds, where that is what is missing and can be told.
    """

    action: Action
    gate: Gate
    reason: str
    expected: Position
    target: int
    next_check_at: datetime | None
    page: bool = False
    rounds_needed: int | None = None


def advance(position: Position, proposal: Proposal) -> Position:
    """The position after a proposal that moves capital was carried out.

    Raises:
        Conflict: the position is not the one it was made for: somebody else moved first.
    """
    if position != proposal.expected:
        raise Conflict(
            f"The canary stands at step {position.step + 1}, revision {position.revision}, "
            f"not at step {proposal.expected.step + 1}, revision {proposal.expected.revision}.",
            "Look again before deciding.",
        )
    return Position(proposal.target, position.revision + 1)
