"""`flag unset`: remove a flag, so that agents use their default."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.flag.set import NAME
from console.commands.flag.write import current, preview_write, write
from console.domain.errors import Refused
from console.domain.operator.command import CommandInfo, Preview
from console.domain.operator.receipt import Receipt
from console.domain.state.flags import check_name


class FlagUnset(Command):
    """Remove a flag, so that agents use the default in their code."""

    info = CommandInfo(
        name="flag unset",
        title="Unset a flag",
        summary="Remove a flag, so that agents use the default in their code.",
        params=(NAME,),
        reversible=True,
        mark="flag",
        asks_protected=True,
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        name = check_name(call.require("name"))
        return preview_write(name, await current(ctx, name), None, call, "Unset")

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        name = check_name(call.require("name"))
        if await current(ctx, name) is None:
            raise Refused(f"flag {name} is not set; there is nothing to remove.")
        return await write(ctx, call, self.order(call), name, None)
