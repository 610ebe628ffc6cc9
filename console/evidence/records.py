"""Reading what a store keeps for an evidence file: streams of a time, and whole small keys as they are now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.secrets import without_secrets
from console.domain.text import clean
from console.evidence.entries import entry_line
from console.evidence.names import STREAMS
from console.store.fence.chains import parse_mark, read_batches
from console.store.keys import GuardKeys, Keys, ProofKeys, StateKeys
from console.store.reading.decode import text
from console.store.server.trouble import is_refusal, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST_BYTES: Final = 32 << 20
"""Of one key; of a larger one only that is said."""
NEWEST: Final = 10_000
"""Entries of a stream that has no chain."""


class Streamed(NamedTuple):
    """A stream of the time, written to a file.

    Args:
        entries: how many of the time.
        problem: why these are not all; empty where they are.
    """

    entries: int
    problem: str = ""


async def write_stream(client: Redis, keys: Keys, name: str, span_ms: tuple[int, int], path: Path) -> Streamed:
    """Write the entries of a time; before those of the control log also the one that was in force when it began.

    Args:
        client, keys: whose.
        name: "acts", "log" or "audit".
        span_ms: from when, and before when, by the store's clock.
        path: of the file.

    Raises:
        StoreUnreachable: there was no answer.
        OSError: it can't be written.
    """
    from redis.exceptions import ResponseError

    since, until = span_ms
    stream = {"acts": keys.actions, "log": keys.log, "audit": keys.audit}[name]
    count = 0
    with path.open("wb") as out:
        try:
            with wrap_errors():
                gone = parse_mark(await client.hget(keys.archived, name)).number
                first: Any = await client.xrange(stream, count=1)
                before: Any = await client.xrevrange(stream, max=f"({since}-0", count=1) if since > 0 else []
            if name == "log" and before:
                out.write(entry_line(text(before[0][0]), before[0][1]))
            after = f"{since - 1}-18446744073709551615" if since > 0 else ""
            if until > 0:
                async for batch in read_batches(client, stream, after=after, until=f"{until - 1}"):
                    count += len(batch)
                    out.writelines(entry_line(entry_id, fields) for entry_id, fields in batch)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return Streamed(count, f"{STREAMS[name]}: its key is of another Redis type")
    if gone and (not first or int(text(first[0][0]).partition("-")[0]) > since):
        return Streamed(
            count, f"{STREAMS[name]}: entries up to number {gone} were archived; `archive restore` puts them back"
        )
    return Streamed(count)


def small_keys(keys: Keys) -> dict[str, str]:
    """Member's name → key: what the store keeps beside the chained streams."""
    own = ("ctl", "open", "instances", "owed", "named", "left", "versions", "upgrades", "manifests", "snapshots")
    names = {name: getattr(keys, name) for name in (*own, "good", "canary_gates", "retired", "archived", "active")}
    names |= ProofKeys.of(keys)._asdict()
    guards = GuardKeys.of(keys)
    names |= {name: getattr(guards, name) for name in ("guards", "trips", "baselines", "triggers")}
    return names | {"states": StateKeys.of(keys).states, "deadman": keys.beside("deadman")}


LEFT: Final = (
    "which webhooks were told is left out: their addresses may be secrets",
    "the content of states that agents handed over is left out; their list is in store/states.json",
)


async def read_key(client: Redis, key: str) -> tuple[Any, str]:
    """What a key holds as a JSON value, secrets hidden, None where it is not there; and why it can't be read.

    Raises:
        StoreUnreachable: there was no answer.
    """
    from redis.exceptions import ResponseError

    try:
        return await _read(client, key)
    except ResponseError as error:
        return None, f"the store refuses it: {clean(error, 120)}"


async def _bytes(client: Redis, key: str) -> int | None:
    """How much it takes; None where the server does not tell us."""
    from redis.exceptions import ResponseError

    try:
        size: Any = await client.execute_command("MEMORY USAGE", key, "SAMPLES", 64)  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if not is_refusal(error):
            raise
        return None
    return size if isinstance(size, int) else None


async def _read(client: Redis, key: str) -> tuple[Any, str]:
    with wrap_errors():
        kind = text(await client.type(key))
        if kind == "none":
            return None, ""
        size = await _bytes(client, key)
        if kind != "stream" and isinstance(size, int) and size > MOST_BYTES:
            return None, f"it takes {size:,} bytes, more than {MOST_BYTES:,}"
        found: Any
        match kind:
            case "string":
                found = await client.get(key)
            case "hash":
                found = await client.hgetall(key)
            case "list":
                found = await client.lrange(key, 0, -1)
            case "set":
                found = sorted(await client.smembers(key))
            case "zset":
                ranked: Any = await client.zrange(key, 0, -1, withscores=True)
                found = dict(ranked)
            case "stream":
                newest: Any = await client.xrevrange(key, count=NEWEST)
                found = [{"id": entry_id, "fields": fields} for entry_id, fields in reversed(newest)]
            case _:
                return None, f"it is of the Redis type {kind}"
    return plain(found), ""


def plain(value: Any) -> Any:
    """A value of a store as a JSON value, what looks like a secret hidden."""
    if isinstance(value, dict):
        return {plain(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return without_secrets(value.decode("utf-8", "surrogateescape"))
    return value
