"""What the canary's commands share: the run as it stands, what the evaluator says, and how a dialog shows both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.base import Call
from console.commands.context import Context
from console.domain.canary.plan import Plan, Position, Proposal
from console.domain.canary.run import CanaryReading, CanaryRun, propose
from console.domain.errors import Conflict, Refused, UsageError
from console.domain.operator.command import Param
from console.domain.text import clean

if TYPE_CHECKING:
    from console.store.records.canary import Stored

EXPECT = Param(
    "expect", "RUN/STEP/REVISION that the decision was based on: refused if it stands elsewhere.", False, option=True
)


async def standing_run(ctx: Context, call: Call, *, finished: bool = False) -> tuple[Stored, CanaryReading]:
    """The run that goes on, as it stands.

    Args:
        ctx, call: what is asked for.
        finished: whether one that has all of the capital after its last step will do.

    Raises:
        Refused: there is none.
        Conflict: it is not the one, or not where, the caller saw.
    """
    stored = await ctx.gateway.canaries.read()
    reading = stored.reading
    if reading is None:
        raise Refused("There is no canary.", "`canary start PLAN` starts one.")
    run = reading.run
    wanted = call.args.get("expect", "")
    if wanted and wanted != place_of(run):
        if wanted.count("/") != 2:
            raise UsageError(f"{clean(wanted, 80)!r} is not RUN/STEP/REVISION.")
        raise Conflict(f"The canary stands at {place_of(run)}, not at {clean(wanted, 80)}.", "Look again, then decide.")
    if not run.live and not (finished and run.finished):
        raise Refused(f"Canary {run.name} is over: {run.state}.", "`canary start PLAN` starts another.")
    return stored, reading


def place_of(run: CanaryRun) -> str:
    """A run's place as one word: RUN/STEP/REVISION, the step counted from 1."""
    return f"{run.name}/{run.position.step + 1}/{run.position.revision}"


def plan_of(run: CanaryRun) -> Plan:
    """Its plan.

    Raises:
        Refused: it can't be read; then nothing rises.
    """
    if run.plan is None:
        raise Refused(f"Canary {run.name}: {run.problem}.", "`canary abort` moves the capital back.")
    return run.plan


def judged(stored: Stored, reading: CanaryReading, *, approved: bool) -> Proposal:
    """What the evaluator says now.

    Args:
        stored: for the server's clock, and for what forbids any rise.
        reading: of the run.
        approved: whether an operator approves leaving this step.

    Raises:
        Refused: the plan can't be read.
    """
    plan_of(reading.run)
    closed = (stored.closed,) if stored.closed else ()
    position: Position | None = reading.run.position if approved else None
    proposal = propose(reading, stored.server_at, closed_gates=closed, approved=position)
    if proposal is None:
        raise Refused(f"Canary {reading.run.name} stands at no step of its plan.", "`canary abort` moves it back.")
    return proposal


def money_text(run: CanaryRun, step: int) -> str:
    """The share and the money of a step: `20 % (2,000 of 10,000 USD), loss budget 60 USD`."""
    at = plan_of(run).steps[step]
    budget = f", loss budget {at.loss_budget:,f} {run.currency}" if at.share else ""
    return f"{at.share * 100:f} % ({at.share * run.capital:,f} of {run.capital:,f} {run.currency}){budget}"
