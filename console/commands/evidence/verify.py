"""`evidence verify`: is an evidence file as it was written, and are the chains in it whole; without a store."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.base import Call, Query
from console.domain.errors import UsageError
from console.domain.operator.command import Answer, CommandInfo, Param

if TYPE_CHECKING:
    from console.commands.context import Context


class EvidenceVerify(Query):
    """Whether an evidence file is as it was written."""

    alone = True
    info = CommandInfo(
        name="evidence verify",
        title="Verify evidence",
        summary="Whether an evidence file is as it was written, and the chains in it whole; exit code 1 when not.",
        params=(
            Param("file", "The evidence file."),
            Param("digest", "What was printed when it was made: it has to be the same.", required=False, option=True),
        ),
        reads=True,
    )

    def shape(self) -> Any:
        """What was found."""
        from console.views.evidence import VerifiedReport

        return VerifiedReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a finding, then one a chain.

        Raises:
            UsageError: the digest is none.
            Refused: the file can't be read.
        """
        from console.evidence.check import check
        from console.views.evidence import VerifiedReport

        digest = call.args.get("digest", "").lower()
        if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise UsageError("A digest has 64 hexadecimal digits.", "`evidence` printed it when it made the file.")
        found = await asyncio.to_thread(check, Path(call.require("file")).expanduser())
        problems = found.problems
        if digest and digest != found.digest:
            problems = (*problems, "its digest is not the one that was printed: it is another file, or was made anew")
        notes = () if digest else ("Only --digest, kept elsewhere, shows that nobody made the file anew.",)
        report = VerifiedReport(not problems, found.digest, found.members, problems, found.chains)
        return Answer(report.document(), tuple(report.lines()), notes, yes=report.well)
