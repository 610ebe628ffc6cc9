"""Upgrade runs in the store: hash `…:upgrades`, field `current` changed by compare-and-set, what is over by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import Refused, UsageError
from console.domain.text import clean
from console.domain.upgrade.run import UpgradeRun
from console.domain.upgrade.stored import MAX_BYTES, read_run, run_text
from console.store.fence.calls import Call, audit_pairs, base_keys, checked_words
from console.store.fence.replies import text, texts
from console.store.keys import Keys
from console.store.records.experiments import DocumentCode, DocumentReply
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

CURRENT: Final = "current"
MAX_OVER: Final = 20
"""How many runs that are over are kept."""
_ROOM: Final = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A run as it stands in the store.

    Args:
        run: it; None where there is none.
        revision: of what stands there; 0 for nothing.
    """

    run: UpgradeRun | None
    revision: int


NOTHING: Final = Stored(None, 0)


def put(
    keys: Keys, run: UpgradeRun, expected: int, *, by: str, before: str, after: str, audit: Mapping[str, str] | None
) -> Call[DocumentReply]:
    """Write the current run, if its revision is the one expected (0: there is none).

    Args:
        keys: whose.
        run: as it is from now on.
        expected: the revision that the caller saw.
        by: who.
        before, after: for the audit entry.
        audit: fields for an entry of `…:audit`; None for no entry.
    """
    args = (
        CURRENT,
        str(expected),
        run_text(run),
        checked_words(by, "A name"),
        "",
        before,
        after,
        str(_ROOM),
        *audit_pairs(audit),
    )
    return Call("document", (*base_keys(keys), keys.audit, keys.upgrades), args, _reply)


def _reply(reply: Any) -> DocumentReply:
    code, revision, ms, audit_id = texts(reply)
    return DocumentReply(DocumentCode(code), int(revision), int(ms), audit_id)


async def read_current(client: Redis, keys: Keys) -> Stored:
    """The run that goes on, or the last one.

    Raises:
        Refused: what stands there can't be read as a run.
        StoreUnreachable: no answer.
    """
    return stored_run(await _field(client, keys, CURRENT))


async def read_over(client: Redis, keys: Keys, identity: str) -> UpgradeRun | None:
    """A run that is over, by its id; None where there is none.

    Raises:
        Refused: what stands there can't be read as a run.
        StoreUnreachable: no answer.
    """
    return stored_run(await _field(client, keys, identity)).run


async def _field(client: Redis, keys: Keys, name: str) -> bytes | None:
    from redis.exceptions import ResponseError

    with wrap_errors():
        try:
            length: Any = await client.hstrlen(keys.upgrades, name)
            if int(length) > MAX_BYTES + 32:
                raise Refused("The stored upgrade is longer than a run can be.", "Look at what wrote it.")
            found: Any = await client.hget(keys.upgrades, name)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            raise Refused(f"The key of upgrades, {keys.upgrades}, is of another Redis type.") from error
    return bytes(found) if found is not None else None


def stored_run(raw: bytes | None) -> Stored:
    """A run from what stands in the store.

    Raises:
        Refused: it can't be read as a run.
    """
    if raw is None:
        return NOTHING
    head, _, body = text(raw).partition("\n")
    if not (head.isascii() and head.isdigit() and len(head) < 16):
        raise Refused("The stored upgrade has no revision.", "Look at what wrote it.")
    try:
        return Stored(read_run(body), int(head))
    except UsageError as error:
        raise Refused(
            f"The stored upgrade can't be read: {clean(error.message, 200)}", "Look at what wrote it."
        ) from error


async def keep_over(client: Redis, keys: Keys, stored: Stored) -> None:
    """Keep a run that is over under its id, beside the newest others.

    Raises:
        StoreUnreachable: no answer.
    """
    if stored.run is None:
        return
    with wrap_errors():
        body = f"{stored.revision}\n{run_text(stored.run)}"
        await client.hset(keys.upgrades, stored.run.id, body)
        names: Any = await client.hkeys(keys.upgrades)
        if len(names) <= MAX_OVER + 1:
            return
        every: Any = await client.hgetall(keys.upgrades)
        surplus = _oldest(every)
        if surplus:
            await client.hdel(keys.upgrades, *surplus)


def _oldest(every: Mapping[Any, Any]) -> list[str]:
    """The names of what is beyond the newest; what can't be read goes first."""
    ages: list[tuple[float, str]] = []
    for name, raw in every.items():
        if text(name) == CURRENT:
            continue
        try:
            run = stored_run(raw).run
            ages.append((run.began_at.timestamp() if run is not None else 0.0, text(name)))
        except Refused:
            ages.append((0.0, text(name)))
    return [name for _at, name in sorted(ages)[:-MAX_OVER]]
