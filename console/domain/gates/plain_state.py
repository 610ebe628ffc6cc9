"""What a plain agent's state file says that gates ask for: read leniently, never more hopefully than it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import ORDERS, Thing, Unread
from console.domain.gates.facts import PlainEscrow, PlainState
from console.domain.text import clean
from console.domain.untrusted import moment
from console.domain.venue.values import amount_of

_DUE: Final = ("auto_release_at", "auto_release", "releases_at", "due", "expected_completion", "timeout_at")
_NAMES: Final = ("id", "escrow_id", "position_id", "order_id", "round_id", "symbol")
_AMOUNTS: Final = ("amount", "size", "stake", "amount_usd", "size_usd")
_LISTS: Final = {
    "open_positions": Kind.POSITION,
    "open_orders": Kind.LIMIT_ORDER,
    "pending_orders": Kind.LIMIT_ORDER,
    "open_rounds": Kind.ROUND,
    "rounds": Kind.ROUND,
}
"""Field → what it lists."""
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
        others=tuple(_others(document)),
        says=_says(document),
        unread=tuple(_unread(document)),
    )


def _unread(document: Mapping[str, Any]) -> Iterator[Unread]:
    """Fields that should list something and can't be read, or not to their end."""
    escrows = dict.fromkeys(("escrows", "escrow_ids"), Kind.ESCROW)
    for field, kind in {**_LISTS, **escrows}.items():
        value = document.get(field)
        many = isinstance(value, list | tuple | Mapping)
        if value is None or (kind is Kind.ROUND and not many and _count(value) is not None):
            continue
        kinds = ORDERS if kind in ORDERS else frozenset({kind})
        if not isinstance(value, list | tuple | Mapping):
            yield Unread(field, "it is no list", kinds)
        elif len(value) > MOST:
            yield Unread(field, f"{len(value)} entries, of which {MOST} are read", kinds)


def _says(document: Mapping[str, Any]) -> frozenset[Kind]:
    """Of what the file says all there is."""
    kinds = {kind for field, kind in _LISTS.items() if isinstance(document.get(field), list | tuple | Mapping)}
    kinds |= {Kind.STOP_ORDER} if Kind.LIMIT_ORDER in kinds else set()
    told = any(document.get(field) is not None for field in ("escrows", "escrow_ids"))
    return frozenset(kinds | ({Kind.ESCROW} if told else set()))


def _others(document: Mapping[str, Any]) -> Iterator[Thing]:
    """What is outstanding beside escrows; an entry that can't be read is one of which only its place is known."""
    for field, kind in _LISTS.items():
        for index, one in enumerate(_each(document.get(field)) if document.get(field) is not None else ()):
            place = f"{field} {index + 1}"
            if not isinstance(one, Mapping):
                if isinstance(document[field], list | tuple):  # a number says how many there are, and not which
                    yield Thing(str(clean(one, 200)) if isinstance(one, str | int) and one != "" else place, kind)
                continue
            name = next((one[n] for n in _NAMES if one.get(n) not in (None, "")), None)
            told = _stop(one) if kind is Kind.LIMIT_ORDER else kind
            due = next((at for at in (when(one.get(field)) for field in _DUE) if at is not None), None)
            yield Thing(
                str(clean(name, 200)) if isinstance(name, str | int) else place,
                told,
                _amount(one),
                str(clean(one.get("currency", ""), 16)),
                due,
                symbol=str(clean(one.get("symbol", ""), 64)),
            )


def _stop(order: Mapping[str, Any]) -> Kind:
    """Which kind of order it is, where the file says that it is protective."""
    return Kind.STOP_ORDER if order.get("protective") is True else Kind.LIMIT_ORDER


def _amount(entry: Mapping[str, Any]) -> Decimal | None:
    """How much, exactly; None where it doesn't say, or says what is no amount."""
    for field in _AMOUNTS:
        value = entry.get(field)
        try:
            if value is not None:
                return amount_of(Decimal(str(value)) if isinstance(value, float) else value)
        except ValueError:
            return None
    return None


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
                else seen._replace(due=seen.due or escrow.due, disputed=seen.disputed or escrow.disputed)
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
        return PlainEscrow(str(clean(one, 200)) if isinstance(one, str) else place)
    status = str(one.get("status", "")).lower()
    if status in _OVER:
        return None
    name = one.get("escrow_id", one.get("id"))
    due = next((at for at in (when(one.get(field)) for field in _DUE) if at is not None), None)
    disputed = status == "disputed" or one.get("disputed") is True or one.get("disputed_at") not in (None, "", False)
    id_ = str(clean(name, 200)) if name not in (None, "") else place
    return PlainEscrow(id_, due, disputed, _amount(one), str(clean(one.get("currency", ""), 16)))


def _rounds(document: Mapping[str, Any]) -> int | None:
    counts = (_count(document.get(field)) for field in ("open_rounds", "rounds"))
    return next((count for count in counts if count is not None), None)


def _count(value: object) -> int | None:
    """How many rounds, by a list or a number of them; None for anything else."""
    if isinstance(value, list | tuple | Mapping):
        return len(value)
    if isinstance(value, Decimal) and (not value.is_finite() or value != value.to_integral_value()):
        return None
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
