"""Whether a side is fit to be rolled back to, in one round trip: what a guard, a verb and a run's abort go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.errors import Refused
from console.domain.fence.behind import Fitness, StateSchemas
from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, Runs, last_good_from, running
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import KeptBy, Recorded, obstacle, of_version
from console.domain.text import clean
from console.store.fence.claims import read_open
from console.store.fence.replies import json_object
from console.store.keys import Keys, StateKeys
from console.store.reading.decode import server_time, text
from console.store.records.manifests import decode
from console.store.records.states import one_of, readable

if TYPE_CHECKING:
    from redis.asyncio import Redis

FRESH_MS: Final = 5_000
"""A heartbeat that is older doesn't say what runs."""
MOST_BEAT: Final = 16_384
SIDES: Final = tuple(slot.value for slot in Slot)
Beats = Mapping[str, Mapping[str, Any]]


def ask_fitness(pipe: Any, keys: Keys) -> None:
    """Put what `fitness_of` wants on a pipeline: `ASKED` replies."""
    pipe.hgetall(keys.instances)
    pipe.hgetall(keys.open)
    pipe.hgetall(StateKeys.of(keys).states)
    pipe.hgetall(keys.manifests)
    pipe.hmget(keys.good, *SIDES)
    pipe.hgetall(keys.versions)
    pipe.hget(keys.ctl, "ten")
    pipe.time()


ASKED: Final = 8
"""Replies to `ask_fitness`."""


async def read_fitness(client: Redis, keys: Keys, target: Slot) -> Fitness:
    """Whether a side is fit to be rolled back to.

    Raises:
        Refused: what it goes by is damaged, or of another type.
        StoreUnreachable: there was no answer.
    """
    with readable():
        async with client.pipeline(transaction=True) as pipe:
            ask_fitness(pipe, keys)
            replies = await pipe.execute()
    return fitness_of(target, replies)


def fitness_of(target: Slot, replies: Any) -> Fitness:
    """The judgement's facts from the replies to `ask_fitness`.

    Raises:
        Refused: what it goes by is damaged.
    """
    raw_beats, claims, states, manifests, good, versions, tenure, clock = replies
    now = server_time(*clock)
    now_ms = round(now.timestamp() * 1000)
    beats = beats_of(raw_beats)
    open_claims = read_open(claims)
    if len(open_claims) != len(claims):  # one that can't be read may be a doubt of that side
        raise Refused(
            f"{len(claims) - len(open_claims)} claims can't be read.", "`agent-console doubts list` says more."
        )
    runs = runs_of(beats, target, now_ms)
    recorded = _manifests(manifests, [str(run.version) for run in runs])
    own = [beat for beat in beats.values() if beat.get("slot") == target.value]
    declared = (of_version(recorded, str(run.version)) for run in runs)
    reader = _Reader(_schema(own), tuple(one for one in declared if one is not None))
    began = number(tenure, "the tenure")
    acting = (beat for beat in beats.values() if beat.get("slot") == target.other.value and _in_tenure(beat, began))
    doubts = tuple(one.key for one in open_claims if one.slot == target.value and one.is_doubt(now_ms))
    return Fitness(
        target,
        doubts,
        _schemas(states, target, reader, manifests, _schema(acting) or 0),
        records_of(good, now).get(target),
        runs,
        recorded=any(one is not None for one in good),
        beats=bool(own),
        bound=any(beat.get("slot") == target.other.value for beat in beats.values())
        or any(text(value).endswith(f" {target.other.value}") for value in versions.values()),
    )


def records_of(good: Sequence[Any], now: datetime) -> dict[Slot, LastGood]:
    """Since when each side was healthy and reconciled, from the fields `SIDES` of the hash `…:good`; what is no record
    is left out."""
    sound = {side: raw for side, raw in zip(SIDES, good, strict=True) if raw is not None and len(raw) <= MOST_BEAT}
    found = {Slot(side): last_good_from(json_object(raw), Slot(side), now) for side, raw in sound.items()}
    return {slot: one for slot, one in found.items() if one is not None}


def number(value: Any, what: str) -> int:
    """A number that only scripts write; 0 where there is none.

    Args:
        value: as the store has it.
        what: it is, for the message.

    Raises:
        Refused: it is no number.
    """
    told = "" if value is None else text(value)
    if told and not (told.isascii() and told.isdecimal() and len(told) <= 17):
        raise Refused(f"The number of {what} can't be read: {clean(told, 40)!r}.", "Nothing else may write there.")
    return int(told or 0)


def beats_of(raw: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """Instance → its heartbeat; one that can't be read vouches for nobody."""
    beats = {text(name): json_object(value) for name, value in raw.items() if len(value) <= MOST_BEAT}
    return {name: beat for name, beat in beats.items() if beat}


def runs_of(beats: Beats, side: Slot, now_ms: int, fresh_ms: int = FRESH_MS) -> tuple[Runs, ...]:
    """What runs in a side, by its fresh heartbeats."""
    own = [beat for beat in beats.values() if beat.get("slot") == side.value and fresh(beat, now_ms, fresh_ms)]
    return running((_word(beat.get("version")), _word(beat.get("manifest"))) for beat in own)


def fresh(beat: Mapping[str, Any], now_ms: int, fresh_ms: int = FRESH_MS) -> bool:
    """Whether a heartbeat is young enough to tell what is."""
    ms = beat.get("ms")
    return type(ms) is int and abs(now_ms - ms) <= fresh_ms


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


class _Reader(NamedTuple):
    """What of the earlier side would read a state: the newest schema by its heartbeats, and its versions' manifests."""

    schema: int | None
    manifests: tuple[Manifest, ...]

    def migrates(self, schema: int) -> bool:
        """Whether every version of it says that it reads that schema."""
        return bool(self.manifests) and all(schema == one.schema or schema in one.reads for one in self.manifests)


def _schemas(
    states: Mapping[Any, Any], target: Slot, reader: _Reader, manifests: Mapping[Any, Any], works_with: int
) -> StateSchemas | None:
    """The state of the other side: the newest, if that one kept it; else the schema with which it works."""
    raw = {text(name): value for name, value in states.items()}
    newest_number = number(raw.get("n"), "the newest state")
    record = f"s:{newest_number}"  # of the others, and of the names of pieces, nothing is looked at: they may be long
    newest = one_of({record: text(raw[record])}, newest_number) if newest_number and record in raw else None
    if newest is None or newest.slot == target.value:
        if not works_with:
            return None
        return StateSchemas(0, works_with, reader.schema, migrates=reader.migrates(works_with))
    kept = KeptBy(newest.number, str(newest.slot), str(newest.version), newest.schema, newest.manifest)
    keeper = of_version(_manifests(manifests, [kept.version]), kept.version)
    refused = next((why for one in reader.manifests if (why := obstacle(kept, one, keeper))), "")
    return StateSchemas(newest_number, newest.schema, reader.schema, refused, reader.migrates(newest.schema))


def _manifests(raw: Mapping[Any, Any], versions: Iterable[str]) -> Mapping[str, Recorded]:
    """What these versions are held to: of a hundred others nothing is read.

    Raises:
        Refused: one of them can't be read.
    """
    wanted = {f"={version}" for version in versions}
    found = decode({name: value for name, value in raw.items() if text(name) in wanted})
    if found.problems:
        raise Refused(f"{found.problems[0]}", "`agent-console manifest` says more.")
    return found.recorded


def _schema(beats: Iterable[Mapping[str, Any]]) -> int | None:
    """The newest schema that heartbeats say; None for none."""
    return max((beat["schema"] for beat in beats if type(beat.get("schema")) is int), default=None)


def _in_tenure(beat: Mapping[str, Any], tenure: int) -> bool:
    epoch = beat.get("epoch")
    return type(epoch) is int and epoch >= tenure
