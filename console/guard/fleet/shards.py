"""The lists of guards of a Cluster: one for each part of its slots, so that a shard's guards agree by what that shard
tells, and go on when another one is away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from console.domain.guard.members import Member, member_document, sharers
from console.guard.fleet.roll import Roll, lists
from console.guard.keep.tidy import beat_ms
from console.store.records.guards import read_members
from console.store.scripts import translate
from console.store.server.cluster import is_away
from console.store.server.together import together

if TYPE_CHECKING:
    from redis.asyncio import Redis

FORGOTTEN_MS: Final = 3_600_000
"""A guard that was silent for so long is taken off a list, by any other."""


async def rolls(client: Redis, mine: Member | None = None) -> Roll:
    """Who is on any list that can be reached, and who on which.

    Args:
        client: of a Cluster.
        mine: who says that it is there; None to listen only.

    Raises:
        StoreUnreachable: no node answers.
        Refused: a list is no hash.
    """
    try:
        seconds, micros = await client.time()
    except RedisError as error:
        raise translate(error, "the lists of guards") from error
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    commands: list[tuple[Any, ...]] = [("HGETALL", name) for name in lists()]
    if mine is not None:
        words = json.dumps(member_document(mine, now_ms), separators=(",", ":"))
        commands = [("HSET", name, mine.name, words) for name in lists()] + commands
    raw = (await _asked(client, commands))[-len(lists()) :]
    gone, groups, everybody = list[tuple[Any, ...]](), list[tuple[str, ...]](), dict[str, Member]()
    roll = Roll(now_ms, ())
    for name, told in zip(lists(), raw, strict=True):
        members = () if is_away(told) else read_members(told)
        groups.append(sharers(members, roll.now))
        for member in members:
            before = everybody.get(member.name)
            if before is None or before.heartbeat_at < member.heartbeat_at:
                everybody[member.name] = member
        silent = [] if is_away(told) else [who for who, beat in told.items() if now_ms - beat_ms(beat) > FORGOTTEN_MS]
        if silent and mine is not None:
            gone.append(("HDEL", name, *silent))
    if gone:
        await _asked(client, gone)
    return Roll(now_ms, tuple(sorted(everybody.values())), tuple(groups))


async def leave_all(client: Redis, name: str) -> None:
    """Take a guard off every list that can be reached.

    Raises:
        StoreUnreachable: no node answers.
    """
    await _asked(client, [("HDEL", one, name) for one in lists()])


async def _asked(client: Redis, commands: list[tuple[Any, ...]]) -> list[Any]:
    """The replies; what a node that is away would have said is an error in there, and nothing else is."""
    replies = await together(client, commands)
    for reply in replies:
        if isinstance(reply, RedisError) and not is_away(reply):
            raise translate(reply, "the lists of guards") from reply
    return replies
