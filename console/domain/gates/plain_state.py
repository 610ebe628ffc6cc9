"""What a plain agent's state file says that gates ask for: read leniently, never more hopefully than it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from console.domain.gates.facts import PlainEscrow, PlainState
from console.domain.text import clean
from console.domain.untrusted import moment

_DUE: Final = ("auto_release_at", "auto_release", "releases_at", "due", "expected_completion", "timeout_at")
_OVER: Final = frozenset({"released", "refunded", "cancelled", "closed"})
MOST: Final = 10_000


def plain_state(document: object, file_written_at: datetime) -> PlainState | None:
    """The facts in a state file; None where it is no JSON object.

    Args:
        document: as parsed.
        file_written_at: the file's own time, for a document without one.
    """
    if not isinstance(document, Mapping):
        return None
    told = when(document.get("timestamp"))
    return PlainState(
        written_at=file_written_at if told is None else told,
        escrows=_escrows(document),
        rounds=_rounds(document),
        limits=any(document.get(name) is not None for name in ("rate_limit_tokens", "rate_limits")),
    )


def _escrows(document: Mapping[str, Any]) -> tuple[PlainEscrow, ...] | None:
    """Every escrow that either field names; where both name it, what is known of it is put together."""
    if document.get("escrows") is None and document.get("escrow_ids") is None:
        return None
    by_id: dict[str, PlainEscrow] = {}
    for field in ("escrows", "escrow_ids"):
        for index, one in enumerate(_each(document.get(field))):
            escrow = _escrow(one, f"{field} {index + 1}")
            if escrow is None:
                continue
            seen = by_id.get(escrow.id)
            by_id[escrow.id] = (
                escrow
                if seen is None
                else PlainEscrow(escrow.id, seen.due or escrow.due, seen.disputed or escrow.disputed)
            )
    return tuple(by_id.values())


def _each(value: object) -> Iterator[object]:
    """The entries of a list, or of a mapping from id to entry; one that is neither is one entry nobody can read."""
    if isinstance(value, Mapping):
        for name, inner in list(value.items())[:MOST]:
            yield {"id": name, **inner} if isinstance(inner, Mapping) else {"id": name, "due": inner}
    elif isinstance(value, list | tuple):
        yield from value[:MOST]
    elif value is not None:
        yield value


def _escrow(one: object, place: str) -> PlainEscrow | None:
    """An escrow; None for one that is over. An entry that can't be read is an escrow of which nothing is known."""
    if not isinstance(one, Mapping):
        return PlainEscrow(str(clean(one, 64)) if isinstance(one, str) else place)
    status = str(one.get("status", "")).lower()
    if status in _OVER:
        return None
    name = one.get("escrow_id", one.get("id"))
    due = next((at for at in (when(one.get(field)) for field in _DUE) if at is not None), None)
    disputed = status == "disputed" or one.get("disputed") is True or one.get("disputed_at") not in (None, "", False)
    return PlainEscrow(str(clean(name, 64)) if name not in (None, "") else place, due, disputed)


def _rounds(document: Mapping[str, Any]) -> int | None:
    for field in ("open_rounds", "rounds"):
        value = document.get(field)
        if isinstance(value, list | tuple | Mapping):
            return len(value)
        if isinstance(value, Decimal) and (not value.is_finite() or value != value.to_integral_value()):
            continue
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value < MOST:
            return int(value)
    return None


def when(value: object) -> datetime | None:
    """A moment: ISO 8601 with its zone, or seconds since 1970; None for anything else."""
    if isinstance(value, str):
        return moment(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC) if 0 < value < 253_402_300_800 else None
    except (ValueError, OverflowError, OSError, ArithmeticError):
        return None
