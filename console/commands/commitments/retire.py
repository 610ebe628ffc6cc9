"""`retire`: a version of which nothing is left is done with."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.commitments.sight import Sight
from console.domain.commitments.versions import judge
from console.domain.errors import Refused
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean


class Retire(Command):
    """Say that a version is done with; refused while anything is left of it, or that nothing is can't be told."""

    info = CommandInfo(
        name="retire",
        title="Retire a version",
        summary="Say that a version is done with; refused while anything is left of it, or that can't be told.",
        key="W",
        params=(
            Param("version", "Its name.", suggests="version", at_cursor=True, nothing="No version has said its name."),
            Param(
                "venue_seen",
                "That you have looked at the venue now, and what it showed: nothing of this version. It is recorded.",
                required=False,
                option=True,
            ),
            Param("read_venue", "Read the venue now, whatever a guard saw.", required=False, flag=True),
        ),
        confirm=Confirm.YES_NO,
        short="retire",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        name = call.require("version")
        facts = {one.version: one for one in await ctx.gateway.owing.versions(await _sight(ctx, call))}
        if name not in facts:
            raise Refused(f"No version is called {clean(name, 60)!r}.", "`agent-console versions` lists them.")
        verdict = judge(facts[name])
        return Preview(
            title=f"Retire {clean(name, 40)}?",
            changes=(Change(f"version {name}", verdict.state.value, "retired"),),
            warnings=(verdict.why,),
            arguments=call.args,
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        order = self.order(call)
        if seen := call.args.get("venue_seen", ""):
            order = order._replace(why=f"{order.why + '; ' if order.why else ''}looked at the venue: {seen}")
        return await ctx.gateway.owing.retire(call.require("version"), await _sight(ctx, call), order)


async def _sight(ctx: Context, call: Call) -> Sight:
    from console.commands.commitments.evidence import sight_of

    return await sight_of(ctx, ask=call.given("read_venue"), looked=bool(call.args.get("venue_seen", "")))
