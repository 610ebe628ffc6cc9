"""`flag get` and `flag list`: the flags as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.flag.set import NAME
from console.domain.operator.command import Answer, CommandInfo
from console.domain.state.flags import FlagReading, check_name, read_flag


class FlagList(Query):
    """Every flag in the store, and every registered one that is not set."""

    info = CommandInfo(
        name="flag list",
        title="List the flags",
        summary="Every flag in the store, and every registered one that is not set.",
        reads=True,
    )

    def shape(self) -> Any:
        """Name → flag."""
        from console.views.flags import FlagRecord

        return Mapping[str, FlagRecord]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a flag."""
        from console.views.flags import flag_record

        flags = (await ctx.read()).flags
        width = max((len(name) for name in flags), default=0)
        lines = tuple(_line(flag, width, name) for name, flag in flags.items())
        notes = () if flags else ("No flags yet. `agent-console flag set NAME VALUE` sets one.",)
        return Answer({name: flag_record(flag).document() for name, flag in flags.items()}, lines, notes)


class FlagGet(Query):
    """One flag's text."""

    info = CommandInfo(
        name="flag get",
        title="Show a flag",
        summary="One flag's text; exit code 1 when it is not set.",
        params=(NAME,),
        reads=True,
    )

    def shape(self) -> Any:
        """The flag, with its name."""
        from console.views.flags import NamedFlag

        return NamedFlag

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """Its text, and what is wrong with it."""
        from console.views.flags import named_flag

        name = check_name(call.require("name"))
        flag = await ctx.gateway.read_flag(name) or read_flag(name, None, ctx.registry.get(name))
        document = named_flag(name, flag).document()
        if flag.missing:
            return Answer(document, notes=(f"flag {name} is not set; agents use their default.",), yes=False)
        problem = (f"flag {name}: {flag.problem}.",) if flag.problem or flag.type is None else ()
        return Answer(document, () if flag.type is None else (str(flag.raw),), problem, yes=flag.type is not None)


def _line(flag: FlagReading, width: int, name: str) -> str:
    kind = flag.type.value if flag.type else (flag.spec.type.value if flag.spec else "-")
    if flag.missing:
        default = flag.spec.default if flag.spec and flag.spec.default is not None else "the agent's own"
        value = f"(not set; default {default})"
    else:
        value = str(flag.raw)
    return f"{name:<{width}}  {kind:<6}  {value}" + (f"  ! {flag.problem}" if flag.problem else "")
