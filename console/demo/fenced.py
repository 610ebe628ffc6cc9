"""The demo's agent with the library: what it does is claimed, what it owes is listed, what it knows crosses over.

    python -m console.demo.fenced --slot blue --version 2.4.0 …

The active side lists what the venue has of the agent's, plays, and keeps its state; the other one watches all that is
owed, and takes over when it becomes active. Before the switch the new version decides beside the old one as a shadow in
its process; after it the old version stands by and goes on by itself: both priced at what came. Rounds are numbered by
the clock, so that the same round has the same key on either side.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from console.agent import (
    ActionRefused,
    AgentController,
    Commitment,
    Direction,
    Kind,
    Manifest,
    NoState,
    NotSent,
    Played,
    Proposal,
    Settings,
    StandbyShadow,
    State,
    source_files,
)
from console.agent.shadow.agent import ShadowAgent
from console.agent.shadow.reporter import Divergences, ShadowReporter
from console.agent.shadow.venue import NoVenue
from console.demo import leash
from console.demo.agent import Agent, Options, Strategy, number, parser_of
from console.demo.document import VENUE_FILE
from console.demo.limit import RATE_LIMIT
from console.demo.owed import CURRENCY, ROUND, Thing
from console.demo.prover import price
from console.domain.errors import ConsoleError
from console.domain.shadow.pricing import Priced
from console.domain.state.records import Balance, Escrow, RateLimit, Role
from console.venue.setup import key_terms

PAID_OUT: Final = {"esc_soon": "/escrow/release/esc_soon", ROUND: f"/games/crash/cash-out/{ROUND}"}
"""What ends once the counterparty has delivered: id → what the venue is told."""
KEPT_BETS: Final = 1000
RELEASE_FILE = "release"
"""A file in the demo's folder: once it is there, the counterparty has delivered, and the active side pays it out."""


def owed_as(one: Thing) -> Commitment:
    """A thing that the venue has, as a commitment."""
    role = '{"role": "creator"}' if one.kind is Kind.ESCROW else ""
    return Commitment(one.id, one.kind, one.amount, CURRENCY, due=one.due, detail=role)


def escrow_of(one: Thing) -> Escrow:
    """The same, as the state has it that crosses over."""
    return Escrow(one.id, Role.CREATOR, one.status, one.amount, CURRENCY, auto_release_at=one.due)


def manifest_of(options: Options) -> Manifest:
    """What a version of the demo is made of: both have the same code, and differ in how they bet."""
    folder = Path(__file__).parent
    code = source_files(folder / "agent.py", folder / "fenced.py", folder / "owed.py")
    bets = {"second_guess": str(options.second_guess), "greed": str(options.greed)}
    return Manifest.of(code={**code, **bets}, model="", prompt="", tools=[], state={"next": "int"})


class Fenced(Agent):
    """One version of the agent, fenced.

    Args:
        options: of this version.
        other: the strategy of the version that is to replace it; None for the new one itself.
        folder: the demo's.
    """

    def __init__(self, options: Options, other: Strategy | None, folder: Path) -> None:
        super().__init__(options)
        self._folder = folder
        self._bets: dict[str, dict[str, Any]] = {}
        """What this side wanted while it stood by, by key; the newest `KEPT_BETS`."""
        self.controller = AgentController(
            options.redis_url,
            slot=options.slot,
            version=options.version,
            settings=Settings(money=False, key_terms=key_terms(folder / VENUE_FILE)),
            manifest=manifest_of(options),
            shadow=None if other is None else StandbyShadow(options.redis_url, self._worth),
        )
        self.state = State(version=options.version, idempotency=(), extra={"next": 1})
        self.mine = False
        self._told = -math.inf
        divergences = Divergences()
        self._other = other or self.strategy
        self.shadow: ShadowAgent[dict[str, Any], dict[str, Any]] = ShadowAgent(
            self._make_shadow,
            name="green-2.5.0",
            record=divergences.put,
            noise_share=0.1,
            price=lambda state, bet: price(bet, state["came"]),
        )
        self.reporter = ShadowReporter(
            options.redis_url, self.shadow, divergences, name="2.5.0", slot="green", currency=CURRENCY
        )
        self._proves = other is not None

    def run(self) -> None:
        """Cycle for ever."""
        self.controller.start()
        if self._proves:
            self.reporter.start()
        super().run()

    def cycle(self, log: Any) -> None:
        """As the plain agent, with what a library adds; what is refused is written down and not the end."""
        try:
            self._take_over()
            super().cycle(log)
            if self.mine:
                self._owe()
                self.controller.keep(self.state)
            self.controller.commitments.watch([one.commitment.id for one in self.controller.commitments.all()])
        except (ConsoleError, ActionRefused, NotSent) as error:
            self.decide(log, "hold", {}, {"action": "HOLD", "executed": False}, str(error), 0.0)

    def _take_over(self) -> None:
        active = self.controller.active
        self.mine = self.mine and active
        if not active or self.mine:
            return
        try:
            old = self.controller.take_over()
        except NoState as none:
            done = [one.key for one in none.since]
        else:
            self.state = replace(old.state, version=self.options.version)
            done = [*(old.state.idempotency or ()), *(one.key for one in old.since)]
        self.state = replace(self.state, idempotency=done)
        self.mine = True

    def _owe(self) -> None:
        """The list is what the venue says: new there is put on it, over there is taken off; pay out what is due."""
        if self.looked in (-math.inf, self._told):
            return  # nothing was told since
        listed = {one.commitment.id for one in self.controller.commitments.all()}
        there = {one.id: one for one in self.session.owed}
        self.controller.commitments.put(*(owed_as(one) for name, one in there.items() if name not in listed))
        self.controller.commitments.over(*(listed - {*there}), why="the venue has it no more")
        self._told = self.looked
        self.state = replace(self.state, escrows=[escrow_of(one) for one in there.values() if one.kind is Kind.ESCROW])
        if (self._folder / RELEASE_FILE).exists():
            for name, path in PAID_OUT.items():
                if name in there:
                    self._end(name, path)

    def _end(self, name: str, path: str) -> None:
        """Bring something to its end at the venue: claimed, sent once, settled with the commitment that it closes."""
        key = f"close-{name}"
        with self.controller.action(
            key, amount=Decimal(0), currency=CURRENCY, direction=Direction.REDUCE, closes=name
        ) as act:
            act.check()
            status, _answer = self.call("POST", path)
            if status != 200:
                raise NotSent(f"the venue refused with {status}: nothing was done")
            act.settle({"key": key}, pnl=Decimal(0))
        self.looked = -math.inf  # what was read before is not so any more
        self.state = replace(self.state, idempotency=[*(self.state.idempotency or ()), key])

    def _number(self) -> int:
        """Of the round that it is now; never one that was played before, whatever the clock says."""
        return max(int(time.time() / self.options.period_s), int(self.state.extra["next"]))

    def stood_by(self, bet: dict[str, Any], amount: Decimal) -> None:
        """It is not our turn: what we want is refused, and is what this version would have done."""
        key = f"bet-{int(time.time() / self.options.period_s)}"
        self._bets[key] = {**bet, "amount": float(amount)}
        while len(self._bets) > KEPT_BETS:
            del self._bets[next(iter(self._bets))]
        with suppress(ActionRefused), self.controller.action(key, amount=amount, currency=CURRENCY):
            raise NotSent("it became our turn in between: the next round is ours")

    def _worth(self, wanted: Proposal, played: Played | None) -> Priced | None:
        """What this side would have brought in a round of the other one's, as it came out."""
        bet = self._bets.get(wanted.key)
        if bet is None or played is None:
            return None
        return price(bet, str(json.loads(played.result).get("result", "")))

    def act(self, log: Any, inputs: dict[str, Any], bet: dict[str, Any], why: str, latency_ms: float) -> None:
        """It is our turn: claim the round, play it, settle it."""
        if not self.mine:
            return
        coming = self._number()
        key, amount = f"bet-{coming}", Decimal(str(inputs["amount"]))
        state = {
            "game": inputs["game"],
            "amount": inputs["amount"],
            "crash_target": number(inputs["flags"], "crash_target", 2.0),
        }
        with self.controller.action(key, amount=amount, currency=CURRENCY) as act:
            act.check()
            output = self.play(inputs["game"], bet, amount)
            act.settle(output, pnl=Decimal(str(output.get("pnl", 0))))
        if self._proves:
            came = str(output.get("result", ""))
            self.shadow.observe({**state, "came": came}, {**bet, "amount": inputs["amount"]})
        now = datetime.now(UTC)
        session = self.session
        resets_at = datetime.fromtimestamp(session.resets_at, UTC)
        limit = RateLimit("requests", Decimal(int(session.tokens)), Decimal(RATE_LIMIT), resets_at)
        self.state = replace(
            self.state,
            idempotency=[*(self.state.idempotency or ()), key],
            extra={"next": coming + 1},
            last_actions={inputs["game"]: now},
            rate_limits=[limit],
            balances=[Balance(session.balance, CURRENCY, now, "the venue's answer to a bet", verified=True)],
        )
        self.decide(log, "bet", {**inputs, "round": coming}, output, why, latency_ms)

    def _make_shadow(self, venue: NoVenue) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def decide(state: dict[str, Any]) -> dict[str, Any]:
            bet, _why = self._other.choose(state["game"], state["crash_target"], self.chance)
            return {**bet, "amount": state["amount"]}

        return decide


def main() -> None:
    """The command line is that of the plain agent, with the strategy of the version that replaces it, if one does."""
    parser = parser_of(__doc__)
    parser.add_argument("--other-second-guess", type=float, help="of the version that is to replace this one")
    parser.add_argument("--other-greed", type=float, default=1.0)
    given = vars(parser.parse_args())
    leash.hold(given.pop("leash"))
    doubts, greed = given.pop("other_second_guess"), given.pop("other_greed")
    other = None if doubts is None else Strategy(doubts, greed)
    options = Options(**given)
    Fenced(options, other, options.state.parent).run()


if __name__ == "__main__":
    main()
