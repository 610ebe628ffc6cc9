"""`decisions list`, `decisions search`: the newest rounds, of all or of those that a question asks for."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.decisions.common import over
from console.domain.errors import UsageError
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.seen.asking import Ask, parse_ask
from console.domain.text import clean

MOST = 100_000
LAST = Param("last", "How many of the newest; 100 if nothing is said.", required=False, option=True)
SINCE = Param("since", "From when on: how long ago (90s, 15m, 24h, 7d), or a time.", required=False, option=True)
UNTIL = Param("until", "Before when: the same.", required=False, option=True)


def number(call: Call) -> int:
    """How many are wanted.

    Raises:
        UsageError: it is no number, or out of range.
    """
    text = call.args.get("last") or "100"
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
        raise UsageError(f"--last {clean(text, 20)!r} is not from 1 to {MOST:,}.")
    return int(text)


def asked(ctx: Context, call: Call, text: str = "") -> Ask:
    """The question: what is looked for, and when.

    Raises:
        UsageError: it can't be understood.
    """
    times = [f"{name}:{call.args[name]}" for name in ("since", "until") if call.args.get(name)]
    ask = parse_ask(text, ctx.clock(), ctx.pattern)
    bounds = parse_ask(" ".join(times), ctx.clock(), ctx.pattern)
    return ask._replace(since=bounds.since or ask.since, until=bounds.until or ask.until)


async def newest(ctx: Context, call: Call, ask: Ask, nothing: str) -> Answer:
    """The newest rounds that it asks for, the newest last."""
    from console.views.decisions import DecisionReport

    most, now_s = number(call), ctx.clock().timestamp()
    hits, notes = await over(ctx, lambda index: index.newest(ask, most))
    rows = [DecisionReport.of(hit.decision(ctx.log_options, now_s), str(hit.path)) for hit in reversed(hits)]
    if not rows:
        notes = (*notes, nothing)
    lines = tuple(line for row in rows for line in row.lines())
    return Answer([row.document() for row in rows], lines, notes, yes=bool(rows))


class DecisionsList(Query):
    """The newest rounds of whole logs."""

    alone = True
    info = CommandInfo(
        name="decisions list",
        title="List decisions",
        summary="The newest rounds of whole decision logs, the newest last; exit code 1 where there is none.",
        params=(LAST, SINCE, UNTIL),
        reads=True,
    )

    def shape(self) -> Any:
        """The rounds, the newest last."""
        from console.views.decisions import DecisionReport

        return list[DecisionReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a round."""
        return await newest(ctx, call, asked(ctx, call), "No round lies in that time.")


class DecisionsSearch(Query):
    """Rounds that a question asks for."""

    alone = True
    info = CommandInfo(
        name="decisions search",
        title="Search decisions",
        summary="The newest rounds, of all that was ever logged, that hold words and terms: slot:green type:bet pnl<-5 "
        '"two words" !not re:pattern; exit code 1 where there is none.',
        params=(Param("text", "What is looked for."), LAST, SINCE, UNTIL),
        reads=True,
    )

    def shape(self) -> Any:
        """The rounds, the newest last."""
        from console.views.decisions import DecisionReport

        return list[DecisionReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a round."""
        return await newest(ctx, call, asked(ctx, call, call.require("text")), "No round is like that.")
