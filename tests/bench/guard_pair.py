"""Ten thousand agents under two guards, each of which watches them all: the start, a fact among them, a dead guard."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.bench.figures import cpu_s, median, percentile, rss_mib
from tests.bench.fleet_sim import FleetSim, GuardProcess
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage
from tests.servers import Server

AGENTS: Final = 10_000
BUDGET: Final = '[pnl]\nbudget = "50"\n'
WATCHED_S: Final = 30.0
SWITCH_MS: Final = 1_000.0
TAKEN_OVER_S: Final = 5.0
WAIT_S: Final = 600.0


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    folder = stage.folder / "pair"
    folder.mkdir()
    yield from two_guards(folder, stage.few(AGENTS, 1_000), rounds=stage.few(200, 20))


def two_guards(folder: Path, agents: int, *, rounds: int) -> Iterator[Line]:
    """Two guards' processes on one real store.

    Args:
        folder: for the store, for what they say.
        agents: how many there are, alive and idle.
        rounds: how many of them make a loss, one after the other; the last tenth of them after one guard was killed.
    """
    words = ("--all", "--triggers", str(folder / "guard.toml"))
    (folder / "guard.toml").write_text(BUDGET)
    name, server = f"{agents:,} agents under two guards", Server(folder, {"appendfsync": "everysec"}).start()
    try:
        with FleetSim(server, agents) as sim:
            began = time.monotonic()
            with (
                GuardProcess(server, folder, "g1", *words) as first,
                GuardProcess(server, folder, "g2", *words) as second,
            ):
                for guard in (first, second):
                    guard.watches(agents, WAIT_S)
                watched_s = time.monotonic() - began
                busy = [cpu_s(guard.pid) for guard in (first, second)]
                note = f"from the start of the first; {max(busy):.1f} s of processor time of the one that used more"
                yield at_most(f"{name}: all watched by both", watched_s, "s", WATCHED_S, note=note)
                time.sleep(3.0)
                chosen = random.Random(4).sample(sim.agents, rounds)
                alone = max(1, rounds // 10)
                taken = [_lost(sim, agent) for agent in chosen[alone:]]
                yield _switch(f"{name}: a loss to the switch, p99", taken)
                share = [_share(guard.pid) for guard in (first, second)]
                note = f"{rss_mib(first.pid):.0f} MiB resident each"
                yield beside(f"{name}: each of them, when nothing happens", max(share), "% of a core", note=note)
                first.process.kill()
                killed = time.time()
                taken = [_lost(sim, agent) for agent in chosen[:alone]]
                second.wait(lambda lines: any(one["event"] == "shared out" and one["guards"] == 1 for one in lines))
                note = "until the other one says that it is alone with them"
                yield at_most(
                    f"{name}: one killed: taken over", _alone_s(second) - killed, "s", TAKEN_OVER_S, note=note
                )
                yield _switch(f"{name}: one killed: a loss to the switch from that moment on, p99", taken)
    finally:
        server.kill()


def _switch(name: str, taken: list[float]) -> Line:
    note = f"{len(taken)} of them; p50 {median(taken):.0f} ms"
    return at_most(name, percentile(taken, 0.99), "ms", SWITCH_MS, note=note)


def _lost(sim: FleetSim, agent: str) -> float:
    """Milliseconds from a loss until the other side is active."""
    time.sleep(random.uniform(0.05, 0.15))
    began = time.perf_counter()
    sim.loses(agent, 100)
    while sim.active(agent) != "blue":
        if time.perf_counter() - began > 30.0:
            raise RuntimeError(f"nobody rolled {agent} back: {sim.active(agent)}")
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - began)


def _share(pid: int, seconds: float = 5.0) -> float:
    before, began = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_s(pid) - before) / (time.monotonic() - began)


def _alone_s(guard: GuardProcess) -> float:
    """When it said so, in epoch seconds."""
    told = next(one for one in reversed(guard.lines()) if one["event"] == "shared out" and one["guards"] == 1)
    return datetime.fromisoformat(told["time"]).timestamp()
