"""The part of the gateway that changes what agents kept of their state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from console.commands.gateway.door import Door, Order
from console.domain.errors import Refused
from console.domain.operator.receipt import Change, Receipt

if TYPE_CHECKING:
    from decimal import Decimal

    from console.domain.state.kept import KeptState
    from console.domain.state.state import State


class PutBack(NamedTuple):
    """A state that an operator puts back.

    Args:
        state: it.
        timestamp: when it was so, in epoch seconds.
        slot: the side that it is meant for; empty for either.
        epoch: in force.
        action: number of the newest action that it can know of.
        manifest: hash of its schema, as its keeper's manifest had it; empty where that is not known.
    """

    state: State
    timestamp: Decimal | int
    slot: str
    epoch: int
    action: int
    manifest: str = ""


class StateGate:
    """The states of an agent in the store.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def prune(self, dropped: tuple[KeptState, ...], files: tuple[str, ...], order: Order) -> Receipt:
        """Drop kept states; the newest stays whatever is said.

        Args:
            dropped: which.
            files: names of the snapshot files that went with them, for the receipt.
            order: as ordered.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        from console.store.records.states import prune

        door, begun = self._door, self._door.begin(order)
        changes = [Change("snapshot", name, None) for name in files]
        if files:
            from console.store.records.snapshots import drop_snapshots

            await begun.once(drop_snapshots(door.client, door.keys, files))
        if dropped:
            call = prune(door.keys, (one.number for one in dropped), by=door.who)
            await begun.once(door.fence.call(call))
            changes += [Change(f"state store:{one.number}", one.hash, None) for one in dropped]
        return await begun.record(begun.receipt(*changes))

    async def tell_of(self, identity: str, sha256: str, taken_at: datetime, why: str = "") -> None:
        """Let other hosts know of a snapshot whose file lies on this one.

        Args:
            identity: its id.
            sha256: of its file.
            taken_at: by this host's clock.
            why: what for.

        Raises:
            Refused: the key is of another type.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.domain.state.noted import NotedSnapshot
        from console.domain.text import clean
        from console.store.fence.hosts import plain_host_name
        from console.store.records.snapshots import note_snapshot
        from console.store.server.clock import server_ms

        door = self._door
        door.require_writable("snapshot take")
        noted_at = datetime.fromtimestamp(await server_ms(door.client) / 1000, UTC)
        host, who = clean(plain_host_name(), 120), clean(door.who, 128)
        note = NotedSnapshot(identity, sha256, taken_at, noted_at, host, who, clean(why, 256))
        await note_snapshot(door.client, door.keys, note)

    async def put(self, back: PutBack, order: Order) -> Receipt:
        """Put a state back as the newest, for whoever takes over after the halt.

        Args:
            back: it.
            order: as ordered.

        Raises:
            Refused: the agent is not halted, or the store can't hold it; nothing was changed.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.domain.state.kept import record_rest
        from console.domain.state.pieces import Cutter
        from console.store.records.states import Keeping, StateCode, keep, packed

        door, begun = self._door, self._door.begin(order)
        cut = Cutter().cut(back.state)
        why = order.why or "put back by an operator"
        rest = record_rest(back.state, cut.pieces, back.timestamp, why, back.manifest)
        keeping = Keeping(cut, rest, door.who, back.slot, back.epoch, back.action, back=True)
        reply = await begun.once(door.fence.call(keep(door.keys, keeping, packed(cut, cut.texts))))
        if reply.code is StateCode.NOT_HALTED:
            raise Refused(
                f"{reply.detail or 'An agent'} acts; a state is put back only while everything is halted.",
                "agent-console halt, restore, then resume to the side that is to take it over.",
            )
        if reply.code is not StateCode.KEPT:
            raise Refused(f"The state was not put back: the store said {reply.code} {reply.detail}".rstrip() + ".")
        return await begun.record(begun.receipt(Change(f"state store:{reply.number}", None, cut.pieces.root)))
