"""Whether names are agents: asked of their own keys, whoever wrote the names down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from console.domain.errors import NotPermitted
from console.store.server.cluster import keys_on
from console.store.server.together import absent, together
from console.store.server.trouble import explain, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

VALUES: Final = frozenset({b"blue", b"green", b"draining", b"halted"})
"""What a plain key holds that is an agent's."""


class Heard(NamedTuple):
    """What came of asking.

    Args:
        speaking: those who have an authority, or whose plain key holds what an agent's holds.
        away: those whose node of a Cluster does not answer, of whom nobody knows.
        shut: those whose keys this user of the store may not read.
    """

    speaking: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    shut: frozenset[str] = frozenset()


async def heard(client: Redis, names: Sequence[str]) -> Heard:
    """Who of these is an agent; keys of another type are nobody's.

    Raises:
        StoreUnreachable: no answer.
    """
    if not names:
        return Heard()
    keys = [keys_on(client, name) for name in names]
    asked = [command for one in keys for command in (("EXISTS", one.ctl), ("GETRANGE", one.active, 0, 16))]
    replies = await together(client, asked)
    pairs = list(zip(names, replies[::2], replies[1::2], strict=True))
    away = frozenset(name for name, *told in pairs if any(absent(client, reply) for reply in told))
    shut = frozenset(name for name, *told in pairs if any(map(_is_shut, told)))
    with wrap_errors():
        for name, *told in pairs:
            for reply in told:
                known = name in away or name in shut or "WRONGTYPE" in str(reply)
                if isinstance(reply, Exception) and not known:
                    raise reply
    speaking = frozenset(name for name, authority, value in pairs if authority == 1 or value in VALUES)
    return Heard(speaking, away, shut)


def _is_shut(reply: object) -> bool:
    return isinstance(reply, Exception) and isinstance(explain(reply), NotPermitted)
