"""Reading many agents, a bounded batch in two or three round trips, whatever their keys hold.

Of each agent a handful of fields is asked for, whatever its history. What could be large (heartbeats, alerts, a desk's
report) is measured first, and is not fetched where it is too large. Alerts are read again where their number changed,
and now and then, since being seen changes no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.canary.plan import RunState
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Slot, read_active
from console.domain.fleet.agents import CanaryShare, FleetAgent, judged
from console.domain.text import Safe, clean
from console.domain.untrusted import real
from console.store.fence import replies
from console.store.keys import GuardKeys, Keys, ProofKeys
from console.store.reading import decode
from console.store.records.guards import read_alerts
from console.store.server.cluster import is_away, is_cluster, keys_on
from console.store.server.trouble import is_refusal, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

BATCH: Final = 250
"""Agents read in one go."""
MAX_BYTES: Final = 256 << 10
"""A hash larger than this is not fetched for a line of a list."""
MAX_REPORT: Final = 32_768
MAX_TEXT: Final = 64
MAX_ALERTS: Final = 500
SOME: Final = 64
ALERTS_AGAIN: Final = 16
"""So many readings of an agent at most between two of its alerts."""
MILLIONTHS: Final = Decimal(1_000_000)
_EXTRA: Final = ("c_pnl", "cur")
_CTL: Final = (*replies.authority_fields(), *_EXTRA)
_RUN: Final = ("state", "share", "step", "slot")
_EACH: Final = 9
"""Commands an agent, in the first round trip."""


class _Alerts(NamedTuple):
    """The alerts of an agent as they were read last: how many there were, how many of them open, how long ago."""

    length: int
    open: int | None
    readings: int


class FleetReader:
    """Reads agents by name.

    Args:
        client: retries of its own are fine: nothing here changes anything.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._alerts: dict[str, _Alerts] = {}

    async def read(self, names: Sequence[str]) -> tuple[datetime, list[FleetAgent]]:
        """The server's clock, and these agents as they are now, in this order; at most `BATCH` of them.

        Raises:
            StoreUnreachable: no answer.
        """
        keys = [keys_on(self._client, name) for name in names]
        with wrap_errors():
            if is_cluster(self._client):  # by any node that answers: the first agent's may not
                told, first = await self._client.time(), await self._send([one for k in keys for one in _commands(k)])
            else:
                told, *first = await self._send([("TIME",), *(one for key in keys for one in _commands(key))])
            at = decode.server_time(*told)
            each = [first[start : start + _EACH] for start in range(0, len(first), _EACH)]
            more = await self._more(keys, each)
        return at, [
            _agent(key.agent, at, mine, *beside, self._alerts.get(key.agent))
            for key, mine, beside in zip(keys, each, more, strict=True)
        ]

    def forget(self, names: frozenset[str]) -> None:
        """Everybody but these is no agent any more."""
        self._alerts = {name: kept for name, kept in self._alerts.items() if name in names}

    async def _more(self, keys: Sequence[Keys], each: Sequence[Sequence[Any]]) -> list[tuple[Any, Any]]:
        """Heartbeats and the desk's report of each, where it has any; and its alerts, which are kept."""
        wanted: list[tuple[Any, ...]] = []
        for key, mine in zip(keys, each, strict=True):
            *_, run, beats_bytes, length, alerts_bytes, report_bytes = mine
            wanted.append(_hash(key.instances, beats_bytes))
            runs = isinstance(run, list) and run[0] is not None and isinstance(report_bytes, int)
            wanted.append(
                ("HGET", ProofKeys.of(key).book, "report") if runs and report_bytes <= MAX_REPORT else _NOTHING
            )
            wanted.append(self._alerts_of(key, length, alerts_bytes))
        asked = [command for command in wanted if command]
        got = iter(await self._send(asked) if asked else ())
        fetched = [next(got) if command else None for command in wanted]
        for key, raw in zip(keys, fetched[2::3], strict=True):
            if isinstance(found := _fields(raw), Mapping):
                alerts = read_alerts(found, MAX_ALERTS)
                self._alerts[key.agent] = _Alerts(len(found), sum(alert.open for alert in alerts), 0)
        return list(zip(map(_fields, fetched[::3]), fetched[1::3], strict=True))

    def _alerts_of(self, key: Keys, length: Any, size: Any) -> tuple[Any, ...]:
        """The command that reads an agent's alerts; none where what is known of them is good enough."""
        known = self._alerts.get(key.agent)
        command = _hash(GuardKeys.of(key).alerts, size)
        if not isinstance(length, int) or (length and not command):
            self._alerts[key.agent] = _Alerts(-1, None, 0)
            return _NOTHING
        if not length:
            self._alerts[key.agent] = _Alerts(0, 0, 0)
            return _NOTHING
        if known is not None and known.length == length and known.readings < ALERTS_AGAIN:
            self._alerts[key.agent] = known._replace(readings=known.readings + 1)
            return _NOTHING
        return command

    async def _send(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The replies; a key of another type and a command that is not permitted stand in them as errors."""
        pipe: Any = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        got: list[Any] = await pipe.execute(raise_on_error=False)
        for reply in got:
            if isinstance(reply, Exception) and not _is_wrong_type(reply) and not (is_refusal(reply) or is_away(reply)):
                raise reply
        return got


_NOTHING: Final[tuple[Any, ...]] = ()


def _commands(keys: Keys) -> tuple[tuple[Any, ...], ...]:
    run, guard = ProofKeys.of(keys), GuardKeys.of(keys)
    return (
        ("GETRANGE", keys.active, 0, MAX_TEXT - 1),
        ("HMGET", keys.ctl, *_CTL),
        ("ZCARD", keys.in_flight),
        ("HLEN", keys.open),
        ("HMGET", run.run, *_RUN),
        ("MEMORY USAGE", keys.instances, "SAMPLES", 16),
        ("HLEN", guard.alerts),
        ("MEMORY USAGE", guard.alerts, "SAMPLES", 16),
        ("HSTRLEN", run.book, "report"),
    )


def _hash(key: str, size: Any) -> tuple[Any, ...]:
    """The command that reads a hash of this size: a few of its fields where the server does not tell it, none of one
    that is not there or too large."""
    if isinstance(size, int):
        return ("HGETALL", key) if size <= MAX_BYTES else _NOTHING
    return ("HSCAN", key, 0, "COUNT", SOME) if isinstance(size, Exception) else _NOTHING


def _fields(reply: Any) -> Any:
    """The fields that came with `_hash`."""
    return reply[1] if isinstance(reply, tuple) else reply


def _is_wrong_type(reply: object) -> bool:
    return isinstance(reply, Exception) and "WRONGTYPE" in str(reply)


def _agent(name: str, at: datetime, mine: Sequence[Any], beats: Any, report: Any, alerts: _Alerts | None) -> FleetAgent:
    if any(map(is_away, (*mine, beats, report))):
        return judged(FleetAgent(name, problem=clean("the node of the Cluster that has its keys does not answer")))
    text, control, flying, unended, run, beats_bytes, *_ = mine
    problems = [
        f"{what} can't be read ({clean(str(reply), 60)})"
        for what, reply in (*zip(_WHAT, mine, strict=True), ("the heartbeats", beats))
        if _is_wrong_type(reply)
    ]
    active = read_active(None, wrong_type="no text") if isinstance(text, Exception) else _active(text)
    fields = control if isinstance(control, list) else [None] * len(_CTL)
    authority, problem = decode.authority(fields[: -len(_EXTRA)], flying, unended)
    problems += [problem] if problem else []
    if isinstance(beats_bytes, int) and beats_bytes > MAX_BYTES:
        problems.append(f"heartbeats are too large to read here ({beats_bytes} bytes)")
    instances = decode.instances(beats) if isinstance(beats, Mapping) else ()
    slot = authority.active if authority is not None else active.slot
    heard = [one.heartbeat_at for one in instances if slot is None or one.slot is slot]
    pnl, currency = _settled(fields[-2:], fenced=bool(instances))
    read = FleetAgent(
        name=name,
        read_at=at,
        active=active,
        phase=authority.phase if authority is not None else None,
        level=authority.level if authority is not None else Level.NONE,
        epoch=authority.epoch if authority is not None else 0,
        generation=authority.generation if authority is not None else 0,
        canary=_canary(run, report),
        in_doubt=authority.in_doubt if authority is not None else 0,
        in_flight=authority.in_flight if authority is not None else 0,
        heartbeat_at=max(heard, default=None),
        instances=len(instances),
        alerts=alerts.open if alerts is not None else None,
        pnl=pnl,
        currency=currency,
        problem=clean("; ".join(problems), 200) if problems else Safe(""),
    )
    return judged(read)


_WHAT: Final = (
    "the active key",
    "the control hash",
    "claims in flight",
    "open claims",
    "the canary's run",
    "the heartbeats",
    "the alerts",
    "the alerts",
    "the canary's book",
)


def _active(raw: Any) -> Any:
    words = replies.text(raw) if isinstance(raw, bytes | str) else ""
    return read_active(words or None)


def _settled(raw: Sequence[Any], *, fenced: bool) -> tuple[Decimal | None, Safe]:
    """What was settled in this tenure, and its currency; nothing where nobody settles, or in no currency."""
    amount, currency = (None if value is None else replies.text(value) for value in raw)
    if not fenced or not amount or not currency:
        return None, Safe("")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return None, Safe("")
    return (value / MILLIONTHS if value.is_finite() else None), clean(currency, 16)


def _canary(run: Any, report: Any) -> CanaryShare | None:
    """A canary that goes on, with the share that it really got."""
    if not isinstance(run, list):
        return None
    state, share, step, slot = ("" if value is None else replies.text(value) for value in run)
    if state not in (RunState.RUNNING.value, RunState.PAUSED.value) or slot not in set(Slot):
        return None
    try:
        wanted = Decimal(share)
    except InvalidOperation:
        return None
    told = replies.json_object(report) if isinstance(report, bytes | str) else {}
    actual = real(told.get("routed")) if str(told.get("step")) == step else None
    at = int(step) + 1 if step.isascii() and step.isdigit() and len(step) < 4 else 1
    return CanaryShare(slot, wanted, actual, at) if wanted.is_finite() and 0 <= wanted <= 1 else None
