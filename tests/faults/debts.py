"""Escrows are opened and closed by two sides that are killed, switched and rolled back under it; afterwards what the
venue holds open is what is owed, each has one owner, and nothing was opened or closed twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from console.domain.fence.claims import Level
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Proof, Resolution, ResolveCode
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.servers import Server
from tests.waiting import until


class Debtor:
    """One agent process, started anew after each death."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.lives = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.lives += 1
        told = {**self.options, "seed": self.options["seed"] + 97 * self.lives, "version": self.lives}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.debtor", json.dumps(told)], stdout=subprocess.PIPE, cwd=ROOT
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()


def run(folder: Path, *, seconds: float, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """One storm; what it counted, and what was violated."""
    dice = random.Random(seed)
    venue = folder / "venue"
    venue.touch()
    server = Server(folder, {"appendonly": "yes", "appendfsync": "always"}, program).start()
    common = {"url": server.url, "venue": str(venue), "spool": str(folder / "spool")}
    debtors = [Debtor(slot=slot, seed=seed + number, **common) for number, slot in enumerate(("blue", "green") * 2)]
    counts: Counter[str] = Counter()
    try:
        with connect_sync(server.url, timeout_s=5.0, name="operator") as client:
            fence = Fence(client, Keys.of())
            fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
            for debtor in debtors:
                debtor.start()
            until(lambda: len(venue.read_text().splitlines()) > 5, "the first escrows")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                disturb(fence, debtors, dice, counts)
                time.sleep(dice.random() * 0.2)
            for debtor in debtors:
                debtor.kill()
            time.sleep(0.5)  # the last leases end
            counts["resolved"] = resolved(fence, venue)
            return {**counts, **judged(fence, venue)}
    finally:
        for debtor in debtors:
            debtor.kill()
        server.kill()


def disturb(fence: Fence, debtors: list[Debtor], dice: random.Random, counts: Counter[str]) -> None:
    """A switch, a roll back, a halt and its end, or a death."""
    what = dice.choice(("drain", "now", "previous", "halt", "kill", "kill"))
    counts[what] += 1
    if what == "kill":
        victim = dice.choice(debtors)
        victim.kill()
        victim.start()
    elif what == "halt":
        fence.halt("op", "storm", level=dice.choice([Level.HALT, Level.REDUCE_ONLY]))
        to = dice.choice(("blue", "green"))
        fence.switch(SwitchRequest(to, expected_epoch="any", by="op", why="on", resume=True, mode="now"))
    else:
        to = "previous" if what == "previous" else dice.choice(("blue", "green"))
        mode = "drain" if what == "drain" else "now"
        fence.switch(SwitchRequest(to, expected_epoch="any", by="op", mode=mode, drain_ms=100))


def resolved(fence: Fence, venue: Path) -> int:
    """Every doubt ends by what the venue shows; all processes are dead by now."""
    fence.tend()
    shown = {line.split(" ")[2] for line in venue.read_text().splitlines()}
    doubts = fence.open_claims()
    for claim in doubts:
        evidence = Resolution(claim.key, claim.claim_id, claim.key in shown, "op", "the venue's file", Proof.BURNED)
        assert fence.resolve(evidence).code is ResolveCode.RESOLVED
    return len(doubts)


def judged(fence: Fence, venue: Path) -> dict[str, Any]:
    """What the venue holds open, beside what is owed."""
    done = Counter(tuple(line.split(" ")[:2]) for line in venue.read_text().splitlines())
    opened = {escrow for what, escrow in done if what == "open"}
    closed = {escrow for what, escrow in done if what == "close"}
    violations = [f"{what} {escrow} {count} times" for (what, escrow), count in done.items() if count > 1]
    violations += [f"{escrow} was closed and never opened" for escrow in closed - opened]
    owed = fence.owed()
    listed = {one.id for one in owed}
    violations += [f"{escrow} is open and nobody owes it" for escrow in opened - closed - listed]
    violations += [f"{escrow} is owed and not open" for escrow in listed - (opened - closed)]
    authority = fence.authority()
    violations += [f"{one.id} has no owner" for one in owed if one.owner(authority) is None]
    violations += [f"{one.id} is still named by {one.claim}" for one in owed if one.claim]
    return {"opened": len(opened), "closed": len(closed), "owed": len(listed), "violations": violations}
