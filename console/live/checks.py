"""Reading the checklist: store and files each time, sources over HTTP only when somebody asks."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from console.commands.context import Context
from console.commands.gates.checklist import side_asked_for
from console.commands.gates.gather import gather
from console.commands.gates.of_store import Wanted
from console.commands.gates.reading import bounded
from console.commands.sources import no_venue
from console.domain.board.checks import Checks
from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import clocks, list_phases
from console.domain.gates.fact import Fact
from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Act, Asked, CheckPhase
from console.domain.gates.plan import Proposed


class Judged(NamedTuple):
    """One reading.

    Args:
        checks: what is shown of it.
        facts: what it went by: of them the next reading takes what is not asked again.
    """

    checks: Checks
    facts: GateFacts


async def read_checks(ctx: Context, target: Slot | None, before: Judged | None, *, outside: bool) -> Judged:
    """The checklist now.

    Args:
        ctx: surroundings, with a connection of its own.
        target: the side that would act; None for the one that does not.
        before: as it was read the last time: what is not asked again is taken from it, as old as it is.
        outside: whether sources over HTTP are asked.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    reading = await ctx.read()
    side = target or side_asked_for("", reading.deployment)
    asks = outside or before is None
    sources = ctx.sources if asks else replace(ctx.sources, url="", health={}, venue=no_venue)
    facts = await gather(replace(ctx, sources=sources), Wanted(reading, side, logs=True))
    if not asks and before is not None:
        facts = _kept(ctx, facts, before.facts)
    now = ctx.clock()
    asked = Asked(Act.SWITCH, side, now, reading.server_at, ctx.rules)
    plans: Fact[tuple[Proposed, ...]] = await bounded("approvals", ctx.clock, ctx.rules.timeout_s, _plans(ctx))
    checks = Checks(
        at=now,
        server_at=reading.server_at,
        outside_at=now if asks or before is None else before.checks.outside_at,
        epoch=reading.deployment.epoch,
        approvals=ctx.rules.approvals,
        checked=list_phases(facts, asked, tuple(CheckPhase)),
        clocks=clocks(facts, reading.server_at),
        versions=facts.versions,
        plans=plans,
    )
    return Judged(checks, facts)


def _kept(ctx: Context, facts: GateFacts, before: GateFacts) -> GateFacts:
    """What was not asked again, as it was when it was asked: its own time says how old it is."""
    return facts._replace(
        health=before.health,
        volatility=before.volatility if ctx.sources.url else facts.volatility,
        venue=before.venue if ctx.sources.venue is not no_venue else facts.venue,
    )


async def _plans(ctx: Context) -> tuple[Proposed, ...]:
    return (await ctx.gateway.gates.read()).plans
