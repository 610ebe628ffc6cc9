"""`commitments list`: what is owed, until when, and whose it is."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.commitments.commitment import superset
from console.domain.fence.deployment import Slot
from console.domain.operator.command import Answer, CommandInfo


class CommitmentsList(Query):
    """Everything that is owed."""

    info = CommandInfo(
        name="commitments list",
        title="List the commitments",
        summary="Everything that is owed, by deadline, with its owner and who lists it; exit code 1 where it has "
        "nobody, is listed otherwise at the venue, or can't be read.",
        reads=True,
    )

    def shape(self) -> Any:
        """The commitments, by deadline."""
        from console.views.commitments.listed import CommitmentReport

        return list[CommitmentReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a commitment; and whether each side watches what it owns."""
        from console.commands.commitments.whole import everything
        from console.views.commitments.listed import reports, side_note

        whole = await everything(ctx)
        left, authority = whole.left, await ctx.gateway.fence.authority()
        assert left is not None  # else it was refused
        listed = reports(whole, authority)
        notes = [] if listed else ["Nothing is owed."]
        for slot in Slot:
            target = (authority.active or authority.previous) if authority else None
            notes += side_note(slot, superset(left.owed, whole.eyes[slot], slot, target=target), left)
        lines = tuple(line for row in listed for line in row.lines())
        return Answer([row.document() for row in listed], lines, tuple(notes), yes=all(row.fine for row in listed))
