"""The router of a canary: each round's money goes to the new version, to the old one, or to both, exactly by share.

    router = CanaryRouter(run="green-2.5.0", mode=Mode.ROUTE, cap=Decimal(500))
    router.apply(Position(1, 3), Decimal("0.05"), loss_budget=Decimal(60))
    given = router.assign("round-8812", Decimal("12.50"))
    ...
    router.settle("round-8812", canary_pnl=Decimal("-12.50"))

Capital is what a version may use (`capital`), exposure what is at stake now (`reading`); they are never mixed up. A
round's money is routed whole or split by stakes, never both. Amounts are exact to a millionth, and finer ones refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Any, Final

from console.domain.canary.plan import Mode, Position
from console.domain.canary.routing import PPM, Assignment, Ledger, RouterReading, Tickets, share_ppm
from console.domain.errors import Refused, UsageError
from console.domain.fence.claims import floor_micros, from_micros, to_micros

REMEMBERED: Final = 10_000
"""Rounds whose assignment is repeated when they are asked for again; open rounds are remembered without limit."""

CANARY: Final = "canary"
STABLE: Final = "stable"


_NOTHING: Final = Decimal(0)


def _part(part: int, whole: int, amount: Decimal) -> Decimal:
    """Part of an amount; made anew only where it is neither nothing nor the whole."""
    if not part:
        return _NOTHING
    return amount if part == whole else from_micros(part)


def _money(micros: int) -> Decimal:
    return from_micros(micros) if micros else _NOTHING


@dataclass(slots=True)
class _Open:
    assignment: Assignment
    canary: int
    stable: int
    holds: list[tuple[str, str, str]]


def _opened(round_id: str, record: Any) -> _Open:
    canary, stable, probability, step, revision, holds = record
    if type(canary) is not int or type(stable) is not int or canary < 0 or stable < 0 or canary + stable == 0:
        raise ValueError("no stakes")
    if not 0.0 <= probability <= 1.0:
        raise ValueError("no probability")
    given = Assignment(
        round_id, from_micros(canary), from_micros(stable), float(probability), Position(int(step), int(revision))
    )
    return _Open(given, canary, stable, [(str(v), str(m), str(s)) for v, m, s in holds])


class CanaryRouter:
    """Shares rounds out; safe to call from several threads.

    Args:
        run: the run's name: the key of the sticky hash, so that another run draws anew.
        mode: whole rounds, or stakes.
        cap: the most that both versions together may have at stake.
        quantum: the smallest stake that a split may give.
        worst_loss: the most a round can lose, as a multiple of its stake; what the loss budget is held against.

    Raises:
        UsageError: an amount that is none.
    """

    def __init__(
        self,
        run: str,
        *,
        mode: Mode,
        cap: Decimal,
        quantum: Decimal = Decimal("0.01"),
        worst_loss: Decimal = Decimal(1),
    ) -> None:
        self._cap = to_micros(cap)
        self._quantum = to_micros(quantum)
        if self._cap <= 0 or self._quantum <= 0 or not (worst_loss.is_finite() and worst_loss > 0):
            raise UsageError("The cap, the quantum and the worst loss must be above 0.")
        self.mode = mode
        self._worst_ppm = -int(-worst_loss * PPM // 1)
        self._tickets = Tickets(run.encode()[:64])
        self._lock = Lock()
        self._position = Position(0, 0)
        self._share = Decimal(0)
        self._ledger = Ledger(0)
        self._budget: int | None = None
        self._balance = 0
        self._blocked = False
        self._open: dict[str, _Open] = {}
        self._past: OrderedDict[str, Assignment] = OrderedDict()
        self._canary_exposure = 0
        self._stable_exposure = 0
        self._positions: dict[tuple[str, str], dict[str, int]] = {}
        self._refused = 0
        self._too_large = 0

    def apply(self, position: Position, share: Decimal, loss_budget: Decimal | None = None) -> bool:
        """Take over what the store records; a revision that is not newer changes nothing.

        Args:
            position: the step and revision recorded.
            share: the canary's, recorded with it.
            loss_budget: what the canary may lose in this step; None only at share 0.

        Returns:
            Whether it is in force now: false for a revision older than the one in force.

        Raises:
            UsageError: no share, or capital without a budget.
        """
        ppm = share_ppm(share)
        budget = None if loss_budget is None else to_micros(loss_budget)
        if ppm and (budget is None or budget <= 0):
            raise UsageError("A share above 0 needs a loss budget above 0.")
        with self._lock:
            if position.revision <= self._position.revision:
                return position == self._position
            self._position, self._share, self._budget = position, share, budget
            self._ledger = Ledger(ppm)
            self._balance = self._too_large = 0
            self._blocked = False
            return True

    def assign(self, round_id: str, amount: Decimal) -> Assignment:
        """Who plays this round, and with what; asked again, the same round has the same answer.

        Args:
            round_id: unique to the round.
            amount: what is to be staked in all; above 0.

        Raises:
            Refused: the cap on what both versions have at stake, or the id stands for another amount.
            UsageError: no amount.
        """
        micros = to_micros(amount)
        if micros <= 0:
            raise UsageError("A round's amount must be above 0.")
        with self._lock:
            known = self._open.get(round_id)
            before = known.assignment if known else self._past.get(round_id)
            if before is not None:
                if before.canary + before.stable != amount:
                    self._refused += 1
                    raise Refused(f"Round {round_id} was assigned {before.canary + before.stable}, not {amount}.")
                return before
            at_stake = self._canary_exposure + self._stable_exposure
            if at_stake + micros > self._cap:
                self._refused += 1
                raise Refused(
                    f"Both versions would have {from_micros(at_stake + micros)} at stake, "
                    f"more than the cap of {from_micros(self._cap)}.",
                    "Wait for open rounds to settle.",
                )
            canary, probability = self._give(round_id, micros)
            stable = micros - canary
            given = Assignment(
                round_id, _part(canary, micros, amount), _part(stable, micros, amount), probability, self._position
            )
            self._open[round_id] = _Open(given, canary, stable, [])
            self._canary_exposure += canary
            self._stable_exposure += stable
            return given

    def _give(self, round_id: str, micros: int) -> tuple[int, float]:
        """The canary's part of a round, and with which probability it was to be its; for a split the share is no draw.

        `most` is the most of the round that could go to the canary: the budget must stand even if it loses all that. A
        stake that the whole budget could not bear is stable's, and ends nothing.
        """
        ledger = self._ledger
        routed = self.mode is Mode.ROUTE
        if not ledger.ppm:
            most = 0
        else:
            most = micros if routed else min(micros, -(-(ledger.owed + ledger.ppm * micros) // PPM))
        if self._budget is not None and most * self._worst_ppm > self._budget * PPM:
            self._too_large += 1
            ledger.withhold(micros)
            return 0, 0.0
        if self._blocked or not self._affordable(self._canary_exposure + most):
            self._blocked = self._blocked or not self._affordable(most)
            ledger.withhold(micros)
            return 0, 0.0
        if not routed:
            return ledger.split(micros, self._quantum), float(ledger.ppm == PPM)
        to_canary, probability = ledger.route(micros, self._tickets.draw(round_id))
        return micros if to_canary else 0, probability

    def _affordable(self, at_stake: int) -> bool:
        """Whether the budget would stand even if the canary lost all it can on that much."""
        budget = self._budget
        return budget is None or self._balance + (-at_stake * self._worst_ppm) // PPM >= -budget

    def hold(self, round_id: str, version: str, market: str, side: str) -> None:
        """Say that a version takes a side in a market with this round; until it settles the other can't oppose it.

        Raises:
            Refused: the other version holds another side of that market, or the round is not open.
        """
        with self._lock:
            entry = self._open.get(round_id)
            if entry is None:
                raise Refused(f"Round {round_id} is not open.")
            other = STABLE if version == CANARY else CANARY
            opposed = [held for held, count in self._positions.get((other, market), {}).items() if held != side]
            if opposed:
                self._refused += 1
                raise Refused(
                    f"{other.capitalize()} holds {opposed[0]} in {market}.",
                    "The two versions never trade against each other: wait until it is closed.",
                )
            sides = self._positions.setdefault((version, market), {})
            sides[side] = sides.get(side, 0) + 1
            entry.holds.append((version, market, side))

    def settle(self, round_id: str, *, canary_pnl: Decimal = _NOTHING, stable_pnl: Decimal = _NOTHING) -> Assignment:
        """A round is over: its stakes are free again, and what the canary won or lost counts in the running step.

        Raises:
            Refused: the round is not open (it was settled before, or never assigned).
            UsageError: a result that is no amount of money, or of a version that had no stake.
        """
        won, theirs = floor_micros(canary_pnl), floor_micros(stable_pnl)
        with self._lock:
            entry = self._open.get(round_id)
            if entry is None:
                raise Refused(f"Round {round_id} is not open.", "It was settled before, or never assigned.")
            if (won and not entry.canary) or (theirs and not entry.stable):
                raise UsageError(f"Round {round_id} has a result for a version that had no stake in it.")
            self._close(round_id, entry)
            self._balance += won
            self._past[round_id] = entry.assignment
            if len(self._past) > REMEMBERED:
                self._past.popitem(last=False)
            return entry.assignment

    def withdraw(self, round_id: str) -> None:
        """Take a round back that nobody was told of: it is drawn anew if it is asked for again.

        Raises:
            Refused: the round is not open.
        """
        with self._lock:
            entry = self._open.get(round_id)
            if entry is None:
                raise Refused(f"Round {round_id} is not open.")
            if entry.assignment.position == self._position:
                self._ledger.take_back(entry.canary + entry.stable, entry.canary)
            self._close(round_id, entry)

    def release(self, round_id: str) -> None:
        """A round that was assigned and never played: its stakes are free again; the draw is not taken back.

        Raises:
            Refused: the round is not open.
        """
        self.settle(round_id)

    def _close(self, round_id: str, entry: _Open) -> None:
        del self._open[round_id]
        self._canary_exposure -= entry.canary
        self._stable_exposure -= entry.stable
        for version, market, side in entry.holds:
            sides = self._positions[(version, market)]
            sides[side] -= 1
            if not sides[side]:
                del sides[side]
            if not sides:
                del self._positions[(version, market)]

    def capital(self, total: Decimal) -> tuple[Decimal, Decimal]:
        """What canary and stable may use of a capital; exact, and together all of it."""
        canary = from_micros(to_micros(total) * self._ledger.ppm // PPM)
        return canary, total - canary

    @property
    def open_rounds(self) -> tuple[str, ...]:
        """Rounds that were assigned and have not ended."""
        with self._lock:
            return tuple(self._open)

    @property
    def open_canary_rounds(self) -> int:
        """How many of these the canary has a stake in."""
        with self._lock:
            return sum(1 for entry in self._open.values() if entry.canary)

    def is_open(self, round_id: str) -> bool:
        """Whether a round was assigned and has not ended."""
        with self._lock:
            return round_id in self._open

    def record(self, round_id: str) -> list[Any]:
        """An open round as plain JSON values; see `restore`."""
        with self._lock:
            entry = self._open[round_id]
        given = entry.assignment
        holds = [list(hold) for hold in entry.holds]
        return [entry.canary, entry.stable, given.probability, given.position.step, given.position.revision, holds]

    def book(self) -> dict[str, Any]:
        """Everything but the open rounds, as plain JSON values; amounts are whole millionths."""
        with self._lock:
            return {
                "step": self._position.step,
                "revision": self._position.revision,
                "share": str(self._share),
                "ledger": self._ledger.state(),
                "budget": self._budget,
                "balance": self._balance,
                "blocked": self._blocked,
                "too_large": self._too_large,
            }

    def restore(self, book: Mapping[str, Any], open_rounds: Mapping[str, Any]) -> None:
        """Go on where a router ended: its `book`, and the `record` of each round that it had open.

        Raises:
            UsageError: they can't be read, or contradict each other; nothing was taken over.
        """
        try:
            position, share = Position(int(book["step"]), int(book["revision"])), Decimal(book["share"])
            ledger, budget = Ledger.restored(book["ledger"]), book["budget"]
            balance, blocked, too_large = book["balance"], book["blocked"], book.get("too_large", 0)
            entries = {str(name): _opened(str(name), record) for name, record in open_rounds.items()}
            whole = type(balance) is type(too_large) is int and type(blocked) is bool
            whole = whole and (type(budget) is int or budget is None)
            if not whole or ledger.ppm != share_ppm(share) or (ledger.ppm and not (budget and budget > 0)):
                raise UsageError("The router's book contradicts itself.")
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise UsageError("The router's book can't be read.") from error
        with self._lock:
            self._position, self._share, self._ledger = position, share, ledger
            self._budget, self._balance, self._blocked, self._too_large = budget, balance, blocked, too_large
            self._open = entries
            self._canary_exposure = sum(entry.canary for entry in entries.values())
            self._stable_exposure = sum(entry.stable for entry in entries.values())
            self._positions = {}
            for entry in entries.values():
                for version, market, side in entry.holds:
                    sides = self._positions.setdefault((version, market), {})
                    sides[side] = sides.get(side, 0) + 1

    def reading(self) -> RouterReading:
        """Where it stands now."""
        with self._lock:
            ledger = self._ledger
            return RouterReading(
                self._position,
                self._share,
                ledger.canary / ledger.total if ledger.total else None,
                _money(self._canary_exposure),
                _money(self._stable_exposure),
                len(self._open),
                _money(self._balance),
                self._blocked,
                self._refused,
                self._too_large,
            )
