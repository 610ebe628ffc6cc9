"""A simulated venue over real HTTP: three games, escrows, positions, orders, a dead man's switch, a rate limit.

Its answers have the shape of a real venue's, amounts as JSON numbers included. It listens on the loopback interface
only, takes one key, and keeps its own count of what each version executed.
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
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from console.demo import leash
from console.demo.games import CENT, MINIMUM_BET, BadBetError, play
from console.demo.holdings import Holdings
from console.demo.ledger import Ledger
from console.demo.limit import Limit
from console.demo.owed import owe
from console.demo.requests import read_request

VERSION: Final = "1.0.0-simulated"
MAX_LATENCY_S: Final = 0.030
MIN_LATENCY_S: Final = 0.004

Answer = tuple[int, Mapping[str, Any]]
_REASONS: Final = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


@dataclass
class Account:
    """What the agent played; both of its versions play on it."""

    wagered: Decimal = Decimal(0)
    won: Decimal = Decimal(0)
    ledger: Ledger = field(default_factory=Ledger)


class Venue:
    """The venue's rules, apart from HTTP.

    Args:
        key: the one API key that is let in.
        seed: of all chance.
        began_s: when what the agent owes was opened, in epoch seconds; None for an agent that owes nothing.
    """

    def __init__(self, key: str, seed: int, began_s: float | None = None) -> None:
        self._key = key
        self._dice = random.Random(seed)  # noqa: S311 - a game, and repeatable on purpose
        self._seed_hash = hashlib.sha256(str(seed).encode()).hexdigest()
        self._started = time.monotonic()
        self._account = Account()
        self.holdings = Holdings()
        self.limit = Limit()
        self.executions: Counter[str] = Counter()
        if began_s is not None:
            owe(self.holdings, began_s)

    def latency_s(self) -> float:
        """How long the next answer takes."""
        return self._dice.uniform(MIN_LATENCY_S, MAX_LATENCY_S)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Status and body for one request."""
        path, _, query = path.partition("?")
        if (method, path) == ("GET", "/health"):
            return 200, self._health()
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self._key.encode()):
            return 401, _error("unauthorized", "The API key is missing or wrong.", "Send Authorization: Bearer KEY.")
        match method, path:
            case "GET", "/api/v1/auth/balance":
                return 200, self._balance()
            case "GET", "/api/v1/auth/ledger":
                return 200, self._account.ledger.lines()
            case "GET", "/api/v1/bets/history":
                return self._history(query)
            case "GET", "/executions":
                return 200, {"by_version": dict(self.executions), "owed": dict(self.holdings.executions)}
            case "POST", str(game) if game.startswith("/games/") and game.count("/") == 2:
                return self._game(path.removeprefix("/games/"), headers.get("x-agent-version", "?")[:64], body)
        try:
            parsed = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            return 400, _error("invalid_request", "The body is no JSON.", "Send an object as JSON.")
        held = self.holdings.answer(method, path, query, parsed if isinstance(parsed, dict) else {})
        if held is not None:
            return held
        return 404, _error("not_found", f"There is nothing at {path[:80]}.", "See GET /health.")

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "service": "simulated-casino",
            "version": VERSION,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "database": "connected",
            "registered_agents": 1,
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def _balance(self) -> dict[str, Any]:
        return {
            "agent_id": "agent",
            "balance_usd": float(self.holdings.balance),
            "tier": "standard",
            "risk_factor": 1.0,
            "lifetime": {"wagered": float(self._account.wagered), "won": float(self._account.won)},
            "recent_activity": self._account.ledger.recent(),
        }

    def _history(self, query: str) -> Answer:
        try:
            return 200, self._account.ledger.history(query)
        except (ValueError, TypeError) as error:
            return 400, _error("invalid_request", f"{error}."[:120], "See game, outcome, limit, offset, since.")

    def _game(self, game: str, version: str, body: bytes) -> Answer:
        account, holdings = self._account, self.holdings
        try:
            bet = json.loads(body or b"{}")
            amount = Decimal(str(bet["amount"])).quantize(CENT)
        except (ValueError, TypeError, LookupError, InvalidOperation, RecursionError):
            return 400, _error("invalid_request", "The body is no bet.", 'Send {"amount": 0.50, …} as JSON.')
        if not amount.is_finite() or amount < MINIMUM_BET:
            return 400, _error("invalid_amount", f"The minimum is {MINIMUM_BET}.", "Bet more.")
        if amount > holdings.balance:
            return 402, _error("insufficient_balance", f"The balance is {holdings.balance}.", "Bet less.")
        try:
            played = play(game, bet, amount, self._dice)
        except BadBetError as error:
            return 400, _error("invalid_bet", f"{error}.", "See the game's rules.")
        holdings.balance += played.amount_won - amount
        account.wagered += amount
        account.won += played.amount_won
        self.executions[version] += 1
        at = datetime.now(UTC).isoformat()
        bet_id = f"bet_{uuid.UUID(int=self._dice.getrandbits(128), version=4)}"
        settled = {
            "bet_id": bet_id,
            "game": game,
            "amount_bet": float(amount),
            "result": played.result,
            "won": played.won,
            "payout_multiplier": float(played.multiplier),
            "amount_won": float(played.amount_won),
        }
        account.ledger.settle(settled, float(holdings.balance), at)
        return 200, {
            **settled,
            "new_balance": float(holdings.balance),
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
            taken = venue.limit.take(time.time())
            status, answer = (
                venue.answer(asked.method, asked.target, asked.headers, asked.body) if taken else venue.limit.refusal()
            )
            payload = json.dumps(answer).encode()
            limit = "".join(f"{name}: {value}\r\n" for name, value in venue.limit.headers().items())
            writer.write(
                f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\ncontent-type: application/json\r\n"
                f"{limit}content-length: {len(payload)}\r\n\r\n".encode()
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
    """`python -m console.demo.venue --key KEY --seed N [--port N] [--began EPOCH_S]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--began", type=float, help="when what the agent owes was opened, epoch seconds")
    parser.add_argument("--leash", default="")
    given = parser.parse_args()
    leash.hold(given.leash)
    asyncio.run(serve(Venue(given.key, given.seed, given.began), given.port))


if __name__ == "__main__":
    main()
