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
        summary="Everything that is owed, by deadline, with its owner; exit code 1 where something has nobody.",
        reads=True,
    )

    def shape(self) -> Any:
        """The commitments, by deadline."""
        from console.views.commitments.listed import CommitmentReport

        return list[CommitmentReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a commitment; and whether each side watches what it owns."""
        from console.views.commitments.listed import CommitmentReport, side_note

        left = await ctx.gateway.owing.left()
        authority = await ctx.gateway.fence.authority()
        rows = [CommitmentReport.of(one, authority, left) for one in left.owed]
        notes = [] if rows else ["Nothing is owed."]
        for slot in Slot:
            target = (authority.active or authority.previous) if authority else None
            notes += side_note(slot, superset(left.owed, left.eyes(slot), slot, target=target), left)
        lines = tuple(line for row in rows for line in row.lines())
        alone = any(not row.taken for row in rows)
        return Answer([row.document() for row in rows], lines, tuple(notes), yes=not alone)
