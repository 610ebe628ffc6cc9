"""Facts about fenced agents from the store: settled actions as rows, heartbeats as signs of life."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from console.domain.claims import from_micros
from console.domain.text import clean
from console.domain.triggers_windows import Row
from console.store.keys import Keys
from console.store.replies import text
from console.store.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MAX_ENTRIES: Final = 5_000
"""Entries of `…:acts` read in one go."""
_SETTLE: Final = 12


def row_of(fields: Mapping[Any, Any]) -> Row | None:
    """The decision in an entry of the stream of actions; None for what is no settled action (claims, doubts, …).

    Its double spends are the store's own business: the same key can't be executed twice there, and a late result that
    shows one trips by itself.
    """
    raw = fields.get(b"d", fields.get("d"))
    if raw is None:
        return None
    record = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    parts = record.split("\n", _SETTLE - 1)
    if len(parts) != _SETTLE or parts[0] != "settle" or parts[8] not in ("ok", "fail"):
        return None
    _kind, _number, ms, _key, claim_id, _instance, slot, epoch, outcome, pnl, currency, _result = parts
    with suppress(ValueError, ArithmeticError):
        amount: Decimal | None = from_micros(pnl) if outcome == "ok" else None
        return Row(
            int(ms) / 1000, slot, slot, str(clean(claim_id, 64)), amount, str(clean(currency, 16)), epoch=int(epoch)
        )
    return None


def newest_beat(beats: Mapping[str, Mapping[str, object]], slot: str) -> datetime | None:
    """When an instance of a side was heard last; None if never."""
    times = [beat.get("ms") for beat in beats.values() if beat.get("slot") == slot]
    known = [ms for ms in times if isinstance(ms, int) and 0 < ms < 1 << 48]
    return datetime.fromtimestamp(max(known) / 1000, UTC) if known else None


class ActionStream:
    """The stream of actions, read on from where it was read to.

    Args:
        client: connected.
        keys: whose.
    """

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._execute: Callable[..., Any] = client.execute_command
        self._key = keys.actions
        self._last = "0-0"

    async def read(self, sink: Callable[[Row], None]) -> None:
        """Hand on every settled action that is new.

        Raises:
            StoreUnreachable: no answer.
        """
        while True:
            with wrap_errors():
                reply = await self._execute("XREAD", "COUNT", MAX_ENTRIES, "STREAMS", self._key, self._last)
            count = 0
            for _stream, stream_id, fields in entries(reply):
                self._last, count = stream_id, count + 1
                row = row_of(fields)
                if row is not None:
                    sink(row)
            if count < MAX_ENTRIES:
                return


class Push:
    """Waits for anything new in some streams.

    Args:
        client: a connection of its own, with a time-out longer than the wait.
        streams: which.
    """

    def __init__(self, client: Redis, streams: Sequence[str]) -> None:
        self._execute: Callable[..., Any] = client.execute_command
        self._last = dict.fromkeys(streams, "$")

    async def wait(self, block_ms: int) -> bool:
        """Whether something came within the time.

        Raises:
            StoreUnreachable: no answer.
        """
        with wrap_errors():
            reply = await self._execute(
                "XREAD", "COUNT", 100, "BLOCK", block_ms, "STREAMS", *self._last, *self._last.values()
            )
        came = False
        for stream, stream_id, _fields in entries(reply):
            self._last[stream] = stream_id
            came = True
        return came


def entries(reply: Any) -> Iterator[tuple[str, str, Mapping[Any, Any]]]:
    """(stream, id, fields) of a reply to XREAD, whatever the protocol's shape for it."""
    if not reply:
        return
    for stream, found in reply.items() if isinstance(reply, Mapping) else reply:
        whole = found
        if whole and isinstance(whole[0], list) and whole[0] and isinstance(whole[0][0], (list, tuple)):
            whole = whole[0]  # RESP3 as it is: one more level of lists
        for stream_id, fields in whole:
            yield text(stream), text(stream_id), fields
