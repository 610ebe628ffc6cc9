"""Defining and changing experiments, if their revision is the one that the decision saw."""

from __future__ import annotations

from console.commands.gateway.door import OTHERWISE, Door, Order, otherwise
from console.domain.errors import Conflict, Refused
from console.domain.experiment.record import ExperimentRecord, ExperimentView
from console.domain.operator.receipt import Change, Receipt
from console.store.records.experiments import DocumentCode, make_room, put


class ExperimentGate:
    """Reads and changes experiments.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def read(self) -> tuple[ExperimentView, ...]:
        """Every experiment.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return (await self._door.read()).experiments

    async def put(
        self, record: ExperimentRecord, expected: int, order: Order, *, before: str | None, after: str
    ) -> Receipt:
        """Define or change an experiment.

        Args:
            record: as it is to stand.
            expected: the revision that the decision was based on; 0 for "there is none of that name".
            order: what was ordered.
            before, after: where it stood and will stand, in words.

        Raises:
            Conflict: somebody else changed it meanwhile, or what the gates were asked about.
            Refused: there are too many.
            ReadOnly, StoreUnreachable: as named.
        """
        what = f"experiment {record.name}"
        begun = self._door.begin(order, what)
        if not expected:
            await make_room(self._door.client, self._door.keys)
        keys, fields = self._door.keys, begun.fields
        call = put(keys, record, expected, before=before or "", after=after, audit=fields, basis=order.basis)
        reply = await begun.once(self._door.fence.call(call))
        if reply.otherwise in OTHERWISE:
            raise otherwise(reply.otherwise)
        if reply.code is DocumentCode.CONFLICT:
            raise Conflict(f"Experiment {record.name} was changed meanwhile.", "Look again, then decide.")
        if reply.code is DocumentCode.FULL:
            raise Refused("As many experiments go on as there may be.", "Stop or adopt one: its place is taken then.")
        return begun.receipt(Change(what, before, after), server_ms=reply.server_ms)
