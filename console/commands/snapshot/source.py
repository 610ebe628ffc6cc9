"""What an operator wants to restore: a snapshot, or an agent's own state from a file or from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from console.commands.context import Context
from console.domain.errors import Refused, UsageError
from console.domain.state.snapshot import Snapshot, StateFile
from console.regular import read_regular
from console.store.files import snapshots
from console.store.files.states import MAX_BYTES, Kind, Opened, open_file
from console.store.reading.kept import chosen, kept_states, read_kept

STORE: Final = "store:"


class Source:
    """A thing to restore.

    Args:
        name: by which it is found again, the very same.
        snapshot: an operator's snapshot, or a plain agent's state file as one.
        opened: an agent's own state, which goes into the store.
        action: number of the newest action that it knows of; None where only its time tells.
        manifest: hash of its schema, as its keeper's manifest had it; empty where that is not known.
    """

    def __init__(
        self,
        name: str,
        *,
        snapshot: Snapshot | None = None,
        opened: Opened | None = None,
        action: int | None = None,
        manifest: str = "",
    ) -> None:
        self.name = name
        self.snapshot = snapshot
        self.opened = opened
        self.action = action
        self.manifest = manifest


async def find(ctx: Context, name: str) -> Source:
    """What an operator named.

    Raises:
        UsageError: there is none.
        Refused: it is damaged, or doesn't say when it was so.
    """
    if name.startswith(STORE):
        client, keys = ctx.gateway.client, ctx.gateway.keys
        kept = chosen((await kept_states(client, keys)).states, name.removeprefix(STORE))
        state, called = await read_kept(client, keys, kept), f"{STORE}{kept.number}"
        opened = Opened(called, "kept", state, kept.at, kept.hash, keys.agent)
        return Source(called, opened=opened, action=kept.action, manifest=kept.manifest)
    path = snapshots.resolve(name, ctx.snapshots)
    try:
        return Source(str(path), snapshot=snapshots.read(path))
    except Refused as problem:
        try:
            opened = open_file(path)
        except Refused:
            raise problem from None
        if opened.kind == Kind.SNAPSHOT:
            raise
        if opened.at is None:
            raise Refused(f"{path} doesn't say when it was so; it may be of any age.") from None
        if opened.kind == Kind.STATE:
            return Source(str(path), opened=opened)
        return Source(str(path), snapshot=_plain(ctx, path, opened))


def _plain(ctx: Context, path: Path, opened: Opened) -> Snapshot:
    assert opened.at is not None
    try:
        text = read_regular(path, MAX_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}.") from error
    return Snapshot(ctx.agent, opened.at, "", state_file=StateFile(str(path), text))
