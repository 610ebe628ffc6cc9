"""Which parts of an agent's keys were written when: a mark a part, so that who reads in turns fetches what has moved.

What scripts write under a chain has the chain's head for a mark. What is written without one gets a mark here, after
it and on the same connection: hash `…:revs`, part → a text that no other write has. A mark that is not there tells
nothing: the part is read then whenever it is looked at.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from console.store.keys import Keys


class Part(StrEnum):
    """What is marked here."""

    GUARDS = "guards"
    ALERTS = "alerts"
    DEADMAN = "deadman"
    SHADOWS = "shadows"
    REPORTS = "reports"
    """What agents say of their experiments."""
    GATES = "gates"
    """What was seen last of a canary's gates."""


def moved(keys: Keys, part: Part) -> tuple[str, str, str, str]:
    """The command that says that a part was written; it comes after the write."""
    return ("HSET", keys.revisions, part.value, secrets.token_hex(6))


async def write(client: AsyncRedis, keys: Keys, part: Part, *command: Any) -> Any:
    """One command that writes a part, and the mark that says so; its reply.

    Args:
        client: to the store.
        keys: whose.
        part: what is written.
        command: by name and arguments.

    Raises:
        RedisError: of the command; that the mark could not be written is no failure of it.
    """
    pipe: Any = client.pipeline(transaction=True)
    for one in (command, moved(keys, part)):
        pipe.execute_command(*one)
    return _answer(await pipe.execute(raise_on_error=False))


def write_blocking(client: Redis, keys: Keys, part: Part, *command: Any) -> Any:
    """As `write`, on a blocking client."""
    pipe: Any = client.pipeline(transaction=True)
    for one in (command, moved(keys, part)):
        pipe.execute_command(*one)
    return _answer(pipe.execute(raise_on_error=False))


def _answer(replies: list[Any]) -> Any:
    reply = replies[0]
    if isinstance(reply, Exception):
        raise reply
    return reply
