"""A simulated venue over real HTTP: balances, three games, and its own count of what each version executed.

Its answers have the shape of a real venue's, amounts as JSON numbers included. It listens on the loopback interface
only and takes one key.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import secrets
import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from console.demo import leash
from console.demo.games import CENT, MINIMUM_BET, BadBetError, play
from console.demo.requests import read_request

VERSION: Final = "1.0.0-simulated"
START_BALANCE: Final = Decimal("1000.00")
MAX_LATENCY_S: Final = 0.030
MIN_LATENCY_S: Final = 0.004

Answer = tuple[int, Mapping[str, Any]]
_REASONS: Final = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 404: "Not Found"}


@dataclass
class Account:
    """One agent's money at the venue; both of its versions play on it."""

    balance: Decimal = START_BALANCE
    wagered: Decimal = Decimal(0)
    won: Decimal = Decimal(0)
    recent: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=10))


class Venue:
    """The venue's rules, apart from HTTP.

    Args:
        key: the one API key that is let in.
        seed: of all chance.
    """

    def __init__(self, key: str, seed: int) -> None:
        self._key = key
        self._dice = random.Random(seed)  # noqa: S311 - a game, and repeatable on purpose
        self._seed_hash = hashlib.sha256(str(seed).encode()).hexdigest()
        self._started = time.monotonic()
        self._accounts: dict[str, Account] = {}
        self.executions: Counter[str] = Counter()

    def latency_s(self) -> float:
        """How long the next answer takes."""
        return self._dice.uniform(MIN_LATENCY_S, MAX_LATENCY_S)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Status and body for one request."""
        if (method, path) == ("GET", "/health"):
            return 200, self._health()
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self._key.encode()):
            return 401, _error("unauthorized", "The API key is missing or wrong.", "Send Authorization: Bearer KEY.")
        account = self._accounts.setdefault(headers.get("x-agent-id", "agent")[:64], Account())
        if (method, path) == ("GET", "/api/v1/auth/balance"):
            return 200, self._balance(headers.get("x-agent-id", "agent")[:64], account)
        if (method, path) == ("GET", "/executions"):
            return 200, {"by_version": dict(self.executions)}
        if method == "POST" and path.startswith("/games/"):
            return self._game(path.removeprefix("/games/"), account, headers.get("x-agent-version", "?")[:64], body)
        return 404, _error("not_found", f"There is nothing at {path[:80]}.", "See GET /health.")

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "service": "simulated-casino",
            "version": VERSION,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "database": "connected",
            "registered_agents": len(self._accounts),
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def _balance(self, agent: str, account: Account) -> dict[str, Any]:
        return {
            "agent_id": agent,
            "balance_usd": float(account.balance),
            "tier": "standard",
            "risk_factor": 1.0,
            "lifetime": {"wagered": float(account.wagered), "won": float(account.won)},
            "recent_activity": list(account.recent),
        }

    def _game(self, game: str, account: Account, version: str, body: bytes) -> Answer:
        try:
            bet = json.loads(body or b"{}")
            amount = Decimal(str(bet["amount"])).quantize(CENT)
        except (ValueError, TypeError, LookupError, InvalidOperation, RecursionError):
            return 400, _error("invalid_request", "The body is no bet.", 'Send {"amount": 0.50, …} as JSON.')
        if not amount.is_finite() or amount < MINIMUM_BET:
            return 400, _error("invalid_amount", f"The minimum is {MINIMUM_BET}.", "Bet more.")
        if amount > account.balance:
            return 402, _error("insufficient_balance", f"The balance is {account.balance}.", "Bet less.")
        try:
            played = play(game, bet, amount, self._dice)
        except BadBetError as error:
            return 400, _error("invalid_bet", f"{error}.", "See the game's rules.")
        account.balance += played.amount_won - amount
        account.wagered += amount
        account.won += played.amount_won
        self.executions[version] += 1
        bet_id = f"bet_{uuid.UUID(int=self._dice.getrandbits(128), version=4)}"
        account.recent.appendleft(
            {
                "type": "win" if played.won else "loss",
                "amount": float(played.amount_won - amount),
                "balance_after": float(account.balance),
                "reason": bet_id,
                "service": "casino",
                "at": datetime.now(UTC).isoformat(),
            }
        )
        return 200, {
            "bet_id": bet_id,
            "game": game,
            "amount_bet": float(amount),
            "result": played.result,
            "won": played.won,
            "payout_multiplier": float(played.multiplier),
            "amount_won": float(played.amount_won),
            "new_balance": float(account.balance),
            "proof": {"server_seed_hash": self._seed_hash, "nonce": self.executions.total()},
        }


def _error(code: str, message: str, suggestion: str) -> dict[str, str]:
    return {"error": code, "message": message, "suggestion": suggestion}


async def converse(venue: Venue, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One HTTP/1.1 connection, kept alive until the other side closes it or sends what is no request."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            asked = await read_request(reader)
            if asked is None:
                break
            await asyncio.sleep(venue.latency_s())
            status, answer = venue.answer(asked.method, asked.target.partition("?")[0], asked.headers, asked.body)
            payload = json.dumps(answer).encode()
            writer.write(
                f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(payload)}\r\n\r\n".encode()
                + payload
            )
            await writer.drain()
    writer.close()


async def serve(venue: Venue, port: int = 0) -> None:
    """Listen on a port, 0 for a free one, print it as one line, and serve until cancelled."""
    server = await asyncio.start_server(lambda reader, writer: converse(venue, reader, writer), "127.0.0.1", port)
    os.write(1, f"{server.sockets[0].getsockname()[1]}\n".encode())
    async with server:
        await server.serve_forever()


def main() -> None:
    """`python -m console.demo.venue --key KEY --seed N [--port N]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--leash", default="")
    given = parser.parse_args()
    leash.hold(given.leash)
    asyncio.run(serve(Venue(given.key, given.seed), given.port))


if __name__ == "__main__":
    main()
