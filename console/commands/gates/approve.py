"""`approve`: agree to an override that somebody else proposed."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import Conflict, Refused, UsageError
from console.domain.gates.plan import Proposed, same_person
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean


class Approve(Command):
    """Agree to an override of closed gates, of exactly this plan, for a limited time; never to one's own."""

    info = CommandInfo(
        name="approve",
        title="Approve an override",
        summary="Agree to an override of closed gates that somebody else proposed: to this very plan, for a time.",
        key="A",
        params=(
            Param(
                "plan",
                "The plan's id, or its beginning; `approvals` lists them.",
                suggests="plan",
                at_cursor=True,
                nothing="Nobody has proposed an override.",
            ),
        ),
        confirm=Confirm.EVIDENCE,
        short="approve",
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        proposed = await _found(ctx, call)
        plan, me = proposed.plan, await ctx.gateway.gates.person()
        own = (f"{plan.proposer.told} proposed it and can't approve it",) if same_person(plan.proposer, me) else ()
        return Preview(
            title=f"Approve {plan.command} {plan.target or plan.step} over {', '.join(plan.closed)}?",
            changes=(Change(f"plan {plan.id}", "waits", f"approved for {ctx.rules.approval_s:.0f} s"),),
            warnings=(f"{plan.proposer.told} says: {clean(plan.reason, 200)}", *own),
            arguments={**call.args, "plan": plan.id},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        proposed = await _found(ctx, call)
        epoch = (await ctx.read()).deployment.epoch
        if proposed.plan.expected_epoch != epoch:
            raise Conflict(
                f"Plan {proposed.plan.id} is void: who may act has changed since (epoch {epoch}).",
                "Whoever wants it proposes it again.",
            )
        me = await ctx.gateway.gates.person()
        return await ctx.gateway.gates.approve(proposed, me, ctx.rules.approval_s, self.order(call))


async def _found(ctx: Context, call: Call) -> Proposed:
    """The plan that is meant.

    Raises:
        UsageError: what was given is no plan's id.
        Refused: there is none, or more than one.
    """
    wanted = call.require("plan").strip().lower()
    if not wanted.isalnum() or len(wanted) > 16:
        raise UsageError(f"{clean(wanted, 40)!r} is no plan's id.", "`approvals` lists them.")
    matches = [one for one in (await ctx.gateway.gates.read()).plans if one.plan.id.startswith(wanted)]
    if len(matches) != 1:
        what = "More than one plan begins with" if matches else "There is no plan"
        raise Refused(f"{what} {clean(wanted, 40)!r}.", "`approvals` lists them.")
    return matches[0]
