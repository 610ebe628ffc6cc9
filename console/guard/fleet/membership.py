"""Guards of one store find each other: each says every second that it is there, and hears of the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from console.domain.guard.members import Member, member_document
from console.guard.fleet.roll import Roll
from console.guard.fleet.shards import FORGOTTEN_MS, leave_all, rolls
from console.guard.keep.tidy import beat_ms
from console.store.records.guards import FLEET, read_members
from console.store.scripts import translate
from console.store.server.cluster import is_cluster

if TYPE_CHECKING:
    from redis.asyncio import Redis

BEAT_S: Final = 1.0


async def call_roll(client: Redis) -> Roll:
    """Who is there now.

    Raises:
        StoreUnreachable: no answer.
        Refused: the list is no hash.
    """
    if is_cluster(client):
        return await rolls(client)
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
        if is_cluster(self._client):
            return await rolls(self._client, mine)
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
        if is_cluster(self._client):
            await leave_all(self._client, name)
        else:
            await _asked(self._client, [("HDEL", FLEET, name)])


async def _asked(client: Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    pipe: Any = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    try:
        return list(await pipe.execute())
    except RedisError as error:
        raise translate(error, FLEET) from error
