"""A canary's run as it is recorded, what the process that shares the rounds out says of it, and both as facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from console.domain.canary.gate_report import GateReport, let_nothing_rise, take_back
from console.domain.canary.plan import Analysis, Facts, Plan, Position, Proposal, RunState
from console.domain.canary.rules import evaluate
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase
from console.domain.fence.intent import Source
from console.domain.text import Safe


class CanaryRun(NamedTuple):
    """A run as it is recorded.

    Args:
        name: the run's.
        slot: whose version is the canary: "blue" or "green".
        plan: the ladder; None where it can't be read (then `problem` says why, and nothing rises).
        digest: of the plan.
        state, position, share: where it stands; the share of the capital, 0 to 1.
        loss_budget: of this step, in `currency`; None at share 0.
        currency: of every amount.
        capital: that both versions share, in `currency`.
        began_at, step_began_at: the server's time; aware UTC.
        by, why, source: who changed it last, the reason, and what kind of actor that is.
        problem: what can't be read of it.
    """

    name: Safe
    slot: str
    plan: Plan | None
    digest: str
    state: RunState
    position: Position
    share: Decimal
    loss_budget: Decimal | None
    currency: Safe
    capital: Decimal
    began_at: datetime
    step_began_at: datetime
    by: Safe = Safe("")
    why: Safe = Safe("")
    source: Source = Source.UNKNOWN
    problem: Safe = Safe("")

    @property
    def finished(self) -> bool:
        """Whether its last step is over and all of the capital is its, as long as nobody took that back."""
        return self.state is RunState.DONE and self.share > 0

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)


class DeskReading(NamedTuple):
    """What the process that shares the rounds out said last.

    Args:
        at: the server's time of it.
        holder: its name.
        run, position, share: what it has in force.
        routed_share: the canary's share of the money given out in this step; None before the first round.
        exposure_canary, exposure_stable: at stake in rounds that are open.
        open_rounds: how many.
        rounds: that the canary has finished in this step (at share 0: shadow rounds compared).
        last_round_at: of these; None before the first.
        balance: the canary's money won or lost in this step, exact.
        budget_blocked: whether a stake was withheld from the canary since it could have broken the loss budget.
        refused: rounds refused: the cap, or an opposite position.
        analysis: the newest; None where there is none.
        ratio: the canary's share of the draws reported, and the share expected; None where there is no draw.
        too_large: stakes of this step that alone exceed its loss budget: they went to stable.
    """

    at: datetime
    holder: Safe
    run: Safe
    position: Position
    share: Decimal
    routed_share: float | None = None
    exposure_canary: Decimal = Decimal(0)
    exposure_stable: Decimal = Decimal(0)
    open_rounds: int = 0
    rounds: int = 0
    last_round_at: datetime | None = None
    balance: Decimal = Decimal(0)
    budget_blocked: bool = False
    refused: int = 0
    analysis: Analysis | None = None
    ratio: tuple[float, float] | None = None
    too_large: int = 0


class TrackPoint(NamedTuple):
    """The interval as it stood at one moment; for drawing only, hence floats.

    Args:
        at: when.
        step: the step it belongs to.
        rounds: of the canary until then, over the whole run.
        estimate, lower, upper: canary less stable, per unit at risk and round.
    """

    at: datetime
    step: int
    rounds: int
    estimate: float
    lower: float
    upper: float


class CanaryReading(NamedTuple):
    """Everything known of an agent's canary.

    Args:
        run: as recorded.
        desk: what shares the rounds out; None where nothing ever did.
        track: the interval over time, oldest first.
        gates: what those say who ask the gates while nobody attends it.
    """

    run: CanaryRun
    desk: DeskReading | None = None
    track: tuple[TrackPoint, ...] = ()
    gates: tuple[GateReport, ...] = ()


def closed_by(deployment: Deployment, slot: str) -> str:
    """Why no capital may rise now, by who may act; empty where it may. The store's own script says the same."""
    authority = deployment.authority
    if authority is None:
        return "there is no authority"
    if authority.phase is not Phase.RUN or authority.active is None:
        return "halted" if authority.phase is Phase.HALT else "a switch drains"
    if authority.level is not Level.NONE:
        return "new risk is stopped"
    if deployment.written_from_outside:
        return "the plain key says otherwise"
    return f"{slot} is active itself" if authority.active.value == slot else ""


def propose(
    reading: CanaryReading,
    now: datetime,
    *,
    closed_gates: Sequence[str] = (),
    approved: Position | None = None,
    evaluated_at: datetime | None = None,
) -> Proposal | None:
    """What the run should do next, by what is recorded and what the desk says of this very run.

    Args:
        reading: of the run.
        now: the server's time, by which all of it is dated.
        closed_gates, approved, evaluated_at: as in `Facts`.

    Returns:
        None where the run's plan can't be read.
    """
    run, plan = reading.run, reading.run.plan
    if plan is None or not 0 <= run.position.step < len(plan.steps):
        return None
    desk = reading.desk if reading.desk is not None and reading.desk.run == run.name else None
    here = desk if desk is not None and desk.position == run.position else None
    alone = plan.automatic and approved is None  # else an operator asks the gates in the moment of the act
    shut = let_nothing_rise(reading.gates, run.name, now) if alone else ()
    facts = Facts(
        position=run.position,
        state=run.state,
        step_started_at=run.step_began_at,
        evaluated_at=evaluated_at,
        analysis=desk.analysis if desk else None,
        rounds=here.rounds if here else 0,
        last_round_at=here.last_round_at if here else None,
        balance=here.balance if here else Decimal(0),
        budget_blocked=here is not None and here.budget_blocked,
        share_in_force=here.share if here else None,
        closed_gates=(*closed_gates, *shut),
        closed_since=take_back(reading.gates, run.name, run.step_began_at) if approved is None else (),
        approved=approved,
    )
    return evaluate(plan, facts, now)
