"""`archive verify`: are the archive's files and the streams that go on from them one whole chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.errors import Refused
from console.domain.operator.command import Answer, CommandInfo, Param


class ArchiveVerify(Query):
    """Verify the archive's files with the streams that go on from them."""

    info = CommandInfo(
        name="archive verify",
        title="Verify the archive",
        summary="Are the archive's files and the streams that go on from them one whole chain; exit code 1 when not.",
        params=(Param("folder", "Where the files are; else in the user's data folder.", required=False),),
        reads=True,
    )

    def shape(self) -> Any:
        """The chains: acts, log, audit."""
        from console.views.fence.chains import ChainReport

        return list[ChainReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a chain."""
        from console.views.fence.chains import ChainReport

        given = call.args.get("folder", "")
        folder = Path(given).expanduser() if given else ctx.archive
        if not folder.is_dir():
            raise Refused(f"There is no folder {folder}.", "`agent-console archive run` makes one.")
        reports = [ChainReport.of(name, verdict) for name, verdict in await ctx.gateway.archives.verify(folder)]
        lines = tuple(line for report in reports for line in report.lines())
        return Answer([report.document() for report in reports], lines, yes=all(report.well for report in reports))
