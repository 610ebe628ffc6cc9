"""The page that a monitoring system reads, by prometheus-client: in Prometheus' text format, or as OpenMetrics.

However many ask, and in whatever format, it is rendered once a second and for a sixth of the time at the most, on the
thread that asks, and of what is told of agents only what has changed: the guard's loop, which never waits for it,
shares the interpreter with that thread.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from console import __version__
from console.guard.events import WEIGHTS, Weight, weight_of
from console.guard.metrics import declared as m
from console.guard.metrics.declared import Declared, Kind
from console.guard.metrics.gather import BOUNDS_S, Gathered
from console.guard.metrics.pieces import Pieces
from console.guard.metrics.samples import MOST_AGENTS, Rows, Table, known, of_agent, of_fleet, shown
from console.guard.metrics.sight import OTHER

LEAST_S: Final = 1.0
"""A page so young is given once more,"""
REST: Final = 5.0
"""and one that is younger than so many times what it took to render."""
OPEN_METRICS: Final = "application/openmetrics-text"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")


class Page(NamedTuple):
    """What was rendered.

    Args:
        body: the page.
        kind: its content type.
        until_s: up to when it is given, on the monotonic clock.
    """

    body: bytes
    kind: str
    until_s: float


class Pages:
    """Renders what was gathered.

    Args:
        gathered: kept up to date by the guard's loop.
        clock: the guard's.
        counts: event → how often the guard said it.
        dropped: how many lines of its log were left out.
        most_agents: that have samples of their own.
        tell: called once with how many agents were left out, when that begins.
        now_s: the monotonic clock.
    """

    def __init__(
        self,
        gathered: Gathered,
        clock: Callable[[], datetime],
        *,
        counts: Mapping[str, int] | None = None,
        dropped: Callable[[], int] = lambda: 0,
        most_agents: int = MOST_AGENTS,
        tell: Callable[[int], None] = lambda _count: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gathered, self._clock, self._now_s = gathered, clock, now_s
        self._counts, self._dropped = {} if counts is None else counts, dropped
        self._most, self._tell = most_agents, tell
        self._cut = False
        self._kept: dict[str, Page] = {}
        self._pieces: dict[str, Pieces] = {}
        self._rests_until_s = float("-inf")
        self.rendered = 0
        """Pages that were rendered so far."""
        self._process = ProcessCollector(registry=CollectorRegistry())

    def page(self, accept: str = "") -> Page:
        """The page as it is now; what is asked for decides its format alone.

        Args:
            accept: the header of the request.
        """
        wanted = f"{OPEN_METRICS}; version=1.0.0" if OPEN_METRICS in accept else ""
        kept, began_s = self._kept.get(wanted), self._now_s()
        if kept is not None and began_s < max(kept.until_s, self._rests_until_s):
            return kept
        encode, kind = choose_encoder(wanted)
        pieces = self._pieces.setdefault(wanted, Pieces(encode))
        body = pieces.page(*self._samples(), _family, self._process.collect())
        self.rendered += 1
        done_s = self._now_s()
        self._rests_until_s = done_s + REST * (done_s - began_s)
        page = self._kept[wanted] = Page(body, kind, max(done_s + LEAST_S, self._rests_until_s))
        return page

    def failed(self) -> None:
        """Something went wrong in serving them, such as no file left for one more client; it is counted."""
        self._gathered.errors += 1

    def forget(self) -> None:
        """Render the next page anew, however young the last one is."""
        self._kept.clear()
        self._rests_until_s = float("-inf")

    @property
    def worded(self) -> int:
        """Samples of agents that were put into words so far, in all formats."""
        return sum(pieces.worded for pieces in self._pieces.values())

    def _samples(self) -> tuple[dict[Declared, Metric], dict[str, Table]]:
        """The families that are of no agent, and the samples of each agent."""
        gathered, now_s, now = self._gathered, self._now_s(), self._clock()
        every = []
        for sight in list(gathered.sights.values()):
            time.sleep(0)  # whoever waits for the interpreter gets it
            every.append(known(sight, now_s, now, timed_out=gathered.last_call == "timeout"))
        told = shown(every, self._most)
        left_out = len(every) - len(told)
        if left_out and not self._cut:
            self._tell(left_out)
        self._cut = bool(left_out)
        table: Table = {}
        self._of_guard(table, now_s, len(told), left_out)
        of_fleet(every, table)
        agents: dict[str, Table] = {}
        for one in told:
            time.sleep(0)
            of_agent(one, agents.setdefault(one.sight.agent, {}), now_s, now)
        fixed = {metric: _family(metric, rows) for metric, rows in table.items()}
        return {**fixed, m.LATENCY: self._latency()}, agents

    def _of_guard(self, table: Table, now_s: float, told: int, left_out: int) -> None:
        gathered = self._gathered

        def add(metric: Declared, value: float | None, *labels: str) -> None:
            if value is not None:
                table.setdefault(metric, []).append((labels, value))

        add(m.BUILD, 1.0, __version__)
        add(m.GUARD, 1.0, _NO_NAME.sub("_", gathered.name)[:64])
        add(m.STARTED, gathered.started.timestamp() if gathered.started is not None else None)
        add(m.TURN_AGE, max(0.0, now_s - gathered.turned_s))
        add(m.LAG, gathered.lag_s)
        add(m.GUARDS, gathered.guards)
        member = gathered.member
        if member is not None:
            for care, count in (
                ("known", member.known),
                ("watched", member.watching),
                ("opening", member.opening),
                ("failing", member.failing),
            ):
                add(m.AGENTS, count, care)
        add(m.AGENTS, told, "shown")
        add(m.AGENTS, left_out, "left_out")
        counts = dict(self._counts)
        for event in sorted(WEIGHTS):
            add(m.EVENTS, counts.get(event, 0), event)
        add(m.EVENTS, sum(count for event, count in counts.items() if event not in WEIGHTS), OTHER)
        for weight in Weight:
            add(m.LINES, sum(count for event, count in counts.items() if weight_of(event) is weight), m.word(weight))
        add(m.DROPPED, self._dropped())
        add(m.UNGATHERED, gathered.errors)
        calls = dict(gathered.calls)
        add(m.STORE_UP, float(gathered.last_call == "ok") if gathered.last_call else None)
        add(m.STORE_AGE, max(0.0, now_s - gathered.answered_s) if gathered.answered_s is not None else None)
        for result in m.LABELS["result"]:
            add(m.CALLS, calls.get(result, 0), result)

    def _latency(self) -> Metric:
        latency = self._gathered.latency
        counts = list(latency.counts)
        bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
        return HistogramMetricFamily(m.LATENCY.name, m.LATENCY.help, buckets=buckets, sum_value=latency.sum_s)


def _family(metric: Declared, rows: Rows) -> Metric:
    if metric.kind is Kind.INFO:
        info = InfoMetricFamily(metric.family, metric.help)
        for values, _one in rows:
            info.add_metric((), dict(zip(metric.labels, values, strict=True)))
        return info
    made = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = made(metric.family, metric.help, labels=metric.labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
