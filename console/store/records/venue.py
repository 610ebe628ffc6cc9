"""What guards keep of an agent's venue: the last look, as it was judged (`…:venue`, a JSON text), and what it showed to
be outstanding (`…:venue-things`); the dead man's switch (`…:deadman`).

Both are text from outside when they are read back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.commitments.kept_listing import KeptListing, kept_listing, listing_from
from console.domain.venue.deadman import Deadman, deadman_from
from console.domain.venue.stored import VenueSeen, seen_from
from console.store.fence.replies import json_object
from console.store.keys import Keys
from console.store.records.revisions import Part, write
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MAX_BYTES: Final = 131_072
"""Of a record that are read; a longer one is none of ours."""
MOST_OF_THINGS: Final = 4_194_304
"""Of the record of what is outstanding."""


class VenueKeys(NamedTuple):
    """Where they stand."""

    seen: str
    things: str
    deadman: str
    drill: str

    @classmethod
    def of(cls, keys: Keys) -> VenueKeys:
        """Of one agent."""
        return cls(
            keys.beside("venue"), keys.beside("venue-things"), keys.beside("deadman"), keys.beside("deadman-drill")
        )


async def read_seen(client: Redis, keys: Keys) -> VenueSeen | None:
    """What a guard saw last; None where none ever looked, or what stands there is no such record.

    Raises:
        StoreUnreachable: no answer.
    """
    return seen_from(json_object(await _text(client, VenueKeys.of(keys).seen)))


async def read_things(client: Redis, keys: Keys) -> KeptListing | None:
    """What a guard saw to be outstanding last; None where none ever looked, or what stands there is no such record.

    Raises:
        StoreUnreachable: no answer.
    """
    return listing_from(json_object(await _text(client, VenueKeys.of(keys).things, MOST_OF_THINGS)))


async def keep_seen(client: Redis, keys: Keys, seen: VenueSeen, things: KeptListing) -> None:
    """Keep what was seen, both in one step: they are of one look.

    Raises:
        StoreUnreachable: no answer.
    """
    names = VenueKeys.of(keys)
    both = {names.seen: json.dumps(seen.document()), names.things: json.dumps(kept_listing(things))}
    with wrap_errors():
        await client.mset(both)


async def read_deadman(client: Redis, keys: Keys) -> Deadman | None:
    """The dead man's switch; None where there never was one.

    Raises:
        StoreUnreachable: no answer.
    """
    kept = json_object(await _text(client, VenueKeys.of(keys).deadman))
    return deadman_from(kept) if kept else None


async def keep_deadman(client: Redis, keys: Keys, deadman: Deadman) -> None:
    """Keep how it stands.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        words = json.dumps(deadman.document())
        await write(client, keys, Part.DEADMAN, "SET", VenueKeys.of(keys).deadman, words)


async def _text(client: Redis, name: str, most: int = MAX_BYTES) -> bytes:
    """At most so many bytes of a text; nothing where the key holds something else, which no record of ours does."""
    from redis.exceptions import ResponseError  # here: whoever only names the keys pays for no client

    try:
        with wrap_errors():
            raw: Any = await client.getrange(name, 0, most)
    except ResponseError:
        return b""
    return raw if isinstance(raw, bytes) and len(raw) <= most else b""
