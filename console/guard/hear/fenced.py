"""Facts about fenced agents from the store: settled actions as rows, heartbeats as signs of life."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.claims import from_store
from console.domain.text import clean
from console.domain.triggers.windows import Row
from console.store.fence.replies import text
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MAX_ENTRIES: Final = 5_000
"""Entries of `…:acts` read in one go."""
MOST_ACTIONS: Final = 100_000
"""Entries read at the start: the tenure's, and the baseline's before them."""
MOST_CLAIMS: Final = 10_000
"""Claims without an end whose stakes are remembered."""
_SETTLE: Final = 12
"""Parts of a settled action's record; a claim's are as many, and its free text."""


class Stakes:
    """What was claimed and has no end yet: the amount at risk stands in the claim, what it brought in the end."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, str]] = {}

    def claimed(self, claim_id: str, amount: str, currency: str) -> None:
        """A claim; the oldest beyond `MOST_CLAIMS` is forgotten."""
        self._open[claim_id] = amount, currency
        if len(self._open) > MOST_CLAIMS:
            del self._open[next(iter(self._open))]

    def ended(self, claim_id: str, currency: str) -> Decimal | None:
        """The amount of a claim that has ended, if it was above 0 and in that currency."""
        amount, of = self._open.pop(claim_id, ("", ""))
        with suppress(ValueError, ArithmeticError):
            stake = from_store(amount)
            return stake if stake > 0 and of == currency else None
        return None


def row_of(fields: Mapping[Any, Any], stakes: Stakes | None = None) -> Row | None:
    """The decision in an entry of the stream of actions; None for what is no settled action (claims, doubts, …).

    Args:
        fields: the entry's.
        stakes: remembers what claims put at risk, from entry to entry.

    Its double spends are the store's own business: the same key can't be executed twice there, and a late result that
    shows one trips by itself.
    """
    raw = fields.get(b"d", fields.get("d"))
    if raw is None:
        return None
    record = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    parts = record.split("\n", _SETTLE - 1)
    if stakes is not None and parts[0] == "claim" and len(parts) == _SETTLE:
        stakes.claimed(parts[4], parts[9], parts[10])
    if len(parts) != _SETTLE or parts[0] != "settle" or parts[8] not in ("ok", "fail"):
        return None
    _kind, _number, ms, _key, claim_id, _instance, slot, epoch, outcome, pnl, currency, _result = parts
    with suppress(ValueError, ArithmeticError):
        amount: Decimal | None = from_store(pnl) if outcome == "ok" else None
        stake = stakes.ended(claim_id, currency) if stakes is not None else None
        named, kept = str(clean(claim_id, 64)), str(clean(currency, 16))
        return Row(int(ms) / 1000, slot, slot, named, amount, kept, epoch=int(epoch), stake=stake)
    return None


def place_of(stream_id: str) -> tuple[int, int]:
    """A stream's id as it sorts; 0-0 for what is none."""
    milliseconds, _, number = stream_id.partition("-")
    if not (milliseconds.isascii() and milliseconds.isdigit()) or len(stream_id) > 41:
        return 0, 0
    return int(milliseconds), int(number) if number.isascii() and number.isdigit() else 0


def newest_beat(beats: Mapping[str, Mapping[str, object]], slot: str) -> datetime | None:
    """When an instance of a side was heard last; None if never."""
    times = [beat.get("ms") for beat in beats.values() if beat.get("slot") == slot]
    known = [ms for ms in times if isinstance(ms, int) and 0 < ms < 1 << 48]
    return datetime.fromtimestamp(max(known) / 1000, UTC) if known else None


class ActionStream:
    """The stream of actions, read on from where it was read to; `StoreUnreachable` is raised where there is no answer.

    Args:
        client: connected.
        key: the stream's.
    """

    __slots__ = ("_execute", "_key", "_stakes", "count", "last", "skipped")

    def __init__(self, client: Redis, key: str) -> None:
        self._execute: Callable[..., Any] = client.execute_command
        self._key = key
        self._stakes = Stakes()
        self.last = "0-0"
        """The newest entry that was read."""
        self.count = 0
        """Entries read."""
        self.skipped = 0
        """Entries left out at the start: older than the newest `MOST_ACTIONS`."""

    async def begin(self, sink: Callable[[Row], None]) -> None:
        """Hand on the settled actions that are there: all of them, or the newest of very many."""
        first = await self._next()
        if len(first) == MAX_ENTRIES:
            with wrap_errors():
                length = int(await self._execute("XLEN", self._key))
            if length > MOST_ACTIONS:
                self.skipped = length - MOST_ACTIONS
                for stream_id, fields in reversed(await self._newest()):
                    self._hand_on(stream_id, fields, sink)
                await self.read(sink)
                return
        for stream_id, fields in first:
            self._hand_on(stream_id, fields, sink)
        if len(first) == MAX_ENTRIES:
            await self.read(sink)

    async def read(self, sink: Callable[[Row], None]) -> None:
        """Hand on every settled action that is new."""
        more = True
        while more:
            new = await self._next()
            for stream_id, fields in new:
                self.take(stream_id, fields, sink)
            more = len(new) == MAX_ENTRIES

    def take(self, stream_id: str, fields: Mapping[Any, Any], sink: Callable[[Row], None]) -> None:
        """Hand on one entry, unless it was read before."""
        if place_of(stream_id) > place_of(self.last):
            self._hand_on(stream_id, fields, sink)

    def _hand_on(self, stream_id: str, fields: Mapping[Any, Any], sink: Callable[[Row], None]) -> None:
        self.last = stream_id
        self.count += 1
        row = row_of(fields, self._stakes)
        if row is not None:
            sink(row)

    async def _next(self) -> list[tuple[str, Mapping[Any, Any]]]:
        with wrap_errors():
            reply = await self._execute("XREAD", "COUNT", MAX_ENTRIES, "STREAMS", self._key, self.last)
        return [(stream_id, fields) for _stream, stream_id, fields in entries(reply)]

    async def _newest(self) -> list[tuple[str, Mapping[Any, Any]]]:
        newest: list[tuple[str, Mapping[Any, Any]]] = []
        end = "+"
        while len(newest) < MOST_ACTIONS:
            most = min(MAX_ENTRIES, MOST_ACTIONS - len(newest))
            with wrap_errors():
                reply = await self._execute("XREVRANGE", self._key, end, "-", "COUNT", most)
            newest += [(text(stream_id), fields) for stream_id, fields in reply]
            if len(reply) < most:
                break
            end = f"({newest[-1][0]}"
        return newest


def entries(reply: Any) -> Iterator[tuple[str, str, Mapping[Any, Any]]]:
    """(stream, id, fields) of a reply to XREAD, whatever the protocol's shape for it."""
    if not reply:
        return
    for stream, listed in reply.items() if isinstance(reply, Mapping) else reply:
        if listed and isinstance(listed[0], list) and listed[0] and isinstance(listed[0][0], (list, tuple)):
            listed = listed[0]  # RESP3 as it is: one more level of lists
        for stream_id, fields in listed:
            yield text(stream), text(stream_id), fields
