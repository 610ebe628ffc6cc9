"""Writing a snapshot to this host's folder, and telling other hosts of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from console.commands.context import Context
from console.commands.gates.reading import in_thread
from console.domain.errors import Refused
from console.domain.state.snapshot import Snapshot
from console.store.files import snapshots


class Saved(NamedTuple):
    """A snapshot that was written and read back.

    Args:
        id: its name.
        path: where it lies.
        note: for the receipt: where, and why no other host knows of it where one should.
    """

    id: str
    path: Path
    note: str


async def save(ctx: Context, snapshot: Snapshot, output: Path | None = None) -> Saved:
    """Write a snapshot into the folder, or to `output`; of what lies in the folder other hosts are told.

    Raises:
        Refused: something is there already.
        ConsoleError: the file can't be written, or does not read back as what was taken.
        StoreUnreachable: the store did not answer; the file is there.
    """
    identity, path = await in_thread(lambda: snapshots.save(snapshot, ctx.snapshots, output))
    if output is not None or ctx.gateway.read_only:
        return Saved(identity, path, str(path))
    sha256 = hashlib.sha256(await in_thread(path.read_bytes)).hexdigest()
    try:
        await ctx.gateway.states.tell_of(identity, sha256, snapshot.taken_at, snapshot.why)
    except Refused as error:
        return Saved(identity, path, f"{path}; other hosts are not told of it: {error.message}")
    return Saved(identity, path, str(path))
