"""A store that is put back, damaged, unfit or has another time under load: everything stops, in sight, until an
operator has looked; then it goes on, and nothing was executed twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Phase
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from tests.faults import operators
from tests.faults.chaos import command, harm
from tests.faults.fleet import Fleet, Worker
from tests.faults.invariants import check
from tests.servers import clock_library
from tests.waiting import until

TOLD = {"resolve": True, "resolve_share": 0.1, "gap_s": 0.002, "examine_ms": 300}
KNOWING = ("--override", "looked at its data", "--confirm", "agent")
"""Nobody is ready while the store has lost what everybody remembers: who has looked goes over that gate."""
LEASE_S = 0.4
"""Of the workers: as long what was granted before may still be executed."""


class Scene(Fleet):
    """Two agents of each side at work, and an operator with a command line."""

    def __enter__(self) -> Scene:
        super().__enter__()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.acknowledged: list[int] = []
        self.watch = self.venue.client()
        self.cleanup.callback(self.watch.close)
        self.control = self.fence(timeout_s=5.0)
        self.acknowledged.append(self.control.switch(SwitchRequest("blue", expected_epoch=0, by="op")).epoch)
        for slot in ("blue", "green", "blue", "green"):
            self.add(slot, **TOLD, spool=str(self.folder / "spool"))
        for worker in self.workers:
            worker.wait_ready()
        self.goes_on("the beginning")

    def switch(self, slot: str, *, lost: bool = False) -> None:
        """Another side acts; `lost` where nobody is to be told that it will be forgotten."""
        reply = self.control.switch(SwitchRequest(slot, expected_epoch="any", drain_ms=150, by="op", resume=True))
        if not lost and reply.code in (SwitchCode.SWITCHED, SwitchCode.DRAINING):
            self.acknowledged.append(reply.epoch)

    @property
    def phase(self) -> Phase | None:
        """The authority's; None where it can't be told."""
        with suppress(ConsoleError):
            authority = self.control.authority()
            return authority.phase if authority else None
        return None

    def goes_on(self, what: str, more: int = 5) -> None:
        """Wait until so many more actions are executed."""
        goal = self.watch.size() + more
        try:
            until(lambda: self.watch.size() >= goal, f"somebody to act after {what}", timeout_s=30.0)
        except AssertionError as error:
            told = [(name, beat.get("info")) for name, beat in self.control.heartbeats().items()]
            raise AssertionError(f"{error}; {self.control.authority()}; {told}") from error

    def stands(self, what: str) -> None:
        """From now on nothing is executed."""
        before = self.watch.size()
        time.sleep(0.5)
        if self.watch.size() != before:
            self.violations.append(f"{what}: {self.watch.size() - before} executed though all is halted")

    def is_halted(self, what: str) -> float:
        """Everything halts, and once the leases are over nothing is executed; how long the halt took, in seconds."""
        took_s = until(lambda: self.phase is Phase.HALT, f"{what}: it goes on", timeout_s=20.0)
        time.sleep(LEASE_S)
        self.stands(what)
        code, _document = operators.run(self.server.url, self.environment, "status")
        if code == 0:
            self.violations.append(f"{what}: status says that all is well")
        return took_s

    def is_a_hole(self) -> bool:
        """Whether nothing halts, and who verifies the chains finds a hole."""
        time.sleep(0.5)  # ten heartbeats
        if self.phase is Phase.HALT:
            return False
        code, document = operators.run(self.server.url, self.environment, "audit", "verify")
        return code == 1 and "hole" in str(document)

    def resume(self, what: str) -> None:
        """An operator who has looked lets it go on."""
        for _attempt in range(5):
            code, receipt = operators.run(
                self.server.url, self.environment, "resume", self.dice.choice(["blue", "green"]), *KNOWING
            )
            if code == 0:
                self.acknowledged.append(int(receipt["epoch"]))
                self.counts["resumed"] += 1
                return
            time.sleep(0.3)
        self.violations.append(f"{what}: it can't be resumed: {receipt}")

    def end(self, lost: list[tuple[float, float]] | None = None) -> dict[str, Any]:
        """What was counted, after everybody has ended; every invariant is checked.

        Args:
            lost: from when to when what was executed is known to have been forgotten by the store.
        """
        for worker in self.workers:
            if not worker.alive:
                self.violations.append("an agent died of an exception")
            worker.kill()
        time.sleep(LEASE_S)
        findings = check(self.control.client, self.control.keys, self.watch.history(), self.acknowledged, lost or [])
        findings.violations += self.violations
        return dict(self.counts) | asdict(findings)


# -- time travel -------------------------------------------------------------------------------------------------------


def travel(folder: Path, *, rounds: int, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """An older append-only file is put back; within an epoch, across epochs, and by a few milliseconds."""
    lost: list[tuple[float, float]] = []
    slowest_s = 0.0
    with Scene(folder, program) as scene:
        scene.dice.seed(seed)
        for number in range(rounds):
            kind = ("within an epoch", "across epochs", "by a moment")[number % 3]
            scene.goes_on(f"round {number}", 8)
            copied = _copy(scene)
            if kind == "across epochs":
                scene.switch("green" if number % 2 else "blue", lost=True)
            if kind == "by a moment":
                scene.goes_on(kind, 1)
            else:
                scene.goes_on(kind, 8)
            alone = scene.dice.random() < 0.5  # nobody who was there lives: only this host remembers
            for worker in scene.workers if alone else scene.workers[:2]:
                worker.kill()
            _put_back(scene)
            began = time.monotonic()
            lost.append((copied, time.time() + LEASE_S + 0.1))
            for worker in scene.workers if alone else scene.workers[:2]:
                worker.start(scene.dice.randrange(1 << 30))
            scene.is_halted(kind)
            slowest_s = max(slowest_s, time.monotonic() - began)
            scene.counts[f"put_back_{kind.replace(' ', '_')}"] += 1
            _new_keys(scene, number)
            scene.stands(f"{kind}, agents begun again")
            scene.resume(kind)
        scene.goes_on("the last resume")
        return scene.end(lost) | {"slowest_halt_s": round(slowest_s, 2), "lost_in_the_travels": len(_lost(scene, lost))}


def _copy(scene: Scene) -> float:
    """Copy the append-only file as it is at one moment; when that was."""
    os.kill(scene.server.pid, signal.SIGSTOP)
    shutil.rmtree(scene.folder / "copy", ignore_errors=True)
    shutil.copytree(scene.folder / "appendonlydir", scene.folder / "copy")
    copied = time.time()
    os.kill(scene.server.pid, signal.SIGCONT)
    return copied


def _put_back(scene: Scene) -> None:
    scene.server.kill()
    shutil.rmtree(scene.folder / "appendonlydir")
    shutil.copytree(scene.folder / "copy", scene.folder / "appendonlydir")
    scene.server.start()


def _new_keys(scene: Scene, number: int) -> None:
    """What an operator who has looked at the venue tells the agents: what was forgotten is not tried again."""
    for worker in scene.workers:
        worker.kill()
        worker.options["prefix"] = f"r{number}"
        worker.start(scene.dice.randrange(1 << 30))
    for worker in scene.workers:
        worker.wait_ready()


def _lost(scene: Scene, lost: list[tuple[float, float]]) -> list[str]:
    entries: Any = scene.control.client.xrange(scene.control.keys.actions)
    claims = {fields[b"d"].split(b"\n")[4].decode() for _entry, fields in entries}
    return [
        execution.key
        for execution in scene.watch.history()
        if execution.claim_id not in claims and any(since <= execution.at <= till for since, till in lost)
    ]


# -- damage ------------------------------------------------------------------------------------------------------------


def damage(folder: Path, *, rounds: int, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """Keys of the authority are deleted, overwritten, cut or left to expire under load."""
    slowest_s = 0.0
    with Scene(folder, program) as scene:
        scene.dice.seed(seed)
        for number in range(rounds):
            what, harm_it = DAMAGES[number % len(DAMAGES)]
            scene.goes_on(f"round {number}", 5)
            harm_it(scene)
            scene.counts["damaged"] += 1
            if what.endswith("cut") and scene.is_a_hole():
                scene.counts["holes_named"] += 1
                continue
            slowest_s = max(slowest_s, scene.is_halted(what))
            scene.resume(what)
        scene.goes_on("the last resume")
        for worker in scene.workers:
            worker.kill()
        time.sleep(LEASE_S)
        client, keys = scene.control.client, scene.control.keys
        book = scene.watch.history()
        twice = [key for key, count in Counter(execution.key for execution in book).items() if count > 1]
        unended: Any = client.hkeys(keys.open)
        open_keys = {key.decode() for key in unended}
        unrecorded = [
            execution.key
            for execution in book
            if execution.key not in open_keys and not client.exists(keys.done(execution.key))
        ]
        scene.violations += [f"I1 {key} was executed more than once" for key in twice[:10]]
        scene.violations += [f"I6 {key} was executed and is nowhere recorded" for key in unrecorded[:10]]
        return dict(scene.counts) | {
            "executions": len(book),
            "twice": len(twice),
            "unrecorded": len(unrecorded),
            "slowest_halt_s": round(slowest_s, 2),
            "violations": scene.violations,
        }


def _deleted(name: str) -> Callable[[Scene], None]:
    return lambda scene: scene.control.client.delete(_key(scene, name)) and None


def _of_another_type(name: str) -> Callable[[Scene], None]:
    def overwrite(scene: Scene) -> None:
        key = _key(scene, name)
        scene.control.client.pipeline().delete(key).set(key, "what is this").execute()

    return overwrite


def _expiring(name: str) -> Callable[[Scene], None]:
    """It expires before anybody can look at it."""

    def expire(scene: Scene) -> None:
        client, log = scene.control.client, scene.control.keys.log

        def kept() -> int:
            entries: Any = client.xrange(log)
            return sum(fields[b"k"] == b"kept" for _entry, fields in entries)

        before = -1
        while before != kept():  # a beat that came within the millisecond has kept it
            before = kept()
            client.pexpire(_key(scene, name), 1)
            time.sleep(0.01)

    return expire


CUT = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return redis.call('XDEL', KEYS[1], newest[1])
"""


def _cut(name: str) -> Callable[[Scene], None]:
    """The newest entry of a stream is deleted, in one step. Another may follow before anybody looks: then it is a
    hole, which no agent sees, and whoever verifies the chain does."""
    return lambda scene: scene.control.client.eval(CUT, 1, _key(scene, name)) and None


def _key(scene: Scene, name: str) -> str:
    return scene.control.keys.beside(name)


DAMAGES: list[tuple[str, Callable[[Scene], None]]] = [
    *((f"{name} cut", _cut(name)) for name in ("acts", "log")),
    *((f"{name} deleted", _deleted(name)) for name in ("ctl", "acts", "log")),
    *((f"{name} of another type", _of_another_type(name)) for name in ("ctl", "open", "infl", "acts", "log")),
    *((f"{name} expired", _expiring(name)) for name in ("ctl", "acts", "log")),
]
"""What is done, and how; `open` and `infl` are not there when nothing is in flight, so they are only overwritten."""


# -- fitness -----------------------------------------------------------------------------------------------------------

UNFIT = [
    ("maxmemory-policy", "volatile-lru", "noeviction"),
    ("appendonly", "no", "yes"),
    ("maxmemory-policy", "allkeys-random", "noeviction"),
]


def fitness(folder: Path, *, rounds: int, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """The server's settings are changed under load to what money must not be on, and back."""
    slowest_s = 0.0
    with Scene(folder, program) as scene:
        scene.dice.seed(seed)
        for number in range(rounds):
            name, bad, good = UNFIT[number % len(UNFIT)]
            scene.goes_on(f"round {number}")
            scene.server.command("CONFIG", "SET", name, bad)
            began = time.monotonic()
            until(lambda: _is_quiet(scene), f"with {name} {bad} it goes on", timeout_s=15.0)
            slowest_s = max(slowest_s, time.monotonic() - began - QUIET_S)
            scene.stands(f"{name} {bad}")
            scene.counts["made_unfit"] += 1
            scene.server.command("CONFIG", "SET", name, good)
            scene.goes_on(f"{name} {good}")
        return scene.end() | {"slowest_stop_s": round(slowest_s, 2)}


QUIET_S = 0.6


def _is_quiet(scene: Scene) -> bool:
    before = scene.watch.size()
    time.sleep(QUIET_S)
    return scene.watch.size() == before


# -- the clock ---------------------------------------------------------------------------------------------------------


def clock(folder: Path, *, seconds: float, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """The server's clock jumps by an hour, to and fro, during handovers with killed and frozen agents."""
    library = clock_library()
    if library is None:
        return {"skipped": "libfaketime is not installed", "violations": []}
    time_file = folder / "time"
    time_file.write_text("+0\n")
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(time_file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    dice = random.Random(seed)
    hours, next_jump, frozen = 0, 0.0, dict[Worker, float]()
    with Scene(folder, program, environment=environment) as scene:
        scene.dice.seed(seed)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            command(scene, scene.control, scene.acknowledged, scene.counts)
            harm(scene, frozen)
            if time.monotonic() > next_jump:
                hours += dice.choice([-1, 1])
                time_file.write_text(f"{hours:+d}h\n")
                scene.counts["clock_jumps"] += 1
                next_jump = time.monotonic() + dice.uniform(0.3, 1.5)
            time.sleep(dice.random() * 0.06)
        for worker in frozen:
            worker.thaw()
        entries: Any = scene.control.client.xrange(scene.control.keys.log)
        scene.counts["jumps_named"] = sum(fields[b"k"] == b"clock" for _entry, fields in entries)
        scene.counts["kills"] = sum(each.kills for each in scene.workers)
        scene.counts["freezes"] = sum(each.freezes for each in scene.workers)
        if not scene.counts["jumps_named"]:
            scene.violations.append("no jump of the clock was named")
        return scene.end()
