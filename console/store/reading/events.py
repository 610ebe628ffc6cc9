"""What changed who may act without an operator's command: adoptions, trips, the end of a drain.

Operators' own commands are in the audit stream with their receipts; the control stream `…:log` holds every change.
Those that no receipt accounts for are shown beside the receipts: an automatic roll back nobody sees is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.chain import ChainCheck
from console.domain.fence.claims import Level, from_store
from console.domain.fence.intent import Source
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.rows import CLOCK, KEPT, LATE
from console.domain.text import Safe, clean
from console.store.reading.decode import text
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

_BESIDE: Final = frozenset({"late", "clock", "kept"})
"""What changed nothing about who may act: a late report, the server's clock that was moved, a key that was to
expire."""
_SHOWN: Final = frozenset({"adopted", "reasserted", "rollback", "halt", "switched", "level"}) | _BESIDE
_WORDS: Final[Mapping[str, str]] = {
    "rollback": "automatic rollback",
    "switched": "drained",
    "late": LATE,
    "clock": CLOCK,
    "kept": KEPT,
}
_NOBODY: Final[Mapping[str, str]] = {"HALT": "halted", "DRAIN": "draining"}


def decode_event(stream_id: bytes | str, fields: Mapping[Any, Any] | None) -> AuditEntry | None:
    """A control event as an entry without a receipt; None for what is not shown (acknowledgements, flags)."""
    texts = {text(name): text(value) for name, value in (fields or {}).items()}
    kind = texts.get("k", "")
    if kind not in _SHOWN:
        return None
    milliseconds = texts.get("ts", "")
    known = milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= 14
    epoch = texts.get("ep", "")
    return AuditEntry(
        stream_id=clean(text(stream_id), 48),
        id=Safe(""),
        at=datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if known else datetime(1970, 1, 1, tzinfo=UTC),
        command=clean(_WORDS.get(kind, kind), 64),
        who=clean(texts.get("by", ""), 128),
        why=clean(texts.get("why", "")),
        changes=() if kind in _BESIDE else (_change(kind, texts),),
        epoch=int(epoch) if epoch.isascii() and epoch.isdigit() and len(epoch) <= 18 else 0,
        problem=Safe("") if known else Safe("its time can't be read"),
        source=Source.of(texts.get("src", "")),
        trigger=clean(texts.get("trigger", ""), 64),
        amount=_amount(texts.get("amount", "")),
        currency=clean(texts.get("currency", ""), 16),
    )


def _amount(millionths: str) -> Decimal | None:
    try:
        return from_store(millionths) if millionths else None
    except (ValueError, ArithmeticError):
        return None


def _change(kind: str, texts: Mapping[str, str]) -> Change:
    """What an event changed: who may act, or how much is allowed."""
    if kind == "level":
        before = _allowed(texts["lvl0"]) if "lvl0" in texts else None  # an earlier release did not say
        return Change("allowed", before, _allowed(texts.get("lvl", "")))
    now = texts.get("act") or _NOBODY.get(texts.get("ph", ""), "")
    was = texts.get("from", texts.get("prev", ""))
    if kind == "reasserted" and "from" in texts:
        was = texts.get("plain", "")
    return Change("active version", clean(was, 24) if was else None, clean(now, 24))


def _allowed(rank: str) -> Safe:
    level = Level.of_rank(int(rank)) if rank.isascii() and rank.isdigit() and len(rank) < 4 else Level.NONE
    return Safe(level.allowed)


class ControlTrail:
    """The newest control events of one agent, fetched piece by piece.

    Args:
        keys: whose.
        limit: how many are kept.
    """

    def __init__(self, keys: Keys, limit: int) -> None:
        self._keys = keys
        self._limit = limit
        self._last = b""
        self._events: list[AuditEntry] = []
        self._check: ChainCheck | None = None
        self.broken = ""
        """Where the chain of what was read does not hold, in words; empty where it does."""

    def command(self) -> tuple[object, ...]:
        """The command that fetches what is new."""
        return ("XREVRANGE", self._keys.log, "+", b"(" + self._last if self._last else b"-", "COUNT", self._limit)

    def take(self, reply: Any) -> tuple[AuditEntry, ...]:
        """The events after a reply to it; none where the key is no stream."""
        if isinstance(reply, Exception):
            self._last, self._events, self._check = b"", [], None
        elif reply:
            self._last = reply[0][0]
            self._verify(reply)
            new = (decode_event(stream_id, fields) for stream_id, fields in reversed(reply))
            self._events.extend(event for event in new if event is not None)
            self._events = self._events[-self._limit :]
        return tuple(self._events)

    def _verify(self, reply: Any) -> None:
        """Hold what came against what was read before; a piece that does not reach back to that begins anew."""
        if self._check is None or len(reply) >= self._limit:
            self._check = ChainCheck(after=None)
        for stream_id, fields in reversed(reply):
            self._check.take(stream_id, fields)
        findings = self._check.findings
        self.broken = f"the chain of control events: {findings[0].text}" if findings else ""


async def recent(client: Redis, keys: Keys, n: int, *, until_ms: int | None = None) -> tuple[AuditEntry, ...]:
    """The newest control events that are shown, oldest first.

    Args:
        client, keys: whose.
        n: of how many, those that are not shown included.
        until_ms: none that was written later, by the server's clock; None for the newest there are.

    Raises:
        StoreUnreachable: there was no answer.
    """
    from redis.exceptions import ResponseError

    trail = ControlTrail(keys, n)
    with wrap_errors():
        try:
            entries: Any = await client.xrevrange(keys.log, "+" if until_ms is None else until_ms, count=n)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            entries = error
    return trail.take(entries)
