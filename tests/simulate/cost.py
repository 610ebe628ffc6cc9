"""What one round costs: router, judge, guardrails and evaluator together; and what a shadow costs the live path."""

from __future__ import annotations

import gc
import pickle
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from queue import Queue
from typing import NamedTuple

from console.agent.canary.router import CanaryRouter
from console.agent.shadow.agent import ShadowAgent
from console.domain.canary.guardrails import Guardrails
from console.domain.canary.plan import Analysis, Facts, Mode, Position, RunState, usual_plan
from console.domain.canary.rules import evaluate
from console.domain.statistics.evidence import Form, Settings
from console.domain.statistics.judge import Judge

STATE = {"round": 8812, "game": "crash", "multiplier": 1.74, "balance": "1033.20", "open": ["a", "b"], "target": 2.0}


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99, in microseconds."""
    seconds.sort()
    return seconds[len(seconds) // 2] * 1e6, seconds[int(len(seconds) * 0.99)] * 1e6


class Cost(NamedTuple):
    """What one round took, in microseconds, beside a floor taken in turn with it.

    Args:
        p50, p99: over all rounds, whatever else the machine was doing.
        best: a round's mean in the quickest batch.
        floor: the mean of `floor_turn` in its quickest batch.
        cpu: a round's mean processor time over all batches: what is looked at now and then is in it, what else the
            machine was doing is not.
    """

    p50: float
    p99: float
    best: float
    floor: float
    cpu: float

    @property
    def ratio(self) -> float:
        """Best over floor: the same on a machine of another speed."""
        return self.best / self.floor


def floor_turn(amounts: list[int]) -> int:
    """The floor: a thousand additions in plain Python; nothing of ours."""
    total = 0
    for amount in amounts:
        total += amount
    return total


def _rounds(mode: Mode, form: Form) -> Callable[[int], object]:
    """One round through everything: assign, settle, judge, guard, read, evaluate; in the ladder's third step."""
    settings = Settings(margin=0.05, sigma=1.0, lowest=-5.0, highest=5.0)
    plan, position, now = usual_plan(settings, Decimal(10**6)), Position(2, 2), datetime.now(UTC)
    if mode is Mode.SPLIT:
        plan = replace(plan, mode=mode, settings=replace(settings, form=Form.PAIRED))
    elif form is not settings.form:
        plan = replace(plan, settings=replace(settings, form=form))
    router, judge, guard = CanaryRouter("run", mode=mode, cap=Decimal(10**6)), Judge(plan.settings), Guardrails(0.01)
    router.apply(position, plan.steps[2].share, Decimal(10**6))
    rng = random.Random(1)
    amounts = [Decimal(rng.randrange(100, 9_999)) / 100 for _ in range(997)]
    results = [Decimal(rng.randrange(-99, 100)) / 100 for _ in range(991)]
    started, before, nothing = now - timedelta(hours=1), now - timedelta(minutes=2), Decimal(0)

    def play(at: int) -> object:
        round_id, amount, pnl = str(at), amounts[at % 997], results[at % 991]
        given = router.assign(round_id, amount)
        if mode is Mode.SPLIT:
            router.settle(round_id, canary_pnl=pnl if given.canary else nothing, stable_pnl=pnl)
            judge.pair(float(pnl), -float(pnl))
        else:
            canary = given.to_canary
            router.settle(round_id, canary_pnl=pnl if canary else nothing, stable_pnl=nothing if canary else pnl)
            judge.round(canary, float(pnl), given.probability)
        guard.round(given.to_canary, given.probability)
        reading = router.reading()
        analysis = Analysis(now, position, judge.evidence, "", guard.alarms, guard.ratio_alarm)
        facts = Facts(
            position,
            RunState.RUNNING,
            started,
            before,
            analysis,
            judge.rounds_canary,
            now,
            reading.balance,
            reading.budget_blocked,
            reading.share,
        )
        return evaluate(plan, facts, now)

    for at in range(-200, 0):
        play(at)
    judge.new_step()  # so that the run and a step of its own are judged, as from the second step on
    return play


def one_round(mode: Mode, form: Form = Form.ADJUSTED, batches: int = 60, size: int = 300) -> Cost:
    """Router, judge, guardrails and evaluator, in batches, each after one of the floor."""
    play, numbers = _rounds(mode, form), list(range(1000))
    taken: list[float] = []
    cpu = 0.0
    best = floor = float("inf")
    gc.collect()
    for batch in range(batches):
        start = time.perf_counter()
        for _ in range(10):
            floor_turn(numbers)
        floor = min(floor, (time.perf_counter() - start) / 10)
        began, cpu_began = len(taken), time.process_time()
        for at in range(batch * size, (batch + 1) * size):
            start = time.perf_counter()
            play(at)
            taken.append(time.perf_counter() - start)
        cpu += time.process_time() - cpu_began
        best = min(best, sum(taken[began:]) / size)
    p50, p99 = quantiles(taken)
    return Cost(p50, p99, best * 1e6, floor * 1e6, cpu / len(taken) * 1e6)


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
