"""What one agent has at a simulated venue beside its games: escrows, positions, orders, a history, a dead man's switch.

In the shapes of two venues: casino, escrow and trading services of `docs/venues.md`, and a plain REST exchange.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

CENT: Final = Decimal("0.01")
FEE: Final = Decimal("0.01")
SWEEP_S: Final = 300.0
Answer = tuple[int, Mapping[str, Any]]
_FROM: Final = {"complete": ("funded",), "release": ("funded", "completed"), "dispute": ("funded", "completed")}
_TO: Final = {"complete": "completed", "release": "released", "dispute": "disputed"}
"""What each party's act makes of an escrow, and of which statuses."""


@dataclass
class Escrow:
    """One escrow."""

    id: str
    amount: Decimal
    creator: str
    counterparty: str
    release_at: datetime
    status: str = "funded"
    ended_at: datetime | None = None
    created_at: datetime | None = None
    events: list[dict[str, str]] = field(default_factory=list)

    def moved(self, status: str, at: datetime) -> None:
        """It is of another status from now on."""
        self.status = status
        self.events.append({"type": status, "at": at.isoformat()})

    def at(self, status: str) -> str | None:
        """When it came to a status; None where it never did."""
        return next((one["at"] for one in self.events if one["type"] == status), None)


@dataclass
class Holdings:
    """An agent's account, apart from HTTP.

    Args:
        clock: the venue's; a test may set it wrong.
        balance: the money there.
        drift: added to every balance that is told, though nothing of it is there.
        pays: who is paid when an escrow's time is over: "counterparty" (released) or "creator" (refunded).
        sweep_s: seconds after its time when the sweep moves the money; below 0 it comes early.
        source: where positions are said to come from.
        monitor: whether what carries out stop orders runs.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    balance: Decimal = Decimal("1000.00")
    drift: Decimal = Decimal(0)
    pays: str = "counterparty"
    sweep_s: float = SWEEP_S
    source: str = "hyperliquid"
    monitor: bool = True
    escrows: dict[str, Escrow] = field(default_factory=dict)
    positions: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    executions: Counter[str] = field(default_factory=Counter)
    """Idempotency key → how often something was executed under it; of an escrow or a round, what was done to it."""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    deadline: datetime | None = None
    """When the dead man's switch falls; None where it is not armed."""
    signs: int = 0
    """Signs of life that it was given."""
    falls: int = 0

    def answer(self, method: str, path: str, query: str, body: Mapping[str, Any]) -> Answer | None:
        """Status and body; None where there is nothing at a path."""
        self._pass_time()
        if method == "GET":
            return self._read(path)
        match path.strip("/").split("/"):
            case ["escrow", "create"]:
                return self._create(body)
            case ["escrow", ("complete" | "release" | "dispute") as act, id_]:
                return self._move(act, id_)
            case ["games", "crash", "cash-out", id_]:
                return self._cash_out(id_)
            case ["v1", "orders"]:
                return self._order(body)
            case ["v1", "cancel-all-after"]:
                return self._sign(body)
        return None

    def _read(self, path: str) -> Answer | None:
        now = self.clock()
        told = float(self.balance + self.drift)
        match path.strip("/").split("/"):
            case ["api", "v1", "auth", "balance"]:
                return 200, {"agent_id": "agent", "balance_usd": told, "tier": "standard"}
            case ["api", "v1", "bets", "history"]:
                bets = [
                    {"bet_id": one["id"], "amount_bet": one["amount"], "created_at": one["at"]} for one in self.entries
                ]
                return 200, {"bets": bets}
            case ["escrow", id_]:
                one = self.escrows.get(id_)
                return (404, {"error": "not_found", "message": "no such escrow"}) if one is None else (200, _flea(one))
            case ["games", "crash", "rounds"]:
                return 200, {"rounds": self.rounds}
            case ["v1", "trade", "positions"]:
                return 200, {"positions": self.positions, "count": len(self.positions), "source": self.source}
            case ["v1", "trade", "limit-orders"]:
                return 200, {"orders": self.orders}
            case ["v1", "order-monitor"]:
                there = {"running": self.monitor, "interval_seconds": 5, "errors": 0, "last_check": now.isoformat()}
                return 200, {**there, "pending_orders": len(self.orders), "pending": len(self.orders)}
            case ["v1", "account"]:
                return 200, {"id": "agent"}
            case ["v1", "balance"]:
                return 200, {"available": f"{self.balance + self.drift:f}", "currency": "USD", "as_of": now.isoformat()}
            case ["v1", "escrows"]:
                return 200, {"escrows": [_plain(one) for one in self.escrows.values()]}
            case ["v1", "escrows", id_] if id_ in self.escrows:
                return 200, _plain(self.escrows[id_])
            case ["v1", "positions"]:
                names = {"position_id": "id", "coin": "symbol", "size_usd": "size"}
                items = [{names.get(name, name): value for name, value in one.items()} for one in self.positions]
                return 200, {"positions": items, "source": self.source}
            case ["v1", "orders"]:
                names = {"order_id": "id", "coin": "symbol", "size_usd": "size"}
                return 200, {"orders": [{names.get(n, n): v for n, v in one.items()} for one in self.orders]}
            case ["v1", "limits"]:
                return 200, {}
            case ["v1", "history"]:
                return 200, {"entries": self.entries}
        return None

    def add_escrow(
        self,
        amount: str,
        hours: float = 0.0,
        *,
        status: str = "funded",
        id_: str = "",
        release_at: datetime | None = None,
    ) -> str:
        """An escrow that ends in so many hours, or at a time; its id, which is made up if none is given."""
        id_ = id_ or f"esc_{secrets.token_hex(8)}"
        release_at = release_at or self.clock() + timedelta(hours=hours)
        self.escrows[id_] = Escrow(id_, Decimal(amount), "agent", "other", release_at, status, created_at=self.clock())
        return id_

    def add_round(self, id_: str, amount: Decimal, ends_at: datetime) -> None:
        """A round that is open until somebody cashes out, or its time is over."""
        times = {"opened_at": self.clock().isoformat(), "ends_at": ends_at.isoformat()}
        self.rounds.append({"round_id": id_, "game": "crash", "amount_bet": float(amount), "status": "open", **times})

    def add_position(self, id_: str | None, coin: str = "BTC", size: float = 100.0) -> None:
        """An open position; without an id it is nobody's."""
        self.positions.append({"position_id": id_, "coin": coin, "side": "long", "size_usd": size, "entry_price": 1.5})

    def add_order(self, id_: str, kind: str = "limit") -> None:
        """A pending order."""
        self.orders.append({"order_id": id_, "coin": "BTC", "size_usd": 10.0, "type": kind})

    def execute(self, key: str, amount: Decimal, pnl: Decimal = Decimal(0), status: str = "filled") -> str:
        """Do something under an idempotency key; whether it was done under it before is not asked, only counted."""
        self.executions[key] += 1
        id_ = f"ex_{secrets.token_hex(6)}"
        at = self.clock().isoformat()
        entry = {"id": id_, "client_id": key, "amount": float(amount), "pnl": float(pnl), "status": status, "at": at}
        self.entries.insert(0, entry)
        self.balance += pnl
        return id_

    def _create(self, body: Mapping[str, Any]) -> Answer:
        try:
            amount = Decimal(str(body["amount_usd"])).quantize(CENT)
            hours = int(body["timeout_hours"])
        except (LookupError, ValueError, TypeError, InvalidOperation):
            return 400, {"error": "invalid_request", "message": "amount_usd and timeout_hours are missing"}
        if amount < Decimal("0.10") or not 1 <= hours <= 720 or amount > self.balance:
            return 400, {"error": "invalid_amount", "message": "0.10 at the least, for 1 to 720 hours"}
        self.balance -= amount
        self.executions[str(body.get("description", ""))] += 1
        return 201, _flea(self.escrows[self.add_escrow(f"{amount:f}", hours)])

    def _move(self, act: str, id_: str) -> Answer:
        """What a party does to an escrow; what its status doesn't allow is refused."""
        one = self.escrows.get(id_)
        if one is None:
            return 404, {"error": "not_found", "message": "no such escrow"}
        if one.status not in _FROM[act]:
            return 409, {"error": "invalid_status", "message": f"It is {one.status}."}
        one.moved(_TO[act], self.clock())
        one.ended_at = self.clock() if act == "release" else None
        self.executions[f"{act} {id_}"] += 1
        return 200, _flea(one)

    def _cash_out(self, id_: str) -> Answer:
        """End a round; it pays what was staked."""
        one = next((each for each in self.rounds if each["round_id"] == id_), None)
        if one is None:
            return 404, {"error": "not_found", "message": "no such round"}
        if one["status"] != "open":
            return 409, {"error": "invalid_status", "message": f"It is {one['status']}."}
        one["status"] = "cashed out"
        self.executions[f"cash-out {id_}"] += 1
        return 200, one

    def _order(self, body: Mapping[str, Any]) -> Answer:
        try:
            key, amount = str(body["client_id"]), Decimal(str(body["amount"]))
        except (LookupError, InvalidOperation):
            return 400, {"error": "invalid_request", "message": "client_id and amount are missing"}
        return 201, {"id": self.execute(key, amount)}

    def _sign(self, body: Mapping[str, Any]) -> Answer:
        try:
            after_ms = int(str(body["timeout_ms"]))
        except (LookupError, ValueError):
            return 400, {"error": "invalid_request", "message": "timeout_ms is missing"}
        self.signs += 1
        self.deadline = self.clock() + timedelta(milliseconds=after_ms)
        return 200, {"triggers_at": self.deadline.isoformat()}

    def _pass_time(self) -> None:
        now = self.clock()
        for one in self.escrows.values():
            if one.status in ("funded", "completed") and now >= one.release_at + timedelta(seconds=self.sweep_s):
                one.moved("released" if self.pays == "counterparty" else "refunded", now)
                one.ended_at = now
                if self.pays == "creator":
                    self.balance += (one.amount * (1 - FEE)).quantize(CENT)
        for each in self.rounds:
            if each["status"] == "open" and now >= datetime.fromisoformat(each["ends_at"]):
                each["status"] = "crashed"
        if self.deadline is not None and now >= self.deadline:
            self.deadline, self.falls = None, self.falls + 1
            self.orders.clear()


def _flea(one: Escrow) -> dict[str, Any]:
    ended = one.ended_at.isoformat() if one.ended_at else None
    commission = (one.amount * FEE).quantize(CENT)
    return {
        "escrow_id": one.id,
        "amount_usd": float(one.amount),
        "commission_usd": float(commission),
        "net_to_counterparty": float(one.amount - commission),
        "creator_id": one.creator,
        "counterparty_id": one.counterparty,
        "status": one.status,
        "auto_release_at": one.release_at.isoformat(),
        "created_at": one.created_at.isoformat() if one.created_at else None,
        "completed_at": one.at("completed"),
        "released_at": ended,
        "disputed_at": one.at("disputed"),
        "events": one.events,
    }


def _plain(one: Escrow) -> dict[str, Any]:
    return {
        "id": one.id,
        "status": one.status,
        "amount": f"{one.amount:f}",
        "creator": one.creator,
        "counterparty": one.counterparty,
        "release_at": one.release_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }
