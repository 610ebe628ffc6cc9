"""Looks at the server that money will depend on, and says for each finding what could happen and what to do.

Reads only. What isn't permitted is *unknown*, which is not ok. `console.domain.fence.check.refusals` says what money
mode refuses for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from console.domain.fence.check import Check, Verdict
from console.domain.fence.doctor import Facts, every_check
from console.domain.fence.promise import Promise
from console.domain.fence.sharded import COVERAGE
from console.domain.text import clean
from console.store.keys import Keys
from console.store.reading.library import look
from console.store.scripts import library_name, translate
from console.store.server.trouble import is_refusal

if TYPE_CHECKING:
    from redis.asyncio import Redis

SETTINGS: Final = (
    "appendonly",
    "appendfsync",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "no-appendfsync-on-rewrite",
    "save",
    "stop-writes-on-bgsave-error",
    COVERAGE,
)
ROUND_TRIPS: Final = 21
TYPES: Final = {
    "ctl": "hash",
    "open": "hash",
    "in_flight": "zset",
    "actions": "stream",
    "log": "stream",
    "instances": "hash",
    "audit": "stream",
    "active": "string",
}


async def _try(client: Redis, *command: Any) -> Any:
    """A command's reply, or None where it isn't permitted or not known to this server."""
    try:
        execute: Any = client.execute_command
        return await execute(*command)
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise translate(error, str(command[0])) from error
    except RedisError:
        return None


async def _may_call(client: Redis) -> bool:
    """Whether this user may run functions, by one that is never there."""
    try:
        execute: Any = client.execute_command
        await execute("FCALL", f"{library_name()}_none", 0)
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise translate(error, "FCALL") from error
    except RedisError as error:
        return not is_refusal(error)
    return True


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _mapping(value: Any) -> dict[str, Any]:
    pairs = value.items() if isinstance(value, Mapping) else zip(value[::2], value[1::2], strict=False)
    return {_text(name): content for name, content in pairs}


class OfServer(NamedTuple):
    """What a server says of itself, whichever agent is asked about.

    Args:
        info, settings, rules, skew_s, round_trips_ms, functions, foreign, unseen: as in `Facts`.
    """

    info: Mapping[str, Any]
    settings: Mapping[str, str] | None
    rules: str | None
    skew_s: float
    round_trips_ms: tuple[float, ...]
    functions: bool | None
    foreign: str
    unseen: bool


async def ask_server(client: Redis) -> OfServer:
    """Ask the server for what it says of itself.

    Raises:
        StoreUnreachable: it does not answer.
    """
    info = await _try(client, "INFO", "ALL")
    settings: dict[str, str] = {}
    permitted = True
    for name in SETTINGS:
        reply = await _try(client, "CONFIG", "GET", name)
        permitted = permitted and reply is not None
        settings |= {key: _text(value) for key, value in _mapping(reply or {}).items()}
    user = await _try(client, "ACL", "WHOAMI")
    rules = await _try(client, "ACL", "GETUSER", user) if user is not None else None
    trips, skews = [], []
    for _ in range(ROUND_TRIPS):
        began, wall = time.perf_counter(), time.time()
        reply = await _try(client, "TIME")
        took = time.perf_counter() - began
        trips.append(took * 1000)
        if reply:
            skews.append(int(reply[0]) + int(reply[1]) / 1e6 - (wall + took / 2))
    loaded = await look(partial(_try, client), await _may_call(client))
    return OfServer(
        info=info if isinstance(info, Mapping) else {},
        settings=settings if permitted else None,
        rules=None if rules is None else clean(_commands(rules), 2000),
        skew_s=sorted(skews)[len(skews) // 2] if skews else 0.0,
        round_trips_ms=tuple(sorted(trips)),
        functions=loaded.there,
        foreign=loaded.foreign,
        unseen=loaded.unseen,
    )


async def gather(
    client: Redis,
    keys: Keys,
    *,
    wait_replicas: int = 0,
    now: datetime,
    promise: Promise | None = None,
    server: OfServer | None = None,
) -> Facts:
    """Ask the server for everything the checks need.

    Args:
        client, keys, wait_replicas, now, promise: as in `examine`.
        server: what it said of itself, where it was asked already.

    Raises:
        StoreUnreachable: it does not answer.
    """
    server = server or await ask_server(client)
    wrong = {}
    for name, expected in TYPES.items():
        kind = _text(await _try(client, "TYPE", getattr(keys, name)))
        if kind not in ("none", "None", expected):
            wrong[name] = kind
    late = await _try(client, "HGET", keys.ctl, "x_late")
    return Facts(
        **server._asdict(),
        types=wrong,
        wait_replicas=wait_replicas,
        lost=await _lost(client, keys),
        late=int(late) if late and _text(late).isdecimal() else 0,
        now=now,
        promise=promise,
    )


async def _lost(client: Redis, keys: Keys) -> str:
    """What of the open claims and leases is not there, by the scripts' own count of them."""
    for _ in range(3):  # a claim may come between two questions: what stood still in between is compared
        before = await _try(client, "HMGET", keys.ctl, "an", "on", "fn")
        counted = await _try(client, "HLEN", keys.open), await _try(client, "ZCARD", keys.in_flight)
        if before is None or None in counted:
            return ""  # of another type: `types` tells of that
        if before == await _try(client, "HMGET", keys.ctl, "an", "on", "fn"):
            pairs = zip(("open claims", "leases"), counted, before[1:], strict=True)
            return ", ".join(
                f"{there} of {_text(known)} {what}" for what, there, known in pairs if known and int(known) != there
            )
    return ""


def _commands(rules: Any) -> str:
    if isinstance(rules, Mapping):
        return _text(_mapping(rules).get("commands", ""))
    return _text(_mapping(rules).get("commands", "")) if isinstance(rules, list) else ""


async def examine(
    client: Redis,
    keys: Keys,
    *,
    wait_replicas: int = 0,
    now: datetime,
    promise: Promise | None = None,
    server: OfServer | None = None,
) -> tuple[Check, ...]:
    """Every check, in the order in which they are shown.

    Args:
        client: a connection to the primary.
        keys: the agent's.
        wait_replicas: how many replicas its claims are asked to wait for (`Settings.replicas`).
        now: our clock, aware UTC.
        promise: what an operator vouches for where the server does not tell.
        server: what it said of itself, where it was asked already, for another agent; None to ask it now.

    Raises:
        StoreUnreachable: no answer.
    """
    facts = await gather(client, keys, wait_replicas=wait_replicas, now=now, promise=promise, server=server)
    return every_check(facts)


class _Blocking:
    """A blocking client behind the name that the questions are asked by."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def execute_command(self, *command: Any) -> Any:
        return self._client.execute_command(*command)


def examine_blocking(
    client: Any, keys: Keys, *, wait_replicas: int = 0, now: datetime, promise: Promise | None = None
) -> tuple[Check, ...]:
    """The same on a blocking client; nothing is ever waited for on a loop, so none is needed."""
    asked: Any = _Blocking(client)
    questions = examine(asked, keys, wait_replicas=wait_replicas, now=now, promise=promise)
    try:
        questions.send(None)
    except StopIteration as answered:
        checks: tuple[Check, ...] = answered.value
        return checks
    raise AssertionError("A blocking client never waits.")


__all__ = ["Check", "Facts", "OfServer", "Verdict", "ask_server", "examine", "examine_blocking", "gather"]
