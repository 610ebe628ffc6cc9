"""An agent that trades at a venue over HTTP, to be killed: `python -m tests.faults.trader OPTIONS`.

Which order is next is known by the state alone that one side hands to the other: a state that were lost or handed over
twice would leave a gap in the venue's ledger, or send an order that was sent. The venue honours no idempotency key.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from console.agent import (
    ActionRefused,
    AgentController,
    AlreadyDone,
    Commitment,
    Direction,
    Evidence,
    HandOver,
    Kind,
    NoState,
    NotSent,
    Settings,
    State,
)
from console.agent.shadow.agent import ShadowAgent
from console.agent.shadow.reporter import ShadowReporter
from console.domain.errors import ConsoleError
from console.domain.fence.claims import OpenClaim
from tests.faults.capital import Split

ORDER = "order-"
CLOSE = "close-"
PAUSE = "pause"
"""While a file of this name is there nothing is sent; one with an instance's name behind it says that it is heard."""
MOST_OPEN = 12
"""Above so many it closes, and opens no more."""


class Desk:
    """The venue, from one process.

    Args:
        port: of the venue, on loopback.
        key: that it lets in.
    """

    def __init__(self, port: int, key: str) -> None:
        self._port, self._headers = port, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=1.0)
        try:
            connection.request(method, path, json.dumps(body) if body else None, self._headers)
            return json.loads(connection.getresponse().read())
        except HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def order(self, key: str) -> None:
        """One order; done as often as it is sent."""
        self._call("POST", "/v1/orders", {"client_id": key, "amount": "1"})

    def executed(self, key: str) -> bool:
        """Whether the venue has done it."""
        return int(self._call("GET", "/_counts")["executions"].get(key, 0)) > 0


class Trader:
    """What it does, round by round.

    Args:
        told: `url`, `slot`, `version`, `other` (the other version, which it shadows), `port`, `key`, `folder`,
            `seed`.
        agent: the library's.
    """

    def __init__(self, told: dict[str, Any], agent: AgentController) -> None:
        self.told, self.agent = told, agent
        self.folder = Path(told["folder"])
        self.desk = Desk(told["port"], told["key"])
        self.dice = random.Random(told["seed"])
        other = "blue" if told["slot"] == "green" else "green"
        self.shadow: ShadowAgent[int, int] = ShadowAgent(lambda _: lambda number: number, name=f"{other}-shadow")
        self.reporter = ShadowReporter(told["url"], self.shadow, name=told["other"], slot=other)
        self.split = Split(told["url"], str(agent.instance), self.dice, self.note)
        self.state, self.mine, self.asked_s = State(version=told["version"], extra={"next": 0}), False, 0.0

    def note(self, file: str, line: str) -> None:
        """One line, whole or not at all."""
        handle = os.open(self.folder / file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)

    def round(self) -> None:
        """Take over where it is ours, find out what nobody knows, watch all, trade."""
        agent = self.agent
        self.mine = self.mine and agent.active
        if not self.mine:
            self.split.stop()
        if agent.active and not self.mine:
            self.take_over()
        if time.monotonic() - self.asked_s > 0.15:
            agent.resolve(self.probe)
            self.asked_s = time.monotonic()
        agent.commitments.watch(one.id for one in agent.commitments.all())
        if (self.folder / PAUSE).exists():
            if self.mine:
                agent.keep(self.state)
                self.split.end_all()
            (self.folder / f"{PAUSE}-{agent.instance}").touch()
            return
        if self.mine:
            self.split.play()
        mine = [one for one in agent.commitments.mine() if not one.claim]
        if self.mine and len(mine) < MOST_OPEN and self.dice.random() < 0.6:
            self.open()
        elif mine:
            self.close(self.dice.choice(mine).id)
        if self.mine:
            agent.keep(self.state)

    def take_over(self) -> None:
        """Go on from the state that was kept, whoever kept it."""
        try:
            old = self.agent.take_over()
        except NoState:
            pass
        else:
            self.state = replace(old.state, version=self.told["version"])
            how = "again" if old.already else "first"
            self.note("handed-over", f"{old.kept.number} {self.agent.instance} {how}")
        self.mine = True

    def probe(self, claim: OpenClaim) -> Evidence:
        """What the venue says of a claim that is in doubt."""
        return Evidence(self.desk.executed(claim.key), "the venue's counts", result="found")

    def open(self) -> None:
        """The next order, which opens a position."""
        number = int(self.state.extra["next"])
        policy = self.dice.choice((HandOver.NEW_ADOPTS, HandOver.OLD_CLOSES))
        what = Commitment(f"pos-{number}", Kind.POSITION, Decimal(1), "USD", hand_over=policy)
        with suppress(AlreadyDone), self.agent.action(f"{ORDER}{number}", opens=what) as act:
            act.check()
            self.desk.order(act.key)
            act.settle("opened")
        self.state = replace(self.state, extra={"next": number + 1})
        self.shadow.observe(number, number)
        self.decided(number)

    def close(self, position: str) -> None:
        """End a position."""
        key = f"{CLOSE}{position}"
        with suppress(AlreadyDone), self.agent.action(key, direction=Direction.REDUCE, closes=position) as act:
            act.check()
            self.desk.order(act.key)
            act.settle("closed")

    def decided(self, number: int) -> None:
        """A line of the decision log."""
        record = {"agent_version": self.told["version"], "timestamp": time.time(), "decision_type": "bet"}
        more = {"inputs": {}, "output": {"bet": number}, "reasoning": "the next one"}
        self.note("decisions.jsonl", json.dumps(record | more))


def main(told: dict[str, Any]) -> None:
    """Trade until killed."""
    settings = Settings(
        lease_ms=1_000,
        margin_ms=100,
        heartbeat_ms=100,
        quarantine_ms=300,
        command_timeout_ms=500,
        spool_dir=Path(told["folder"]) / "spool",
    )
    with AgentController(told["url"], slot=told["slot"], version=told["version"], settings=settings) as agent:
        print(agent.instance, flush=True)
        trader = Trader(told, agent)
        trader.reporter.start()
        while True:
            with suppress(ActionRefused, NotSent, TimeoutError, ConnectionError, ConsoleError):
                trader.round()
            time.sleep(0.03)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
