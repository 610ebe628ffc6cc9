"""`undo`: take back the last command that can be taken back, if nothing has changed since."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.back import instead_of_back, look_behind, show_back
from console.commands.fence.slots import parse_slot, present_reading, slot_label
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.commands.gateway.fence import Move
from console.domain.errors import Conflict, Refused
from console.domain.fence.deployment import Slot
from console.domain.fence.intent import Aim
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Waits
from console.domain.operator.receipt import AuditEntry, Change, Receipt

LOOK_BACK = 200
"""How many receipts are searched for one that can be taken back."""
_FLAG = "flag:"
_REDUCED = frozenset({"rollback", "halt"})


class Undo(Command):
    """Take back the last command that can be taken back, if nothing has changed since."""

    info = CommandInfo(
        name="undo",
        title="Undo",
        summary="Take back the last reversible command, if nothing has changed since.",
        key="u",
        params=(
            Param("id", "The receipt that is meant; anything newer refuses it.", required=False, option=True),
            *GATED,
        ),
        confirm=Confirm.YES_NO,
        mark="undo",
        waits=Waits.INSTANCES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        entry, _epoch = await self._last(ctx, call)
        preview = Preview(
            title=f"Undo {entry.command} of {entry.at:%H:%M:%S}Z by {entry.who}?",
            changes=tuple(Change(change.what, change.after, change.before) for change in entry.changes),
            arguments={**call.args, "id": str(entry.id)},
        )
        rise, back = _rise(entry), _back(entry)
        if rise is None and back is None:
            return preview
        reading = await present_reading(ctx)
        if rise is not None:
            return await show(ctx, preview, rise, reading)
        assert back is not None
        behind = await look_behind(ctx, reading.deployment, back)
        return show_back(ctx, preview, behind, reading.deployment, slot_label(back))

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        entry, epoch = await self._last(ctx, call)
        why = call.reason or f"undo of {entry.command} {entry.id}"
        order, notes = self.order(call, why=why, undoes=str(entry.id)), tuple[str, ...]()
        change = entry.changes[0]
        if change.what.startswith(_FLAG):
            back = Change(change.what.removeprefix(_FLAG), change.after, change.before)
            return await ctx.gateway.flags.set(back, order)
        if change.before is None:
            raise Refused("Nobody was active before that switch; there is no side to give it back to.")
        reading = await present_reading(ctx)
        deployment = reading.deployment
        if deployment.epoch != epoch:
            moved = await ctx.gateway.moved_meanwhile(deployment)
            raise Conflict(
                f"Not undone: since that {entry.command} it was moved again. {moved.message}",
                "Look again, then switch to where it should be.",
            )
        rise = _rise(entry)
        if rise is not None:
            order = await pass_gates(ctx, call, rise, order, reading)
        else:
            behind = await look_behind(ctx, deployment, parse_slot(change.before))
            frozen, order = await instead_of_back(ctx, call, behind, order)
            if frozen is not None:
                return frozen
            notes = behind.notes
        aim = Aim.NONE if rise is not None else Aim.GO_BACK
        move = Move(parse_slot(change.before), deployment, epoch, mode="drain", aim=aim)
        receipt = await ctx.gateway.fences.switch(move, order)
        return receipt._replace(note="; ".join(text for text in (receipt.note, *notes) if text))

    async def _last(self, ctx: Context, call: Call) -> tuple[AuditEntry, int]:
        """The receipt to take back, and the epoch it ended in: a switch that drained has a second entry for its end."""
        entries = await ctx.gateway.audit(LOOK_BACK)
        undone = {str(entry.undoes) for entry in entries if entry.undoes}
        for entry in reversed(entries):
            if entry.reversible and len(entry.changes) == 1 and str(entry.id) not in undone:
                wanted = call.args.get("id", "")
                if wanted and wanted != str(entry.id):
                    raise Conflict(f"The last reversible command is now {entry.command} by {entry.who}.", "Look again.")
                return entry, max(e.epoch for e in entries if e.id == entry.id)
        raise Refused("There is nothing to undo.", f"Only the last {LOOK_BACK} receipts are searched.")


def _back(entry: AuditEntry) -> Slot | None:
    """The side to which it goes back; None where it moves nobody."""
    change = entry.changes[0]
    return None if change.what.startswith(_FLAG) or change.before is None else parse_slot(change.before)


def _rise(entry: AuditEntry) -> Rise | None:
    """What it raises: taking back what reduced risk moves forward again; taking back a raise reduces."""
    if entry.command not in _REDUCED or not entry.changes or entry.changes[0].what.startswith(_FLAG):
        return None
    before = entry.changes[0].before
    target = parse_slot(before) if before is not None else None
    return Rise(Undo.info.name, Act.UNDO_REDUCTION, target, content=str(entry.id))
