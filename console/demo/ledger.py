"""What was played at the simulated venue, as its history and its ledger tell it: the newest, and no more than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

HISTORY: Final = 200
LINES: Final = 50
RECENT: Final = 10


class _Bet(NamedTuple):
    """A settled bet, the money there afterwards, and when."""

    bet: Mapping[str, Any]
    balance_after: float
    at: str


class Ledger:
    """One account's bets and movements of money, newest first."""

    def __init__(self) -> None:
        self._bets: deque[_Bet] = deque(maxlen=HISTORY)

    def settle(self, bet: Mapping[str, Any], balance_after: float, at: str) -> None:
        """Write a settled bet down.

        Args:
            bet: as it was answered.
            balance_after: the money there afterwards.
            at: when, in ISO 8601.
        """
        self._bets.appendleft(_Bet(bet, balance_after, at))

    def recent(self) -> list[dict[str, Any]]:
        """What the balance says beside the money."""
        names = {"type": "type", "amount": "amount", "balance_after": "balanceAfter", "reason": "reference"}
        picked = [_line(one) for one in [*self._bets][:RECENT]]
        return [
            {**{ours: one[theirs] for ours, theirs in names.items()}, "service": "casino", "at": one["createdAt"]}
            for one in picked
        ]

    def lines(self) -> dict[str, Any]:
        """The newest movements of money."""
        return {"entries": [_line(one) for one in [*self._bets][:LINES]]}

    def history(self, query: str) -> dict[str, Any]:
        """Bets, as a query wants them: `game`, `outcome`, `since` (ISO 8601), `limit` up to 200, `offset`.

        Raises:
            ValueError: it is no such query.
        """
        wanted = {name: values[-1] for name, values in parse_qs(query).items()}
        limit, offset = int(wanted.get("limit", HISTORY)), int(wanted.get("offset", 0))
        if not 0 < limit <= HISTORY or offset < 0:
            raise ValueError(f"limit is 1 to {HISTORY}, offset 0 or more")
        since = datetime.fromisoformat(wanted["since"]) if "since" in wanted else None
        told = [{**one.bet, "outcome": "won" if one.bet["won"] else "lost", "created_at": one.at} for one in self._bets]
        bets = [
            one
            for one in told
            if wanted.get("game", one["game"]) == one["game"]
            and wanted.get("outcome", one["outcome"]) == one["outcome"]
            and (since is None or datetime.fromisoformat(one["created_at"]) >= since)
        ]
        return {"bets": bets[offset : offset + limit], "count": len(bets)}


def _line(one: _Bet) -> dict[str, Any]:
    """What a bet moved."""
    moved = round(one.bet["amount_won"] - one.bet["amount_bet"], 2)
    return {
        "id": f"led_{str(one.bet['bet_id']).removeprefix('bet_')}",
        "type": "credit" if moved >= 0 else "debit",
        "amount": abs(moved),
        "balanceAfter": one.balance_after,
        "reason": f"{one.bet['game']} {'win' if one.bet['won'] else 'loss'}",
        "reference": one.bet["bet_id"],
        "service": "casino",
        "createdAt": one.at,
    }
