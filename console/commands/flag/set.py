"""`flag set`: give a flag a value."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.flag.write import current, preview_write, typed_value, write
from console.domain.operator.command import CommandInfo, Param, Preview
from console.domain.operator.receipt import Receipt

NAME = Param("name", "The flag.", suggests="flag", nothing=":flag set NAME VALUE sets one.")
NEW = Param("new", "The name, or the new type, is meant: don't take it for a typo.", required=False, flag=True)


class FlagSet(Command):
    """Give a flag a value; agents read it in their next cycle."""

    info = CommandInfo(
        name="flag set",
        title="Set a flag",
        summary="Give a flag a value; agents read it in their next cycle.",
        params=(NAME, Param("value", "True, False, a number, or text."), NEW),
        reversible=True,
        mark="flag",
        asks_protected=True,
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        name = call.require("name")
        text = typed_value(ctx, name, call.require("value"))
        return preview_write(name, await current(ctx, name), text, call, "Set")

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        name = call.require("name")
        return await write(ctx, call, self.order(call), name, typed_value(ctx, name, call.require("value")))
