"""`canary promote`: take the next step of a canary's plan, if every gate is open."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.canary.common import EXPECT, judged, money_text, place_of, plan_of, standing_run
from console.commands.context import Context
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.domain.canary.plan import Action, Proposal
from console.domain.canary.run import CanaryRun
from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.views.canary.gates import gate_lines


class CanaryPromote(Command):
    """Take the next step of the plan; the last one ends the run."""

    info = CommandInfo(
        name="canary promote",
        title="Promote the canary",
        summary="Take the next step of the canary's plan, if every gate is open.",
        key="c",
        short="promote",
        params=(EXPECT, *GATED),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        stored, reading = await standing_run(ctx, call)
        proposal = judged(stored, reading, approved=True)
        run = reading.run
        warnings = [] if proposal.action in (Action.PROMOTE, Action.FINISH) else [_refusal(run, proposal).message]
        preview = Preview(
            title=f"Promote canary {run.name}?",
            changes=(Change(f"canary {run.name}", money_text(run, run.position.step), _after(run)),),
            warnings=tuple(warnings),
            gates=gate_lines(reading, proposal, stored.server_at),
            arguments={**call.args, "expect": place_of(run)},
        )
        return await show(ctx, preview, _rise(run), await ctx.read())

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        from console.store.records.canary import Act as RunAct
        from console.store.records.canary import RunChange

        stored, reading = await standing_run(ctx, call)
        run, proposal = reading.run, judged(stored, reading, approved=True)
        if proposal.action not in (Action.PROMOTE, Action.FINISH):
            raise _refusal(run, proposal)
        act = RunAct.STEP if proposal.action is Action.PROMOTE else RunAct.FINISH
        step = RunChange(act, run.name, proposal.expected, target=proposal.target, plan=plan_of(run))
        order = self.order(call, why=call.reason or proposal.reason)
        order = await pass_gates(ctx, call, _rise(run), order, await ctx.read())
        await ctx.gateway.gates.canary_known(str(run.name), order)
        return await ctx.gateway.canaries.change(step, order, seen=run)


def _rise(run: CanaryRun) -> Rise:
    step = str(run.position.step + 2)
    return Rise(CanaryPromote.info.name, Act.CANARY_UP, Slot(run.slot), step, f"{place_of(run)} {run.digest}")


def _after(run: CanaryRun) -> str:
    at = run.position.step + 1
    return money_text(run, at) if at < len(plan_of(run).steps) else "done: the canary is the version now"


def _refusal(run: CanaryRun, proposal: Proposal) -> Refused:
    if proposal.action is Action.ROLL_BACK:
        return Refused(f"Canary {run.name} is to be rolled back: {proposal.reason}", "`canary abort` does.")
    return Refused(
        f"Canary {run.name} is held by {proposal.gate.value}: {proposal.reason}",
        "Wait, or overrule the hold: `canary set SHARE --reason WHY`.",
    )
