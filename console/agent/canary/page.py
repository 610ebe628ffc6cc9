"""One run's page in a desk's book: the router, the judge, the guardrails, and what they were fed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.agent.canary.book import expectations, of_run, records
from console.agent.canary.router import CanaryRouter
from console.domain.canary.guardrails import Guardrails
from console.domain.canary.plan import Analysis, Mode, Plan, Position, RunState
from console.domain.canary.routing import Assignment
from console.domain.canary.run import CanaryRun, DeskReading
from console.domain.statistics.judge import Judge
from console.domain.text import Safe

NO_RUN: Final = "no-run"
MOST_EXPECTED: Final = 1000
"""Open rounds of which it is kept what was expected then: it is written down with the state, twice a second."""


class Round(NamedTuple):
    """How a round ended; see `CanaryDesk.settle`."""

    canary_pnl: Decimal
    stable_pnl: Decimal
    error: bool
    skipped: bool
    slow: bool
    priced: tuple[Decimal, Decimal] | None = None
    """What canary's and stable's own decisions would have brought at the round's whole stake, by one reckoning."""


class Page:
    """Everything about one run.

    Args:
        run: as recorded; None where there is none: then every round is the stable version's.
        cap, quantum, worst_loss: see `CanaryDesk`.
    """

    def __init__(self, run: CanaryRun | None, *, cap: Decimal, quantum: Decimal, worst_loss: Decimal) -> None:
        self.run = run
        plan = run.plan if run is not None else None
        mode = plan.mode if plan is not None else Mode.ROUTE
        self.router = CanaryRouter(self.name, mode=mode, cap=cap, quantum=quantum, worst_loss=worst_loss)
        self.position = Position(0, 0)
        self.share = Decimal(0)
        self._judge: Judge | None = None
        self._guardrails: Guardrails | None = None
        if plan is not None and run is not None:
            self._judge, self._guardrails = Judge(plan.settings), _guardrails(plan)
            self._judge.new_step(plan.settings_at(run.position.step))
            self._apply(run)
        self._rounds = 0
        self._last_round_at: datetime | None = None
        self._booked: set[str] = set()
        self._drawn: set[str] = set()
        self._expected: dict[str, float] = {}
        """Of open rounds: what was expected of a round when they were given out."""
        self.looked_at: datetime | None = None
        """When a point of the track was drawn last."""
        self.turned = run is not None
        """Whether the store has still to be told that this page has begun."""

    @property
    def name(self) -> str:
        """The run's."""
        return str(self.run.name) if self.run is not None else NO_RUN

    def _apply(self, run: CanaryRun) -> None:
        over = run.state is RunState.ABORTED
        share = Decimal(0) if over else run.share
        self.router.apply(run.position, share, run.loss_budget if share else None)
        self.position, self.share = run.position, share

    def move_to(self, run: CanaryRun) -> None:
        """The run stands elsewhere: another step, another state."""
        moved = run.position.revision > self.position.revision
        self.run = run
        if not moved:
            return
        self._apply(run)
        self._rounds, self._last_round_at, self.turned = 0, None, True
        if self._judge is not None and self._guardrails is not None and run.plan is not None:
            self._judge.new_step(run.plan.settings_at(run.position.step))
            self._guardrails.new_step()

    # -- rounds --------------------------------------------------------------------------------------------------------

    @property
    def open_rounds(self) -> tuple[str, ...]:
        """Rounds that were given out and have not ended."""
        return self.router.open_rounds

    def assign(self, round_id: str, amount: Decimal) -> Assignment:
        given = self.router.assign(round_id, amount)
        expected = self._judge.expected if self._judge is not None else None
        if expected is not None and self.router.is_open(round_id):
            self._expected.setdefault(round_id, expected)
            while len(self._expected) > MOST_EXPECTED:
                del self._expected[next(iter(self._expected))]  # judged as a round that is over at once
        return given

    def books_before(self, given: Assignment) -> bool:
        """Whether a round is to be booked before it is played: while the canary has capital, unless it has ended."""
        if not self.share or not self.router.is_open(given.round_id):
            return False
        self._booked.add(given.round_id)
        return True

    def given_out(self, given: Assignment) -> None:
        """A round was given out for good: it counts in the split, however long it takes. Told again, it counts once."""
        if given.round_id in self._drawn or not self.router.is_open(given.round_id):
            return
        self._drawn.add(given.round_id)
        if self._guardrails is not None and given.position == self.position:
            self._guardrails.draw(given.to_canary, given.probability)

    def withdraw(self, round_id: str) -> None:
        """A round that could not be booked: nobody plays it, and it is drawn anew if it is asked for again."""
        self._booked.discard(round_id)
        self._expected.pop(round_id, None)
        self.router.withdraw(round_id)

    def books(self, given: Assignment) -> bool:
        """Whether a round that ended stands in the book; asked once."""
        if given.round_id in self._booked:
            self._booked.discard(given.round_id)
            return True
        return False

    def release(self, round_id: str) -> Assignment:
        """A round that nobody played, by the word of who had it: what it would have been is not known."""
        given = self.router.settle(round_id)
        self._drawn.discard(round_id)
        self._expected.pop(round_id, None)
        if self._judge is not None and given.to_canary and self.run is not None and self.run.live:
            self._judge.released(float(given.canary))
        return given

    def settle(self, round_id: str, outcome: Round, now: datetime) -> Assignment:
        """A round is over: it counts for the money, the evidence and the guardrails."""
        given = self.router.settle(round_id, canary_pnl=outcome.canary_pnl, stable_pnl=outcome.stable_pnl)
        self._drawn.discard(round_id)
        expected = self._expected.pop(round_id, None)
        if given.to_canary and given.position == self.position:
            self._rounds += 1
            self._last_round_at = now
        judge, guardrails = self._judge, self._guardrails
        if judge is None or guardrails is None or not self.run or not self.run.live:
            return given
        if given.paired:
            of_canary, of_stable = outcome.canary_pnl / given.canary, outcome.stable_pnl / given.stable
            judge.pair(float(of_canary), float(of_stable), float(given.canary + given.stable))
        elif not judge.paired:
            amount = given.canary or given.stable
            pnl = outcome.canary_pnl if given.to_canary else outcome.stable_pnl
            priced = outcome.priced
            both = None if priced is None else (float(priced[0] / amount), float(priced[1] / amount))
            judge.round(given.to_canary, float(pnl / amount), given.probability, float(amount), both, expected)
        if given.position == self.position:
            guardrails.round(
                given.to_canary, given.probability, error=outcome.error, skipped=outcome.skipped, slow=outcome.slow
            )
        return given

    def shadow_rounds(self, rounds: int, now: datetime) -> None:
        """At share 0: how many rounds the shadow has played in this step."""
        if rounds > self._rounds:
            self._rounds, self._last_round_at = rounds, now

    @property
    def alarming(self) -> bool:
        """Whether something that protects has to be looked at now."""
        run = self.run
        if run is None or not run.live or not self.share:
            return False
        reading = self.router.reading()
        spent = run.loss_budget is not None and reading.balance <= -run.loss_budget
        return spent or reading.budget_blocked or bool(self._guardrails and self._guardrails.alarms)

    # -- what is said and kept -----------------------------------------------------------------------------------------

    def due(self, now: datetime) -> bool:
        """Whether it is time for another point of the track."""
        if self.run is None or not self.run.live or self.run.plan is None:
            return False
        every = timedelta(seconds=self.run.plan.interval_s)
        return self.looked_at is None or now - self.looked_at >= every

    def reading(self, holder: str, now: datetime) -> DeskReading:
        """How things stand."""
        routed = self.router.reading()
        analysis = None
        if self._judge is not None and self._guardrails is not None:
            self._judge.unsettled(self.router.open_canary_rounds, float(routed.exposure_canary))
            evidence = None
            if self._judge.rounds_canary:
                evidence = self._judge.evidence._replace(payoffs=self._judge.payoffs)
            analysis = Analysis(
                now, self.position, evidence, alarms=self._guardrails.alarms, ratio_alarm=self._guardrails.ratio_alarm
            )
        return DeskReading(
            at=now,
            holder=Safe(holder),
            run=Safe(self.name),
            position=self.position,
            share=self.share,
            routed_share=routed.routed_share,
            exposure_canary=routed.exposure_canary,
            exposure_stable=routed.exposure_stable,
            open_rounds=routed.open_rounds,
            rounds=self._rounds,
            last_round_at=self._last_round_at,
            balance=routed.balance,
            budget_blocked=routed.budget_blocked,
            refused=routed.refused,
            analysis=analysis,
            ratio=self._guardrails.ratio if self._guardrails else None,
            too_large=routed.too_large,
        )

    def record(self, round_id: str) -> str:
        """An open round as the book keeps it."""
        return json.dumps(self.router.record(round_id), separators=(",", ":"))

    def ledger(self) -> str:
        """The router's ledger as the book keeps it, without the open rounds, which stand beside it."""
        return json.dumps({**self.router.book(), "run": self.name}, separators=(",", ":"))

    def state(self) -> dict[str, Any]:
        """What is wanted back after a restart, beside the book."""
        return {
            "run": self.name,
            "revision": self.position.revision,
            "rounds": self._rounds,
            "last": self._last_round_at.isoformat() if self._last_round_at else None,
            "judge": self._judge.state() if self._judge else None,
            "expected": dict(self._expected),
            "guardrails": self._guardrails.state() if self._guardrails else None,
        }

    def restore(self, ledger: str, open_rounds: Mapping[str, str], state: object) -> None:
        """Go on where a desk before us ended, if that was in this run.

        Raises:
            UsageError: the book can't be read: nothing is given out on a guess.
        """
        if self.run is None:
            return
        if not of_run(ledger, self.name):
            return
        rounds = records(open_rounds)
        self.router.restore(json.loads(ledger), rounds)
        self._booked.update(rounds)
        self._drawn.update(rounds)
        self.router.apply(self.run.position, self.share, self.run.loss_budget if self.share else None)
        self._restore_evidence(state)

    def adopt(self, open_rounds: Mapping[str, str]) -> None:
        """Take rounds over that were open in a run that is over; they count for nothing but what is at stake.

        Raises:
            UsageError: they can't be read.
        """
        rounds = records(open_rounds)
        self.router.restore({**self.router.book(), "share": "0"}, rounds)
        self._booked.update(rounds)

    def _restore_evidence(self, state: object) -> None:
        run = self.run
        if not isinstance(state, Mapping) or state.get("run") != self.name or run is None or run.plan is None:
            return
        same_step = state.get("revision") == self.position.revision
        judge, guardrails = Judge(run.plan.settings), _guardrails(run.plan)
        judge.restore(state.get("judge"))
        guardrails.restore(state.get("guardrails"))
        self._judge, self._guardrails = judge, guardrails
        self._expected = expectations(state.get("expected"), self.router.open_rounds)
        if same_step:
            rounds, last = state.get("rounds"), state.get("last")
            self._rounds = rounds if type(rounds) is int else 0
            self._last_round_at = datetime.fromisoformat(last) if isinstance(last, str) else None
        else:
            judge.new_step(run.plan.settings_at(run.position.step))
            guardrails.new_step()


def _guardrails(plan: Plan) -> Guardrails:
    errors, skipped, slow = plan.accepted
    return Guardrails(plan.settings.alpha_alarm, errors=errors, skipped=skipped, slow=slow)
