"""Everything at once: handovers by real command lines through a lossy proxy, a guard, a venue with moods, agents that
are interrupted, forked, frozen, killed and fed with nonsense, stable names, and a server that is frozen and killed.

What must hold afterwards is what `invariants` checks; how often each was done stands in the table.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.chaos import command, harm
from tests.faults.fleet import Fleet, Worker
from tests.faults.invariants import check
from tests.faults.operators import GuardProcess, Operator
from tests.faults.proxy import Proxy
from tests.servers import free_port

MOODS = {"late": 0.03, "twice": 0.05, "never": 0.03}
AGENTS = {
    "resolve": True,
    "resolve_share": 0.1,
    "slow_probe": 0.1,
    "gap_s": 0.002,
    "forks": 0.01,
    "values": 0.1,
    "twice": 0.05,
    "venue_timeout_s": 0.08,
    "quarantine_ms": 1_500,
    "wake_ms": 5_000,
    "examine_ms": 500,
}
"""What the agents are told. The quarantine is longer than the venue is late, and `wake` longer than any freeze."""


def run(folder: Path, *, seconds: float, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """So long; what was counted, and `violations`."""
    with Fleet(folder, program, moods=MOODS, port=str(free_port())) as fleet:
        fleet.dice.seed(seed)
        for_operators, for_agents = Proxy(fleet.server.port), Proxy(fleet.server.port)
        for proxy in (for_operators, for_agents):
            fleet.cleanup.callback(proxy.close)
            proxy.back.cut, proxy.there.cut = 0.015, 0.005
        for_agents.back.cut = for_agents.there.cut = 0.005
        counts: Counter[str] = Counter()
        acknowledged: list[int] = []
        fence = fleet.fence(timeout_s=0.5)
        command(fleet, fence, acknowledged, counts)
        guard = GuardProcess(fleet.server.tcp_url, fleet.environment, folder).start()
        fleet.cleanup.callback(guard.kill)
        told = {**AGENTS, "spool": str(folder / "spool")}
        for slot in ("blue", "green"):  # the first has the name of its pod, and alarms; the second a bad line
            fleet.add(slot, **told, instance=f"{slot}-0", interrupts_s=0.15)
            fleet.add(slot, **told, url=for_agents.url)
        for each in fleet.workers:
            each.wait_ready()
        operator = Operator(for_operators.url, fleet.environment, seed).start()
        frozen: dict[Worker, float] = {}
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if fleet.dice.random() < 0.05:  # mostly it is left to the command lines
                command(fleet, fence, acknowledged, counts)
            harm(fleet, frozen)
            _harm_the_rest(fleet, guard, counts)
            time.sleep(fleet.dice.random() * 0.1)
        operator.stop()
        for worker in frozen:
            worker.thaw()
        died = sum(not each.alive for each in fleet.workers)
        guard_lives = guard.alive
        for each in fleet.workers:
            each.kill()
        venue = fleet.venue.client()
        time.sleep(1.0)  # a venue that is late executes what it was asked for
        findings = check(
            fleet.fence(timeout_s=10).client, fence.keys, venue.history(), acknowledged + operator.acknowledged
        )
        notes = venue.notes()
        venue.close()
        findings.violations += [what for what in notes if what.startswith("violation")]
        if died:
            findings.violations.append(f"{died} agents died of an exception")
        if operator.counts["cli_hung"]:
            findings.violations.append(f"{operator.counts['cli_hung']} command lines did not come to an end")
        if not guard_lives:
            findings.violations.append("the guard died of an exception")
        counts.update({name: number for name, number in notes.items() if not name.startswith("violation")})
        counts.update(operator.counts)
        counts["cuts"] = for_operators.cuts + for_agents.cuts
        counts["kills"] = sum(each.kills for each in fleet.workers)
        counts["freezes"] = sum(each.freezes for each in fleet.workers)
        counts["guard_kills"] = guard.kills
        counts["guard_acts"] = guard.said().count("acted")
        counts["seconds"] = int(time.monotonic() - began)
        return dict(sorted(counts.items())) | asdict(findings)


def _harm_the_rest(fleet: Fleet, guard: GuardProcess, counts: Counter[str]) -> None:
    """Kill the guard or the server, or freeze the server for a while."""
    chance = fleet.dice.random()
    if chance < 0.01:
        guard.kill()
        guard.start()
    elif chance < 0.02:
        fleet.server.restart()
        counts["server_kills"] += 1
    elif chance < 0.05:
        os.kill(fleet.server.pid, signal.SIGSTOP)
        time.sleep(fleet.dice.random() * 0.4)
        os.kill(fleet.server.pid, signal.SIGCONT)
        counts["server_freezes"] += 1
