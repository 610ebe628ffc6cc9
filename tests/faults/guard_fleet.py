"""A fleet's fault run: three guards share many agents, and one of them is killed at the moment of a trip."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from console.store.keys import Keys
from tests.bench.fleet_sim import FleetSim, GuardProcess
from tests.faults.guard_runs import Found, alerts_in
from tests.faults.guard_scene import until
from tests.guard.receiver import Receiver
from tests.servers import Server

GUARDS = 3


def killed_in_a_fleet(folder: Path, program: Path | None, *, agents: int, rounds: int, seed: int = 3) -> Found:
    """One of three guards is killed with -9 around the moment at which an agent in its care trips; so often."""
    chance = random.Random(seed)
    server = Server(folder, {"appendonly": "no"}, program).start()
    guards: dict[str, GuardProcess] = {}
    violations: list[str] = []
    to_switch_ms: list[float] = []
    taken_over_s: list[float] = []
    try:
        with Receiver() as receiver, FleetSim(server, agents, past=20) as sim:
            file = folder / "guard.toml"
            file.write_text(f'[pnl]\nbudget = "50"\n[[webhooks]]\nname = "w"\nurl = "{receiver.url}"\n')

            def start(name: str) -> None:
                guards[name] = GuardProcess(server, folder, name, "--all", "--triggers", str(file))

            for number in range(GUARDS):
                start(f"g{number}")
            _shared_out(guards, GUARDS)
            for number, agent in enumerate(chance.sample(sim.agents, rounds)):
                names = [name.decode() for name in sim.client.hkeys(_key(agent, "guards"))]
                watching = sorted(name for name in names if name in guards)
                if len(watching) != 2:
                    violations.append(f"round {number}: {agent} is watched by {len(watching)}")
                before = set(alerts_in(receiver))
                began = time.perf_counter()
                sim.loses(agent, 100)
                moment = chance.uniform(0.0, 0.15)
                while time.perf_counter() - began < moment:
                    time.sleep(0.0005)
                dead = watching[0]
                guards.pop(dead).process.kill()
                killed_s = time.time()
                until(lambda agent=agent: sim.active(agent) == "blue", f"round {number}: nobody rolled back")
                to_switch_ms.append(1000 * (time.perf_counter() - began))
                until(lambda before=before: set(alerts_in(receiver)) - before, f"round {number}: no alert came")
                rolled_back = _roll_backs(sim, agent)
                if rolled_back != 1:
                    violations.append(f"round {number}: {rolled_back} roll backs of {agent}")
                for guard in guards.values():
                    until(lambda guard=guard: _last(guard.lines()) == (GUARDS - 1, agents), "not taken over")
                    taken_over_s.append(_last_s(guard.lines()) - killed_s)
                start(f"h{number}")
                _shared_out(guards, GUARDS)
            ids = alerts_in(receiver)
            tripped = Counter(one.json["alert"]["agent"] for one in receiver.taken)
        if len(ids) != rounds:
            violations.append(f"{len(ids)} alerts for {rounds} roll backs of {len(tripped)} agents")
    finally:
        for guard in guards.values():
            guard.__exit__()
        server.kill()
    return {
        "agents": agents,
        "guards": GUARDS,
        "kills": rounds,
        "alerts": len(ids),
        "repeated_under_the_same_key": ids.total() - len(ids),
        "slowest_switch_ms": max(to_switch_ms),
        "slowest_take_over_s": max(taken_over_s),
        "violations": violations,
    }


def _shared_out(guards: dict[str, GuardProcess], count: int) -> None:
    for guard in guards.values():
        until(lambda guard=guard: _last(guard.lines())[0] == count, "all guards to be known", timeout_s=120.0)


def _last(lines: list[dict[str, Any]]) -> tuple[int, int]:
    """How many guards there are, and how many agents are watched, as said last."""
    shared = [(one["guards"], one["watching"]) for one in lines if one["event"] == "shared out"]
    return shared[-1] if shared else (0, 0)


def _last_s(lines: list[dict[str, Any]]) -> float:
    """When that was said, in epoch seconds."""
    times = [one["time"] for one in lines if one["event"] == "shared out"]
    return datetime.fromisoformat(times[-1]).timestamp()


def _key(agent: str, name: str) -> str:
    return Keys.of(agent).ctl.removesuffix("ctl") + name


def _roll_backs(sim: FleetSim, agent: str) -> int:
    entries: Any = sim.client.xrange(Keys.of(agent).log)
    return sum(fields[b"k"] == b"rollback" for _id, fields in entries)
