"""The agent of the demo while its next version is proven: it plays for both, as the canary's capital says.

The plain agent of `console.demo.agent`, with `console.agent` added where it decides and where it stakes: the new
version runs as a shadow on every round, and gets as many of the rounds as the store says is its share of the money.
Once a round is over, both versions' decisions on it are priced at what came.
"""

from __future__ import annotations

import http.client
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from console.agent.canary.desk import CanaryDesk, Decided
from console.agent.shadow.agent import ShadowAgent
from console.agent.shadow.reporter import Divergences, ShadowReporter
from console.agent.shadow.venue import NoVenue
from console.demo import leash
from console.demo.agent import Agent, Options, Strategy, number, parser_of
from console.demo.games import brought
from console.domain.errors import ConsoleError
from console.domain.shadow.pricing import Priced

CURRENCY: Final = "USD"
CAP: Final = Decimal(50)
SLOW_MS: Final = 60.0


@dataclass(frozen=True)
class Canary:
    """The version that is to be proven; `fails` is the share of rounds in which it does not manage to decide."""

    slot: str
    version: str
    strategy: Strategy
    seed: int
    fails: float = 0.0

    def choose(self, state: dict[str, Any], chance: random.Random) -> tuple[dict[str, Any], str]:
        """What to bet on, and why.

        Raises:
            IndecisionError: it did not manage.
        """
        if chance.random() < self.fails:
            raise IndecisionError("neither side is due")
        return self.strategy.choose(str(state["game"]), state["crash_target"], chance)


def price(bet: Mapping[str, Any], came: str) -> Priced | None:
    """What a bet brings in a round that came out so, whichever version wanted it and whoever played."""
    amount = Decimal(str(bet["amount"]))
    pnl = brought(bet, amount, came)
    return None if pnl is None else Priced(pnl, amount)


class IndecisionError(RuntimeError):
    """A version could not make up its mind."""


class Prover(Agent):
    """The stable version, with the new one beside it.

    Args:
        options: of the stable version.
        canary: the new one.
    """

    def __init__(self, options: Options, canary: Canary) -> None:
        super().__init__(options)
        self.canary = canary
        self.rounds = 0
        divergences = Divergences()
        self.shadow: ShadowAgent[dict[str, Any], dict[str, Any]] = ShadowAgent(
            self._make_shadow,
            name=f"{canary.slot}-{canary.version}",
            record=divergences.put,
            noise_share=0.1,
            price=lambda state, bet: price(bet, state["came"]),
        )
        self.reporter = ShadowReporter(
            options.redis_url,
            self.shadow,
            divergences,
            name=canary.version,
            currency=CURRENCY,
            slot=canary.slot,
        )
        self.desk = CanaryDesk(
            options.redis_url,
            cap=CAP,
            currency=CURRENCY,
            holder=f"{options.slot}-desk",
            shadow=self.shadow,
            slow_ms=SLOW_MS,
            price=price,
        )
        self._aside = random.Random(canary.seed + 1)  # noqa: S311 - what an agent does, not a secret

    def run(self) -> None:
        """Cycle for ever."""
        self.desk.start()
        self.reporter.start()
        super().run()

    def cycle(self, log: Any) -> None:
        """As the plain agent; what the canary's desk refuses is written down and not the end."""
        try:
            super().cycle(log)
        except ConsoleError as error:
            self.decide(log, "error", {}, {"executed": False, "error": type(error).__name__}, str(error), 0.0)

    def act(self, log: Any, inputs: dict[str, Any], bet: dict[str, Any], why: str, latency_ms: float) -> None:
        """It is our turn: the round goes to the version whose share of the money it is, and the shadow hears of it."""
        state = {
            "game": inputs["game"],
            "amount": inputs["amount"],
            "crash_target": number(inputs["flags"], "crash_target", 2.0),
        }
        came = self._play_round(log, inputs, state, bet, why, latency_ms)
        self.shadow.observe({**state, "came": came}, {**bet, "amount": inputs["amount"]})

    def _play_round(
        self,
        log: Any,
        inputs: dict[str, Any],
        state: dict[str, Any],
        stable: dict[str, Any],
        why: str,
        latency_ms: float,
    ) -> str:
        """Play a round, and say how it came out; empty where it was not played.

        Args:
            log, inputs, why, latency_ms: as they are written down.
            state: what a version decides on.
            stable: what ours decided.
        """
        self.rounds += 1
        amount = Decimal(str(inputs["amount"]))
        round_id = f"{self.options.version}-{self.options.seed}-{self.rounds}"
        try:
            given = self.desk.assign(round_id, amount)
        except ConsoleError as error:
            self.decide(log, "hold", inputs, {"action": "HOLD", "executed": False}, str(error), latency_ms)
            return ""
        own = not given.to_canary
        version, slot, bet = self.options.version, self.options.slot, stable
        other = self._canary_wants(state) if own else None
        if not own:
            version, slot = self.canary.version, self.canary.slot
            try:
                bet, why = self.canary.choose(state, self.chance)
            except IndecisionError as error:
                self.desk.settle(round_id, error=True, latency_ms=latency_ms)
                failed = {"action": "FAILED", "executed": False, "error": str(error)}
                self.decide(log, "bet", inputs, failed, "no decision", latency_ms, version=version, slot=slot)
                return ""
            other = bet
        try:
            output = self.play(str(state["game"]), bet, amount, version)
        except (OSError, http.client.HTTPException):
            self.desk.settle(round_id, error=True, latency_ms=latency_ms)  # else its stake is held for ever
            raise
        came, pnl = str(output.get("result", "")), Decimal(str(output.get("pnl", 0)))
        both = None
        if came and other is not None:
            both = Decided({**other, "amount": inputs["amount"]}, {**stable, "amount": inputs["amount"]}, came)
        self.desk.settle(
            round_id,
            canary_pnl=Decimal(0) if own else pnl,
            stable_pnl=pnl if own else Decimal(0),
            error=not output["executed"],
            latency_ms=latency_ms,
            decided=both,
        )
        self.decide(log, "bet", inputs, output, why, latency_ms, version=version, slot=slot)
        return came

    def _canary_wants(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """What the new version would bet on a round that is not its own; None where it does not manage to decide."""
        try:
            return self.canary.choose(state, self._aside)[0]
        except IndecisionError:
            return None

    def _make_shadow(self, venue: NoVenue) -> Callable[[dict[str, Any]], dict[str, Any]]:
        chance = random.Random(self.canary.seed)  # noqa: S311 - what an agent does, not a secret

        def decide(state: dict[str, Any]) -> dict[str, Any]:
            bet, _why = self.canary.choose(state, chance)
            return {**bet, "amount": state["amount"]}

        return decide


def main() -> None:
    """`python -m console.demo.prover --slot blue … --canary-version 2.5.0 …`."""
    parser = parser_of(__doc__)
    parser.add_argument("--canary-version", required=True)
    parser.add_argument("--canary-second-guess", type=float, default=0.0)
    parser.add_argument("--canary-greed", type=float, default=1.0)
    parser.add_argument("--canary-fails", type=float, default=0.0)
    given = vars(parser.parse_args())
    leash.hold(given.pop("leash"))
    strategy = Strategy(given.pop("canary_second_guess"), given.pop("canary_greed"))
    version, fails = given.pop("canary_version"), given.pop("canary_fails")
    canary = Canary("green", version, strategy, given["seed"] + 1, fails)
    Prover(Options(**given), canary).run()


if __name__ == "__main__":
    main()
