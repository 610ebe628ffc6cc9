"""Where an agent's rounds are shared out while a new version is proven: the router, the evidence, and the store.

    desk = CanaryDesk(url, cap=Decimal(500), currency="USD", shadow=shadow)
    with desk:
        given = desk.assign("round-8812", Decimal("12.50"))
        ...                                                  # each version plays what it was given
        desk.settle("round-8812", canary_pnl=Decimal("-12.50"))

The store says how much of the capital is the canary's, and an operator, a guard, or this desk itself moves it, one step
at a time. A stake of the canary's is booked in the store before it is played, and only for the step that is recorded
there: what is in force is what is recorded, whoever dies when. Without a run, and without a word from the store, every
round is the stable version's.

What protects needs nobody else: the router withholds a stake that could break the loss budget, and the desk moves the
capital back as soon as a rule says so. A guard does the same from outside.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.agent.blocking.link import Link
from console.agent.canary.book import of_run
from console.agent.canary.page import Page, Round
from console.agent.canary.store import DeskStore, Entry
from console.agent.plain_secrets import logger
from console.agent.reporting import Reporter, Reporting
from console.domain.canary.plan import Action, Position
from console.domain.canary.routing import Assignment
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading, TrackPoint, propose
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.domain.fence.claims import counted
from console.domain.shadow.pricing import Priced, priced
from console.domain.text import clean
from console.store.server.adopting import adopt_sync
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync

if TYPE_CHECKING:
    from redis import Redis

    from console.agent.shadow.agent import ShadowAgent
    from console.store.records.canary import Stored

_log = logger(__name__)

EVERY_S: Final = 0.5
ZERO: Final = Decimal(0)
_TRIES: Final = 3


class Decided(NamedTuple):
    """What both versions decided on a round that one of them played, and how the round turned out for whoever played.

    Args:
        canary, stable: their decisions.
        outcome: of the round: what the author's `price` needs beside a decision.
    """

    canary: Any
    stable: Any
    outcome: Any


class CanaryDesk(Reporting):
    """Shares an agent's rounds out between two versions; safe to call from several threads.

    Args:
        url: of the store.
        cap: the most that both versions together may have at stake.
        currency: of every amount; a run of another currency is refused.
        agent: whose keys.
        holder: this process's name; made up if empty.
        shadow: the canary's version as a shadow: its rounds count while the canary has no capital.
        quantum: the smallest stake that a split may give.
        worst_loss: the most a round can lose, as a multiple of its stake.
        slow_ms: a decision that took longer is slow: the baseline's p95; None where latency is not judged.
        price: what a decision brings on a round that turned out that way, at the round's whole stake, by the author's
            own reckoning; None where that can't be said. Called once for each version's decision: it must not know who
            played (no fills, no fees that only one of them paid). What prices explain of the rounds' outcomes is taken
            off the noise in which harm hides.
        report_s: how often things are written down and evaluated.
        connect: opens a connection; by default to `url`.

    Raises:
        UsageError: an amount that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        cap: Decimal,
        currency: str,
        agent: str = "agent",
        holder: str = "",
        shadow: ShadowAgent[Any, Any] | None = None,
        quantum: Decimal = Decimal("0.01"),
        worst_loss: Decimal = Decimal(1),
        slow_ms: float | None = None,
        price: Callable[[Any, Any], Decimal | Priced | None] | None = None,
        report_s: float = EVERY_S,
        connect: Callable[[], Redis] | None = None,
    ) -> None:
        if not currency:
            raise UsageError("A desk needs the currency of its amounts.")
        self.holder = clean(holder or f"{socket.gethostname()}-{os.getpid()}", 64)
        self._currency = currency
        self._slow_ms = slow_ms
        self._price = price
        self.unpriced = 0
        """Rounds of which both decisions were told, and that could not be priced."""
        self._shadow = shadow
        self._limits = (cap, quantum, worst_loss)
        self._page = self._new_page(None)
        self._earlier: list[Page] = []
        self._order = threading.RLock()
        opened = connect or (lambda: connect_sync(url, name="agent-console-desk"))
        self._link = Link(lambda: adopt_sync(opened()) if connect else opened(), partial(keys_on, agent=agent))
        self._store = DeskStore(self._link, str(self.holder))
        self._reporter = Reporter("agent-console-desk", self._link, self._report, every_s=report_s)
        self._shadow_before = 0
        self._evaluated_at: datetime | None = None
        self._begun = False
        self.refused_run = ""
        """Why a run in the store is not followed; empty where it is."""

    def _new_page(self, run: CanaryRun | None) -> Page:
        cap, quantum, worst_loss = self._limits
        return Page(run, cap=cap, quantum=quantum, worst_loss=worst_loss)

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the book over from whoever had it, go on where it ended, and begin to follow the store."""
        self._reporter.start()

    def stop(self) -> None:
        """Write down how things stand, and end; open rounds stay booked."""
        self._reporter.stop()

    @property
    def position(self) -> Position:
        """The step and revision in force here."""
        return self._page.position

    @property
    def share(self) -> Decimal:
        """The canary's share in force here."""
        return self._page.share

    @property
    def open_rounds(self) -> tuple[str, ...]:
        """Rounds that were given out and have not ended, those from before a restart included: settle or release
        each once its outcome is known."""
        with self._order:
            return tuple(round_id for page in (*self._earlier, self._page) for round_id in page.open_rounds)

    # -- rounds --------------------------------------------------------------------------------------------------------

    def assign(self, round_id: str, amount: Decimal) -> Assignment:
        """Who plays this round, and with what; asked again, the same round has the same answer.

        Raises:
            Refused: the cap, another amount for the same round, or another process has taken over.
            StoreUnreachable: the canary's stake could not be booked; the round was given to nobody.
        """
        for _ in range(_TRIES):
            with self._order:
                page = self._page
                given = page.assign(round_id, amount)
                if not page.books_before(given):
                    page.given_out(given)
                    return given
                try:
                    entry = self._store.give(page, round_id)
                except StoreUnreachable:
                    page.withdraw(round_id)
                    self._reporter.wake()
                    raise
                if entry is Entry.OK:
                    page.given_out(given)
                    return given
                page.withdraw(round_id)
            if entry is Entry.TAKEN:
                raise Refused("Another process shares this agent's rounds out now.", "Restart this one to take over.")
            self._follow(self._store.read())
        raise Refused("The canary's capital moves faster than a round can be booked.", "Ask again.")

    def settle(
        self,
        round_id: str,
        *,
        canary_pnl: Decimal = ZERO,
        stable_pnl: Decimal = ZERO,
        error: bool = False,
        skipped: bool = False,
        latency_ms: float | None = None,
        decided: Decided | None = None,
    ) -> Assignment:
        """A round is over, however it went: its stakes are free again, and it counts.

        Args:
            round_id: as it was assigned.
            canary_pnl, stable_pnl: what either version won or lost; what is finer than a millionth makes a gain smaller
                and a loss larger.
            error: whether the version that had it failed.
            skipped: whether it was not played after all; it counts with what it cost.
            latency_ms: of the decision; None where unknown.
            decided: what both versions decided on the round, for `price`; None where one of them did not. A price that
                raises, or is no number, is logged, counted in `unpriced` and not used: the round counts without it.

        Raises:
            Refused: the round is not open.
            UsageError: a result that is no amount of money, or of a version that had no stake.
        """
        canary_pnl, stable_pnl = counted(canary_pnl), counted(stable_pnl)
        slow = self._slow_ms is not None and latency_ms is not None and latency_ms > self._slow_ms
        priced = self._prices(decided)
        with self._order:
            page = self._page_of(round_id)
            outcome = Round(canary_pnl, stable_pnl, error, skipped, slow, priced)
            given = page.settle(round_id, outcome, self._store.now())
            if page.books(given):
                self._store.end(self._page, round_id)
            if page is not self._page and not page.open_rounds:
                self._earlier.remove(page)
            if page.alarming:
                self._reporter.wake()
        return given

    def _prices(self, decided: Decided | None) -> tuple[Decimal, Decimal] | None:
        """Both decisions by the author's reckoning, or neither."""
        if self._price is None or decided is None:
            return None
        try:
            canary = priced(self._price(decided.canary, decided.outcome))
            stable = priced(self._price(decided.stable, decided.outcome))
            if canary is not None and stable is not None:
                return canary.pnl, stable.pnl
        except Exception:  # noqa: BLE001 - what the author's `price` raises: logged and counted
            _log.exception("a round could not be priced")
        with self._order:
            self.unpriced += 1
        return None

    def release(self, round_id: str) -> None:
        """A round that was given out and that nobody played, and nobody will: its stakes are free, it counts as none.

        Raises:
            Refused: the round is not open.
        """
        with self._order:
            page = self._page_of(round_id)
            given = page.release(round_id)
            if page.books(given):
                self._store.end(self._page, round_id)

    def hold(self, round_id: str, version: str, market: str, side: str) -> None:
        """Say that a version takes a side in a market with this round; see `CanaryRouter.hold`."""
        with self._order:
            self._page_of(round_id).router.hold(round_id, version, market, side)

    def capital(self, total: Decimal) -> tuple[Decimal, Decimal]:
        """What canary and stable may use of a capital; exact, and together all of it."""
        return self._page.router.capital(total)

    def _page_of(self, round_id: str) -> Page:
        for page in (self._page, *self._earlier):
            if page.router.is_open(round_id):
                return page
        raise Refused(f"Round {clean(round_id, 64)} is not open.", "It was settled before, or never assigned.")

    # -- following and evaluating --------------------------------------------------------------------------------------

    def _report(self) -> None:
        stored = self._store.open()
        self._follow(stored)
        with self._order:
            self._store.flush(self._page)
            page, now = self._page, self._store.now()
            reading = self._reading(page, now)
            state = page.state()
        due = page.due(now)
        self._store.report(reading, state, _point(reading, now) if due else None)
        if due:
            page.looked_at = now
        if stored.reading is not None and page.run is not None and page.run.live:
            self._act(CanaryReading(page.run, reading, gates=stored.reading.gates), stored, now)

    def _act(self, reading: CanaryReading, stored: Stored, now: datetime) -> None:
        closed = (stored.closed,) if stored.closed else ()
        proposal = propose(reading, now, closed_gates=closed, evaluated_at=self._evaluated_at)
        if proposal is None or proposal.action is Action.WAIT:
            return
        self._evaluated_at = now
        plan = reading.run.plan
        mine = proposal.action is Action.ROLL_BACK or (plan is not None and plan.automatic)
        if mine and self._store.carry_out(reading.run, proposal):
            self._follow(self._store.read())

    def _follow(self, stored: Stored) -> None:
        """Take over what the store records; what is older than what is in force changes nothing."""
        run = stored.reading.run if stored.reading is not None else None
        self.refused_run = ""
        if run is not None and run.currency != self._currency:
            self.refused_run = f"canary {run.name} counts in {run.currency}, this desk in {self._currency}"
            run = None
        elif run is not None and run.plan is None:
            self.refused_run = f"canary {run.name}: {run.problem}"
            run = None
        with self._order:
            self._take_orphans(stored, run)
            page = self._page
            if run is None:
                if page.run is not None and page.share:
                    self._turn_to(self._new_page(None))
                return
            if page.run is None or page.run.name != run.name:
                fresh = self._new_page(run)
                fresh.restore(stored.ledger, stored.open_rounds, self._store.kept_state(stored))
                self._turn_to(fresh)
            elif run.position.revision > page.position.revision or run.state is not page.run.state:
                page.move_to(run)
            page = self._page
            if page.turned:
                self._shadow_before = self._shadow.reading().rounds if self._shadow is not None else 0
                self._evaluated_at = None
                if self._store.turn(page) is Entry.OK:
                    page.turned = False

    def _take_orphans(self, stored: Stored, run: CanaryRun | None) -> None:
        """Rounds that a desk before us had open in a run that is over: at stake all the same, and ours to end."""
        if self._begun:
            return
        self._begun = True
        if stored.open_rounds and (run is None or not of_run(stored.ledger, str(run.name))):
            orphans = self._new_page(None)
            orphans.adopt(stored.open_rounds)
            self._earlier.append(orphans)

    def _turn_to(self, page: Page) -> None:
        if self._page.open_rounds:
            self._earlier.append(self._page)
        self._page = page

    def _reading(self, page: Page, now: datetime) -> DeskReading:
        if self._shadow is not None and not page.share:
            page.shadow_rounds(self._shadow.reading().rounds - self._shadow_before, now)
        return page.reading(str(self.holder), now)

    def reading(self) -> DeskReading:
        """How things stand here and now."""
        with self._order:
            return self._reading(self._page, self._store.now())


def _point(reading: DeskReading, now: datetime) -> TrackPoint | None:
    evidence = reading.analysis.evidence if reading.analysis else None
    if evidence is None or not evidence.rounds_canary or not evidence.rounds_stable:
        return None
    return TrackPoint(
        now, reading.position.step, evidence.rounds_canary, evidence.estimate, evidence.lower, evidence.upper
    )
