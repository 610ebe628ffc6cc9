"""Which snapshots were taken on which host: hash `…:snapshots`, id → note, the newest `MOST`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.state.noted import NotedSnapshot, noted_from
from console.store.fence.replies import json_object, text
from console.store.records.states import readable

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

MOST: Final = 50
MAX_BYTES: Final = 4_096
"""Of a note that is read; a longer one is none of ours."""


async def note_snapshot(client: Redis, keys: Keys, note: NotedSnapshot) -> None:
    """Tell other hosts of a snapshot; of more than `MOST` the oldest are forgotten.

    Raises:
        Refused: the key is of another type.
        StoreUnreachable: there was no answer.
    """
    with readable():
        await client.hset(keys.snapshots, note.id, json.dumps(note.document()))
        if int(await client.hlen(keys.snapshots)) > MOST:
            raw: Mapping[Any, Any] = await client.hgetall(keys.snapshots)
            known = {one.id: one.noted_at for one in _notes(raw)}
            never = datetime.fromtimestamp(0, UTC)
            ranked = sorted(map(text, raw), key=lambda name: known.get(name, never))
            await client.hdel(keys.snapshots, *ranked[:-MOST])


async def read_snapshots(client: Redis, keys: Keys) -> tuple[NotedSnapshot, ...]:
    """Every snapshot of which a host has told; what is no note is left out.

    Raises:
        Refused: the key is of another type.
        StoreUnreachable: there was no answer.
    """
    with readable():
        return _notes(await client.hgetall(keys.snapshots))


async def drop_snapshots(client: Redis, keys: Keys, names: Sequence[str]) -> None:
    """Forget snapshots whose files are gone.

    Raises:
        Refused: the key is of another type.
        StoreUnreachable: there was no answer.
    """
    if names:
        with readable():
            await client.hdel(keys.snapshots, *names)


def _notes(raw: Mapping[Any, Any]) -> tuple[NotedSnapshot, ...]:
    sound = ((text(name), value) for name, value in raw.items() if len(value) <= MAX_BYTES)
    notes = (noted_from(name, json_object(value)) for name, value in sound)
    return tuple(one for one in notes if one is not None)
