"""`canary start`: begin to prove a new version by capital, along a plan that is frozen from then on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.base import Call, Command
from console.commands.canary.spread import with_spread
from console.commands.context import Context
from console.commands.gates.gather import version_that_runs
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.domain.canary.run import closed_by
from console.domain.canary.spread import spread_words
from console.domain.errors import UsageError
from console.domain.fence.deployment import Slot
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, GateLine, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

if TYPE_CHECKING:
    from console.documents.canary import PlanFile


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


class CanaryStart(Command):
    """Begin to prove a new version, along a plan."""

    info = CommandInfo(
        name="canary start",
        title="Start a canary",
        summary="Begin to prove a new version by capital, along a plan that is frozen from then on.",
        params=(
            Param("plan", "The plan file, TOML or JSON (`canary plan FILE` checks one)."),
            Param("run", "The run's name; made from slot and time if none is given.", required=False, option=True),
            *GATED,
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        from console.documents.canary import read_plan_file

        file = read_plan_file(Path(call.require("plan")).expanduser())
        name = _name(ctx, call, file)
        store = await ctx.read()
        closed = closed_by(store.deployment, file.slot) if store.deployment.authority else ""
        warnings = [f"step {at + 1}: {_step_text(file, at)}" for at in range(len(file.plan.steps))]
        warnings.append(
            "a step whose gates are open is taken without asking"
            if file.plan.automatic
            else "no step is taken without an operator"
        )
        plan, spread = await with_spread(ctx, file, store)
        warnings.append(f"the canary's own spread: {spread_words(plan.settings.sigma_canary, spread)}")
        desk = store.canary.desk if store.canary else None
        if desk is None:
            warnings.append("nothing shares rounds out yet: an agent with a CanaryDesk has to run")
        preview = Preview(
            title=f"Start canary {name}: {file.slot}?",
            changes=(Change(f"canary {name}", None, _step_text(file, 0)),),
            warnings=tuple(warnings),
            gates=(GateLine("who may act", not closed, closed or "open"),),
            arguments={**call.args, "run": name, "digest": file.digest},
        )
        return await show(ctx, preview, _rise(call, file), store)

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await self.start(ctx, call)

    async def start(self, ctx: Context, call: Call, upgrade: int = 0) -> Receipt:
        """Start it; for an upgrade's run only while that is still of the revision given."""
        return await asked_again(lambda: self._once(ctx, call, upgrade))

    async def _once(self, ctx: Context, call: Call, upgrade: int) -> Receipt:
        from console.documents.canary import read_plan_file
        from console.domain.errors import Conflict
        from console.store.records.canary import Act as RunAct
        from console.store.records.canary import RunChange

        file = read_plan_file(Path(call.require("plan")).expanduser())
        if call.args.get("digest", file.digest) != file.digest:
            raise Conflict(
                f"{clean(Path(call.require('plan')).name, 80)} was changed meanwhile.", "Look again, then decide."
            )
        reading = await ctx.read()
        order = await pass_gates(ctx, call, _rise(call, file), self.order(call), reading)
        name = _name(ctx, call, file)
        version = await version_that_runs(ctx, reading, Slot(file.slot))
        await ctx.gateway.gates.canary_known(name, order, version)
        plan, _ = await with_spread(ctx, file, reading)
        start = RunChange(
            RunAct.START,
            name,
            plan=plan,
            slot=file.slot,
            currency=file.currency,
            capital=file.capital,
            upgrade=upgrade,
        )
        return await ctx.gateway.canaries.change(start, order)


def _rise(call: Call, file: PlanFile) -> Rise:
    content = f"{file.plan.digest} {file.capital} {file.currency}"
    return Rise(CanaryStart.info.name, Act.CANARY_START, Slot(file.slot), call.args.get("run", ""), content)


def _name(ctx: Context, call: Call, file: PlanFile) -> str:
    return run_name(call.args.get("run") or f"{file.slot}-{ctx.clock():%Y%m%dT%H%M%SZ}")


def _step_text(file: PlanFile, at: int) -> str:
    step = file.plan.steps[at]
    money = f"{step.share * 100:f} % ({step.share * file.capital:,f} {file.currency})" if step.share else "shadow, 0 %"
    budget = f", loss budget {step.loss_budget:,f} {file.currency}" if step.share else ""
    return f"{money}, {step.min_rounds} rounds and {step.min_dwell_s:g} s at least{budget}"


def run_name(name: str) -> str:
    """A run's name, if it can be one.

    Raises:
        UsageError: it can't.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"{clean(name, 64)!r} can't be a run's name.", "Use letters, digits, _ . and -, at most 64 characters."
        )
    return name
