"""What one round of a canary costs: router, judge, guardrails and evaluator together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from console.domain.canary.plan import Mode
from console.domain.statistics.evidence import Form
from tests.bench.line import Line, at_most
from tests.bench.stage import Stage
from tests.simulate.cost import one_round

MOST_US: Final = 50.0
KINDS: Final = (
    ("routed", Mode.ROUTE, Form.ADJUSTED),
    ("routed, bounded form", Mode.ROUTE, Form.BOUNDED),
    ("split, in pairs", Mode.SPLIT, Form.PAIRED),
)


def measure(stage: Stage) -> Iterator[Line]:
    """One line for each form."""
    for words, mode, form in KINDS:
        cost = one_round(mode, form, batches=stage.few(60, 12))
        note = f"p99 {cost.p99:.1f} µs, the quickest batch {cost.best:.1f} µs, processor time {cost.cpu:.1f} µs"
        yield at_most(f"canary: one round, {words}", cost.p50, "µs", MOST_US, "1,000 additions", cost.floor, note)
