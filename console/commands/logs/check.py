"""`logs check`: what is read of a decision log, line by line, and what its mapping looks for in vain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.errors import UsageError
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.text import clean

USUAL: Final = 20
MOST: Final = 10_000


class LogsCheck(Query):
    """What is read of a log."""

    alone = True
    beside = True
    info = CommandInfo(
        name="logs check",
        title="Check a log",
        summary="What is read of a decision log, line by line, by the settings and their mapping, and what that looks "
        "for in vain; exit code 1 where a line is refused or a path of the mapping leads nowhere.",
        params=(
            Param("file", "The log."),
            Param("lines", f"How many of its first lines; {USUAL} if nothing is said.", required=False, option=True),
        ),
        reads=True,
    )

    def shape(self) -> Any:
        """Lines, and paths."""
        from console.views.log_check import LogCheckReport

        return LogCheckReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """A line for each line, then one for each path.

        Raises:
            UsageError: the log can't be read, or the number is none.
        """
        text = call.args.get("lines") or str(USUAL)
        if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
            raise UsageError(f"--lines {clean(text, 20)!r} is not from 1 to {MOST:,}.")
        report = await asyncio.to_thread(_look, ctx, Path(call.require("file")).expanduser(), int(text))
        return Answer(report.document(), tuple(report.lines()), (), yes=report.well)


def _look(ctx: Context, path: Path, most: int) -> Any:
    from console.logs.files.openfile import NotAFile
    from console.logs.files.packed import readable
    from console.logs.lines.rewrite import Missed
    from console.logs.looked import look
    from console.logs.mapping.mapping import VALUES, where_text
    from console.views.log_check import CheckedLine, CheckedPath, CheckedRow, LogCheckReport

    options = ctx.log_options
    try:
        data = readable(path, ctx.index)
    except (OSError, NotAFile) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{clean(str(path), 120)} can't be read: {why}.") from error
    expected = options.mapping.expected() if options.mapping is not None else {}
    missed, lines = Missed(), []
    for one in look(data, options, most):
        lacks = tuple(name for name in expected if one.missed is not None and one.missed.lacked[name])
        lines.append(CheckedLine(one.number, tuple(CheckedRow.of(row) for row in one.rows), one.refused, lacks))
        if one.missed is not None:
            missed.add(one.missed)
    if options.mapping is None:
        return LogCheckReport(tuple(lines), ())
    whole = options.mapping.whole()
    of = {"each": missed.lines, "only": missed.records}
    paths = tuple(
        CheckedPath(name, where, of.get(name, missed.counted), missed.lacked[name], name in expected)
        for name in ("each", "only", *VALUES)
        if (where := where_text(getattr(whole, name)))
    )
    return LogCheckReport(tuple(lines), paths)
