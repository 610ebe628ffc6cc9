"""What one round costs: router, judge, guardrails and evaluator together; and what a shadow costs the live path."""

from __future__ import annotations

import gc
import pickle
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from queue import Queue

from console.agent.canary import CanaryRouter
from console.agent.shadow import ShadowAgent
from console.domain.canary import Analysis, Facts, Mode, Position, RunState, usual_plan
from console.domain.canary_rules import evaluate
from console.domain.guardrails import Guardrails
from console.domain.judge import Judge
from console.domain.statistics import Form, Settings

STATE = {"round": 8812, "game": "crash", "multiplier": 1.74, "balance": "1033.20", "open": ["a", "b"], "target": 2.0}


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99, in microseconds."""
    seconds.sort()
    return seconds[len(seconds) // 2] * 1e6, seconds[int(len(seconds) * 0.99)] * 1e6


def one_round(mode: Mode, rounds: int = 20_000) -> tuple[float, float]:
    """Assign, settle, judge, guard, read, evaluate."""
    settings = Settings(
        margin=0.05, sigma=1.0, lowest=-5.0, highest=5.0, form=Form.PAIRED if mode is Mode.SPLIT else Form.ADJUSTED
    )
    plan, position, now = usual_plan(settings, Decimal(10**6)), Position(2, 2), datetime.now(UTC)
    router, judge, guard = CanaryRouter("run", mode=mode, cap=Decimal(10**6)), Judge(settings), Guardrails(0.01)
    router.apply(position, plan.steps[2].share, Decimal(10**6))
    amount, won, lost = Decimal("12.50"), Decimal("11.25"), Decimal("-12.50")
    started, before, nothing = now - timedelta(hours=1), now - timedelta(minutes=2), Decimal(0)
    taken = []
    for at in range(rounds):
        start = time.perf_counter()
        round_id, pnl, value = str(at), won if at % 2 else lost, 0.9 if at % 2 else -1.0
        given = router.assign(round_id, amount)
        canary = given.to_canary
        router.settle(round_id, canary_pnl=pnl if canary else nothing, stable_pnl=nothing if canary else pnl)
        if mode is Mode.SPLIT:
            judge.pair(value, -value)
        else:
            judge.round(canary, value, given.probability)
        guard.round(canary, given.probability)
        reading = router.reading()
        analysis = Analysis(now, position, judge.evidence, "", guard.alarms, guard.ratio_alarm)
        evaluate(
            plan,
            Facts(
                position, RunState.RUNNING, started, before, analysis, judge.rounds_canary, now,
                reading.balance, reading.budget_blocked, reading.share,
            ),
            now,
        )  # fmt: skip
        taken.append(time.perf_counter() - start)
    return quantiles(taken)


def _shadows() -> dict[str, Callable[[object], object]]:
    for_ever = threading.Event()

    def sleeps(state: object) -> object:
        time.sleep(0.02)
        return state

    def raises(state: object) -> object:
        raise RuntimeError

    return {
        "agrees": lambda state: state,
        "sleeps 20 ms": sleeps,
        "raises": raises,
        "hangs": lambda state: for_ever.wait(),
    }


def shadow_overhead(rounds: int = 4000, pause_s: float = 0.0005) -> dict[str, tuple[float, float]]:
    """The time `decide` adds to a live version that does nothing, with each kind of shadow, beside its floor.

    The floor is what no shadow can do without: one pickle of the state, one of the decision, one put on a queue.
    """
    found: dict[str, tuple[float, float]] = {}
    queue: Queue[object] = Queue()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        queue.put_nowait((pickle.dumps(STATE, pickle.HIGHEST_PROTOCOL), pickle.dumps(STATE, pickle.HIGHEST_PROTOCOL)))
        taken.append(time.perf_counter() - start)
        time.sleep(pause_s)
    found["floor: two pickles and a put"] = quantiles(taken)
    for name, shadow in _shadows().items():
        agent: ShadowAgent[object, object] = ShadowAgent(lambda _, shadow=shadow: shadow, deadline_s=0.05, hang_s=0.2)
        taken = []
        gc.collect()
        for _ in range(rounds):
            start = time.perf_counter()
            agent.decide(STATE, lambda state: state)
            taken.append(time.perf_counter() - start)
            time.sleep(pause_s)
        agent.close()
        reading = agent.reading()
        counted = f"{reading.rounds} compared, {reading.dropped} dropped, {reading.timed_out} timed out"
        found[f"{name} ({counted}, {reading.raised} raised)"] = quantiles(taken)
    return found
