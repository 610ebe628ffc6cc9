"""Carrying out commands for a screen, over one connection that is made again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Final

from console.commands.catalogue import declarations, find
from console.domain.errors import Conflict, Refused, StoreUnreachable, UsageError
from console.domain.operator.command import Answer, CommandInfo, Preview, Risk
from console.domain.operator.receipt import Receipt
from console.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from console.commands.base import Command
    from console.commands.context import Context

WALK_S: Final = 2.0
"""Between two turns of an upgrade that waits, in a console that walks it."""
WALKS_ON: Final = frozenset({"upgrade start", "upgrade go", "upgrade review", "upgrade resume"})
"""Words to a run after which the console that said them walks it."""
SUGGESTIONS = 200
REMEMBERED = 200


class LiveOperator:
    """Carries out commands for a screen: an `Operator`.

    Args:
        open_context: connects and gives a context; called at first use and again after the store was lost.
        close_context: gives its connection back.
        locked: the name of the protected profile whose commands are refused until it is unlocked; empty for none.
    """

    def __init__(
        self,
        open_context: Callable[[], Awaitable[Context]],
        close_context: Callable[[Context], Awaitable[None]],
        *,
        locked: str = "",
    ) -> None:
        self._open = open_context
        self._close = close_context
        self.done: Callable[[], None] = lambda: None
        """Called after every command that was carried out, so that the screen looks again at once."""
        self.unlocked: Callable[[], None] = lambda: None
        """Called when a protected profile was unlocked."""
        self._locked = locked
        self._was_unlocked = False
        self._context: Context | None = None
        self._walking: asyncio.Task[None] | None = None
        self.elapsed_ms: dict[str, float] = {}
        """Receipt id → how long it took, for the newest of this console's own commands."""

    @property
    def was_unlocked(self) -> bool:
        """Whether the operator unlocked a protected profile here."""
        return self._was_unlocked

    @property
    def catalogue(self) -> Sequence[CommandInfo]:
        """Every command, in the order of help."""
        return declarations()

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        """What the command would do now."""
        from console.commands.base import Call

        command = _command(name)
        ctx = await self._ready()
        ctx.gateway.require_writable(name, reduces=command.info.risk is Risk.REDUCES)
        return await command.preview(ctx, Call(args))

    async def execute(self, name: str, args: Mapping[str, str], *, reason: str = "") -> Receipt:
        """Carry it out."""
        from console.commands.base import Call

        command = _command(name)
        ctx = await self._ready()
        self._end_walk()
        try:
            receipt = await command.execute(ctx, Call(args, reason))
        finally:
            self.done()
        if name in WALKS_ON and (self._walking is None or self._walking.done()):
            self._walking = asyncio.get_running_loop().create_task(self._walk_on(), name="upgrade")
        self.elapsed_ms[receipt.id] = receipt.elapsed_ms
        if len(self.elapsed_ms) > REMEMBERED:
            del self.elapsed_ms[next(iter(self.elapsed_ms))]
        return receipt

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        """What a command that only reads finds."""
        from console.commands.base import Call, Query

        query = find(name)
        if not isinstance(query, Query):
            raise _unknown(name)
        return await query.answer(await self._ready(), Call(args))

    async def unlock(self, name: str) -> None:
        """Let commands through on a protected profile; nothing of it reaches the store."""
        if not self._locked:
            raise Refused("Nothing is locked here.", "A console that was started read-only stays so.")
        if name != self._locked:
            raise Refused(f"{clean(name, 40)!r} is not the profile's name; it stays locked.")
        self._locked, self._was_unlocked = "", True
        if self._context is not None:
            self._context.gateway.read_only = False
        self.unlocked()

    async def suggestions(self, kind: str) -> Sequence[tuple[str, str]]:
        """Completions: the flags, or the snapshots with their age."""
        ctx = await self._ready()
        if kind == "flag":
            flags = (await ctx.read()).flags
            return [(name, "not set" if f.missing else str(f.raw)) for name, f in list(flags.items())[:SUGGESTIONS]]
        if kind == "doubt":
            claims = (await ctx.gateway.doubts())[:SUGGESTIONS]
            return [
                (str(clean(c.key, 200)), f"{c.amount.normalize():f} {c.currency}, held by {clean(c.instance, 40)}")
                for c in claims
            ]
        if kind == "alert":
            alerts = [alert for alert in await ctx.gateway.guards.alerts() if alert.open][-SUGGESTIONS:]
            return [(str(alert.id), f"{alert.kind.value}: {alert.reason}") for alert in reversed(alerts)]
        if kind == "plan":
            plans = (await ctx.gateway.gates.read()).plans[:SUGGESTIONS]
            return [(p.plan.id, f"{p.plan.command} {p.plan.target}: {clean(p.plan.reason, 80)}") for p in plans]
        if kind == "commitment":
            owed = (await ctx.gateway.owing.left()).owed[:SUGGESTIONS]
            return [
                (
                    one.id,
                    f"{one.commitment.kind.value}, {one.commitment.amount.normalize():f} {one.commitment.currency}",
                )
                for one in owed
            ]
        if kind == "version":
            from console.domain.commitments.versions import judge

            facts = (await ctx.gateway.owing.versions())[:SUGGESTIONS]
            return [(one.version, f"{judge(one).state.value}: {judge(one).why}") for one in facts]
        if kind == "experiment":
            views = (await ctx.gateway.experiments.read())[:SUGGESTIONS]
            return [(str(v.name), v.record.state.value.lower() if v.record else str(v.problem)) for v in views]
        if kind == "snapshot":
            now = ctx.clock()
            from console.store.files import snapshots

            listed = islice(snapshots.newest_first(ctx.snapshots), SUGGESTIONS)
            return [
                (
                    s.id,
                    str(clean(s.problem))
                    if s.snapshot is None
                    else f"{s.snapshot.age_s(now):.0f} s old, {s.snapshot.active}",
                )
                for s in listed
            ]
        return []

    async def tend(self) -> None:
        """The protocol's housekeeping: adopt a hand-written key, end a drain, sweep expired leases.

        Raises:
            ConsoleError: read-only, or the store did not answer.
        """
        await (await self._ready()).gateway.fences.tend()

    async def aclose(self) -> None:
        """Give the connection back."""
        walking, self._walking = self._walking, None
        if walking is not None:
            walking.cancel()
            await asyncio.gather(walking, return_exceptions=True)
        ctx, self._context = self._context, None
        if ctx is not None:
            await self._close(ctx)

    def _end_walk(self) -> None:
        """Forget a walk that is over; one that ended in a way that nobody foresaw is told before the next command."""
        if self._walking is not None and self._walking.done():
            walking, self._walking = self._walking, None
            walking.result()

    async def _walk_on(self) -> None:
        """Take the turns of the upgrade that raise no risk, until it is over or held, or the console is left."""
        from console.commands.upgrade.walk import UNASKED, walk

        while True:
            try:
                async for _turned in walk(await self._ready(), every_s=WALK_S, may=UNASKED, patience=inf):
                    pass
                return
            except (StoreUnreachable, Conflict, Refused):
                await asyncio.sleep(WALK_S)  # the ladder says meanwhile that nobody walks it

    async def _ready(self) -> Context:
        if self._context is None:
            self._context = await self._open()
            if self._was_unlocked:
                self._context.gateway.read_only = False
        return self._context


def _command(name: str) -> Command:
    from console.commands.base import Command

    command = find(name)
    if not isinstance(command, Command):
        raise _unknown(name)
    return command


def _unknown(name: str) -> UsageError:
    return UsageError(f"There is no command {clean(name, 40)!r}.", "`?` lists all.")
