"""What stands at a venue, as plain records: health, balance, positions, orders, escrows, limits, what was done."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from console.domain.text import Safe
from console.domain.venue.reading import Reading


class Dependency(NamedTuple):
    """Something that the venue depends on, and what the venue says of it."""

    name: Safe
    says: Safe
    there: bool


class Health(NamedTuple):
    """What a service says of itself.

    Args:
        well: whether it says that it is, and every dependency is there.
        says: its own word.
        dependencies: what it depends on.
    """

    well: bool
    says: Safe
    dependencies: tuple[Dependency, ...] = ()


class Key(NamedTuple):
    """Whether the venue takes our key; `says` is whose it takes it for, where it tells."""

    valid: bool
    says: Safe = Safe("")


class Balance(NamedTuple):
    """The money at the venue.

    Args:
        amount: exact.
        currency: of it.
        as_of: the moment that the venue says it is of; None where it says none.
    """

    amount: Decimal
    currency: str
    as_of: datetime | None = None


class Position(NamedTuple):
    """One open position; without an id it is nobody's."""

    id: Safe | None
    symbol: Safe
    side: Safe
    size: Decimal
    entry_price: Decimal | None = None


class Order(NamedTuple):
    """One pending order; `protective` says whether it is one that limits a loss, where that can be told."""

    id: Safe | None
    symbol: Safe
    kind: Safe
    size: Decimal
    protective: bool | None = None


class Escrow(NamedTuple):
    """One escrow.

    Args:
        id: at the venue.
        status: the venue's word.
        amount, currency: how much is locked.
        open: whether the venue's word means that the money is still locked.
        disputed: whether it is locked without a deadline.
        creator, counterparty: who they are.
        release_at: when it ends by itself; None where it doesn't.
        ended_at: when it ended; None where the venue doesn't say.
        paid_to: "creator" or "counterparty", by its status; empty while it is open.
    """

    id: Safe
    status: Safe
    amount: Decimal
    currency: str
    open: bool
    disputed: bool = False
    creator: Safe = Safe("")
    counterparty: Safe = Safe("")
    release_at: datetime | None = None
    ended_at: datetime | None = None
    paid_to: str = ""


class Monitor(NamedTuple):
    """What carries out stop orders at the venue.

    Args:
        running: whether it does.
        last_check: when it looked last; None where it doesn't say.
        pending: orders that wait for it; None where it doesn't say.
        errors: that it counts; None where it doesn't.
    """

    running: bool
    last_check: datetime | None = None
    pending: int | None = None
    errors: int | None = None


class Limit(NamedTuple):
    """A rate limit as the venue counts it."""

    name: Safe
    remaining: int
    limit: int | None = None
    resets_at: datetime | None = None


class Act(NamedTuple):
    """Something that the venue says was done.

    Args:
        id: the venue's.
        key: our idempotency key, where the venue keeps it; empty where it doesn't.
        at: when; None where the venue doesn't say.
        amount: how much; None where the venue doesn't say.
        pnl: what it brought, where the venue says that.
        status: the venue's word.
    """

    id: Safe
    key: str
    at: datetime | None
    amount: Decimal | None
    pnl: Decimal | None = None
    status: Safe = Safe("")


class History(NamedTuple):
    """What was done at the venue.

    Args:
        acts: newest first or last, as the venue lists them.
        whole: whether it is all there was: fewer entries than were asked for.
    """

    acts: tuple[Act, ...]
    whole: bool


class Look(NamedTuple):
    """All that was read of a venue in one go; what the document has no probe for is None or not there.

    Args:
        venue: its name.
        at: when it began.
        health: by service.
        key: whether our key is taken.
        balance, positions, orders, monitor, history, limits: see there.
        escrows: one by one.
        listed: the ids of all open escrows, where the venue lists them.
    """

    venue: Safe
    at: datetime
    health: tuple[Reading[Health], ...] = ()
    key: Reading[Key] | None = None
    balance: Reading[Balance] | None = None
    positions: Reading[tuple[Position, ...]] | None = None
    orders: Reading[tuple[Order, ...]] | None = None
    monitor: Reading[Monitor] | None = None
    limits: Reading[tuple[Limit, ...]] | None = None
    history: Reading[History] | None = None
    escrows: tuple[Reading[Escrow], ...] = ()
    listed: Reading[tuple[Escrow, ...]] | None = None

    def readings(self) -> tuple[Reading[object], ...]:
        """Every reading, in the order in which people look at them."""
        one = (
            self.key,
            self.balance,
            self.positions,
            self.orders,
            self.monitor,
            self.limits,
            self.history,
            self.listed,
        )
        return (*self.health, *(each for each in one if each is not None), *self.escrows)
