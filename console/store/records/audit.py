"""The audit stream: every command's receipt, written once and read back as text from outside.

An entry's fields, all text: `id`, `command`, `agent`, `who`, `why`, `note`, `reversible` (1 or 0), `undoes`, `login`
(as which user the store knew who acted), and what was changed: `what`, `before`, `after` for one thing (a missing
`before` or `after` means that the key did not exist), or `changes`, a JSON list of `[what, before, after]`, for
several. `epoch` and `ms` (the server's) tell when it took effect; the scripts add them, and `before` and `after`,
themselves. `elapsed_ms` is there where it was known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.intent import Source
from console.domain.operator.receipt import AuditEntry, Change, Receipt
from console.domain.secrets import without_secrets
from console.domain.text import Safe, clean
from console.store.server.login import login_of
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

MAX_TEXT: Final = 4096
"""Most characters kept of a value; a longer one can be shown but not put back."""
MAX_CHANGES: Final = 64
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def request_fields(
    *,
    id: str,
    command: str,
    agent: str,
    who: str,
    why: str = "",
    what: str = "",
    note: str = "",
    reversible: bool = False,
    undoes: str = "",
    source: Source = Source.OPERATOR,
    login: str = "",
) -> dict[str, str]:
    """The fields that a script is given for the entry it writes in the same step as the change.

    Args:
        id: the receipt's.
        command, agent, who, why, note, reversible, undoes: see `Receipt` and `AuditEntry`.
        what: the name of the one thing that it changes; the script adds `before` and `after`.
        source: who acts.
        login: as which user the store knows who acts.
    """
    why, note = without_secrets(why), without_secrets(note)
    fields = {"id": id, "command": command, "agent": agent, "who": who, "why": why, "what": what, "note": note}
    fields |= {"reversible": "1" if reversible else "0", "undoes": undoes, "src": source.value, "login": login}
    return {name: value for name, value in fields.items() if value}


def encode_receipt(receipt: Receipt, *, undoes: str = "", login: str = "") -> dict[str, str]:
    """The fields for XADD of a receipt whose change no script wrote (a snapshot taken, say)."""
    fields = request_fields(
        id=receipt.id,
        command=receipt.command,
        agent=receipt.agent,
        who=receipt.who,
        why=receipt.why,
        note=receipt.note,
        reversible=receipt.reversible,
        undoes=undoes,
        login=login,
    )
    if len(receipt.changes) == 1 and receipt.changes[0].what:
        change = receipt.changes[0]
        fields["what"] = change.what
        if change.before is not None:
            fields["before"] = change.before
        if change.after is not None:
            fields["after"] = change.after
    elif receipt.changes:
        fields["changes"] = json.dumps([[change.what, change.before, change.after] for change in receipt.changes])
    fields["epoch"] = str(receipt.epoch)
    fields["ms"] = str(round(receipt.at.timestamp() * 1000))
    fields["elapsed_ms"] = f"{receipt.elapsed_ms:.3f}"
    return fields


async def append(client: Redis, keys: Keys, receipt: Receipt, *, undoes: str = "") -> str:
    """Write a receipt; returns its id in the stream.

    Raises:
        StoreUnreachable: it could not be written.
    """
    from console.store.fence.aio import AsyncFence  # here: reading an audit needs none

    fields = encode_receipt(receipt, undoes=undoes, login=login_of(client))
    return await AsyncFence(client, keys).receipt(fields)


async def recent(client: Redis, keys: Keys, n: int, *, until_ms: int | None = None) -> tuple[AuditEntry, ...]:
    """The newest `n` entries, newest last; none where the key holds something else than a stream.

    Args:
        client, keys: whose.
        n: how many.
        until_ms: none that was written later, by the server's clock; None for the newest there are.

    Raises:
        StoreUnreachable: there was no answer.
    """
    from redis.exceptions import ResponseError

    with wrap_errors():
        try:
            entries: Any = await client.xrevrange(keys.audit, "+" if until_ms is None else until_ms, count=max(1, n))
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return ()
    return tuple(decode_entry(stream_id, fields) for stream_id, fields in reversed(entries))


def decode_entry(stream_id: bytes | str, fields: Mapping[Any, Any] | None) -> AuditEntry:
    """An entry from its fields, whatever they hold; what can't be read of it is named in `problem`."""
    texts = {_text(name): _text(value) for name, value in (fields or {}).items()}
    problems: list[str] = []
    if not texts.get("id") or not texts.get("command"):
        problems.append("no receipt of ours")
    changes, exact = _changes(texts, problems)
    ident = _text(stream_id)
    return AuditEntry(
        stream_id=clean(ident, 48),
        id=clean(texts.get("id", ""), 64),
        at=_time(texts.get("ms", ""), ident, problems),
        command=clean(texts.get("command", ""), 64),
        who=clean(texts.get("who", ""), 128),
        why=clean(texts.get("why", "")),
        changes=changes,
        elapsed_ms=_float(texts.get("elapsed_ms"), problems),
        epoch=_int(texts.get("epoch"), problems),
        note=clean(_note(texts)),
        reversible=texts.get("reversible") == "1" and exact and not problems,
        undoes=clean(texts.get("undoes", ""), 64),
        problem=clean("; ".join(problems), 200),
        source=Source.of(texts.get("src", "")),
        login=clean(texts.get("login", ""), 128),
    )


def _changes(said: Mapping[str, str], problems: list[str]) -> tuple[tuple[Change, ...], bool]:
    """The changes as they can be drawn, and whether they are exactly what was stored (so that they can be put back)."""
    if "changes" in said:
        try:
            rows = json.loads(said["changes"])
            pairs = [(row[0], row[1], row[2]) for row in rows]
        except (ValueError, TypeError, LookupError, RecursionError):
            problems.append("its changes can't be read")
            return (), False
        if len(pairs) > MAX_CHANGES:
            problems.append(f"{len(pairs) - MAX_CHANGES} more changes")
    elif "what" in said:
        pairs = [(said["what"], said.get("before"), said.get("after"))]
    else:
        return (), True
    exact = True
    changes = []
    for row in pairs[:MAX_CHANGES]:
        what, before, after = (None if value is None else clean(value, MAX_TEXT) for value in row)
        exact = exact and (what, before, after) == row
        changes.append(Change(what or Safe(""), before, after))
    if not exact:
        problems.append("a value is not plain text of bounded length, so it can't be put back")
    return tuple(changes), exact


def _note(texts: Mapping[str, str]) -> str:
    """The note, with what a freeze's lift lifted: on which side, who had frozen it, and when."""
    parts = [texts["note"]] if texts.get("note") else []
    if "lifted_side" in texts:
        by, ms = texts.get("lifted_by") or "somebody unknown", texts.get("lifted_ms", "")
        at = f" at {_time(ms, ms, []):%Y-%m-%d %H:%M:%S}Z" if ms else ""
        parts.append(f"lifts {texts.get('before', 'a freeze')} on {texts['lifted_side']}, by {by}{at}")
    if "accepts" in texts:
        parts.append(f"accepts the manifest of {texts['accepts']}")
    return "; ".join(parts)


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _time(ms: str, stream_id: str, problems: list[str]) -> datetime:
    for text in (ms, stream_id.partition("-")[0]):
        if text.isascii() and text.isdigit() and len(text) <= 15:
            try:
                return datetime.fromtimestamp(int(text) / 1000, UTC)
            except (ValueError, OverflowError, OSError):
                continue
    problems.append("its time can't be read")
    return EPOCH


def _int(text: str | None, problems: list[str]) -> int:
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    problems.append("its epoch is no number")
    return 0


def _float(text: str | None, problems: list[str]) -> float | None:
    if not text:
        return None
    try:
        number = float(Decimal(text[:32]))
    except InvalidOperation:
        number = math.nan
    if math.isfinite(number) and number >= 0:
        return number
    problems.append("its milliseconds are no number")
    return None
