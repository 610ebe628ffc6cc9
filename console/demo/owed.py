"""What the demo's agents owe beside their games: two escrows, a round, a position and an order that are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.demo.holdings import Holdings
from console.domain.commitments.commitment import Kind

CURRENCY: Final = "USD"
SOON: Final = timedelta(minutes=20)
LATER: Final = timedelta(hours=26)
ROUND_LASTS: Final = timedelta(minutes=3)
"""How long the open round is open."""
ESCROWS: Final = {"esc_soon": (Decimal("12.50"), SOON), "esc_later": (Decimal("40.00"), LATER)}
"""Id at the venue → amount, and when the venue pays the counterparty by itself."""
ROUND: Final = "round_open"
POSITION: Final = "pos_btc"
ORDER: Final = "ord_dip"
OPEN: Final = frozenset({"funded", "completed", "disputed", "open"})
"""The venue's words for what is not over."""

Call = Callable[[str, str], tuple[int, Mapping[str, Any]]]
"""Method and path → status and body."""


class Thing(NamedTuple):
    """One thing that is owed, as the venue has it.

    Args:
        id: the venue's.
        kind: what it is.
        amount: in USD.
        status: the venue's word.
        due: when it ends by itself; None for never.
    """

    id: str
    kind: Kind
    amount: Decimal
    status: str
    due: datetime | None = None


def owe(holdings: Holdings, began_s: float) -> None:
    """Have an account at the venue owe it all, as if it had been opened when the demo began, in epoch seconds."""
    began = datetime.fromtimestamp(began_s, UTC)
    for name, (amount, ends) in ESCROWS.items():
        holdings.add_escrow(f"{amount}", id_=name, release_at=began + ends)
    holdings.add_round(ROUND, Decimal("1.00"), began + ROUND_LASTS)
    holdings.add_position(POSITION)
    holdings.add_order(ORDER)


def ask(call: Call) -> tuple[Thing, ...] | None:
    """What the venue says of all that is not over; None where it doesn't say all of it: unknown, and not nothing.

    The venue lists no escrows, so which there are is kept on our side.
    """
    things = []
    for name in ESCROWS:
        status, one = call("GET", f"/escrow/{name}")
        if status != 200:
            return None
        due = datetime.fromisoformat(one["auto_release_at"])
        things.append(Thing(name, Kind.ESCROW, Decimal(str(one["amount_usd"])), one["status"], due))
    for path, field, made in _LISTS:
        status, listed = call("GET", path)
        if status != 200:
            return None
        things += [made(one) for one in listed[field]]
    return tuple(one for one in things if one.status in OPEN)


def _round(one: Mapping[str, Any]) -> Thing:
    ends = datetime.fromisoformat(one["ends_at"])
    return Thing(one["round_id"], Kind.ROUND, Decimal(str(one["amount_bet"])), one["status"], ends)


def _position(one: Mapping[str, Any]) -> Thing:
    return Thing(str(one["position_id"]), Kind.POSITION, Decimal(str(one["size_usd"])), "open")


def _order(one: Mapping[str, Any]) -> Thing:
    return Thing(str(one["order_id"]), Kind.LIMIT_ORDER, Decimal(str(one["size_usd"])), "open")


_LISTS: Final = (
    ("/games/crash/rounds", "rounds", _round),
    ("/v1/trade/positions", "positions", _position),
    ("/v1/trade/limit-orders", "orders", _order),
)


def plain_state(things: tuple[Thing, ...]) -> dict[str, Any]:
    """What a plain agent's state file says of them."""
    return {
        "escrow_ids": [one.id for one in things if one.kind is Kind.ESCROW],
        "escrows": [
            {**_told(one), "role": "creator", "status": one.status, "auto_release_at": one.due and one.due.isoformat()}
            for one in things
            if one.kind is Kind.ESCROW
        ],
        "open_rounds": [
            {**_told(one), "due": one.due and one.due.isoformat()} for one in things if one.kind is Kind.ROUND
        ],
        "open_positions": [_told(one) for one in things if one.kind is Kind.POSITION],
        "open_orders": [_told(one) for one in things if one.kind is Kind.LIMIT_ORDER],
    }


def _told(one: Thing) -> dict[str, Any]:
    return {"id": one.id, "amount": str(one.amount), "currency": CURRENCY}
