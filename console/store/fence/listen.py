"""Reads that an agent makes beside its scripts: control events as they come, flags, heartbeats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.exceptions import RedisError

from console.domain.state.flags import UNREADABLE
from console.store.fence.replies import text

START: Final = "0-0"
"""The cursor before any entry."""


def end_of(entries: Any) -> str:
    """The cursor after the newest entry, from XREVRANGE with COUNT 1."""
    return text(entries[0][0]) if entries else START


def events(reply: Any) -> list[tuple[str, dict[str, str]]]:
    """(stream id, fields) of the control events in a reply to XREAD on one stream; none after a time-out."""
    if not reply:
        return []
    streams = list(reply.values()) if isinstance(reply, Mapping) else [entries for _name, entries in reply]
    entries = streams[0]
    if (
        isinstance(reply, Mapping)
        and entries
        and isinstance(entries[0], list)
        and entries[0]
        and isinstance(entries[0][0], (list, tuple))
    ):
        entries = entries[0]  # RESP3 as it is: one more level of lists
    return [(text(entry), {text(k): text(v) for k, v in fields.items()}) for entry, fields in entries]


def flags(names: Sequence[str], answers: Sequence[Any]) -> tuple[dict[str, str | None], dict[str, str]]:
    """Flags by name, and the Redis types of those that are no text, from GET and TYPE of each."""
    values: dict[str, str | None] = {}
    wrong: dict[str, str] = {}
    for name, value, kind in zip(names, answers[::2], answers[1::2], strict=True):
        is_text = value is not None and not isinstance(value, RedisError)
        values[name] = text(value) if is_text else None
        if isinstance(value, RedisError):
            wrong[name] = UNREADABLE if isinstance(kind, RedisError) else text(kind)
    return values, wrong


def heartbeats(raw: Mapping[Any, Any]) -> dict[str, dict[str, object]]:
    """Instance → its heartbeat's fields; what is no heartbeat is left out."""
    beats: dict[str, dict[str, object]] = {}
    for name, value in raw.items():
        try:
            body = json.loads(value)
        except ValueError:
            continue
        if isinstance(body, dict):
            beats[text(name)] = body
    return beats
