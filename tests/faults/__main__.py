"""The long fault suite: `python -m tests.faults [--minutes N] [--only NAME …] [--json FILE] [--server PROGRAM]`; what a
run wrote goes into the documents' figures by `--json FILE --record tests/figures/faults.json`.

Prints what was counted as a table, writes it as JSON, and ends with 1 if anything that must hold did not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults import (
    canary_chaos,
    chaos,
    crowd_chaos,
    debts,
    failover,
    following,
    guarded_cluster,
    losses,
    quiescing,
    resharding,
    residual,
    storm,
    test_model,
    upgrade_chaos,
)
from tests.faults import guard_runs as guards
from tests.faults.guard_fleet import killed_in_a_fleet
from tests.faults.guard_triggers import reactions
from tests.guard.receiver import Receiver
from tests.servers import Server, free_port, programs, version

Run = Callable[[Path, float, Path | None], dict[str, Any]]


def handovers(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """kill -9 of agents at random points, handovers under load."""
    return chaos.run(folder, handovers=int(110 * minutes), seconds=60 * minutes, program=program)


def server_deaths(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The same, and the server is killed too."""
    return chaos.run(folder, handovers=0, seconds=60 * minutes, kill_server=True, seed=2, program=program)


def crowd_of_tasks(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """64 tasks of one process on one connection, a dozen of them cancelled now and then; process and server die."""
    return crowd_chaos.run(folder, "tasks", harms=3, seconds=60 * minutes, program=program, seed=4)


def crowd_of_threads(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """64 threads of one process on a few connections; process and server die."""
    return crowd_chaos.run(folder, "threads", harms=3, seconds=60 * minutes, program=program, seed=5)


def hard(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """A long gap between the last check and the send, more lost answers."""
    return chaos.run(
        folder, handovers=0, seconds=60 * minutes, seed=3, program=program, worker={"gap_s": 0.02, "lost": 0.1}
    )


def without_check(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """What the lease check right before sending is for: the same without it. Violations are expected, not forbidden."""
    outcome = chaos.run(
        folder, handovers=0, seconds=60 * minutes, seed=4, program=program, worker={"gap_s": 0.02, "no_check": True}
    )
    outcome["violations_expected"] = outcome.pop("violations")
    return outcome


def waiting(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Primary and active agent cut off together; claims wait for one replica."""
    outcome = failover.isolated_primary(folder, replicas=1, seconds=max(5.0, 20 * minutes), program=program)
    bad = outcome["isolated_executions"] or outcome["twice"]
    return outcome | {"violations": ["an isolated side acted"] if bad else []}


def not_waiting(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The same without waiting: unprotected against failover."""
    return failover.isolated_primary(folder, replicas=0, seconds=max(5.0, 20 * minutes), program=program)


def lost_switch(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """A switch that is lost at failover is detected."""
    outcome = failover.lost_switch_is_detected(folder, program=program)
    return outcome | {"violations": [] if outcome["why"].startswith("epoch regression") else ["not detected"]}


def many_failovers(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The primary is killed, or hangs and comes back, again and again under load; claims wait for one replica."""
    return following.failovers(folder, count=max(2, min(20, round(10 * minutes))), program=program)


def cluster(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """The agent's slot is moved 20 times and the node that has it killed 20 times; claims wait for a replica."""
    return resharding.run(folder, program=program)


def guarded(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """Two guards over every shard of a Cluster: a primary killed 10 times under load, a loss after each."""
    return guarded_cluster.run(folder, program=program)


def quiet_plain(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Plain agents, quiesced switches."""
    outcome = _flips(folder, minutes, program, quiescing.quiesced)
    return outcome | {"violations": [f"{outcome['late']} late actions"] if outcome["late"] else []}


def naive_plain(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Plain agents, the key is just written."""
    return _flips(folder, minutes, program, quiescing.naive)


def _flips(folder: Path, minutes: float, program: Path | None, flip: quiescing.Flip) -> dict[str, Any]:
    server = Server(folder, {"port": str(free_port())}, program).start()
    try:
        return asyncio.run(quiescing.run(server, folder, flip, flips=max(10, min(200, int(100 * minutes)))))
    finally:
        server.kill()


def model(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Random sequences of acts against the model."""
    from console.store.fence.blocking import Fence
    from console.store.keys import Keys
    from console.store.server.connect import connect_sync

    server = Server(folder, {"appendonly": "no"}, program).start()
    examples = int(600 * minutes)
    try:
        with connect_sync(server.url, timeout_s=10) as client:
            test_model.run(Fence(client, Keys.of()), examples, 40)
    finally:
        server.kill()
    return {"sequences": examples, "steps_each": 40, "violations": []}


def storm_of_all(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Everything at once: command lines through a proxy that cuts replies off, a guard, a venue that is late, answers
    twice or never, agents interrupted, forked, frozen, killed, with stable names and values of any type."""
    return storm.run(folder, seconds=60 * minutes, program=program)


def debts_of_two(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Escrows opened and closed by two sides that are killed, switched, rolled back and halted under it."""
    return debts.run(folder, seconds=60 * minutes, seed=7, program=program)


def upgrades_of_two(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Upgrades, aborted now and then; whoever walks, an agent, the guard or the store is killed at every step."""
    plans = upgrade_chaos.storm(max(8, min(200, int(40 * minutes))), seed=8)
    return upgrade_chaos.run(folder, plans, aborts=0.25, seed=8, program=program)


def storm_on_redis_8(folder: Path, minutes: float, _program: Path | None) -> dict[str, Any]:
    """The same on Redis 8."""
    return _storm_on("redis-8", folder, minutes)


def storm_on_the_system(folder: Path, minutes: float, _program: Path | None) -> dict[str, Any]:
    """The same on the system's `redis-server`."""
    return _storm_on("redis-system", folder, minutes)


def _storm_on(name: str, folder: Path, minutes: float) -> dict[str, Any]:
    program = programs().get(name)
    if program is None:
        return {"skipped": f"there is no {name} here", "violations": []}
    return {"server": version(program)} | storm.run(folder, seconds=60 * minutes, seed=5, program=program)


def time_travel(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """An older append-only file is put back under load: within an epoch, across epochs, by a moment."""
    return losses.travel(folder, rounds=max(3, int(10 * minutes)), program=program)


def damage(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """Keys of the authority are deleted, overwritten, cut or left to expire under load."""
    return losses.damage(folder, rounds=max(4, int(12 * minutes)), program=program)


def fitness(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The server's settings are changed under load to what money must not be on, and back."""
    return losses.fitness(folder, rounds=max(3, int(15 * minutes)), program=program)


def server_clock(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The server's clock jumps by an hour, to and fro, during handovers with killed and frozen agents."""
    return losses.clock(folder, seconds=60 * minutes, program=program)


def residual_by_proof(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """What remains, and is documented: a holder that sleeps longer than `wake` between its last look and its send, by
    proof; in half of the cases the key was executed anew before it woke. Executed twice is possible, silent is not."""
    return residual.run(folder, rounds=max(2, int(8 * minutes)), program=program)


def canary(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """A canary's capital moved by two operators; desk, operators and server killed at any line."""
    return canary_chaos.run(folder, seconds=60 * minutes, program=program)


def guard_triggers(folder: Path, minutes: float, program: Path | None) -> dict[str, Any]:
    """The guard: from the fact to the other side, the slowest of each trigger; minutes on a clock that runs faster."""
    return reactions(folder, program, rounds=max(5, min(100, int(60 * minutes))))


def guard_kill_plain(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """Plain agents, two guards, one killed with -9 at the moment of a trip."""
    return _guard_kill(folder, program, fenced=False)


def guard_kill_fenced(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """The same with fenced agents."""
    return _guard_kill(folder, program, fenced=True)


def _guard_kill(folder: Path, program: Path | None, *, fenced: bool) -> dict[str, Any]:
    with Receiver() as receiver, guards.scene_on(folder, program, fenced=fenced) as scene:
        outcome = guards.killed_at_the_trip(scene, receiver, 50)
    if fenced:  # the store trips fenced agents in one step: there is no half
        return outcome
    (folder / "half").mkdir()
    with guards.scene_on(folder / "half", program) as scene:
        scene.guard("g1")
        half = guards.left_half_done(scene, 50)
    return outcome | half | {"violations": [*outcome["violations"], *half["violations"]]}


def guard_thaw(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """Two guards, one frozen around the moment of a trip and thawed after it."""
    (folder / "fenced").mkdir()
    with guards.scene_on(folder, program) as scene:
        outcome = guards.frozen_and_thawed(scene, 25)
    with guards.scene_on(folder / "fenced", program, fenced=True) as scene:
        more = guards.frozen_and_thawed(scene, 25)
    return {name: outcome[name] + more[name] for name in outcome}


def guard_receiver(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """A webhook's receiver is down for an hour (guards' clock 120 times as fast), and one of two guards dies."""
    with guards.scene_on(folder, program, rate=120.0) as scene:
        return guards.receiver_down(scene, 30, 3600.0)


def guard_fleet(folder: Path, _minutes: float, program: Path | None) -> dict[str, Any]:
    """Three guards share many agents; one killed with -9 at the moment of a trip, and replaced."""
    return killed_in_a_fleet(folder, program, agents=300, rounds=10)


RUNS: dict[str, tuple[float, Run]] = {
    "handovers": (1.0, handovers),
    "server-deaths": (0.6, server_deaths),
    "hard": (0.6, hard),
    "crowd-tasks": (0.5, crowd_of_tasks),
    "crowd-threads": (0.5, crowd_of_threads),
    "without-check": (0.3, without_check),
    "sentinel-wait": (0.2, waiting),
    "sentinel-async": (0.2, not_waiting),
    "lost-switch": (0.1, lost_switch),
    "failovers": (2.0, many_failovers),
    "cluster": (0.1, cluster),
    "guarded-cluster": (0.1, guarded),
    "plain-quiesced": (0.4, quiet_plain),
    "plain-naive": (0.3, naive_plain),
    "storm": (1.0, storm_of_all),
    "storm-redis-8": (0.6, storm_on_redis_8),
    "storm-redis-system": (0.6, storm_on_the_system),
    "time-travel": (0.5, time_travel),
    "damage": (0.5, damage),
    "fitness": (0.2, fitness),
    "server-clock": (0.4, server_clock),
    "residual": (0.4, residual_by_proof),
    "debts": (0.6, debts_of_two),
    "upgrades": (1.5, upgrades_of_two),
    "canary": (0.5, canary),
    "model": (0.3, model),
    "guard-triggers": (0.3, guard_triggers),
    "guard-kill-plain": (0.3, guard_kill_plain),
    "guard-kill-fenced": (0.3, guard_kill_fenced),
    "guard-thaw": (0.1, guard_thaw),
    "guard-receiver": (0.1, guard_receiver),
    "guard-fleet": (0.2, guard_fleet),
}
"""Name → share of the time, relative to each other, and what is run."""


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=45.0, help="how long all of it takes, about (default 45)")
    parser.add_argument("--only", nargs="+", choices=RUNS, help="only these runs")
    parser.add_argument("--json", type=Path, default=Path("faults.json"), help="where the counts are written")
    parser.add_argument("--server", type=Path, help="another server's binary (Redis 7 or 8, another Valkey)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="put the counts of a finished --json into FILE")
    told = parser.parse_args()
    if told.record is not None:
        return record(told.json, told.record)
    names = told.only or list(RUNS)
    share = told.minutes / sum(RUNS[name][0] for name in names)
    results: dict[str, Any] = {}
    for name in names:
        weight, run = RUNS[name]
        folder = Path(tempfile.mkdtemp(prefix="acf-")).resolve()
        began = time.monotonic()
        try:
            outcome = run(folder, weight * share, told.server)
        except AssertionError as error:
            outcome = {"violations": [f"it did not come to its end: {error}"]}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        results[name] = outcome | {"took_s": round(time.monotonic() - began, 1)}
        _show(name, run, results[name])
        told.json.write_text(json.dumps(results, indent=1) + "\n")
    bad = {name: outcome["violations"] for name, outcome in results.items() if outcome.get("violations")}
    print(f"\n{len(results)} runs, {len(bad)} with violations; figures in {told.json}")
    return 1 if bad else 0


def record(found: Path, kept: Path) -> int:
    """Put the runs of one file into another, in the order of `RUNS`; runs that are not in it stay as they were."""
    results = json.loads(kept.read_text()) | json.loads(found.read_text())
    kept.write_text(json.dumps({name: results[name] for name in RUNS if name in results}, indent=1) + "\n")
    print(f"{kept}: {', '.join(results)}")
    return 0


def _show(name: str, run: Run, found: dict[str, Any]) -> None:
    print(f"\n{name}: {' '.join((run.__doc__ or '').split())}")
    for key, value in found.items():
        if isinstance(value, list):
            print(f"  {key:24} {len(value)}")
            for line in value[:5]:
                print(f"    {line}")
        else:
            print(f"  {key:24} {value}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
