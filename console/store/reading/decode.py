"""What the store's replies mean, whatever they hold: nothing here raises on data, and every text comes out safe."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from console.domain.fence.deployment import ActiveKey, Authority, Instance, Slot, read_active
from console.domain.text import Safe, clean
from console.store.fence import replies

MAX_HEARTBEAT: Final = 16_384
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def text(value: bytes | str) -> str:
    """Bytes as text; what is no UTF-8 is replaced."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def exact_text(value: bytes) -> str:
    """Bytes as text from which the same bytes can be had again: what is no UTF-8 becomes surrogate escapes."""
    return value.decode("utf-8", "surrogateescape")


def active_key(kind: bytes | str, value: bytes | None) -> ActiveKey:
    """The plain key from its type and its text."""
    named = text(kind)
    if named == "none":
        return read_active(None)
    if named != "string" or value is None:
        return read_active(None, wrong_type=named)
    return read_active(text(value))


def authority(values: Sequence[Any], in_flight: object, unended: object) -> tuple[Authority | None, str]:
    """The authority from its hash's fields (`replies.authority_fields`), and what is wrong with them, if anything."""
    flying = in_flight if isinstance(in_flight, int) else 0
    open_claims = unended if isinstance(unended, int) else 0
    try:
        return replies.authority(values, flying, open_claims), ""
    except (ValueError, TypeError, LookupError) as error:
        return None, f"the control hash can't be read ({error})"


def server_time(seconds: object, microseconds: object) -> datetime:
    """The reply to TIME."""
    return datetime.fromtimestamp(int(str(seconds)), UTC).replace(microsecond=int(str(microseconds)))


def instances(found: Mapping[bytes, bytes], *, exact: bool = False) -> tuple[Instance, ...]:
    """Every instance from the hash of heartbeats, by slot and name.

    Args:
        found: the hash.
        exact: leave name and version as they are, to be held against other records; neither is safe to draw then.
    """
    decoded = [instance(name, value, exact=exact) for name, value in found.items()]
    return tuple(sorted(decoded, key=lambda one: (one.slot or "~", one.name)))


def instance(name: bytes, value: bytes, *, exact: bool = False) -> Instance:
    """One heartbeat; where it can't be read, an instance without slot whose `info` says so."""
    safe_name = Safe(text(name)) if exact else clean(name, 64)
    try:
        if len(value) > MAX_HEARTBEAT:
            raise ValueError(f"{len(value)} bytes")  # noqa: TRY301 - one way out for everything unreadable
        beat = json.loads(value)
        if isinstance(beat, list):
            beat = dict(zip(("slot", "epoch", "ms", "info"), beat, strict=False))
        if not isinstance(beat, dict):
            raise TypeError("not an object")  # noqa: TRY301
    except (ValueError, TypeError, RecursionError) as error:
        info = clean(f"unreadable heartbeat: {error}", 120)
        return Instance(safe_name, None, Safe(""), 0, _EPOCH, info=info)
    slot = beat.get("slot")
    told = str(beat.get("info") or "")
    if beat.get("ready") is False:
        told = f"not ready: {told}" if told else "not ready"
    return Instance(
        name=safe_name,
        slot=Slot(slot) if slot in ("blue", "green") else None,
        version=Safe(_scalar(beat.get("version"))) if exact else clean(_scalar(beat.get("version")), 64),
        epoch_seen=_count(beat.get("epoch")),
        heartbeat_at=server_moment(beat.get("ms")),
        in_flight=_count(beat.get("in_flight")),
        in_doubt=_count(beat.get("in_doubt")),
        info=clean(told, 256),
        manifest=clean(_scalar(beat.get("manifest")), 64),
    )


def _scalar(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _count(value: object) -> int:
    """A whole number of at least 0 from a JSON number or its text; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 1e18:
        return int(value)
    return 0


def server_moment(value: object) -> datetime:
    """Milliseconds of the server's clock as a time; the epoch's begin where they are none."""
    try:
        return datetime.fromtimestamp(_count(value) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return _EPOCH
