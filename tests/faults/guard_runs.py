"""The guard's fault runs, with real processes: what is counted is what a receiver, the store and the agents saw.

Short versions are tests in `test_guard`; long ones are runs of `python -m tests.faults`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.domain.fence.intent import Aim
from console.store.fence.calls import SwitchRequest
from console.store.records.guards import restrain
from tests.faults.guard_scene import TIMEOUT_S, Scene, until
from tests.guard.receiver import Receiver
from tests.guard.records import record, write
from tests.servers import Server

Found = dict[str, Any]


@contextmanager
def scene_on(folder: Path, program: Path | None = None, **how: Any) -> Iterator[Scene]:
    """A scene on a server of its own."""
    server = Server(folder, {}, program).start()
    try:
        with Scene(server, **how) as scene:
            yield scene
    finally:
        server.kill()


def hook(scene: Scene, receiver: Receiver, *more: str) -> Path:
    """A guard's file with a webhook to a receiver."""
    file = scene.folder / "guard.toml"
    file.write_text("\n".join([*more, "[[webhooks]]", 'name = "w"', f'url = "{receiver.url}"', ""]))
    return file


def alerts_in(receiver: Receiver) -> Counter[str]:
    """The alerts that a receiver got, and how often each: a repeated one comes under the same idempotency key. What a
    guard says of the store (a simulated fleet's actions carry no hashes) is left out."""
    alerts = [taken.json["alert"] for taken in list(receiver.taken)]
    return Counter(one["id"] for one in alerts if one["trigger"] or one["kind"] != "warning")


def exception(scene: Scene) -> dict[str, Any]:
    """An unhandled exception of the active side, now."""
    return record(scene.now_s(), "green", decision_type="exception", pnl=None)


def killed_at_the_trip(scene: Scene, receiver: Receiver, rounds: int, seed: int = 1) -> Found:
    """Of two guards, one is killed with -9 around the moment at which both see the harm; so often."""
    file, chance = hook(scene, receiver), random.Random(seed)
    violations: list[str] = []
    waited: list[float] = []
    rollbacks = killed_before = 0
    for number in range(rounds):
        names = (f"a{number}", f"b{number}")
        for name in names:
            scene.begin(name, "--triggers", str(file))
        first, second = (scene.begun(name) for name in names)
        before = set(alerts_in(receiver))
        scene.warm()  # on a busy machine two guards take longer to start than a heartbeat is fresh
        began = time.perf_counter()
        write(scene.log, [exception(scene)])
        moment = chance.uniform(0.0, 0.12)
        while time.perf_counter() - began < moment:
            time.sleep(0.0005)
        killed_before += scene.active != "blue"
        first.kill()
        until(lambda: scene.active == "blue", f"round {number}: {scene.active}")
        waited.append(1000 * (time.perf_counter() - began))
        until(lambda before=before: set(alerts_in(receiver)) - before, f"round {number}: no alert was delivered")
        rollbacks += scene.rollbacks()
        if scene.rollbacks() != 1:
            violations.append(f"round {number}: {scene.rollbacks()} roll backs")
        second.terminate()
        second.wait(TIMEOUT_S)
        news = set(alerts_in(receiver)) - before
        if len(news) != 1:
            violations.append(f"round {number}: {len(news)} alerts for one transition")
        scene.again()
    ids = alerts_in(receiver)
    return {
        "kills": rounds,
        "before_the_switch": killed_before,
        "roll_backs": rollbacks,
        "alerts": len(ids),
        "repeated_under_the_same_key": ids.total() - len(ids),
        "slowest_ms": max(waited),
        "later_than_a_second": sum(taken > 1000.0 for taken in waited),
        "violations": violations,
    }


def left_half_done(scene: Scene, rounds: int) -> Found:
    """A guard halts, says that it goes back, and is not heard of again; another one watches. So often."""
    violations: list[str] = []
    waited: list[float] = []
    for number in range(rounds):
        scene.warm()
        began = time.perf_counter()
        scene.fence.call(
            restrain(
                scene.keys,
                epoch=scene.epoch,
                slot="green",
                level=3,
                by="guard ghost",
                why="exception: boom",
                aim=Aim.GO_BACK,
                target="blue",
            )
        )
        until(lambda: scene.active == "blue", f"round {number}: {scene.active}")
        waited.append(1000 * (time.perf_counter() - began))
        if scene.rollbacks() != 1:
            violations.append(f"half done {number}: {scene.rollbacks()} roll backs")
        scene.again()
    return {"left_half_done": rounds, "slowest_half_done_ms": max(waited), "violations": violations}


def frozen_and_thawed(scene: Scene, rounds: int, seed: int = 2) -> Found:
    """A guard is frozen around the moment of a trip, the other acts, and it thaws: it changes nothing any more."""
    chance = random.Random(seed)
    violations: list[str] = []
    scene.guard("awake")
    frozen = scene.guard("frozen")
    for number in range(rounds):
        before = number % 2 == 0
        if before:
            os.kill(frozen.pid, signal.SIGSTOP)
        began = time.perf_counter()
        write(scene.log, [exception(scene)])
        if not before:
            moment = chance.uniform(0.0, 0.1)
            while time.perf_counter() - began < moment:
                time.sleep(0.0005)
            os.kill(frozen.pid, signal.SIGSTOP)
        until(lambda: scene.active == "blue", f"round {number}: {scene.active}")
        epoch = scene.epoch
        os.kill(frozen.pid, signal.SIGCONT)
        for name in scene.guards:
            until(
                lambda name=name, epoch=epoch: _watching(scene, name) == ("blue", epoch),
                f"round {number}: {name} sleeps on",
            )
        if (scene.active, scene.rollbacks(), scene.epoch) != ("blue", 1, epoch):
            violations.append(f"round {number}: {scene.active}, {scene.rollbacks()} roll backs")
        scene.again()
        epoch = scene.epoch
        for name in scene.guards:
            until(
                lambda name=name, epoch=epoch: _watching(scene, name) == ("green", epoch),
                f"{name} did not see the operator",
            )
    acts = [one["done"] for name in scene.guards for one in scene.lines(name) if one["event"] == "acted"]
    return {
        "freezes": rounds,
        "acts_that_won": acts.count("rolled back"),
        "acts_refused": acts.count("too late"),
        "violations": violations,
    }


def _watching(scene: Scene, name: str) -> tuple[str, int]:
    seen = [(one["active"], one["epoch"]) for one in scene.lines(name) if one["event"] == "watching"]
    return seen[-1] if seen else ("", 0)


QUIET = ("[guard]", "stale_s = 1e9", "deadline_s = 1e9")
"""Thresholds under which silence, which a fast clock makes long, is no news."""


def receiver_down(scene: Scene, alerts: int, down_s: float) -> Found:
    """A receiver refuses connections for so long, by the guards' clock; one of the two guards dies meanwhile."""
    with Receiver() as probe:
        port = probe.port
    file = hook(scene, probe, *QUIET, "[exception]", 'arming = "dry"')
    for name in ("g1", "g2"):
        scene.guard(name, "--triggers", str(file))
    began_s = scene.now_s()
    for number in range(alerts):
        for slot in ("blue", "green"):
            scene.fence.switch(SwitchRequest(slot, expected_epoch="any", mode="now", by="op"))
        epoch = scene.epoch
        for name in [name for name, process in scene.guards.items() if process.poll() is None]:
            # there and back within milliseconds: what is read sooner is the tenure's before, and that has its alert
            until(lambda name=name, epoch=epoch: _watching(scene, name) == ("green", epoch), f"{name} is behind")
        write(scene.log, [exception(scene)])
        until(lambda want=number + 1: _alerts(scene) >= want, "no alert was raised")
        if number == alerts // 2:
            scene.guards["g1"].kill()
            scene.guards["g1"].wait(TIMEOUT_S)
    while scene.now_s() - began_s < down_s:
        time.sleep(0.05)
    down = scene.now_s() - began_s
    tried = sum(scene.said(name).count("not notified") for name in scene.guards)
    with Receiver(port=port) as receiver:
        back_s = scene.now_s()
        until(lambda: len(alerts_in(receiver)) >= alerts, "alerts were lost")
        took_s = scene.now_s() - back_s
        time.sleep(1.0)
        ids = alerts_in(receiver)
    violations = [] if len(ids) == alerts == ids.total() else [f"{len(ids)} of {alerts}, {ids.total()} deliveries"]
    return {
        "down_s": down,
        "alerts": alerts,
        "tries_meanwhile": tried,
        "delivered": len(ids),
        "delivered_twice": ids.total() - len(ids),
        "all_there_after_s": took_s,
        "violations": violations,
    }


def _alerts(scene: Scene) -> int:
    return int(scene.client.hlen(scene.keys.beside("alerts")))
