"""Manifests beside the agent: what each version is held to, and what an instance of it declared that is another.

Key, in the agent's hash slot: `…:manifests` (hash). Only the scripts `beat` and `switch` write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ResponseError

from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.manifest.lines import of_text
from console.domain.manifest.recorded import Declared, Recorded
from console.domain.text import clean
from console.store.fence.replies import text
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST: Final = 1_000
"""Fields that are read: the scripts keep 100 versions."""


class Manifests(NamedTuple):
    """What the store has of manifests.

    Args:
        recorded: version → its manifest.
        problems: what can't be read, one line each.
    """

    recorded: Mapping[str, Recorded]
    problems: tuple[str, ...] = ()


async def read_manifests(client: Redis, keys: Keys) -> Manifests:
    """Every version's manifest.

    Raises:
        Refused: the key holds something else.
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        try:
            raw: Any = await client.hgetall(keys.manifests)
        except ResponseError as error:
            raise Refused(f"The manifests can't be read: {clean(error, 120)}.") from error
    return decode(raw)


def decode(raw: Mapping[Any, Any]) -> Manifests:
    """The manifests of the hash, whatever it holds."""
    declared: dict[str, Declared] = {}
    problems: list[str] = []
    for name, value in list(raw.items())[:MOST]:
        field = text(name)
        try:
            declared[field] = declaration(text(value))
        except Refused as error:
            problems.append(f"the manifest of {clean(field[1:], 64)}: {error.message}")
    versions = sorted(field[1:] for field in declared if field.startswith("="))
    recorded = {one: Recorded(one, declared[f"={one}"], declared.get(f"~{one}")) for one in versions}
    return Manifests(recorded, tuple(problems))


def declaration(record: str) -> Declared:
    """One record of the hash.

    Raises:
        Refused: it is damaged.
    """
    parts = record.split("\n", 4)
    if len(parts) != 5 or not (parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) <= 14):
        raise Refused("It is no record of a manifest.")
    ms, slot, instance, _was, body = parts
    where = Slot(slot) if slot in ("blue", "green") else None
    return Declared(
        of_text(body) if body else None, _EPOCH + timedelta(milliseconds=int(ms)), where, clean(instance, 64)
    )
