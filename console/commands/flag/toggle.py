"""`flag toggle`: turn a flag that is True or False."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.flag.set import NAME
from console.commands.flag.write import current, preview_write, write
from console.domain.errors import Refused
from console.domain.operator.command import CommandInfo, Preview
from console.domain.operator.receipt import Receipt
from console.domain.state.flags import FlagReading, FlagType, check_name


class FlagToggle(Command):
    """Turn a flag that is True or False."""

    info = CommandInfo(
        name="flag toggle",
        title="Toggle a flag",
        summary="Turn True into False, or False into True.",
        key="space",
        params=(NAME._replace(at_cursor=True),),
        reversible=True,
        mark="flag",
        asks_protected=True,
        short="toggle",
        no_row="Space toggles the flag under the cursor: f goes to the flags.",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        name = check_name(call.require("name"))
        now = await current(ctx, name)
        return preview_write(name, now, _turned(ctx, name, now), call, "Toggle")

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        name = check_name(call.require("name"))
        return await write(ctx, call, self.order(call), name, _turned(ctx, name, await current(ctx, name)))


def _turned(ctx: Context, name: str, now: FlagReading | None) -> str:
    text = now.text if now is not None else None
    if text is None:
        spec = ctx.registry.get(name)
        if spec is None or spec.type is not FlagType.BOOL or spec.default is None:
            raise Refused(
                f"flag {name} is not set, and what agents take for it is not known.",
                f"Say which value is meant: flag set {name} True",
            )
        text = spec.default
    if text not in ("True", "False"):
        raise Refused(f"flag {name} holds {text!r}, which can't be toggled.", f"Give it a value: flag set {name} …")
    return "False" if text == "True" else "True"
