"""A drill as whoever ordered it sees it: who answered what, and how soon."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.domain.document import Report
from console.domain.triggers.finding import Trigger
from console.guard.keep.drill import answers, give
from console.guard.keep.state import GuardState
from console.guard.report.agent import report

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class DrillReport(Report):
    """A drill and its answers.

    Args:
        order: the order's id.
        trigger: that was exercised.
        for_real: whether the active side was to be given back.
        running: how many guards were running.
        ms: how long it took until all had answered, or was waited.
        answers: by guard: `seen_ms` and `took_ms` it took to see and to carry out the order; `target` and `problem`,
            why the target could not take over; `arming`; what it `would` have done, with the `alert` it raised; or what
            it `did`, with `detail` and `verified`.
    """

    order: str
    trigger: Trigger
    for_real: bool
    running: int
    ms: float
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def well(self) -> bool:
        """Whether every running guard answered, and none would fail."""
        failed = any(answer.get("problem") for answer in self.answers.values())
        return bool(self.answers) and len(self.answers) >= self.running and not failed

    def lines(self) -> Iterator[str]:
        for guard, answer in self.answers.items():
            outcome = answer.get("did") or f"would {answer.get('would', 'say nothing')}"
            yield f"{guard}: {outcome}; seen after {answer.get('seen_ms')} ms, took {answer.get('took_ms', '-')} ms"
        yield f"{len(self.answers)} of {self.running} running guards answered in {self.ms:.0f} ms"


async def exercise(
    state: GuardState, client: Redis, trigger: Trigger, *, by: str, for_real: bool, timeout_s: float
) -> DrillReport:
    """Order a drill, and wait for the answers of the guards that run.

    Args:
        state: of the agent.
        client: connected.
        trigger: which.
        by: who orders it.
        for_real: whether to roll back.
        timeout_s: how long answers are waited for.

    Raises:
        StoreUnreachable: no answer.
    """
    running = (await report(state, client)).running
    began = time.perf_counter()
    order = await give(client, state.keys, trigger, by, for_real=for_real)
    answered = await answers(client, state.keys, order, running, timeout_s if running else 0.0)
    return DrillReport(order, trigger, for_real, running, round((time.perf_counter() - began) * 1000, 1), answered)
