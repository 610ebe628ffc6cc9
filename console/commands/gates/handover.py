"""What a switch would hand over, as evidence for whoever decides on it: each source fails on its own, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from console.commands.context import Context
from console.commands.gates.gather import file_state
from console.commands.gates.kept import kept_state
from console.commands.gates.reading import bounded, in_thread
from console.domain.commitments.crossing import crossing
from console.domain.fence.deployment import Deployment, Slot
from console.domain.fence.way_back import SideHistory
from console.domain.gates.fact import Fact
from console.domain.gates.facts import PlainState
from console.domain.gates.gate import ago
from console.domain.operator.command import FactLine, Preview
from console.domain.seen.observation import StoreReading
from console.domain.text import clean
from console.domain.upgrade.advance import Kept


async def show_handover(ctx: Context, preview: Preview, reading: StoreReading, target: Slot) -> Preview:
    """A preview of a switch with what is now, what will be handed over, and what can't be undone.

    Args:
        ctx: surroundings.
        preview: of the switch.
        reading: the store, read just now.
        target: the side that would act.
    """
    old, gateway, rules = target.other, ctx.gateway, ctx.rules
    sides, left, kept, file = await asyncio.gather(
        bounded("control log", ctx.clock, rules.timeout_s, gateway.sides()),
        bounded("commitments", ctx.clock, rules.timeout_s, gateway.owing.left()),
        bounded("kept states", ctx.clock, rules.timeout_s, kept_state(ctx, old)),
        bounded("state file", ctx.clock, rules.timeout_s, in_thread(lambda: file_state(ctx))),
    )
    facts = [
        FactLine("acting now", _told(sides, lambda told: (_since(told, reading),))[0]),
        *(FactLine("commitments" if not n else "", line) for n, line in _counted(left, target)),
        FactLine("state", _told(kept, lambda told: (_state(told, old),))[0]),
    ]
    if ctx.state_file is not None:
        facts.append(FactLine("state file", _told(file, lambda told: (_listed(told, ctx.clock()),))[0]))
    return preview._replace(
        facts=(*preview.facts, *facts), irreversible=(*preview.irreversible, *_stays(reading, target))
    )


def _told(fact: Fact[Any], say: Callable[[Any], tuple[str, ...]]) -> tuple[str, ...]:
    """What a source says; where it lacks, which of the ways of lacking it is, and why."""
    if fact.value is not None:
        return say(fact.value)
    return (f"{fact.lack.value if fact.lack else 'unknown'}: {fact.why}",)


def _counted(left: Fact[Any], target: Slot) -> list[tuple[int, str]]:
    return list(enumerate(_told(left, lambda told: crossing(told, target))))


def _since(sides: SideHistory, reading: StoreReading) -> str:
    """Who acts, and since when."""
    deployment: Deployment = reading.deployment
    authority = deployment.authority
    active = authority.active if authority is not None else deployment.active.slot
    event = next((one for one in reversed(sides.events) if one.epoch == deployment.epoch), None)
    name = active.value if active is not None else "nobody"
    if event is None:
        return f"{name}; since when is not recorded"
    age_s = (reading.server_at - event.at).total_seconds()
    return f"{name} since {event.at:%H:%M:%S}Z, {ago(age_s)}: {clean(event.kind, 40)} by {clean(event.by, 40)}"


def _state(told: tuple[bool, Kept | None], old: Slot) -> str:
    """The state that the old side keeps, and its age."""
    keeps, kept = told
    if kept is None:
        return "what is kept can't be read" if keeps else f"{old.value} keeps none in the store"
    return kept.problem or f"{clean(kept.hash, 12)} that {old.value} keeps, {ago(kept.age_s)} old"


def _listed(state: PlainState, now: datetime) -> str:
    """What a plain agent's state file lists, and its age."""
    parts = [f"written {ago((now - state.written_at).total_seconds())} ago"]
    for what, count in (
        ("escrows", len(state.escrows) if state.escrows is not None else None),
        ("open rounds", state.rounds),
    ):
        parts.append(f"nothing said of {what}" if count is None else f"{count:,} {what[:-1] if count == 1 else what}")
    dated = [(one.due, one.id) for one in state.escrows or () if one.due is not None]
    if dated:
        due, name = min(dated)
        left_s = (due - now).total_seconds()
        parts.append(f"{clean(name, 24)} is due {f'in {ago(left_s)}' if left_s >= 0 else f'{ago(-left_s)} ago'}")
    return ", ".join(parts)


def _stays(reading: StoreReading, target: Slot) -> tuple[str, ...]:
    """What going back does not take back."""
    authority, old = reading.deployment.authority, target.other
    flying = authority.in_flight if authority is not None else 0
    if (authority.active if authority is not None else reading.deployment.active.slot) is None:
        return (f"what {target.value} executes stays done",)
    stays = (f"what {target.value} executes stays done: going back lets {old.value} act again, no more",)
    return (f"{flying} in flight at {old.value} end there", *stays) if flying else stays
