"""From a venue's answer to plain records: what is missing or of another kind makes the whole reading unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from console.domain.text import Safe, clean
from console.domain.venue import things
from console.domain.venue.reading import Why
from console.domain.venue.values import MISSING, amount_of, at_pointer, moment_of
from console.venue import endpoints

T = TypeVar("T")


class Unfit(Exception):  # noqa: N818 - a state of an answer
    """An answer that says nothing that may be used.

    Args:
        why: as in a reading.
        detail: in words.
    """

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


def check_source(probe: endpoints.Endpoint, document: Any) -> None:
    """Whether the answer is the venue's own, and not out of its memory.

    Raises:
        Unfit: it isn't, or it does not say although it should.
    """
    if probe.source is not None:
        _refuse_stale(at_pointer(document, probe.source), probe)


def _refuse_stale(source: object, probe: endpoints.Endpoint) -> None:
    if source is MISSING:
        raise Unfit(Why.MISSING_FIELD, f"nothing at {probe.source}, which says where it comes from")
    if not isinstance(source, str) or source in probe.stale_sources:
        raise Unfit(Why.STALE_SOURCE, f"it comes from {clean(source, 40)!r}")


def health(probe: endpoints.Health, document: Any) -> things.Health:
    """What a service says of itself and of what it depends on."""
    says = Safe("it answers") if probe.status is None else _text(document, probe.status, "its status", 40)
    dependencies = []
    for name, pointer in probe.dependencies.items():
        value = at_pointer(document, pointer)
        if value is MISSING:
            raise Unfit(Why.MISSING_FIELD, f"nothing at {pointer}, which says how {name} is")
        there = value is True or (isinstance(value, str) and value in probe.there)
        dependencies.append(things.Dependency(clean(name, 64), clean(value, 40), there))
    well = (probe.status is None or says in probe.well) and all(one.there for one in dependencies)
    return things.Health(well, says, tuple(dependencies))


def key(probe: endpoints.KeyProbe, document: Any) -> things.Key:
    """That the key was taken, and whose the venue takes it for."""
    return things.Key(True, Safe("") if probe.whose is None else _text(document, probe.whose, "whose key it is", 64))


def balance(
    probe: endpoints.BalanceProbe, document: Any, currency: str, at: datetime, fresh_s: float
) -> things.Balance:
    """The balance; one that says of itself that it is older than `fresh_s` seconds is too old."""
    says = currency if probe.currency is None else str(_text(document, probe.currency, "its currency", 16))
    if says != currency:
        raise Unfit(Why.MALFORMED, f"it is in {says}, not in {currency}")
    amount = _amount(document, probe.amount, "the amount")
    as_of = None if probe.as_of is None else _moment(document, probe.as_of, "its moment")
    if as_of is not None and (at - as_of).total_seconds() > fresh_s:
        raise Unfit(Why.TOO_OLD, f"it is the balance of {as_of.isoformat(timespec='seconds')}")
    if as_of is not None and (as_of - at).total_seconds() > fresh_s:
        raise Unfit(Why.CLOCK_SKEW, f"it is the balance of {as_of.isoformat(timespec='seconds')}, which is to come")
    return things.Balance(amount, currency, as_of)


def positions(probe: endpoints.PositionsProbe, document: Any) -> tuple[things.Position, ...]:
    """Open positions; one whose id is null has none."""
    items = _all_items(document, probe.items, probe)
    if probe.count is not None:
        count = _whole(document, probe.count, "their number")
        if count != len(items):
            raise Unfit(Why.MALFORMED, f"it says {count} and lists {len(items)}")
    made = []
    for item in items:
        if probe.item_source is not None and (source := at_pointer(item, probe.item_source)) is not MISSING:
            _refuse_stale(source, probe)
        made.append(
            things.Position(
                _id_or_null(item, probe.id),
                _text(item, probe.symbol, "its symbol", 40),
                Safe("") if probe.side is None else _text(item, probe.side, "its side", 16),
                _amount(item, probe.size, "its size"),
                _optional(item, probe.entry_price, _amount, "its price"),
            )
        )
    return _apart(tuple(made))


def orders(probe: endpoints.OrdersProbe, document: Any) -> tuple[things.Order, ...]:
    """Pending orders."""
    made = []
    for item in _all_items(document, probe.items, probe):
        kind = Safe("") if probe.kind is None else _text(item, probe.kind, "its kind", 24)
        protective = kind in probe.protective if probe.kind is not None and probe.protective else None
        size = _amount(item, probe.size, "its size")
        symbol = _text(item, probe.symbol, "its symbol", 40)
        made.append(things.Order(_id_or_null(item, probe.id), symbol, kind, size, protective))
    return _apart(tuple(made))


def monitor(probe: endpoints.MonitorProbe, document: Any) -> things.Monitor:
    """What carries out stop orders."""
    running = _there(document, probe.running, "whether it runs")
    if not isinstance(running, bool):
        raise Unfit(Why.MALFORMED, "whether it runs is neither true nor false")
    last = at_pointer(document, probe.last_check) if probe.last_check else MISSING
    return things.Monitor(
        running,
        None if last is MISSING or last is None else _moment(document, str(probe.last_check), "its last look"),
        _optional(document, probe.pending, _whole, "what waits for it"),
        _optional(document, probe.errors, _whole, "its errors"),
    )


def limits(
    probe: endpoints.LimitsProbe, document: Any, headers: Mapping[str, str], at: datetime
) -> tuple[things.Limit, ...]:
    """Rate-limit counters, as the answer or its headers say them."""
    if probe.remaining is not None:
        rest = _whole(document, probe.remaining, "what is left")
        limit = _optional(document, probe.limit, _whole, "the limit")
        resets = _optional(document, probe.resets_at, _moment, "when it begins anew")
        return (things.Limit(clean(probe.rate, 64), rest, limit, resets),)
    left = headers.get((probe.remaining_header or "").lower())
    whole = headers.get(probe.limit_header.lower()) if probe.limit_header else None
    if left is None:
        raise Unfit(Why.MISSING_FIELD, f"no header {probe.remaining_header}")
    for value in (left, whole):
        if value is not None and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise Unfit(Why.MALFORMED, "a header that is no whole number")
    reset = headers.get(probe.resets_header.lower()) if probe.resets_header else None
    resets_at = None if reset is None else _reset(reset, at)
    return (things.Limit(clean(probe.rate, 64), int(left), None if whole is None else int(whole), resets_at),)


def _reset(text: str, at: datetime) -> datetime:
    """Seconds from now where the number is small, else a moment."""
    if text.isascii() and text.isdigit() and len(text) < 14:
        return at + timedelta(seconds=int(text)) if int(text) < 1_000_000_000 else moment_of(int(text))
    try:
        return moment_of(text)
    except ValueError as error:
        raise Unfit(Why.MALFORMED, "a header that is no time") from error


def escrow(probe: endpoints.EscrowProbe, document: Any, currency: str, wanted: str = "") -> things.Escrow:
    """One escrow; the one that was asked for, where one was."""
    id_ = _text(document, probe.id, "its id", 200)
    if wanted and id_ != wanted:
        raise Unfit(Why.MALFORMED, f"it is {id_}, which is not what was asked for")
    status = _text(document, probe.status, "its status", 40)
    ended = next((v for p in probe.ended_at if (v := at_pointer(document, p)) is not MISSING and v is not None), None)
    paid = "counterparty" if status in probe.paid_counterparty else "creator" if status in probe.paid_creator else ""
    is_open = status in probe.open
    if not is_open and not paid:
        raise Unfit(Why.MALFORMED, f"its status is {status}, of which the document says nothing")
    return things.Escrow(
        id=id_,
        status=status,
        amount=_amount(document, probe.amount, "its amount"),
        currency=currency,
        open=is_open,
        disputed=status in probe.disputed,
        creator=_optional(document, probe.creator, _short_text, "its creator") or Safe(""),
        counterparty=_optional(document, probe.counterparty, _short_text, "its counterparty") or Safe(""),
        release_at=_optional(document, probe.release_at, _moment, "its end"),
        ended_at=None if is_open or ended is None else _checked(moment_of, ended, "its end"),
        paid_to=paid,
    )


def escrows(probe: endpoints.EscrowProbe, document: Any, currency: str) -> tuple[things.Escrow, ...]:
    """Every escrow of a list."""
    assert probe.items is not None
    return _apart(tuple(escrow(probe, item, currency) for item in _all_items(document, probe.items, probe)))


def history(probe: endpoints.HistoryProbe, document: Any) -> things.History:
    """What was done."""
    items = _items(document, probe.items)
    acts = []
    for item in items:
        key_ = MISSING if probe.key is None else at_pointer(item, probe.key)
        acts.append(
            things.Act(
                _text(item, probe.id, "its id", 200),
                key_ if isinstance(key_, str) else "",
                _optional(item, probe.at, _moment, "its time"),
                _optional(item, probe.amount, _amount, "its amount"),
                _optional(item, probe.pnl, _amount, "what it brought"),
                Safe("") if probe.status is None else _text(item, probe.status, "its status", 40),
            )
        )
    return things.History(tuple(acts), len(items) < probe.most)


# -- single values -----------------------------------------------------------------------------------------------------


def _there(document: Any, pointer: str, what: str) -> Any:
    value = at_pointer(document, pointer)
    if value is MISSING or value is None:
        raise Unfit(Why.MISSING_FIELD, f"nothing at {pointer or 'the top'}, where {what} should stand")
    return value


def _checked(make: Callable[[Any], T], value: object, what: str) -> T:
    try:
        return make(value)
    except (ValueError, OverflowError) as error:
        raise Unfit(Why.MALFORMED, f"{what} is {clean(value, 40)!r}") from error


def _amount(document: Any, pointer: str, what: str) -> Decimal:
    return _checked(amount_of, _there(document, pointer, what), what)


def _moment(document: Any, pointer: str, what: str) -> datetime:
    return _checked(moment_of, _there(document, pointer, what), what)


def _whole(document: Any, pointer: str, what: str) -> int:
    value = _there(document, pointer, what)
    if type(value) is not int or not 0 <= value < 1 << 60:
        raise Unfit(Why.MALFORMED, f"{what} is {clean(value, 40)!r}")
    return value


def _text(document: Any, pointer: str, what: str, most: int) -> Safe:
    value = _there(document, pointer, what)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value) or len(str(value)) > most:
        raise Unfit(Why.MALFORMED, f"{what} is {clean(value, 40)!r}")
    return clean(value, most)


def _short_text(document: Any, pointer: str, what: str) -> Safe:
    return _text(document, pointer, what, 64)


def _id_or_null(item: Any, pointer: str) -> Safe | None:
    """An id; None where it is null or empty, but it has to be there."""
    value = at_pointer(item, pointer)
    if value is None or value == "":
        return None
    return _text(item, pointer, "its id", 200)


def _optional(document: Any, pointer: str | None, read: Callable[[Any, str, str], T], what: str) -> T | None:
    """What may be missing or null, but is of its kind where it is there."""
    if pointer is None or at_pointer(document, pointer) in (MISSING, None):
        return None
    return read(document, pointer, what)


def _items(document: Any, pointer: str) -> list[Any]:
    value = _there(document, pointer, "the list")
    if not isinstance(value, list):
        raise Unfit(Why.MALFORMED, f"at {pointer or 'the top'} is no list")
    return value


def _all_items(document: Any, pointer: str, probe: endpoints.Listed) -> list[Any]:
    """A list that is all there is.

    Raises:
        Unfit: it is no list, or the answer says that there is more of it.
    """
    items = _items(document, pointer)
    more = MISSING if probe.more is None else at_pointer(document, probe.more)
    if more is not MISSING and more not in (None, False, "", 0):
        raise Unfit(Why.TOO_LARGE, f"it lists {len(items)}, and says that there is another page")
    return items


Identified = TypeVar("Identified", things.Position, things.Order, things.Escrow)


def _apart(items: tuple[Identified, ...]) -> tuple[Identified, ...]:
    """Items of which no two have the same id.

    Raises:
        Unfit: two have.
    """
    every: list[Safe | None] = [item.id for item in items]
    ids = [one for one in every if one is not None]
    if len(set(ids)) != len(ids):
        raise Unfit(Why.MALFORMED, "two items have the same id")
    return items
