"""What a guard costs that watches many agents, measured on its own process over one real store of simulated agents."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.figures import cpu_s, median, percentile, rss_mib
from tests.bench.fleet_sim import PAST, FleetSim, GuardProcess
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage
from tests.guard.records import history, record, write
from tests.servers import Server

COUNTS: Final = (1, 100, 1_000, 10_000)
SETTLE_S: Final = 12.0
"""After the last agent was read; listening waits longer from then on."""
SAMPLE_S: Final = 20.0
BUDGET: Final = '[pnl]\nbudget = "50"\n'


def measure(stage: Stage) -> Iterator[Line]:
    """Memory and idle processor time by number of agents, and how fast a fact acts among a thousand."""
    rss: dict[int, float] = {}
    for count in COUNTS[: stage.few(4, 3)]:
        folder = _folder(stage, f"idle-{count}")
        server = Server(folder, {"appendonly": "no"}).start()
        try:
            with FleetSim(server, count), GuardProcess(server, folder, "g1", "--all") as guard:
                ready_s = guard.watches(count, 600.0)
                time.sleep(stage.few(int(SETTLE_S), 3))
                before, began = cpu_s(guard.pid), time.monotonic()
                time.sleep(stage.few(int(SAMPLE_S), 5))
                share = 100 * (cpu_s(guard.pid) - before) / (time.monotonic() - began)
                rss[count] = rss_mib(guard.pid)
        finally:
            server.kill()
        name = f"guard --all, {count:,} agents" if count > 1 else "guard --all, 1 agent"
        each = f"; {1024 * (rss[count] - rss[1]) / (count - 1):.1f} KiB for each more" if count > 1 else ""
        yield beside(f"{name}: resident memory", rss[count], "MiB", note=f"{PAST} settled actions of each{each}")
        yield beside(f"{name}: idle", share, "% of a core", note=f"all watched {ready_s:.1f} s after its start")
    yield from _reaction(stage)
    yield from _rate(stage)


def _reaction(stage: Stage) -> Iterator[Line]:
    agents, rounds = stage.few(1_000, 100), stage.few(200, 20)
    for kind in ("stream", "log"):
        folder = _folder(stage, kind)
        (folder / "guard.toml").write_text(BUDGET)
        server = Server(folder, {"appendonly": "no"}).start()
        try:
            with FleetSim(server, agents) as sim:
                logs = _logs(folder, sim) if kind == "log" else ()
                words = ("--all", "--triggers", str(folder / "guard.toml"))
                with GuardProcess(server, folder, "g1", *words, decisions=logs) as guard:
                    guard.watches(agents, 600.0)
                    time.sleep(3.0)
                    taken = [_one(sim, folder, kind, agent) for agent in random.Random(4).sample(sim.agents, rounds)]
        finally:
            server.kill()
        what = "loss settled in the store" if kind == "stream" else "exception in a decision log"
        note = f"{rounds} times, one agent of {agents:,} each; p50 {median(taken):.1f} ms"
        yield at_most(
            f"{what}, {agents:,} agents under one guard: fact to switch, p99",
            percentile(taken, 0.99),
            "ms",
            1000.0,
            note=note,
        )


def _one(sim: FleetSim, folder: Path, kind: str, agent: str) -> float:
    """Milliseconds from the fact until the other side is active."""
    time.sleep(random.uniform(0.05, 0.15))
    began = time.perf_counter()
    if kind == "stream":
        sim.loses(agent, 100)
    else:
        write(folder / agent / "d.jsonl", [record(time.time(), "green", decision_type="exception", pnl=None)])
    while sim.active(agent) != "blue":
        if time.perf_counter() - began > 30.0:
            raise RuntimeError(f"nobody rolled {agent} back: {sim.active(agent)}")
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - began)


def _logs(folder: Path, sim: FleetSim) -> tuple[str, ...]:
    now_s = time.time()
    for agent in sim.agents:
        (folder / agent).mkdir()
        write(folder / agent / "d.jsonl", [*history(now_s - 60, 20, "blue"), record(now_s, "green", pnl=None)])
    return (str(folder / "{agent}" / "*.jsonl"),)


def _rate(stage: Stage) -> Iterator[Line]:
    """Decisions that a running guard takes in and judges for each second of processor time."""
    folder, count = _folder(stage, "rate"), stage.few(200_000, 30_000)
    server = Server(folder, {"appendonly": "no"}).start()
    try:
        with FleetSim(server, 1, past=0) as sim:
            logs = _logs(folder, sim)
            with GuardProcess(server, folder, "g1", "--all", decisions=logs) as guard:
                guard.watches(1)
                time.sleep(2.0)
                before, began = cpu_s(guard.pid), _taken_in(sim)
                for start in range(0, count, 500):
                    now_s = time.time()
                    write(folder / "a0" / "d.jsonl", [record(now_s, "green", pnl=2.0 * (n % 2)) for n in range(500)])
                    time.sleep(0.01)
                    while start - _taken_in(sim) + began > 20_000:
                        time.sleep(0.05)
                deadline = time.monotonic() + 120.0
                while _taken_in(sim) - began < count:
                    if time.monotonic() > deadline:
                        raise RuntimeError(f"{_taken_in(sim) - began} of {count} decisions were taken in")
                    time.sleep(0.05)
                rate = count / (cpu_s(guard.pid) - before)
    finally:
        server.kill()
    note = f"{count:,} lines appended 500 at a time to a log; its own process, housekeeping included"
    yield beside("guard: decisions taken in and judged while it runs, a core", rate, "decisions/s", note=note)


def _taken_in(sim: FleetSim) -> int:
    from console.store.keys import Keys

    raw = sim.client.hget(Keys.of("a0").ctl.removesuffix("ctl") + "guards", "g1")
    return int(json.loads(raw)["decisions"]) if raw else 0


def _folder(stage: Stage, name: str) -> Path:
    folder = stage.folder / f"fleet-{name}"
    folder.mkdir()
    return folder
