"""The part of the gateway that moves what was recorded into files, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.gateway.door import Door, Order
from console.domain.operator.receipt import Change, Receipt

if TYPE_CHECKING:
    from console.domain.fence.chain import ChainVerdict


class ArchiveGate:
    """The archive of the chained streams.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def run(self, folder: Path, keep: int, order: Order) -> Receipt:
        """Archive what is new, and take what is older than the newest `keep` off each stream.

        Raises:
            Refused: a chain does not verify, or the folder can't be gone on with; nothing of it is trimmed.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.store.fence.archive import archive

        begun = self._door.begin(order)
        done = await begun.once(archive(self._door.client, self._door.keys, folder, keep=keep))
        changes = tuple(
            Change(one.stream, f"{one.left + one.trimmed} entries", f"{one.left} entries, {one.written} archived")
            for one in done
            if one.written or one.trimmed
        )
        anew = ", ".join(f"{one.stream} after entry {one.begins}" for one in done if one.begins)
        note = f"{folder}" + (f"; begun anew: {anew}, what is before was archived elsewhere" if anew else "")
        return await begun.record(begun.receipt(*changes, note=note))

    async def restore(self, folder: Path, order: Order) -> Receipt:
        """Put an archive back into a store that has none of these streams.

        Raises:
            Refused: the store has some, or the archive is not whole; nothing was changed.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.store.fence.restore import restore

        begun = self._door.begin(order)
        back = await begun.once(restore(self._door.client, self._door.keys, folder))
        changes = tuple(
            Change(one.stream, None, f"{one.entries} entries, up to {one.last.number}") for one in back if one.entries
        )
        return await begun.record(begun.receipt(*changes, note=str(folder)))

    async def verify(self, folder: Path) -> tuple[tuple[str, ChainVerdict], ...]:
        """Stream → whether its file and what the stream goes on with are one whole chain.

        Raises:
            Refused: a file is damaged.
            StoreUnreachable: the store did not answer.
        """
        from console.domain.errors import Refused
        from console.store.fence.archive import verify_with_stream
        from console.store.fence.chains import chains_of

        try:
            return tuple(
                [
                    (chain.name, await verify_with_stream(self._door.client, self._door.keys, folder, chain))
                    for chain in chains_of(self._door.keys)
                ]
            )
        except (ValueError, OSError) as error:
            raise Refused(f"The archive in {folder} can't be read: {error}.", "It may be damaged.") from error
