"""A command on several agents: one question that names them all, then each by itself, with a receipt of its own.

Each agent's command is the same as on one: what its preview was based on is held to, gates are asked, and the audit of
each holds its receipt. A failure is named. The rest is carried on only where that reduces risk; there several are under
way at once, since a halt of ten thousand must not wait for each to be heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from console.commands.base import Call, Command
from console.commands.catalogue import commands, find
from console.commands.context import Context
from console.domain.errors import ConsoleError, ReadOnly, Refused, UsageError
from console.domain.operator.command import Answer, CommandInfo, GateLine, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

NAMED: Final = 9
"""So many agents are named one by one, and a `y` is enough; a word is typed for more."""
LANES: Final = 16
"""Agents that are under way at once where risk is reduced."""
PREVIEW_S: Final = 0.5
"""The longest that a question about what reduces risk waits for what is."""
TOLD: Final = 40
"""Lines of a question."""


class Gone(Refused):
    """An agent whose keys are no more: there is nobody whom a command would reach."""

    title = "Gone"


class Done(NamedTuple):
    """What came of one agent; neither a receipt nor a failure where it was not tried."""

    agent: str
    receipt: Receipt | None = None
    failure: str = ""
    gone: bool = False

    @property
    def concern(self) -> int:
        """Whom to look at first: who failed, who was not tried, who is gone, who has it."""
        if self.receipt is not None:
            return 3
        return 2 if self.gone else 0 if self.failure else 1


class ScopedOperator:
    """Carries out one command on several agents: an `Operator` for the length of it.

    Args:
        agents: the scope, in the order in which it is carried out; not empty.
        open_context: an agent's context; closed by whoever gave it.
        told: called after each agent, with how many are done.
    """

    def __init__(
        self,
        agents: Sequence[str],
        open_context: Callable[[str], Awaitable[Context]],
        told: Callable[[int], None] = lambda _done: None,
    ) -> None:
        self.agents = tuple(agents)
        self.results: tuple[Done, ...] = ()
        self.told = told
        self._open = open_context
        self._based: dict[str, Mapping[str, str]] = {}
        """What each agent's preview was based on."""
        self._left_out: dict[str, str] = {}
        """Whose preview failed, and why."""

    @property
    def catalogue(self) -> Sequence[CommandInfo]:
        """The commands that can be said to several."""
        return tuple(command.info for command in commands() if command.info.many)

    @property
    def scope(self) -> str:
        """Who is meant, by name as long as they can be named: `3 agents: a, b, c`."""
        return scope_text(self.agents)

    @property
    def lines(self) -> Sequence[tuple[str, str, bool]]:
        """What came of it: each agent, its receipt or why it has none, and whether it has one; who failed first."""
        every = sorted(self.results, key=lambda one: one.concern)
        return [(one.agent, _line(one), one.receipt is not None) for one in every]

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        """What it would do to each, in one question."""
        command = _many(name)
        info = command.info
        reduces = info.risk is Risk.REDUCES
        if info.risk is Risk.RAISES and len(self.agents) > NAMED:
            raise Refused(
                f"{info.title} raises risk, and {len(self.agents):,} agents are too many to look at.",
                f"Mark {NAMED} at the most.",
            )
        asked = await asyncio.gather(
            *(self._asked(command, agent, args, PREVIEW_S if reduces else None) for agent in self.agents[:NAMED])
        )
        previews = {agent: one for agent, one in zip(self.agents, asked, strict=False) if isinstance(one, Preview)}
        self._based = {agent: one.arguments or args for agent, one in previews.items()}
        self._left_out = (
            {}
            if reduces
            else {agent: why for agent, one in zip(self.agents, asked, strict=False) if (why := _why_not(one))}
        )
        if len(self._left_out) == len(self.agents):
            raise Refused(f"{info.title} is possible for none of {self.scope}.", _first(self._left_out))
        return self._question(info, args, previews)

    async def _asked(
        self, command: Command, agent: str, args: Mapping[str, str], within_s: float | None
    ) -> Preview | str:
        """What it would do to one; else why that can't be told."""
        try:
            async with asyncio.timeout(within_s):
                ctx = await self._open(agent)
                ctx.gateway.require_writable(command.info.name, reduces=command.info.risk is Risk.REDUCES)
                await refuse_who_is_gone(ctx, agent)
                return await command.preview(ctx, Call(args))
        except TimeoutError:
            return "it could not be read in time"
        except ReadOnly:
            raise
        except ConsoleError as error:
            return error.message

    def _question(self, info: CommandInfo, args: Mapping[str, str], previews: Mapping[str, Preview]) -> Preview:
        many, taken = len(self.agents) > NAMED, [name for name in self.agents if name not in self._left_out]
        words = " ".join(value for value in args.values() if value)
        changes = [
            Change(f"{agent} · {change.what}", change.before, change.after)
            for agent, one in previews.items()
            if agent not in self._left_out
            for change in one.changes
        ]
        warnings = [f"{agent}: left out, {why}" for agent, why in self._left_out.items()]
        warnings += [
            f"{agent}: {warning}"
            for agent, one in previews.items()
            if agent not in self._left_out
            for warning in one.warnings
        ]
        if many:
            changes = []
            warnings = [f"each of {len(self.agents):,} agents, one by one; the first are {', '.join(taken[:NAMED])}"]
        gates = [
            GateLine(f"{agent} · {gate.name}", gate.open, gate.evidence, gate.state)
            for agent, one in previews.items()
            if agent not in self._left_out and not many
            for gate in one.gates
        ]
        return Preview(
            title=f"{info.title} {words}".rstrip() + f": {scope_text(taken)}?",
            changes=tuple(changes[:TOLD]),
            warnings=tuple(dict.fromkeys(warnings[:TOLD])),
            gates=tuple(gates[:TOLD]),
            irreversible=tuple(
                f"{agent}: {text}" for agent, one in previews.items() for text in one.irreversible if not many
            ),
            typed_name=typed_word(info, len(taken)) if many else "",
            arguments=dict(args),
        )

    async def execute(self, name: str, args: Mapping[str, str], *, reason: str = "") -> Receipt:
        """Carry it out on each; the receipt of all of them, and `results` has that of each.

        Raises:
            Refused: it was possible for none, or the first that failed ended it; the text names who has it and who not.
        """
        command = _many(name)
        began, reduces = perf_counter(), command.info.risk is Risk.REDUCES
        results = {agent: Done(agent, failure=why) for agent, why in self._left_out.items()}
        waiting = iter([agent for agent in self.agents if agent not in self._left_out])
        stop = asyncio.Event()

        async def lane() -> None:
            for agent in waiting:
                if stop.is_set():
                    return
                results[agent] = await self._one(command, agent, args, reason)
                if results[agent].receipt is None and not reduces:
                    stop.set()
                self.told(len(results))

        await asyncio.gather(*(lane() for _ in range(LANES if reduces else 1)))
        self.results = tuple(results.get(agent, Done(agent)) for agent in self.agents)
        return self._receipt(command.info, reason, 1000 * (perf_counter() - began))

    async def _one(self, command: Command, agent: str, args: Mapping[str, str], reason: str) -> Done:
        try:
            ctx = await self._open(agent)
            await refuse_who_is_gone(ctx, agent)
            return Done(agent, await command.execute(ctx, Call(self._based.get(agent, args), reason)))
        except Gone as error:
            return Done(agent, failure=error.message, gone=True)
        except ConsoleError as error:
            return Done(agent, failure=f"{error.title.lower()}: {error.message} {error.hint}".strip())

    def _receipt(self, info: CommandInfo, reason: str, elapsed_ms: float) -> Receipt:
        receipts = [one.receipt for one in self.results if one.receipt is not None]
        told = results_text(self.results)
        if not receipts:
            raise Refused(f"{info.title} was carried out on none. {told}")
        last = receipts[-1]
        return Receipt(
            id=last.id,
            at=max(receipt.at for receipt in receipts),
            command=info.name,
            agent=scope_text([receipt.agent for receipt in receipts]),
            changes=(),
            elapsed_ms=elapsed_ms,
            who=last.who,
            why=reason,
            note=told,
        )

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        """Nothing is asked of several."""
        raise _unknown(name)

    async def unlock(self, name: str) -> None:
        """A profile is unlocked as a whole."""
        raise Refused("Nothing is locked here.")

    async def suggestions(self, kind: str) -> Sequence[tuple[str, str]]:
        """Nothing that all of them have is known."""
        if kind != "flag":
            return []
        flags = (await (await self._open(self.agents[0])).read()).flags
        return [(name, "not set" if flag.missing else str(flag.raw)) for name, flag in list(flags.items())[:200]]


async def refuse_who_is_gone(ctx: Context, agent: str) -> None:
    """Say it of an agent whose keys are no more: a command would make an authority for nobody.

    Raises:
        Gone: it has neither an authority nor a plain key.
        StoreUnreachable: no answer.
    """
    from console.store.server.trouble import wrap_errors

    keys = ctx.gateway.keys
    with wrap_errors():
        there = await ctx.gateway.client.exists(keys.ctl, keys.active)
    if not there:
        raise Gone(f"{clean(agent, 64)} is gone: it has no authority and no active version any more.")


def typed_word(info: CommandInfo, count: int) -> str:
    """What is typed to say a command to so many: `halt 10000`."""
    return f"{info.name} {count}"


def scope_text(agents: Sequence[str]) -> str:
    """Agents by name as long as they can be named."""
    count = len(agents)
    if count == 1:
        return agents[0]
    if count <= NAMED:
        return f"{count} agents: {', '.join(agents)}"
    return f"{count:,} agents: {', '.join(agents[:3])} … {agents[-1]}"


def results_text(results: Sequence[Done]) -> str:
    """How many have it, and who has not."""
    done = [one for one in results if one.receipt is not None]
    failed = [one for one in results if one.failure and not one.gone]
    gone = [one.agent for one in results if one.gone]
    untried = [one.agent for one in results if one.receipt is None and not one.failure]
    parts = [f"{len(done):,} of {len(results):,} agents"]
    if failed:
        parts.append("failed: " + "; ".join(f"{one.agent} ({clean(one.failure, 120)})" for one in failed[:3]))
        if len(failed) > 3:
            parts.append(f"and {len(failed) - 3:,} more failed")
    if gone:
        parts.append(f"gone: {', '.join(gone[:3])}" + (f" and {len(gone) - 3:,} more" if len(gone) > 3 else ""))
    if untried:
        parts.append(f"not tried: {', '.join(untried[:NAMED])}{' …' if len(untried) > NAMED else ''}")
    return " · ".join(parts)


def _line(one: Done) -> str:
    if one.receipt is None:
        return one.failure or "not tried"
    changed = ", ".join(
        f"{change.what} {change.before or '–'} → {change.after or '–'}" for change in one.receipt.changes
    )
    return " · ".join(part for part in (changed, one.receipt.note, f"receipt {one.receipt.id}") if part)


def _why_not(asked: Preview | str) -> str:
    """Why an agent is left out of what raises risk; empty where it is not."""
    if isinstance(asked, str):
        return asked
    return "a gate is closed; enter goes into it, where it can be overridden" if asked.overrides else ""


def _first(left_out: Mapping[str, str]) -> str:
    agent, why = next(iter(left_out.items()))
    return f"{agent}: {why}"


def _many(name: str) -> Command:
    command = find(name)
    if not isinstance(command, Command) or not command.info.many:
        raise _unknown(name)
    return command


def _unknown(name: str) -> UsageError:
    can = ", ".join(command.info.name for command in commands() if command.info.many)
    return UsageError(f"{clean(name, 40)} is about one agent.", f"To several at once can be said: {can}.")
