"""Experiments as an operator runs them: defined, started, stopped and adopted in the console, followed here.

    with Experiments(url, agent="agent") as experiments:
        sizing = experiments.value("bet_sizing", unit="round-8812", default="kelly_floor")
        ...
        experiments.record("bet_sizing", "round-8812", pnl=Decimal("-2.50"), at_risk=Decimal(10), currency="USD")

Where rounds hang together (several of one customer, of one market), say so with `cluster="customer-17"` in every call:
all of a cluster plays one strategy and counts once. With `history` the decision log tells what clusters returned before
the experiment began; what that predicts is taken out, and a difference is seen sooner.

Outside a running experiment every unit gets the default given (the flag, as the agent reads it anyway), and nothing is
recorded. One process at a time keeps an experiment's evidence: a second one is told so, and goes by the default.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.agent.blocking.link import Link
from console.agent.experiment.trial import ABTest
from console.agent.reporting import Reporter, Reporting
from console.domain.errors import Refused, UsageError
from console.domain.experiment.record import ExperimentRecord, ExperimentReport, ExperimentState
from console.domain.text import clean
from console.store.fence.blocking import Fence
from console.store.records.experiments import kept_state, read, say
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync

if TYPE_CHECKING:
    from console.domain.experiment.record import ExperimentView

EVERY_S: Final = 0.5
LEASE_MS: Final = 10_000
STAKE_PATH: Final = "output.amount_bet"


class _Running:
    """An experiment that this process keeps."""

    def __init__(self, record: ExperimentRecord, test: ABTest) -> None:
        self.record = record
        self.test = test
        self.refused = 0


class Experiments(Reporting):
    """Follows every experiment of an agent; safe to call from several threads.

    Args:
        url: of the store.
        agent: whose keys.
        holder: this process's name; made up if empty.
        history: decision logs of the agent's, oldest first, for what clusters returned before an experiment began.
        stake_path: where a record of them says what was at risk.
    """

    def __init__(
        self,
        url: str,
        *,
        agent: str = "agent",
        holder: str = "",
        history: Sequence[str | Path] = (),
        stake_path: str = STAKE_PATH,
    ) -> None:
        self._history = [Path(path).expanduser() for path in history]
        self._stake_path = stake_path
        self._holder = clean(holder or f"{socket.gethostname()}-{os.getpid()}", 64)
        self._lock = threading.Lock()
        self._leaving = False
        self._running: dict[str, _Running] = {}
        """By flag."""
        self._link = Link(lambda: connect_sync(url, name="agent-console-experiments"), partial(keys_on, agent=agent))
        self._reporter = Reporter("agent-console-experiments", self._link, self._follow, every_s=EVERY_S)

    def start(self) -> None:
        """Read what there is, and begin to follow it."""
        self._leaving = False
        self._reporter.start()

    def stop(self) -> None:
        """Write the evidence down, and give every experiment back."""
        self._leaving = True
        self._reporter.stop()

    def value(self, flag: str, unit: str, default: str, cluster: str = "") -> str:
        """The flag's text for a unit: its arm's, where an experiment runs on the flag; else the default.

        Args:
            flag, unit, default: see above.
            cluster: what its rounds hang together by; see `ABTest.value`.

        Raises:
            UsageError: the experiment goes by clusters, and none is named.
        """
        with self._lock:
            running = self._running.get(flag)
        return running.test.value(unit, cluster) if running is not None else default

    def stake(self, flag: str, unit: str, amount: Decimal, *, currency: str, cluster: str = "") -> bool:
        """Take part of the arm's half of the capital; False where no experiment runs on the flag.

        Raises:
            Refused: the arm's half is used up, or the experiment is of another currency.
            UsageError: the experiment goes by clusters, and none is named.
        """
        running = self._of(flag, currency)
        if running is None:
            return False
        try:
            running.test.stake(unit, amount, cluster)
        except Refused:
            running.refused += 1
            raise
        return True

    def record(self, flag: str, unit: str, *, pnl: Decimal, at_risk: Decimal, currency: str, cluster: str = "") -> bool:
        """One round is over; False where no experiment runs on the flag.

        Raises:
            Refused: the experiment is of another currency.
            UsageError: an amount that is none; or the experiment goes by clusters, and none is named.
        """
        running = self._of(flag, currency)
        if running is None:
            return False
        running.test.record(unit, pnl=pnl, at_risk=at_risk, cluster=cluster)
        return True

    def _of(self, flag: str, currency: str) -> _Running | None:
        with self._lock:
            running = self._running.get(flag)
        if running is not None and running.record.currency != currency:
            raise Refused(
                f"Experiment {running.record.name} counts in {running.record.currency}, not in {clean(currency, 16)}.",
                "Two currencies are never summed.",
            )
        return running

    # -- the store -----------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        self._link.run(self._look)

    def _look(self, fence: Fence) -> None:
        wanted: dict[str, ExperimentView] = {}
        for view in () if self._leaving else read(fence.client, fence.keys):
            if view.record is not None and view.record.state is ExperimentState.RUNNING:
                wanted[view.record.experiment.flag] = view
        for flag in list(self._running):
            if flag not in wanted or wanted[flag].name != self._running[flag].record.name:
                self._let_go(fence, flag)
        for flag, view in wanted.items():
            assert view.record is not None
            held = fence.lease(f"experiment:{view.name}", str(self._holder), ttl_ms=LEASE_MS).held
            if not held:
                with self._lock:
                    self._running.pop(flag, None)
                continue
            if flag not in self._running:
                self._take_up(fence, view.record)
            self._say(fence, self._running[flag])

    def _take_up(self, fence: Fence, record: ExperimentRecord) -> None:
        before = self._before(record)
        test = ABTest(record.experiment, capital=record.capital, before=before)
        kept = kept_state(fence.client, fence.keys, record.name)
        if kept is not None:
            try:
                test.restore(kept)
            except UsageError:
                # evidence of other settings is none
                test = ABTest(record.experiment, capital=record.capital, before=before)
        with self._lock:
            self._running[record.experiment.flag] = _Running(record, test)

    def _before(self, record: ExperimentRecord) -> dict[str, float]:
        """What clusters returned before the experiment began, which it did when it was last changed: it runs."""
        cluster = record.experiment.cluster
        if not cluster or not self._history:
            return {}
        from console.logs.before import read_before

        return read_before(
            self._history, cluster, self._stake_path, until=record.changed_at, currency=str(record.currency)
        ).means

    def _let_go(self, fence: Fence, flag: str) -> None:
        with self._lock:
            running = self._running.pop(flag)
        self._say(fence, running)
        fence.lease(f"experiment:{running.record.name}", str(self._holder), ttl_ms=LEASE_MS, release=True)

    def _say(self, fence: Fence, running: _Running) -> None:
        money_a, money_b = running.test.money()
        report = ExperimentReport(
            datetime.now(UTC), self._holder, running.test.reading(), money_a, money_b, running.refused
        )
        say(fence.client, fence.keys, running.record.name, report, running.test.state())
