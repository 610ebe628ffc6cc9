"""What the verbs that move the active side share: naming slots, reading who is active, evidence for the dialog."""

from __future__ import annotations

from console.commands.base import Call
from console.commands.context import Context
from console.domain.errors import Refused, UsageError
from console.domain.fence.claims import Level
from console.domain.fence.deployment import ActiveState, Deployment, Phase, Slot
from console.domain.operator.command import Preview
from console.domain.operator.receipt import Change
from console.domain.seen.observation import StoreReading
from console.domain.text import clean

EXPECT_HELP = "The epoch that this decision is based on; anything newer refuses it."


def parse_slot(text: str) -> Slot:
    """The slot that a person named.

    Raises:
        UsageError: there is no such slot.
    """
    try:
        return Slot(text.strip().lower())
    except ValueError:
        raise UsageError(f"There is no slot {clean(text, 24)!r}.", "The slots are blue and green.") from None


def slot_label(slot: Slot | None) -> str:
    """A slot as text: its glyph and its name."""
    return {Slot.BLUE: "■ blue", Slot.GREEN: "□ green", None: "nobody"}[slot]


def active_slot(deployment: Deployment) -> Slot | None:
    """Who is active by the authority, or, where there is none yet, by the plain key."""
    if deployment.authority is not None:
        return deployment.authority.active
    return deployment.active.slot


def refuse_if_halted(deployment: Deployment, verb: str) -> None:
    """A halt is latched: only `resume` ends it.

    Raises:
        Refused: it is halted.
    """
    if deployment.authority is not None and deployment.authority.phase is Phase.HALT:
        why = f": {'; '.join(deployment.damage)}" if deployment.damage else ""
        raise Refused(
            f"Halted{why}; {verb} does not end a halt.", "`resume blue` or `resume green`, with a reason, does."
        )


def frozen_side(deployment: Deployment) -> Slot | None:
    """The active side while only a part of what it does is allowed; None where nothing is frozen."""
    authority = deployment.authority
    if authority is None or authority.phase is not Phase.RUN or authority.level in (Level.NONE, Level.HALT):
        return None
    return authority.active


async def present_deployment(ctx: Context) -> Deployment:
    """Who may act now; see `present_reading`."""
    return (await present_reading(ctx)).deployment


async def present_reading(ctx: Context) -> StoreReading:
    """The store as it is now. A plain key that was written by hand is adopted first, as the protocol does at its next
    step, so that the operator decides on what will be in force, and a store that is damaged or went back is halted; a
    read-only console leaves that to others.
    """
    reading = await ctx.read()
    deployment = reading.deployment
    if (deployment.written_from_outside or deployment.damage) and not ctx.gateway.read_only:
        await ctx.gateway.fences.tend()
        reading = await ctx.read()
    return reading


def based_on(call: Call, deployment: Deployment) -> int:
    """The epoch that a change is compared with: the caller's, else the one just read."""
    given = call.epoch()
    return deployment.epoch if given is None else given


def warnings_of(deployment: Deployment) -> list[str]:
    """What an operator should know before the active side moves."""
    warnings: list[str] = []
    authority = deployment.authority
    warnings += [f"the store's data: {words}" for words in deployment.damage]
    if deployment.written_from_outside:
        warnings.append(f"agent:active_version was written from outside: it says {deployment.active.raw or 'nothing'}")
    if deployment.active.state is ActiveState.WRONG_TYPE:
        warnings.append(f"the active key holds a {deployment.active.raw}; it will be replaced by text")
    if deployment.active.state is ActiveState.UNKNOWN:
        warnings.append(f"the active key says {deployment.active.raw!r}, which is no slot")
    if authority is not None and authority.in_flight:
        warnings.append(f"{authority.in_flight} actions in flight finish under their leases")
    if authority is not None and authority.in_doubt:
        warnings.append(f"{authority.in_doubt} actions in doubt stay in doubt")
    if not deployment.instances:
        warnings.append("no fenced agent is connected: plain agents obey at their next poll and can't acknowledge")
    return warnings


def move_preview(call: Call, deployment: Deployment, target: Slot, title: str) -> Preview:
    """The preview of a change of the active side."""
    return Preview(
        title=title,
        changes=(Change("active version", deployment.plain_text, target.value),),
        warnings=tuple(warnings_of(deployment)),
        arguments={**call.args, "expect_epoch": str(deployment.epoch)},
    )
