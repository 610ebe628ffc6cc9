"""What is seen of both sides now, in two round trips, and the record of those that are healthy and reconciled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.fence.condition import SideSeen, unfit
from console.domain.fence.deployment import Phase, Slot
from console.domain.fence.last_good import renewed
from console.domain.venue.books import Standing
from console.domain.venue.stored import VenueSeen, seen_from
from console.store.fence.claims import read_open
from console.store.fence.replies import json_object
from console.store.reading.decode import server_time, text
from console.store.reading.fitness import FRESH_MS, SIDES, Beats, beats_of, fresh, number, records_of, runs_of
from console.store.records.good import keep_good
from console.store.records.states import readable
from console.store.records.venue import MAX_BYTES, VenueKeys

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

_FIELDS: Final = ("ph", "act", "ten", "c_late", "hb", "lvl")


class Judge(NamedTuple):
    """What the caller knows that does not stand in the store.

    Args:
        by: who sees it.
        harm: side → what a trigger sees there; None where it was not looked.
        alive: why a side without heartbeats can't be vouched for; empty where it can.
        clock: of this host, by which a guard dates its look at the venue.
    """

    by: str
    harm: Callable[[Slot], str]
    alive: Callable[[Slot], str]
    clock: Callable[[], datetime]


async def note_sides(
    client: Redis, keys: Keys, judge: Judge, sides: Iterable[Slot] = tuple(Slot)
) -> tuple[SideSeen, ...]:
    """Look at sides, and record those that are healthy and reconciled now; what was seen of each.

    Raises:
        Refused: what it goes by is of another type.
        StoreUnreachable: there was no answer.
    """
    with readable():
        async with client.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.ctl, _FIELDS)
            for key in (keys.instances, keys.open, keys.owed, keys.versions):
                pipe.hgetall(key)
            pipe.hmget(keys.good, *SIDES)
            pipe.getrange(VenueKeys.of(keys).seen, 0, MAX_BYTES)
            pipe.time()
            control, raw_beats, claims, owed, versions, good, venue, clock = await pipe.execute()
        phase, active = (text(value or b"") for value in control[:2])
        began, late, limit, level = (number(value, name) for value, name in zip(control[2:], _FIELDS[2:], strict=True))
        if phase != Phase.RUN.value or active not in tuple(Slot):
            return ()
        now, beats = server_time(*clock), beats_of(raw_beats)
        now_ms, fresh_ms = round(now.timestamp() * 1000), limit or FRESH_MS
        living = [name for name, beat in beats.items() if fresh(beat, now_ms, fresh_ms)]
        watched = await _watched(client, keys, living) if owed else {}
        open_claims, records = read_open(claims), records_of(good, now)
        books = _books(seen_from(json_object(venue)), judge.clock())
        seen = []
        for side in sides:
            own = {name: beat for name, beat in beats.items() if beat.get("slot") == side.value}
            runs = runs_of(beats, side, now_ms, fresh_ms)
            mine = _owned(owed, side)
            eyes = frozenset[bytes]().union(*(watched.get(name, frozenset()) for name in own))
            seen.append(
                SideSeen(
                    side,
                    side.value == active,
                    runs,
                    side.value == active or _stood_there(versions, runs, began),
                    side.value == active and level > 0,
                    _silent(side, own, now_ms, fresh_ms, judge),
                    judge.harm(side),
                    late,
                    sum(one.slot == side.value and one.is_doubt(now_ms) for one in open_claims),
                    len(claims) - len(open_claims) + (mine is None),
                    len((mine or frozenset()) - eyes),
                    books,
                    records.get(side),
                )
            )
    fit = (one for one in seen if not unfit(one))
    await keep_good(client, keys, (renewed(one.last, one.side, one.runs, now, judge.by) for one in fit))
    return tuple(seen)


async def _watched(client: Redis, keys: Keys, names: Sequence[str]) -> dict[str, frozenset[bytes]]:
    """Instance → the ids that it says it watches."""
    async with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.smembers(keys.watch(name))
        answers: Any = await pipe.execute()
    return {name: frozenset(ids) for name, ids in zip(names, answers, strict=True)}


def _owned(owed: Mapping[bytes, bytes], side: Slot) -> frozenset[bytes] | None:
    """Ids of what a side owns while it acts: what is pinned to it, and what is pinned to nobody; None where that can't
    be told of one. Only the first line is looked at: there may be ten thousand, every few seconds."""
    mine = []
    for name, record in owed.items():
        pin, line, _rest = record.partition(b"\n")
        if not line or pin not in (b"", b"blue", b"green"):
            return None
        if not pin or pin == side.value.encode():
            mine.append(name)
    return frozenset(mine)


def _silent(side: Slot, own: Beats, now_ms: int, fresh_ms: int, judge: Judge) -> str:
    if not own:
        return judge.alive(side)
    if not any(fresh(beat, now_ms, fresh_ms) for beat in own.values()):
        return f"{side.value} has no fresh heartbeat"
    ready = any(fresh(beat, now_ms, fresh_ms) and beat.get("ready") is True for beat in own.values())
    return "" if ready else f"{side.value} is not ready"


def _stood_there(versions: Mapping[Any, Any], runs: Iterable[Any], tenure: int) -> bool:
    """Whether all that runs there was heard of first before the other side began; of a plain side nobody can tell."""
    since = {text(name): text(value).partition(" ")[0] for name, value in versions.items()}
    times = [since.get(str(one.version), "") for one in runs]
    return all(len(time) <= 17 and time.isdecimal() and int(time) <= tenure for time in times)


def _books(seen: VenueSeen | None, now: datetime) -> str:
    """Why local books are not known to equal the venue's; empty where they do, or no venue is read."""
    if seen is None:
        return ""
    apart = next((row for row in seen.rows if row.standing in (Standing.DIFFERS, Standing.UNKNOWN)), None)
    if apart is not None:
        return f"{apart.what}: {apart.standing.value}"
    return str(seen.why_closed(now))
