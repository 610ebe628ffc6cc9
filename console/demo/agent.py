"""A plain agent, as an author without any library of ours would write it.

It reads two kinds of keys from Redis each cycle (`agent:active_version` and `flag:*`), plays a round at the venue when
it is active, only decides when it is not, appends each decision to its log as one JSON line, and keeps a state file.
It polls, so between a switch and its next poll it may still act: that is what plain agents are like.

Nothing here but `--leash`, which ends it with the demo, knows that there is a console.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import redis

from console.demo import leash
from console.demo.files import BOOKS, Log, write_json
from console.demo.limit import RATE_LIMIT
from console.demo.owed import Thing, ask, plain_state

GAMES: Final = {"coinflip": "coin-flip", "dice": "dice", "crash": "crash"}
FLOOR: Final = Decimal("0.50")
CEILING: Final = Decimal("5.00")
"""The most that one bet stakes: a balance that grows with each win would else outgrow every cap within the hour."""
LOOK_EVERY_S: Final = 1.0
"""How often the venue is asked what is owed there."""
KNOWN_S: Final = 10.0
"""For so long what it said is written down as what is owed; then the state file grows old, and says nothing new."""
SESSION_S: Final = 3600.0
"""How long a session lasts; then bets and losses are counted anew, so that what is left running goes on."""


@dataclass(frozen=True)
class Options:
    """The command line."""

    slot: str
    version: str
    redis_url: str
    venue_port: int
    key: str
    log: Path
    state: Path
    period_s: float
    seed: int
    second_guess: float
    greed: float


@dataclass
class Session:
    """What the agent remembers."""

    bets: int = 0
    pnl: Decimal = Decimal(0)
    start_balance: Decimal | None = None
    balance: Decimal = Decimal(0)
    last_action: dict[str, float] = field(default_factory=dict)
    owed: tuple[Thing, ...] = ()
    decisions: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=50))
    tokens: float = RATE_LIMIT
    resets_at: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def roll(self, now: float) -> None:
        """Begin anew to count bets and losses once a session's time is over.

        Args:
            now: seconds, steady.
        """
        if now - self.began >= SESSION_S:
            self.began, self.bets, self.pnl, self.start_balance = now, 0, Decimal(0), self.balance


def action(bet: dict[str, Any], amount: Decimal) -> str:
    """A bet in two words: `heads 2.00`."""
    return f"{next(iter(bet.values()))} {amount}"


@dataclass(frozen=True)
class Strategy:
    """How a version decides: what makes it differ from another."""

    second_guess: float
    greed: float

    def choose(self, game: str, crash_target: float, chance: random.Random) -> tuple[dict[str, Any], str]:
        """What to bet on, and why."""
        doubts = chance.random() < self.second_guess
        if game == "crash":
            target = round(crash_target * self.greed, 2)
            return {"cash_out": target}, f"cash out at {target}"
        if game == "dice":
            call = "high" if doubts else "low"
            return {"call": call}, "a high roll is due" if doubts else "low rolls come more often"
        side = "tails" if doubts else "heads"
        return {"side": side}, "tails are due" if doubts else "heads come more often"


class Agent:
    """One version of the agent, running."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.session = Session()
        self.strategy = Strategy(options.second_guess, options.greed)
        self.chance = random.Random(options.seed)  # noqa: S311 - what an agent does, not a secret
        self.store = redis.Redis.from_url(options.redis_url, socket_timeout=1.0, decode_responses=True)
        self.venue = http.client.HTTPConnection("127.0.0.1", options.venue_port, timeout=2.0)
        self.looked = -math.inf

    def run(self) -> None:
        """Cycle for ever."""
        with closing(Log(self.options.log)) as log:
            while True:
                started = time.monotonic()
                try:
                    self.cycle(log)
                except redis.RedisError:
                    pass  # no store, no authority: stand by until it is back
                except (OSError, http.client.HTTPException) as error:
                    self.venue.close()
                    self.decide(log, "error", {}, {"executed": False, "error": type(error).__name__}, "venue away", 0.0)
                time.sleep(max(0.0, self.options.period_s * self.chance.uniform(0.8, 1.2) - time.monotonic() + started))

    def cycle(self, log: Any) -> None:
        """Read, decide, act or not, write it down."""
        active = self.store.get("agent:active_version") == self.options.slot
        flags = self.flags()
        began = time.monotonic()
        self.session.roll(began)
        game = flags.get("game", "coinflip")
        if game not in GAMES:
            game = "coinflip"
        amount = self.stake(str(flags.get("bet_sizing", "kelly_floor")))
        bet, reasoning = self.strategy.choose(str(game), number(flags, "crash_target", 2.0), self.chance)
        time.sleep(self.chance.uniform(0.004, 0.020))
        latency_ms = (time.monotonic() - began) * 1000
        inputs = {"game": game, "amount": float(amount), "flags": flags, "balance": float(self.session.balance)}
        stop = self.must_stop(flags)
        if stop:
            self.decide(log, "hold", inputs, {"action": "HOLD", "executed": False}, stop, latency_ms)
        elif not active:
            output = {"action": f"WOULD {action(bet, amount)}", **bet, "executed": False}
            self.decide(log, "bet", inputs, output, f"standby: {reasoning}", latency_ms)
            self.stood_by(bet, amount)
        else:
            self.act(log, inputs, bet, reasoning, latency_ms)
        self.look_at_venue(playing=active and not stop)
        self.write_state()

    def act(self, log: Any, inputs: dict[str, Any], bet: dict[str, Any], why: str, latency_ms: float) -> None:
        """It is our turn: play what was decided."""
        output = self.play(inputs["game"], bet, Decimal(str(inputs["amount"])))
        self.decide(log, "bet", inputs, output, why, latency_ms)

    def stood_by(self, bet: dict[str, Any], amount: Decimal) -> None:
        """It is not our turn, and this is what we would have done: a plain agent writes it down, no more."""

    def flags(self) -> dict[str, Any]:
        """Every `flag:*`, as bool, number or text."""
        names = [str(name) for name in self.store.scan_iter(match="flag:*", count=200)]
        return {
            name.removeprefix("flag:"): value_of(str(text))
            for name, text in zip(names, self.store.mget(names) if names else [], strict=True)
            if text is not None
        }

    def stake(self, sizing: str) -> Decimal:
        """How much to bet."""
        if sizing != "kelly_floor":
            return FLOOR
        return min(CEILING, max(FLOOR, (self.session.balance * Decimal("0.002")).quantize(Decimal("0.01"))))

    def must_stop(self, flags: dict[str, Any]) -> str:
        """Why not to bet; empty to go on."""
        if self.session.bets >= number(flags, "max_session_bets", 50):
            return "max_session_bets reached"
        start = self.session.start_balance
        if start and -self.session.pnl / start >= Decimal(str(number(flags, "stop_loss_pct", 0.20))):
            return "stop loss reached"
        return ""

    def play(self, game: str, bet: dict[str, Any], amount: Decimal, version: str = "") -> dict[str, Any]:
        """One round at the venue, in the name of a version: our own, unless another is named."""
        status, answer = self.call("POST", f"/games/{GAMES[game]}", {**bet, "amount": float(amount)}, version)
        if status != 200:
            refused = {"action": "REFUSED", "status": status, "error": answer.get("error", "")}
            return {**refused, **bet, "executed": False}
        pnl = Decimal(str(answer["amount_won"])) - Decimal(str(answer["amount_bet"]))
        self.session.bets += 1
        self.session.pnl += pnl
        self.session.balance = Decimal(str(answer["new_balance"]))
        self.session.last_action[game] = time.time()
        keep = ("bet_id", "result", "won", "amount_bet", "amount_won")
        told = {k: answer[k] for k in keep}
        done = {"action": f"BET {action(bet, amount)}", **bet, **told}
        return {**done, "executed": True, "pnl": float(pnl), "currency": "USD"}

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, version: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """One request to the venue."""
        headers = {
            "Authorization": f"Bearer {self.options.key}",
            "Content-Type": "application/json",
            "X-Agent-Version": version or self.options.version,
        }
        self.venue.request(method, path, json.dumps(body).encode() if body is not None else None, headers)
        response = self.venue.getresponse()
        self.session.tokens = float(response.headers.get("X-RateLimit-Remaining", self.session.tokens))
        self.session.resets_at = float(response.headers.get("X-RateLimit-Reset", self.session.resets_at))
        return response.status, json.loads(response.read())

    def decide(
        self,
        log: Any,
        kind: str,
        inputs: dict[str, Any],
        output: dict[str, Any],
        why: str,
        latency_ms: float,
        *,
        version: str = "",
        slot: str = "",
    ) -> None:
        """Append one decision to the log, our own unless another version is named."""
        record = {
            "agent_version": version or self.options.version,
            "timestamp": round(time.time(), 6),
            "decision_type": kind,
            "inputs": inputs,
            "output": output,
            "reasoning": why,
            "slot": slot or self.options.slot,
            "latency_ms": round(latency_ms, 3),
        }
        self.session.decisions.append(record)
        log.write(json.dumps(record).encode() + b"\n")

    def look_at_venue(self, *, playing: bool) -> None:
        """Ask for the money where no bet of ours has just told it, and now and then for all that is owed.

        Args:
            playing: whether we play: then each bet's answer tells the balance.
        """
        now = time.monotonic()
        due = now - self.looked >= LOOK_EVERY_S
        if due or not playing:
            status, balance = self.call("GET", "/api/v1/auth/balance")
            if status == 200:
                self.session.balance = Decimal(str(balance["balance_usd"]))
                self.session.start_balance = self.session.start_balance or self.session.balance
        if due and (owed := ask(self.call)) is not None:
            self.session.owed, self.looked = owed, now

    def write_state(self) -> None:
        """Keep the state file, and the books beside it: the part of it that is about money and positions alone."""
        if time.monotonic() - self.looked > KNOWN_S:
            return
        owed = plain_state(self.session.owed)
        books = {
            "timestamp": time.time(),
            "balance": float(self.session.balance),
            **{name: owed[name] for name in ("open_positions", "open_orders")},
        }
        state = {
            "version": self.options.version,
            **books,
            **owed,
            "last_action_time": self.session.last_action,
            "rate_limit_tokens": self.session.tokens,
            "decision_log": list(self.session.decisions),
        }
        write_json(self.options.state, state)
        write_json(self.options.state.with_name(f"{self.options.slot}{BOOKS}"), books)


def value_of(text: str) -> bool | float | str:
    """A flag's text as a value."""
    if text in ("True", "False"):
        return text == "True"
    try:
        return float(text)
    except ValueError:
        return text


def number(flags: dict[str, Any], name: str, default: float) -> float:
    """A flag that is a number, else the default."""
    value = flags.get(name, default)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--slot", choices=("blue", "green"), required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--redis-url", required=True)
    parser.add_argument("--venue-port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--period-s", type=float, default=1.0, help="seconds between two looks at the store")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--second-guess", type=float, default=0.0, help="share of calls made against the odds")
    parser.add_argument("--greed", type=float, default=1.0, help="factor on the flag crash_target")
    parser.add_argument("--leash", default="")
    return parser


def main() -> None:
    """`python -m console.demo.agent --slot blue --version 2.4.0 …`."""
    given = vars(parser_of(__doc__).parse_args())
    leash.hold(given.pop("leash"))
    Agent(Options(**given)).run()


if __name__ == "__main__":
    main()
