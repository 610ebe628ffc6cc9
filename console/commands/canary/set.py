"""`canary set`: move a canary to a share of its plan by hand: down at once, up one step over a hold, with a reason."""

from __future__ import annotations

from decimal import Decimal

from console.commands.base import Call, Command
from console.commands.canary.common import EXPECT, judged, money_text, place_of, plan_of, standing_run
from console.commands.context import Context
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.domain.canary.plan import Action
from console.domain.canary.run import CanaryRun
from console.domain.document import exact
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Slot
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.views.canary.gates import gate_lines


class CanarySet(Command):
    """Move a canary by hand. Holds are advisory and can be overruled, with a reason; what protects can't."""

    info = CommandInfo(
        name="canary set",
        title="Set the canary's share",
        summary="Move the canary to a share of its plan: down at once; up one step over a hold, with a reason.",
        params=(Param("share", "In per cent, as in the plan: 0, 5, 20."), EXPECT, *GATED),
        confirm=Confirm.TYPED,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        stored, reading = await standing_run(ctx, call)
        run = reading.run
        target = _target(run, call.require("share"))
        up = target > run.position.step
        proposal = judged(stored, reading, approved=True)
        overruled = (
            f"overrules {proposal.gate.value}: {proposal.reason}" if up and proposal.action is Action.HOLD else ""
        )
        preview = Preview(
            title=f"Set canary {run.name} to {plan_of(run).steps[target].share * 100:f} %?",
            changes=(Change(f"canary {run.name}", money_text(run, run.position.step), money_text(run, target)),),
            warnings=(overruled,) if overruled else (),
            gates=gate_lines(reading, proposal, stored.server_at) if up else (),
            typed_name=str(run.name) if up else "",
            arguments={**call.args, "expect": place_of(run)},
        )
        return await show(ctx, preview, _rise(run, target), await ctx.read()) if up else preview

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        from console.store.records.canary import Act as RunAct
        from console.store.records.canary import RunChange

        stored, reading = await standing_run(ctx, call)
        run = reading.run
        target = _target(run, call.require("share"))
        up, order = target > run.position.step, self.order(call)
        if up:
            proposal = judged(stored, reading, approved=True)
            if proposal.action is Action.ROLL_BACK:
                raise Refused(f"It is to be rolled back, which can't be overruled: {proposal.reason}", "canary abort")
            if not call.reason:
                raise UsageError("A hold is overruled with a reason.", "Say --reason WHY.")
            order = await pass_gates(ctx, call, _rise(run, target), order, await ctx.read())
            await ctx.gateway.gates.canary_known(str(run.name), order)
        step = RunChange(RunAct.STEP if up else RunAct.LOWER, run.name, run.position, target=target, plan=plan_of(run))
        return await ctx.gateway.canaries.change(step, order, seen=run)


def _rise(run: CanaryRun, target: int) -> Rise:
    content = f"{place_of(run)} {run.digest}"
    return Rise(CanarySet.info.name, Act.CANARY_UP, Slot(run.slot), str(target + 1), content)


def _target(run: CanaryRun, text: str) -> int:
    """The step of that share.

    Raises:
        UsageError: it is no share of the plan.
        Refused: it is where the canary stands, or more than one step up.
    """
    share = exact(text.rstrip("%").strip(), "share") / 100
    shares: list[Decimal] = [step.share for step in plan_of(run).steps]
    if share not in shares:
        raise UsageError(f"The plan has no share of {text}.", f"It has {', '.join(f'{s * 100:f} %' for s in shares)}.")
    target = shares.index(share)
    if target == run.position.step:
        raise Refused(f"Canary {run.name} stands there already.")
    if target > run.position.step + 1:
        raise Refused("One step at a time: no gate is skipped.", f"The next one is {shares[run.position.step + 1]:%}.")
    return target
