"""A process that is stopped and woken: what it may still do is decided when it does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.agent import AgentController, AlreadyDone, Busy, InDoubt
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.faults.fleet import Fleet
from tests.faults.venue import Venue
from tests.servers import Server

PROGRAM = """
import os, sys, time
from console.agent import ActionRefused, AgentController, NotSent, Settings
from tests.faults.venue import Client
if sys.argv[3] != "0":
    real, sign = time.time, [1]
    def jumping():
        sign[0] = -sign[0]
        return real() + sign[0] * float(sys.argv[3])
    time.time = jumping
venue = Client(sys.argv[2])
agent = AgentController(sys.argv[1], slot="blue", version="1", settings=Settings(lease_ms=1500, margin_ms=500))
agent.start()
def say(text):
    os.write(1, text.encode() + b"\\n")
say(agent.instance)
for line in sys.stdin:
    where, key = line.split()
    try:
        with agent.action(key) as act:
            if where == "pause":
                say("claimed")
                sys.stdin.readline()
            act.check()
            venue.execute(key, act.intent.claim_id, agent.instance, "blue")
            act.settle("done")
        say("done")
    except ActionRefused as refused:
        say(f"refused {refused.code}")
    except NotSent as late:
        say(f"late {type(late).__name__}")
"""


class Puppet:
    """An agent process that acts on command."""

    def __init__(self, url: str, venue: Venue, clock_jumps_s: float = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, str(venue.path), str(clock_jumps_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            bufsize=1,
        )
        self.instance = self.hear()

    def hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")

    def signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def close(self) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Stage:
    """A server, a venue, and puppets."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.fence = Fence(connect_sync(server.url, timeout_s=5), Keys.of())
        self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        self.venue = Venue(folder)
        self.puppets: list[Puppet] = []

    def puppet(self, clock_jumps_s: float = 0) -> Puppet:
        self.puppets.append(Puppet(self.server.url, self.venue, clock_jumps_s))
        return self.puppets[-1]

    def executed(self) -> list[str]:
        client = self.venue.client()
        executed_keys = [execution.key for execution in client.history()]
        client.close()
        return executed_keys

    def close(self) -> None:
        for puppet in self.puppets:
            puppet.close()
        self.fence.client.close()
        self.venue.stop()


@pytest.fixture
def stage(valkey_server: Callable[..., Server], short_dir: Path) -> Iterator[Stage]:
    made = Stage(valkey_server(), short_dir)
    yield made
    made.close()


def test_a_side_that_slept_through_a_switch_is_refused_at_its_next_money_action(stage: Stage) -> None:
    blue = stage.puppet()
    blue.tell("go bet-1")
    assert blue.hear() == "done"
    blue.signal(signal.SIGSTOP)
    stage.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    blue.tell("go bet-2")
    blue.signal(signal.SIGCONT)
    assert blue.hear() == "refused NOT_ACTIVE"
    assert stage.executed() == ["bet-1"]


def test_a_side_that_slept_through_a_switch_there_and_back_acts_only_in_the_new_epoch(stage: Stage) -> None:
    blue = stage.puppet()
    blue.signal(signal.SIGSTOP)
    stage.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    reply = stage.fence.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="op"))
    blue.tell("go bet-1")
    blue.signal(signal.SIGCONT)
    assert blue.hear() == "done"
    [(_entry, fields), *_rest] = stage.fence.client.xrange(stage.fence.keys.actions)  # type: ignore[misc]
    assert fields[b"d"].split(b"\n")[7] == str(reply.epoch).encode()


def test_a_process_that_slept_between_its_claim_and_its_send_does_not_send(stage: Stage) -> None:
    blue = stage.puppet()
    blue.tell("pause bet-1")
    assert blue.hear() == "claimed"
    blue.signal(signal.SIGSTOP)
    [claim] = stage.fence.open_claims()
    stage.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    while stage.fence.tend().server_ms <= claim.deadline_ms:
        time.sleep(0.01)
    with AgentController(stage.server.url, slot="green", version="2") as green:
        with pytest.raises((InDoubt, Busy)), green.action("bet-1"):
            pytest.fail("it must not run")
        blue.tell("")
        blue.signal(signal.SIGCONT)
        assert blue.hear() == "late LeaseEnded"
        with green.action("bet-1") as act:  # the holder itself said that it was not sent: the key is free again
            act.settle("done")
        with pytest.raises(AlreadyDone), green.action("bet-1"):
            pytest.fail("it must not run")
    assert stage.executed() == []


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_wall_clocks_that_jump_by_an_hour_in_one_process_change_nothing(stage: Stage, jump_s: float) -> None:
    blue = stage.puppet(jump_s)
    for number in range(5):
        blue.tell(f"go bet-{number}")
        assert blue.hear() == "done"
    blue.tell("pause bet-9")
    assert blue.hear() == "claimed"
    [claim] = stage.fence.open_claims()
    assert claim.deadline_ms - claim.claimed_ms == 1500
    blue.tell("")
    assert blue.hear() == "done"
    stage.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    blue.tell("go bet-10")
    assert blue.hear() == "refused NOT_ACTIVE"
    assert sorted(stage.executed()) == sorted([*(f"bet-{n}" for n in range(5)), "bet-9"])


def test_workers_whose_clocks_jump_execute_nothing_twice(short_dir: Path) -> None:
    from tests.faults.invariants import check

    with Fleet(short_dir) as fleet:
        fence = fleet.fence()
        acknowledged = [fence.switch(SwitchRequest("blue", expected_epoch=0, by="op")).epoch]
        for slot, jump in (("blue", 3600), ("green", -3600), ("blue", 0)):
            fleet.add(slot, clock_jumps=jump)
        for worker in fleet.workers:
            worker.wait_ready()
        client = fleet.venue.client()
        for number in range(10):
            goal = client.size() + 5
            deadline = time.monotonic() + 30
            while client.size() < goal:
                assert time.monotonic() < deadline, "nobody acts"
                time.sleep(0.01)
            target = "green" if number % 2 == 0 else "blue"
            acknowledged.append(fence.switch(SwitchRequest(target, expected_epoch="any", drain_ms=200, by="op")).epoch)
        for worker in fleet.workers:
            worker.kill()
        findings = check(fence.client, fence.keys, client.history(), acknowledged)
        client.close()
        assert findings.violations == [] and findings.executions >= 50
