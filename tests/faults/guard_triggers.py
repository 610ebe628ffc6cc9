"""From the fact to the other side, trigger by trigger, with a real guard's process and nothing attached.

What takes seconds is measured as it is; what the rules give minutes to, on a guard's clock that runs faster.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

from console.store.keys import GuardKeys
from tests.faults.guard_runs import QUIET, Found, scene_on
from tests.faults.guard_scene import Scene, until
from tests.guard.records import record, write

CRITICAL: Final[dict[str, list[dict[str, Any]]]] = {
    "exception": [{"decision_type": "exception", "pnl": None}],
    "auth": [{"pnl": None, "output": {"http_status": 401}}],
    "double-spend": [{"key": "bet"}, {"key": "bet"}],
}
"""What each looks like in a decision log; a key gets the round's number."""
LIMITS_S: Final = {
    "exception": 1.0,
    "auth": 1.0,
    "double-spend": 1.0,
    "pnl-three-sigma": 60.0,
    "pnl-proven": 60.0,
    "escrow-gap": 60.0,
    "escrow-missing": 60.0,
    "latency": 300.0,
}
"""Within which the other side must act (or, for three sigma alone, new risk be frozen)."""
FAST: Final = 40.0


def facts(name: str, number: int, now_s: float) -> list[dict[str, Any]]:
    """A critical fact's records."""
    made = []
    for one in CRITICAL[name]:
        fields = {field: f"{value}-{number}" if field == "key" else value for field, value in one.items()}
        made.append(record(now_s, "green", **fields))
    return made


def critical(scene: Scene, name: str, rounds: int) -> list[float]:
    """Seconds from the write of a critical fact until the other side is active, so often."""
    taken = []
    for number in range(rounds):
        time.sleep(0.05)
        taken.append(scene.fact_to_switch_s(*facts(name, number, scene.now_s())))
        scene.again()
    return taken


def three_sigma(scene: Scene) -> float:
    """Seconds from twenty rounds that are three standard errors below the old version until new risk is frozen, where
    that is armed."""
    scene.client.hset(GuardKeys.of(scene.keys).triggers, "pnl.freeze", "armed")
    began = time.perf_counter()
    write(scene.log, [record(scene.now_s(), "green", pnl=-0.5 + number % 2) for number in range(20)])
    until(lambda: scene.client.hget(scene.keys.ctl, "lvl") == b"1", "new risk was not frozen")
    return time.perf_counter() - began


def proven(scene: Scene) -> float:
    """Seconds from a hundred rounds that prove the harm until the other side is active."""
    return scene.fact_to_switch_s(*(record(scene.now_s(), "green", pnl=-3.0 + n % 2) for n in range(100)))


def escrow_missing(scene: Scene, state: Path) -> float:
    """Seconds from a state file without an escrow of the old side's until the other side is active."""
    began = time.perf_counter()
    state.write_text(json.dumps({"escrow_ids": ["e-2"]}))
    until(lambda: scene.active == "blue", f"nobody rolled back: {scene.active}")
    return time.perf_counter() - began


def goes_on(scene: Scene, limit_s: float, **more: Any) -> float:
    """Green decides on, again and again, and blue is there; seconds by the guard's clock until it rolled back.

    The store's clock is not the fast one: by it blue's tenure is long over its limits when it begins, so a second roll
    back, which halts, may follow at once. The control stream tells of the first.

    Args:
        scene: with a fast clock.
        limit_s: after so long it is given up.
        more: what stands in each of green's decisions.
    """
    began_s = scene.now_s()
    while not scene.rollbacks():
        now_s = scene.now_s()
        assert now_s - began_s < limit_s, f"nobody rolled back within {limit_s} s: {scene.active}"
        write(scene.log, [record(now_s, "green", **more), record(now_s, "blue", pnl=None)])
        time.sleep(0.02)
    return scene.now_s() - began_s


def reactions(folder: Path, program: Path | None, rounds: int) -> Found:
    """Every trigger once, the critical ones many times: the slowest of each, in seconds."""
    slowest: dict[str, float] = {}
    for kind, fenced in (("plain", False), ("fenced", True)):
        (folder / kind).mkdir()
        with scene_on(folder / kind, program, fenced=fenced) as scene:
            scene.guard("g1")
            for name in CRITICAL:
                slowest[f"{name}, {kind}"] = max(critical(scene, name, rounds))
            slowest[f"pnl-three-sigma, {kind}"] = three_sigma(scene)
            scene.again()
            slowest[f"pnl-proven, {kind}"] = proven(scene)
    (folder / "list").mkdir()
    with scene_on(folder / "list", program) as scene:
        write(scene.log, [record(time.time() - 60, "blue", inputs={"escrow_id": "e-1"})])
        state = folder / "state.json"
        scene.guard("g1", "--state-file", str(state))
        slowest["escrow-missing"] = escrow_missing(scene, state)
    (folder / "slow").mkdir()
    with scene_on(folder / "slow", program, rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        slowest["latency"] = goes_on(scene, 600.0, latency_ms=50.0)
    (folder / "gap").mkdir()
    with scene_on(folder / "gap", program, rate=FAST) as scene:
        scene.guard("g1", "--triggers", str(quiet(scene)))
        write(scene.log, [record(scene.now_s(), "green", inputs={"escrow_id": "e-1"})])
        slowest["escrow-gap"] = goes_on(scene, 600.0) - 60.0  # counted from when nobody has looked for too long
    late = {name: took_s for name, took_s in slowest.items() if took_s > LIMITS_S[name.partition(",")[0]]}
    shown = {f"{name.replace('-', '_').replace(', ', '_')}_s": took_s for name, took_s in slowest.items()}
    return {"rounds_each": rounds, **shown, "violations": [f"{name}: {took_s} s" for name, took_s in late.items()]}


def quiet(scene: Scene) -> Path:
    """A guard's file under which silence is no news."""
    file = scene.folder / "quiet.toml"
    file.write_text("\n".join(QUIET) + "\n")
    return file
