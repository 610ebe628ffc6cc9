"""What is owed and by whom, in one reading: commitments, claims without an end, who watches what, who acted last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.commitments.commitment import Kind, Op
from console.domain.commitments.left import Acts, Left, Retired
from console.domain.commitments.sight import Opened
from console.domain.fence.deployment import Slot
from console.domain.text import clean
from console.store.fence.claims import read_open, unreadable
from console.store.fence.owing import whole_list
from console.store.fence.replies import json_object
from console.store.reading.decode import instances, server_moment, server_time, text
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

MAX_MS: Final = 1 << 47
MAX_RETIRED: Final = 100
"""Versions of which it is known that they were retired: as many as are known by name at all."""
LOOKED_AT: Final = 10_000
"""How many of the newest actions are looked through for the last act of a version."""
LOOKED_FOR: Final = 1_000_000
"""How many are looked through for who opened what a venue shows and none of the newest tells of."""
_KINDS: Final = {kind.value: kind for kind in Kind}


async def read_left(client: Redis, keys: Keys) -> Left:
    """What has no end yet.

    Raises:
        Refused: the list of commitments can't be read whole: half a list is none.
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            for key in (keys.owed, keys.named, keys.open, keys.instances, keys.left, keys.versions):
                pipe.hgetall(key)
            pipe.time()
            owed, named, claims, beating, gone, versions, clock = await pipe.execute()
    now = server_time(*clock)
    known = (*instances(beating, exact=True), *instances(gone, exact=True))
    told = {text(name): text(value).partition(" ") for name, value in versions.items()}
    of = {name: Slot(slot) if slot in ("blue", "green") else None for name, (_ms, _blank, slot) in told.items()}
    begun = {name: server_moment(ms) for name, (ms, _blank, _slot) in told.items()}
    owing, open_claims = whole_list(owed, named), tuple(read_open(claims))
    left = Left(owing, open_claims, unreadable(claims), known, of, {}, now, begun, _opening(named))
    names = [str(one.name) for one in left.living()]
    with wrap_errors():
        async with client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.smembers(keys.watch(name))
            answers: Any = await pipe.execute()
    watched = {name: frozenset(map(text, ids)) for name, ids in zip(names, answers, strict=True)}
    return left._replace(watched=watched)


def _opening(named: Mapping[Any, Any]) -> dict[str, frozenset[Opened]]:
    """What claims in flight open: it may be at the venue before it is listed."""
    opening: dict[str, frozenset[Opened]] = {}
    for name, raw in named.items():
        parts = text(raw).split("\n", 4)
        if text(name)[:1] == "#" and len(parts) == 5 and parts[0] == Op.OPEN and parts[3] in _KINDS:
            _add(opening, parts[1], Opened(parts[2], _KINDS[parts[3]]))
    return opening


def _add(opened: dict[str, frozenset[Opened]], name: str, one: Opened) -> None:
    opened[name] = opened.get(name, frozenset()) | {one}


async def read_acts(client: Redis, keys: Keys) -> Acts:
    """The newest act of each instance, and who opened what, as far back as is looked. That a doubt is ended counts as
    an act of whose it was: until then it was not known what the venue would show of it.

    Raises:
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        entries: Any = await client.xrevrange(keys.actions, count=LOOKED_AT)
        total: Any = await client.hget(keys.ctl, "an")
    last: dict[str, datetime] = {}
    opened: dict[str, frozenset[Opened]] = {}
    over: dict[str, datetime] = {}
    numbers: dict[str, int] = {}
    oldest: datetime | None = None
    for _id, fields in entries:
        parts = text(fields.get(b"d", b"")).split("\n", 10)
        if len(parts) < 6 or not parts[2].isdecimal():
            continue
        oldest = server_moment(parts[2])
        if parts[0] in ("claim", "settle", "late", "resolve"):
            last[parts[5]] = max(oldest, last.get(parts[5], oldest))
            numbers.setdefault(parts[5], int(parts[1]) if parts[1].isdecimal() else 0)
        elif parts[0] == "owe" and len(parts) > 9 and parts[9] in _KINDS:
            _add(opened, parts[3], Opened(parts[6], _KINDS[parts[9]]))
        elif parts[0] == "paid":
            over[parts[3]] = max(oldest, over.get(parts[3], oldest))
    seen_all = len(entries) == int(total or 0)
    return Acts(last, None if seen_all else oldest, opened, over, numbers)


async def read_openers(client: Redis, keys: Keys, wanted: Collection[str]) -> dict[str, frozenset[Opened]]:
    """Who opened what is asked for, as far back as it takes, page by page: what a venue shows may be older than the
    newest actions are. What is not in the answer was opened before any action that is kept, or not by us.

    Raises:
        StoreUnreachable: there was no answer.
    """
    opened: dict[str, frozenset[Opened]] = {}
    missing, before, looked = set(wanted), "+", 0
    while missing and looked < LOOKED_FOR:
        with wrap_errors():
            entries: Any = await client.xrevrange(keys.actions, max=before, count=LOOKED_AT)
        for _id, fields in entries:
            parts = text(fields.get(b"d", b"")).split("\n", 10)
            if parts[0] == "owe" and len(parts) > 9 and parts[9] in _KINDS and parts[3] in wanted:
                _add(opened, parts[3], Opened(parts[6], _KINDS[parts[9]]))
                missing.discard(parts[3])
        if len(entries) < LOOKED_AT:
            break
        looked += len(entries)
        before = f"({text(entries[-1][0])}"
    return opened


async def read_mark(client: Redis, keys: Keys) -> tuple[datetime, int]:
    """The server's clock, and the number of the newest action: what is looked for from now on is newer than both.

    Raises:
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.hget(keys.ctl, "an")
            (seconds, micros), newest = await pipe.execute(raise_on_error=False)
    number = int(newest) if isinstance(newest, bytes) and newest.isdigit() else 0  # damaged: it proves nothing
    return server_moment(int(seconds) * 1_000 + int(micros) // 1_000), number


async def forget_retired(client: Redis, keys: Keys) -> None:
    """Of more than `MAX_RETIRED` versions those go that were retired longest ago.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        if int(await client.hlen(keys.retired)) <= MAX_RETIRED:
            return
        retired = await read_retired(client, keys)
        unread = [text(name) for name in await client.hkeys(keys.retired) if text(name) not in retired]
        oldest = sorted(retired, key=lambda name: retired[name].at)
        gone = [*unread, *oldest[: max(0, len(oldest) - MAX_RETIRED)]]
        if gone:
            await client.hdel(keys.retired, *gone)


async def read_retired(client: Redis, keys: Keys) -> Mapping[str, Retired]:
    """Version → when and by whom it was retired, and after which action.

    Raises:
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        raw: Any = await client.hgetall(keys.retired)
    retired = {}
    for name, value in raw.items():
        body = json_object(value)
        ms, number = body.get("ms"), body.get("n")
        if type(ms) is not int or not 0 <= ms < MAX_MS:
            continue  # what can't be read retires nobody
        after = number if type(number) is int else None
        retired[text(name)] = Retired(server_moment(str(ms)), clean(str(body.get("who", "")), 64), after)
    return retired
