"""What the demo's agents owe beside their games: two escrows, a round that is open, and a rate limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

SOON: Final = timedelta(minutes=20)
LATER: Final = timedelta(hours=26)
ROUND_LASTS: Final = timedelta(minutes=3)
"""How long the open round is open."""
RATE_LIMIT: Final = 60
"""Requests a minute that the venue allows."""


class Escrow(NamedTuple):
    """One escrow of the demo.

    Args:
        id: the venue's.
        amount: in USD.
        release_at: when the venue pays the counterparty by itself; aware UTC.
    """

    id: str
    amount: Decimal
    release_at: datetime


def escrows(began_s: float) -> tuple[Escrow, Escrow]:
    """Both, as they were opened when the demo began, in epoch seconds: one is paid out in twenty minutes."""
    began = datetime.fromtimestamp(began_s, UTC)
    return (
        Escrow("esc_soon", Decimal("12.50"), began + SOON),
        Escrow("esc_later", Decimal("40.00"), began + LATER),
    )


def plain_state(began_s: float, now_s: float) -> dict[str, Any]:
    """What a plain agent's state file says of them; what is over is not in it any more."""
    now = datetime.fromtimestamp(now_s, UTC)
    left = [one for one in escrows(began_s) if one.release_at > now]
    return {
        "escrow_ids": [one.id for one in left],
        "escrows": [
            {
                "id": one.id,
                "amount": str(one.amount),
                "currency": "USD",
                "role": "creator",
                "status": "funded",
                "auto_release_at": one.release_at.isoformat(),
            }
            for one in left
        ],
        "open_rounds": int(now < datetime.fromtimestamp(began_s, UTC) + ROUND_LASTS),
    }
