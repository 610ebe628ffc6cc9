"""`checklist`: every item with its evidence and age; the answer is no while something is closed."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.gates.gather import gather
from console.commands.gates.of_store import Wanted
from console.domain.errors import UsageError
from console.domain.fence.deployment import Deployment, Slot
from console.domain.gates.checklist import clocks, list_phases
from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Act, Asked, CheckPhase
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.text import clean
from console.views.gates.checklist import ChecklistReport, checklist_report

EVERY_S: Final = 1.0
"""Between two looks while it waits."""
ALL: Final = "all"


class Checklist(Query):
    """The checklist of a deployment, with evidence."""

    info = CommandInfo(
        name="checklist",
        title="Checklist",
        summary="Every item of a deployment's checklist with its evidence and age; exit code 1 while one is closed.",
        params=(
            Param(
                "phase",
                "before, during, after, warm, or all; else those whose clocks run.",
                required=False,
                choices=(*(phase.value for phase in CheckPhase), ALL),
                option=True,
            ),
            Param("target", "The side that would act; else the one that does not.", False, ("blue", "green"), True),
            Param("wait", "Look again until nothing is closed.", required=False, flag=True),
        ),
        reads=True,
    )

    async def answer(self, ctx: Context, call: Call) -> Answer:
        report = await look(ctx, call)
        while call.given("wait") and not report.open:
            await asyncio.sleep(EVERY_S)
            report = await look(ctx, call)
        return Answer(report.document(), tuple(report.lines()), yes=report.well)

    def shape(self) -> Any:
        return ChecklistReport


async def look(ctx: Context, call: Call) -> ChecklistReport:
    """The checklist now.

    Raises:
        UsageError: there is no such phase or side.
        StoreUnreachable: the store did not answer.
    """
    reading = await ctx.read()
    target = target_of(call, reading.deployment)
    facts = await gather(ctx, Wanted(reading, target, logs=True))
    asked = Asked(Act.SWITCH, target, ctx.clock(), reading.server_at, ctx.rules)
    every = clocks(facts, reading.server_at)
    phases = _phases(call, facts, asked)
    return checklist_report(ctx.agent, list_phases(facts, asked, phases), every, [phase.value for phase in phases])


def target_of(call: Call, deployment: Deployment) -> Slot | None:
    """The side that a call means; see `side_asked_for`."""
    return side_asked_for(call.args.get("target", ""), deployment)


def side_asked_for(wanted: str, deployment: Deployment) -> Slot | None:
    """The side that the checklist is about; where none is named, the one that does not act.

    Raises:
        UsageError: there is no such side.
    """
    if wanted:
        try:
            return Slot(wanted)
        except ValueError:
            raise UsageError(f"There is no slot {clean(wanted, 24)!r}.", "The slots are blue and green.") from None
    authority = deployment.authority
    active = authority.active if authority is not None else deployment.active.slot
    if active is not None:
        return active.other
    return authority.previous if authority is not None else None


def _phases(call: Call, facts: GateFacts, asked: Asked) -> tuple[CheckPhase, ...]:
    wanted = call.args.get("phase", "")
    if wanted == ALL:
        return tuple(CheckPhase)
    if wanted:
        try:
            return (CheckPhase(wanted),)
        except ValueError:
            known = ", ".join((*CheckPhase, ALL))
            raise UsageError(f"There is no phase {clean(wanted, 24)!r}.", f"Phases: {known}.") from None
    return tuple(clock.phase for clock in clocks(facts, asked.server_at) if clock.running)
