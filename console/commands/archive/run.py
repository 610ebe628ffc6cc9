"""`archive run`: move what is old from the chained streams into files, verified, so that the store stays bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import UsageError
from console.domain.operator.command import CommandInfo, Param, Preview
from console.domain.operator.receipt import Receipt
from console.domain.text import clean

KEEP: Final = 10_000
FOLDER: Final = Param("folder", "Where the files are; else in the user's data folder.", required=False, option=True)


def folder_of(ctx: Context, call: Call) -> Path:
    """The archive's folder."""
    given = call.args.get("folder", "")
    return Path(given).expanduser() if given else ctx.archive


class ArchiveRun(Command):
    """Write what is new of actions, control log and audit to files; then take what is old off the streams."""

    info = CommandInfo(
        name="archive run",
        title="Archive what is old",
        summary="Write actions, control log and audit to files, verified; then take all but the newest off the store.",
        params=(
            FOLDER,
            Param("keep", f"How many entries stay in each stream; {KEEP} if not said.", required=False, option=True),
        ),
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        return Preview(
            title=f"Archive into {folder_of(ctx, call)}?",
            warnings=(f"all but the newest {_keep(call)} entries leave each stream",),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await ctx.gateway.archives.run(folder_of(ctx, call), _keep(call), self.order(call))


def _keep(call: Call) -> int:
    text = call.args.get("keep", "")
    if not text:
        return KEEP
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"How many to keep is a whole number, not {clean(text, 24)!r}.")
    return int(text)
