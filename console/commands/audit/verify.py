"""`audit verify`: are the chains whole, and do they go on from the heads that are remembered elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.operator.command import Answer, CommandInfo, Param

if TYPE_CHECKING:
    from console.domain.fence.chain import ChainVerdict
    from console.store.files.heads import Head


class AuditVerify(Query):
    """Verify the chains of actions, control events, receipts and decision logs."""

    info = CommandInfo(
        name="audit verify",
        title="Verify the chains",
        summary="Whether actions, control log, audit and decision logs are whole and unchanged; exit code 1 when not.",
        params=(
            Param(
                "since",
                "Look at no older entry of the streams: how long ago (90s, 15m, 24h, 7d), or a time.",
                required=False,
                option=True,
            ),
            Param(
                "head",
                "A file of heads, kept where the store's users can't write: compared with, then brought up to date.",
                required=False,
                option=True,
            ),
        ),
        reads=True,
    )

    def shape(self) -> Any:
        """The chains: acts, log, audit, then each decision log."""
        from console.views.fence.chains import ChainReport

        return list[ChainReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a chain."""
        from console.domain.operator.moment import parse_moment
        from console.logs.sealed import logs_of, verify_log
        from console.store.files.heads import Head, Heads, read_heads, write_heads
        from console.views.fence.chains import ChainReport

        since = call.args.get("since", "")
        since_ms = int(parse_moment(since, ctx.clock()).timestamp() * 1000) if since else None
        file = Path(call.args["head"]).expanduser() if call.args.get("head") else None
        heads = read_heads(file, ctx.agent) if file else None
        notes: list[str] = []
        if file and heads is None:
            notes.append(f"{file} is new: there was nothing to compare with.")
        reports: list[ChainReport] = []
        fresh: dict[str, Head | None] = {}
        for name, verdict in await ctx.gateway.verify_chains(
            since_ms, {name: head.marks() for name in ("acts", "log", "audit") if heads and (head := heads.of(name))}
        ):
            known = heads.of(name) if heads else None
            unmet = known is not None and verdict.first is not None and known.count < verdict.first - 1
            reports.append(ChainReport.of(name, verdict, unmet=unmet))
            fresh[name] = known if unmet and since else _renewed(known, verdict, partly=bool(since))
        decisions = dict(heads.decisions) if heads else {}
        for path in logs_of(ctx.decisions):
            before = decisions.get(str(path))
            lines = verify_log(path, next(iter(before.marks()), None) if before else None)
            reports.append(ChainReport.of_log(str(path), lines))
            if not lines.wrong and lines.sealed:
                decisions[str(path)] = Head(lines.sequence or lines.lines, lines.head)
        if file:
            write_heads(file, Heads(agent=ctx.agent, decisions=decisions, **fresh))
        return Answer(
            [report.document() for report in reports],
            tuple(line for report in reports for line in report.lines()),
            tuple(notes),
            yes=all(report.well for report in reports),
        )


def _renewed(known: Head | None, verdict: ChainVerdict, *, partly: bool) -> Head | None:
    """What is remembered from now on: of a chain that is not whole what was, so that the evidence stays.

    Args:
        known: what was remembered.
        verdict: what was found.
        partly: whether only the younger entries were looked at.
    """
    from console.store.files.heads import Head

    if not verdict.ok or not verdict.last or (known is not None and verdict.last < known.count):
        return known
    first = known.first if known else None
    if verdict.first is not None and (first is None or (first[0] < verdict.first and not partly)):
        first = (verdict.first, verdict.first_head)
    return Head(verdict.last, verdict.head, first)
