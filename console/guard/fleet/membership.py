"""Guards of one store find each other: each says every second that it is there, and hears of the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import RedisError

from console.domain.guard.members import Member, member_document, sharers
from console.guard.keep.tidy import beat_ms
from console.store.records.guards import FLEET, read_members
from console.store.scripts import translate

if TYPE_CHECKING:
    from redis.asyncio import Redis

BEAT_S: Final = 1.0
FORGOTTEN_MS: Final = 3_600_000
"""A guard that was silent for so long is taken off the list, by any other."""


class Roll(NamedTuple):
    """Who is there.

    Args:
        server_ms: the server's clock.
        members: everybody on the list, silent ones too.
    """

    server_ms: int
    members: tuple[Member, ...]

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return datetime.fromtimestamp(self.server_ms / 1000, UTC)

    @property
    def sharers(self) -> tuple[str, ...]:
        """Those that share the agents out between them."""
        return sharers(self.members, self.now)


async def call_roll(client: Redis) -> Roll:
    """Who is there now.

    Raises:
        StoreUnreachable: no answer.
        Refused: the list is no hash.
    """
    (seconds, micros), raw = await _asked(client, [("TIME",), ("HGETALL", FLEET)])
    return Roll(int(seconds) * 1000 + int(micros) // 1000, read_members(raw))


class Membership:
    """One guard's place on the list.

    Args:
        client: connected.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def beat(self, mine: Member) -> Roll:
        """Say that we are there, and hear who else is; who fell silent long ago is taken off the list.

        Raises:
            StoreUnreachable: no answer.
            Refused: the list is no hash.
        """
        ((seconds, micros),) = await _asked(self._client, [("TIME",)])
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        words = json.dumps(member_document(mine, now_ms), separators=(",", ":"))
        _new, raw = await _asked(self._client, [("HSET", FLEET, mine.name, words), ("HGETALL", FLEET)])
        gone = [name for name, value in raw.items() if now_ms - beat_ms(value) > FORGOTTEN_MS]
        if gone:
            await _asked(self._client, [("HDEL", FLEET, *gone)])
        return Roll(now_ms, read_members(raw))

    async def leave(self, name: str) -> None:
        """Say goodbye: the others take over at once.

        Raises:
            StoreUnreachable: no answer.
            Refused: the list is no hash.
        """
        await _asked(self._client, [("HDEL", FLEET, name)])


async def _asked(client: Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    pipe: Any = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    try:
        return list(await pipe.execute())
    except RedisError as error:
        raise translate(error, FLEET) from error
