"""The guard: how often it is wrong, how soon it is right, how fast it acts, what it costs.

`python -m tests.bench.guard` prints the table of false alarms that stands in docs/figures.md.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from console.domain.triggers.facts import Facts, Source, Tenure
from console.domain.triggers.look import Memory
from console.domain.triggers.rules import assess
from console.domain.triggers.settings import TriggerSettings
from console.domain.triggers.windows import Row
from console.guard.replay.replay import replay
from console.logs.options import LogOptions
from tests.bench import guard_fleet
from tests.bench.figures import median, percentile
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage
from tests.faults.guard_runs import scene_on
from tests.faults.guard_scene import Scene
from tests.faults.guard_triggers import FAST, goes_on, proven, quiet, three_sigma
from tests.guard.records import record, write
from tests.servers import Server
from tests.simulate.guard import NEVER, play
from tests.simulate.shapes import SHAPES, Shape

RUNS: Final = 1000
ROUNDS: Final = 10_000
BASELINE: Final = 500
HARMS: Final = (0.1, 0.3, 1.0)
"""Loss a round, in standard deviations of one."""
CHUNK: Final = 100


def measure(stage: Stage) -> Iterator[Line]:
    """Every figure."""
    yield from _rates(stage)
    yield from _reaction(stage)
    yield from _slow_triggers(stage)
    yield from _speed(stage)
    yield from _memory(stage)
    yield from guard_fleet.measure(stage)


# how often it is wrong, how soon it is right


def rates(shape: Shape, runs: int, rounds: int, harm: float = 0.0) -> tuple[float, float, float]:
    """Shares of runs rolled back and frozen, and the median rounds until the roll back (infinite without any)."""
    settings = TriggerSettings()
    rng = np.random.default_rng(2026)
    harmed, frozen = [], []
    for start in range(0, runs, CHUNK):
        size = min(CHUNK, runs - start)
        before, after = shape.draw(rng, (size, BASELINE)), shape.draw(rng, (size, rounds)) - harm
        fired = play(settings, before, after)
        harmed.append(fired.harm)
        frozen.append(fired.frozen)
    when, ice = np.concatenate(harmed), np.concatenate(frozen)
    hit = when < NEVER
    return float(hit.mean()), float((ice < NEVER).mean()), float(np.median(when[hit])) if hit.any() else float("inf")


def _rates(stage: Stage) -> Iterator[Line]:
    runs, rounds = stage.few(RUNS, 200), stage.few(ROUNDS, 3000)
    alpha = TriggerSettings().pnl_alpha
    for shape in SHAPES:
        wrong, frozen, _ = rates(shape, runs, rounds)
        note = f"{runs} runs of {rounds:,} rounds; 3σ alone would have fired in {100 * frozen:.1f} %"
        yield at_most(f"A/A, {shape.name}: rolled back", 100 * wrong, "%", 100 * alpha, note=note)
        for harm in HARMS:
            found, _, when = rates(shape, stage.few(200, 50), rounds, harm)
            note = f"found in {100 * found:.0f} % of runs within {rounds:,} rounds"
            name = f"{harm:g} sd worse, {shape.name}: rolled back after"
            yield Line(name, when if found else None, "rounds", note=note)


def table(runs: int = RUNS, rounds: int = ROUNDS) -> Iterator[str]:
    """The documents' table."""
    yield "| payoff | rolled back in A/A | 3σ alone would fire | 0.1 sd worse | 0.3 sd worse | 1 sd worse |"
    yield "|---|---|---|---|---|---|"
    for shape in SHAPES:
        wrong, frozen, _ = rates(shape, runs, rounds)
        cells = []
        for harm in HARMS:
            found, _, when = rates(shape, 200, rounds, harm)
            cells.append(f"{100 * found:.0f} %, {when:,.0f} rounds" if found else "0 %")
        yield f"| {shape.name} | {100 * wrong:.1f} % | {100 * frozen:.1f} % | {' | '.join(cells)} |"


# how fast it acts


def _reaction(stage: Stage) -> Iterator[Line]:
    rounds = stage.few(100, 15)
    for fenced in (False, True):
        folder = stage.folder / f"guard-{fenced}"
        folder.mkdir()
        server = Server(folder, {}).start()
        try:
            with Scene(server, fenced=fenced) as scene:
                scene.guard("g1")
                for name in ("exception", "auth", "double-spend"):
                    yield from _one(scene, name, rounds, "fenced" if fenced else "plain")
        finally:
            server.kill()


def _one(scene: Scene, name: str, rounds: int, kind: str) -> Iterator[Line]:
    taken: list[float] = []
    for number in range(rounds):
        time.sleep(0.05)
        now = time.time()
        records = {
            "exception": [record(now, "green", decision_type="exception", pnl=None)],
            "auth": [record(now, "green", pnl=None, output={"http_status": 401})],
            "double-spend": [record(now, "green", key=f"{kind}{number}"), record(now, "green", key=f"{kind}{number}")],
        }[name]
        taken.append(1000 * scene.fact_to_switch_s(*records))
        scene.again()
    note = f"{rounds} times, from the write to the log until the key reads the other side; p50 {median(taken):.1f} ms"
    yield at_most(f"{name}, {kind} agents: fact to switch, p99", percentile(taken, 0.99), "ms", 1000.0, note=note)


def _slow_triggers(stage: Stage) -> Iterator[Line]:
    """What the rules give a minute or more to; minutes on a guard's clock that runs faster."""
    for name in ("sigma", "gap", "slow"):
        (stage.folder / name).mkdir()
    with scene_on(stage.folder / "sigma") as scene:
        scene.guard("g1")
        yield at_most("3σ, plain agents: last round to new risk frozen", three_sigma(scene), "s", 60.0)
        scene.again()
        yield at_most("proven harm, plain agents: last round to switch", proven(scene), "s", 60.0)
    note = f"on a guard's clock {FAST:g} times as fast"
    with scene_on(stage.folder / "gap", rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        write(scene.log, [record(scene.now_s(), "green", inputs={"escrow_id": "e-1"})])
        took_s = goes_on(scene, 600.0) - TriggerSettings().escrow_gap_s
        yield at_most("escrow gap, plain agents: 60 s without a look to switch", took_s, "s", 60.0, note=note)
    with scene_on(stage.folder / "slow", rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        took_s = goes_on(scene, 600.0, latency_ms=50.0)
        yield at_most("latency, plain agents: first slow decision to switch", took_s, "s", 300.0, note=note)


# what it costs


def _speed(stage: Stage) -> Iterator[Line]:
    count = stage.few(60_000, 15_000)
    log = stage.folder / "guard.jsonl"
    with log.open("w") as file:
        for number in range(count):
            version = "2.4.0" if number < count // 2 else "2.5.0"
            file.write(json.dumps(record(1.77e9 + number / 10, version, pnl=2.0 * (number % 2))) + "\n")
    began = time.process_time()
    outcome = replay([log], TriggerSettings(), options=LogOptions(last_lines=None))
    rate = count / (time.process_time() - began)
    if outcome.decisions != count:
        raise RuntimeError(f"{outcome.decisions} of {count} decisions were replayed")
    yield beside("guard: decisions parsed and judged one by one, a core", rate, "decisions/s")


def _memory(stage: Stage) -> Iterator[Line]:
    settings, agents = TriggerSettings(), 200
    start = datetime(2026, 3, 1, tzinfo=UTC)
    tracemalloc.start()
    before, _peak = tracemalloc.get_traced_memory()
    fleet = [_agent(settings, start) for _ in range(agents)]
    after, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    note = f"{len(fleet)} agents, 300 decisions each, windows full"
    yield beside("guard: facts of one agent, as allocated", (after - before) / agents / 1024, "KiB", note=note)


def _agent(settings: TriggerSettings, start: datetime) -> Facts:
    facts = Facts(settings)
    for number in range(300):
        at_s = start.timestamp() + number
        if number == 150:
            facts.begin(Tenure("green", 0, start + timedelta(seconds=number)))
            facts.freeze()
        slot = "blue" if number < 150 else "green"
        facts.add(Row(at_s, slot, slot, str(number), Decimal(number % 2), "USD", latency_ms=10.0 + number % 7))
    assess(facts, Source(True, start), Memory(), settings, start + timedelta(seconds=300))
    return facts


if __name__ == "__main__":
    for text in table():
        print(text, flush=True)
