"""An agent that is under test: a real process on the real library, which acts at the venue as fast as it may.

All workers try the same keys in the same order, so that every key is a race between instances and between sides.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.agent import (
    ActionRefused,
    AgentController,
    AlreadyDone,
    Busy,
    Evidence,
    InDoubt,
    LeaseEnded,
    NotSent,
    Settings,
)
from console.agent.aio import AgentController as AioController
from console.domain.errors import UsageError
from console.domain.fence.claims import OpenClaim
from tests.faults.mischief import Alarm, Interrupts, claim_nonsense, fork_and_try, settle_oddly
from tests.faults.venue import Client


def main() -> None:
    """Work until killed. The first argument is a JSON object; see `Worker` in `fleet.py`."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    if told.get("clock_jumps"):
        _shift_clock(float(told["clock_jumps"]))
    if told.get("crowd"):
        _crowd(told)
    dice = random.Random(told["seed"])
    agent = Agent(told, dice, _controller(told))
    agent.controller.start()
    os.write(1, f"{agent.controller.instance}\n".encode())
    interrupts = Interrupts(dice, told["interrupts_s"]) if told.get("interrupts_s") else None
    while True:
        try:
            if interrupts is not None:
                interrupts.arm()
            agent.round()
        except (Alarm, KeyboardInterrupt):
            pass  # wherever it came
        finally:
            if interrupts is not None:
                interrupts.disarm()
                while interrupts.count:
                    interrupts.count -= 1
                    agent.note("interrupts")


def _crowd(told: dict[str, Any]) -> None:
    """Work as many until killed."""
    from tests.faults import crowd

    if told["crowd"] == "threads":
        crowd.threads(told, _controller(told))
    asyncio.run(crowd.tasks(told, _controller(told, AioController)))


def _controller(told: dict[str, Any], kind: Any = AgentController) -> Any:
    unprotected = bool(told.get("sentinels") or told.get("unprotected")) and not told.get("replicas")
    settings = Settings(
        lease_ms=told.get("lease_ms", 400),
        margin_ms=told.get("margin_ms", 100),
        heartbeat_ms=50,
        claim_patience_ms=200,
        command_timeout_ms=told.get("timeout_ms", 150),
        stale_after_ms=500,
        replicas=told.get("replicas", 0),
        spool_dir=Path(told["spool"]) if told.get("spool") else None,
        wake_ms=told.get("wake_ms", 600_000),
        quarantine_ms=told.get("quarantine_ms", 50),
        examine_ms=told.get("examine_ms", 30_000),
        money=not unprotected,
    )
    connect = None
    if told.get("sentinels"):
        from tests.topologies import sentinel_connect

        connect = sentinel_connect([tuple(address) for address in told["sentinels"]], told.get("pinned"))
    return kind(
        told["url"],
        slot=told["slot"],
        version="1",
        settings=settings,
        instance=told.get("instance", ""),
        connect=connect,
    )


class Agent:
    """What it does, round by round.

    Args:
        told: see `Worker` in `fleet.py`.
        dice: decides.
        controller: the library's.
    """

    def __init__(self, told: dict[str, Any], dice: random.Random, controller: AgentController) -> None:
        self.told, self.dice, self.controller = told, dice, controller
        self.venue = Client(told["venue"], told.get("venue_timeout_s", 5.0))
        self.books = Client(told["venue"], 30.0)
        self.number = max(0, self.books.size() - 20)  # a worker that starts again tries the last keys again

    def note(self, what: str) -> None:
        """Have something counted."""
        self.books.note(what)

    def chance(self, name: str, default: float = 0.0) -> bool:
        """Whether something is done this time."""
        share = float(self.told.get(name, default))
        return share > 0 and self.dice.random() < share

    def round(self) -> None:
        """Try one key, and what comes after it."""
        key = f"{self.told.get('prefix', 'k')}-{self.number}"
        if self.chance("values"):
            claim_nonsense(self.controller, key, self.dice, self.note)
        if self.chance("forks"):
            fork_and_try(self.controller, None, self.note)
        try:
            self._act(key)
            self.number += 1
        except (AlreadyDone, InDoubt, LeaseEnded, NotSent, TimeoutError):
            self.number += 1
        except Busy:
            self.number += self.dice.randrange(2)
        except ActionRefused:
            self.controller.wait_change(0.05)
        if self.told.get("pause_s"):
            time.sleep(self.told["pause_s"])
        if self.told.get("resolve") and self.dice.random() < float(self.told.get("resolve_share", 0.01)):
            with suppress(Exception):
                self.controller.resolve(self._probe)

    def _act(self, key: str) -> None:
        controller, dice, told = self.controller, self.dice, self.told
        money: dict[str, Any] = {"amount": Decimal(told["amount"]), "currency": "USD"} if told.get("amount") else {}
        with controller.action(key, **money) as act:
            time.sleep(dice.random() * told.get("think_s", 0.0))
            if not told.get("no_check"):
                act.check()
            time.sleep(dice.random() * told.get("gap_s", 0.0))
            if dice.random() < 0.02:
                raise NotSent("thought better of it")
            self.venue.execute(key, act.intent.claim_id, controller.instance, controller.slot)
            if self.chance("lost", 0.02):
                raise TimeoutError("the answer was lost")
            if self.chance("forks"):
                fork_and_try(controller, act, self.note)
            if self.chance("values"):
                settle_oddly(act, dice, self.note)
            else:
                act.settle("done")
            if self.chance("twice"):  # the venue's confirmation came twice, and so does the author's word
                with suppress(UsageError):
                    act.failed("no, it was not")
                    self.note("violation: an action was settled twice")

    def _probe(self, claim: OpenClaim) -> Evidence:
        executed = self.books.count(claim.key) > 0
        if self.chance("slow_probe"):
            time.sleep(self.dice.random() * 3.0)  # the venue's list takes its time; what it says was so before
            self.note("slow_probes")
        return Evidence(executed, "the venue's history", result="found")


def _shift_clock(amount_s: float) -> None:
    """This process's wall clock jumps by ±amount every call; the monotonic clock stays honest, as it does in life."""
    real, sign = time.time, [1]

    def jumping() -> float:
        sign[0] = -sign[0]
        return real() + sign[0] * amount_s

    time.time = jumping


if __name__ == "__main__":
    main()
