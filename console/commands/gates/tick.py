"""`checklist tick`: a named operator says that a manual item was seen to, and what was seen."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import Refused, UsageError
from console.domain.gates.facts import Tick
from console.domain.gates.items import BY_ID
from console.domain.operator.command import CommandInfo, Param, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

MANUAL = tuple(item.id for item in BY_ID.values() if item.manual)
_ITEM = Param(
    "item",
    "The item: " + ", ".join(MANUAL) + ".",
    choices=MANUAL,
    suggests="item",
    at_cursor=True,
    meanings={item.id: item.title for item in BY_ID.values() if item.manual},
)


class ChecklistTick(Command):
    """Tick a manual item, with what was seen; it holds for this deployment, for 24 hours at most."""

    info = CommandInfo(
        name="checklist tick",
        title="Tick an item",
        summary="Say that a manual item of the checklist was seen to, and with --reason what was seen.",
        key="x",
        params=(_ITEM,),
        needs_reason=True,
        short="tick",
        no_row="Only a manual item is ticked: put the cursor on one of the checklist, 7.",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        item = _manual(call.require("item"))
        change = Change(f"checklist {item}", None, f"ticked by {ctx.gateway.who}")
        return Preview(title=f"Tick {item}: {BY_ID[item].title}?", changes=(change,), arguments=dict(call.args))

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        item = _manual(call.require("item"))
        reason = call.reason.strip()
        if not reason:
            raise UsageError("A tick takes a reason: what was seen.", 'Say --reason "…".')
        gates = ctx.gateway.gates
        me, now = await gates.person(), await gates.now()
        epoch = (await ctx.read()).deployment.epoch
        return await gates.tick(Tick(item, me.who, me.login, now, reason[:400], epoch), self.order(call))


def _manual(name: str) -> str:
    """A manual item's name.

    Raises:
        UsageError: there is no such item.
        Refused: it is an automatic one: what it goes by can't be talked over.
    """
    item = BY_ID.get(name)
    if item is None:
        raise UsageError(f"The checklist has no item {clean(name, 40)!r}.", f"Manual ones: {', '.join(MANUAL)}.")
    if not item.manual:
        raise Refused(f"{name} goes by facts, nobody ticks it.", "`--override` goes over what it forbids.")
    return name
