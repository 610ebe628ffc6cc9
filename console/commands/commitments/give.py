"""`commitments give`: let a side take what is owed, one by one or by kind."""

from __future__ import annotations

from typing import Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.gateway.owing import ACTIVE, fitting
from console.domain.commitments.commitment import HandOver, Kind, Owed
from console.domain.commitments.left import Left
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Slot
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

_KIND: Final = "kind:"
_POLICIES: Final = {policy.value.replace(" ", "-"): policy for policy in HandOver}


class CommitmentsGive(Command):
    """Let a side, or whoever is active, bring something to its end."""

    info = CommandInfo(
        name="commitments give",
        title="Give a commitment to a side",
        summary="Let a side, or whoever is active, bring something to its end; one by its id, or all of a kind.",
        key="m",
        params=(
            Param(
                "what",
                "A commitment's id, or `kind:escrow` for all of a kind.",
                suggests="commitment",
                at_cursor=True,
                nothing="Nothing is owed.",
            ),
            Param(
                "to",
                "Who takes it.",
                choices=(*(slot.value for slot in Slot), ACTIVE),
                meanings={ACTIVE: "whoever is active"},
            ),
            Param(
                "policy",
                "What a switch does with it from now on.",
                required=False,
                option=True,
                choices=tuple(_POLICIES),
            ),
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        short="give",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        which, to, policy = await _asked(ctx, call)
        left = await ctx.gateway.owing.left()
        taker = to.value if to else ACTIVE
        return Preview(
            title=f"Give {len(which)} of {len(left.owed)} commitments to {taker}?",
            changes=tuple(
                Change(f"owner of {one.id}", one.pin.value if one.pin else ACTIVE, taker) for one in which[:20]
            ),
            warnings=tuple(_warnings(which, to, policy, left)),
            arguments=call.args,
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        which, to, policy = await _asked(ctx, call)
        return await ctx.gateway.owing.give(which, to, policy, self.order(call))


async def _asked(ctx: Context, call: Call) -> tuple[tuple[Owed, ...], Slot | None, HandOver | None]:
    """Which, to whom, and how from now on.

    Raises:
        UsageError: there is no such side, kind or policy.
        Refused: nothing of it is owed.
    """
    what, to, named = call.require("what"), call.require("to"), call.args.get("policy", "")
    if to != ACTIVE and to not in (slot.value for slot in Slot):
        raise UsageError(f"{clean(to, 24)!r} is no side.", f"Say blue, green or {ACTIVE}.")
    policy = _POLICIES.get(named)
    if named and policy is None:
        raise UsageError(f"{clean(named, 24)!r} is no policy.", f"Say {', '.join(_POLICIES)}.")
    slot = None if to == ACTIVE else Slot(to)
    if policy is not None and policy.pinned == (slot is None):
        raise UsageError(f"{named} does not go with {to}: {fitting(policy, slot).value.replace(' ', '-')} does.")
    left = await ctx.gateway.owing.left()
    if what.startswith(_KIND):
        kind = what.removeprefix(_KIND).replace("-", " ")
        if kind not in (known.value for known in Kind):
            raise UsageError(f"{clean(kind, 24)!r} is no kind.", f"Say {', '.join(known.value for known in Kind)}.")
        which = tuple(one for one in left.owed if one.commitment.kind == kind)
    else:
        which = tuple(one for one in left.owed if one.id == what)
    if not which:
        raise Refused(
            f"On the store's list is no {clean(what, 60)!r}.",
            "What a state file or a venue lists alone, nobody has put there: it belongs to whoever acts.",
        )
    return which, slot, policy


def _warnings(which: tuple[Owed, ...], to: Slot | None, policy: HandOver | None, left: Left) -> list[str]:
    warnings = []
    if to is not None and not left.living(to):
        warnings.append(f"{to.value} has no living instance: nobody would bring it to its end")
    if to is not None and (unwatched := [one.id for one in which if one.id not in left.eyes(to)]):
        warnings.append(
            f"{to.value} does not say that it watches {len(unwatched)} of them: {clean(unwatched[0], 40)} …"
        )
    if policy is HandOver.RUN_OFF:
        warnings.append("run off: nobody acts on it until it ends by itself")
    return warnings
