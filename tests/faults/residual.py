"""The residual that the documents name: a holder that sleeps for longer than `wake` between its last look at the lease
and its send, while somebody says that it was not executed. How often that ends in two executions, by proof, and that
none of it is silent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from console.agent import ActionRefused, AgentController, Evidence, OpenClaim, Proof, ResolveCode, Settings
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from tests import ROOT
from tests.faults.fleet import Fleet
from tests.faults.venue import Client
from tests.waiting import until

LEASE_MS, QUARANTINE_MS, WAKE_MS = 400, 100, 700
QUICK = Settings(
    lease_ms=LEASE_MS, margin_ms=100, heartbeat_ms=50, quarantine_ms=QUARANTINE_MS, wake_ms=WAKE_MS, stale_after_ms=500
)


def sleep_over_it() -> None:
    """One holder (arguments: url, venue): for each key it hears it claims, looks at its lease, sleeps, and sends."""
    url, venue_path = sys.argv[2:]
    venue, agent = Client(venue_path), AgentController(url, slot="blue", version="1", settings=QUICK)
    agent.start()
    print(agent.instance, flush=True)
    for line in sys.stdin:
        key = line.strip()
        try:
            with agent.action(key) as act:
                act.check()
                print("claimed", flush=True)
                sys.stdin.readline()  # it is stopped here, and woken
                done = venue.execute(key, act.intent.claim_id, agent.instance, "blue")
                act.settle("done") if done else act.failed("its key is burned")
        except ActionRefused as refused:
            print(f"refused {refused.message}", flush=True)
            continue
        print("over", flush=True)


class Sleeper:
    """A holder's process."""

    def __init__(self, fleet: Fleet) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.residual", "sleeper", fleet.server.url, str(fleet.venue.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=fleet.environment,
            text=True,
            bufsize=1,
        )
        self.instance = self.hear()

    def hear(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def claim(self, key: str) -> None:
        """It claims a key, and sleeps before it sends."""
        assert self._process.stdin is not None
        self._process.stdin.write(key + "\n")
        answer = self.hear()
        assert answer == "claimed", answer
        os.kill(self._process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """It goes on: it sends, and tells the store."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        os.kill(self._process.pid, signal.SIGCONT)
        answer = self.hear()
        assert answer == "over", answer

    def kill(self) -> None:
        """End it."""
        os.kill(self._process.pid, signal.SIGCONT)
        self._process.kill()
        self._process.communicate()


def run(folder: Path, *, rounds: int, program: Path | None = None) -> dict[str, Any]:
    """So many freezes beyond `wake` for each proof; in every second one the freed key is executed before the holder
    wakes. Counted: how often the proof was taken, how often that ended in two executions, and how each was seen."""
    found: dict[str, Any] = {}
    violations: list[str] = []
    with Fleet(folder, program) as fleet:
        os.environ["XDG_STATE_HOME"], before = fleet.environment["XDG_STATE_HOME"], os.environ.get("XDG_STATE_HOME")
        if before is None:
            fleet.cleanup.callback(os.environ.pop, "XDG_STATE_HOME")
        else:
            fleet.cleanup.callback(os.environ.__setitem__, "XDG_STATE_HOME", before)
        stage = Stage(fleet)
        for proof in Proof:
            counted = Counter[str]()
            for number in range(rounds):
                stage.one(proof, number, counted, violations)
            found |= {
                f"{proof}_{name}": counted[name] for name in ("taken", "refused", "twice", "reported_late", "seen")
            }
        stage.close()
        found["late_reports"] = stage.late_reports()
    return {"rounds_each": rounds} | found | {"violations": violations}


class Stage:
    """A holder that sleeps, one who says what became of it, and an operator."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.fence = fleet, fleet.fence(timeout_s=5.0)
        self._resume()
        self.sleeper = Sleeper(fleet)
        fleet.cleanup.callback(self.sleeper.kill)
        self.other = AgentController(fleet.server.url, slot="blue", version="1", settings=QUICK)
        self.other.start()
        self.venue = fleet.venue.client()

    def close(self) -> None:
        """End those who are in this process."""
        self.other.stop()
        self.venue.close()

    def one(self, proof: Proof, number: int, counted: Counter[str], violations: list[str]) -> None:
        """One freeze beyond `wake`."""
        key, again = f"{proof}-{number}", number % 2 == 0
        until(lambda: self.other.active, "the other to be active")
        self.sleeper.claim(key)
        time.sleep((LEASE_MS + max(QUARANTINE_MS, WAKE_MS) + 200) / 1000)
        before = self._signs()
        if self._say_it_was_not(key, proof):
            counted["taken"] += 1
            if again:
                self._execute(key)
        else:
            counted["refused"] += 1
        self.sleeper.wake()
        executions = self.venue.count(key)
        taken_wrongly = executions > 1 or (executions == 1 and not again and counted["taken"])
        if executions > 1:
            counted["twice"] += 1
        signs = sorted(name for name, value in self._signs().items() if value > before[name])
        late = self._late(key)
        if late:
            counted["reported_late"] += 1
        if taken_wrongly and (late or "trips" in signs):
            counted["seen"] += 1
        if executions > 1 and not (late and "x_late" in signs and "stopped" in signs):
            violations.append(f"{key} was executed twice, and that is to be seen in {signs}, late {late} alone")
        if executions and not self._is_recorded(key):
            violations.append(f"{key} was executed and is recorded nowhere")
        if proof in (Proof.SELF, Proof.BURNED) and executions > 1:
            violations.append(f"{key} was executed twice though its proof can't be wrong")
        self._resume()

    def _say_it_was_not(self, key: str, proof: Proof) -> bool:
        if proof is Proof.BURNED:
            self.venue.burn(key)

        def probe(claim: OpenClaim) -> Evidence | None:
            return Evidence(False, "not in the venue's list", proof=proof) if claim.key == key else None

        return self.other.resolve(probe).get(key) is ResolveCode.RESOLVED

    def _execute(self, key: str) -> None:
        """The key is free again: the other agent does it."""
        with self.other.action(key) as act:
            act.check()
            done = self.venue.execute(key, act.intent.claim_id, self.other.instance, "blue")
            act.settle("done") if done else act.failed("its key is burned")

    def _signs(self) -> dict[str, int]:
        """Where a double execution is to be seen, each as a number that grows."""
        client, keys = self.fence.client, self.fence.keys
        log: Any = client.xrange(keys.log)
        kinds = Counter(fields[b"k"] for _entry, fields in log)
        return {"x_late": self.late_reports(), "stopped": kinds[b"halt"] + kinds[b"rollback"] + kinds[b"trip"]}

    def late_reports(self) -> int:
        """How many the store has counted, ever."""
        counted: Any = self.fence.client.hget(self.fence.keys.ctl, "x_late")
        return int(counted or 0)

    def _late(self, key: str) -> bool:
        acts: Any = self.fence.client.xrange(self.fence.keys.actions)
        lines = [fields[b"d"].decode().split("\n") for _entry, fields in acts]
        return any(line[0] == "late" and line[3] == key for line in lines)

    def _is_recorded(self, key: str) -> bool:
        client, keys = self.fence.client, self.fence.keys
        return bool(client.exists(keys.done(key)) or client.hexists(keys.open, key))

    def _resume(self) -> None:
        authority = self.fence.authority()
        if authority is not None and str(authority.active) == "blue":
            return
        epoch = authority.epoch if authority else 0
        reply = self.fence.switch(
            SwitchRequest("blue", expected_epoch=epoch, mode="now", by="op", why="looked", resume=authority is not None)
        )
        assert reply.code is SwitchCode.SWITCHED, reply


if __name__ == "__main__":
    sleep_over_it()
