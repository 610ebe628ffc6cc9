"""`archive restore`: put an archive back into a store that has lost it."""

from __future__ import annotations

from pathlib import Path

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview
from console.domain.operator.receipt import Receipt


class ArchiveRestore(Command):
    """Put archived streams back into a store without them; nobody acts until an operator switches."""

    info = CommandInfo(
        name="archive restore",
        title="Restore an archive",
        summary="Put archived streams back into a store that has none of this agent; refused where there are any.",
        params=(Param("folder", "The folder that `archive run` wrote to."),),
        confirm=Confirm.EVIDENCE,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        return Preview(
            title=f"Restore the archive in {call.require('folder')}?",
            warnings=(
                "what was recorded after the last archive run is not in it",
                "the results of idempotency keys are not in it: a key that was executed can be claimed again",
            ),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        folder = Path(call.require("folder")).expanduser()
        return await ctx.gateway.archives.restore(folder, self.order(call))
