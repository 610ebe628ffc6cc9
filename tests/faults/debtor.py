"""An agent that opens and closes escrows at a venue, to be killed: `python -m tests.faults.debtor OPTIONS`.

The venue is a file that each line is appended to whole; it honours no idempotency key, so whatever is sent is done.
"""

from __future__ import annotations

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
    Commitment,
    Direction,
    HandOver,
    Kind,
    NotSent,
    Settings,
)
from console.domain.errors import ConsoleError


class Escrows:
    """The venue's ledger, from one process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def do(self, what: str, escrow: str, key: str) -> None:
        os.write(self._file, f"{what} {escrow} {key}\n".encode())


def main(options: dict[str, Any]) -> None:
    """Open, close, watch; for ever."""
    dice = random.Random(options["seed"])
    venue = Escrows(Path(options["venue"]))
    slot = options["slot"]
    settings = Settings(lease_ms=400, margin_ms=50, money=False, heartbeat_ms=50, spool_dir=Path(options["spool"]))
    with AgentController(options["url"], slot=slot, version=f"{slot}-{options['version']}", settings=settings) as agent:
        print(agent.instance, flush=True)
        while True:
            with suppress(ActionRefused, NotSent, TimeoutError, ConsoleError):
                step(agent, venue, dice)


def step(agent: AgentController, venue: Escrows, dice: random.Random) -> None:
    """Open an escrow, or end one that is ours."""
    mine = [one for one in agent.commitments.mine() if not one.claim]
    agent.commitments.watch(one.id for one in mine)
    if mine and dice.random() < 0.55:
        one = dice.choice(mine).id
        # Two processes close the same thing under two keys: the commitment, not the key, keeps them apart.
        key = f"close-{one}-{dice.randrange(3)}-{agent.instance[-4:]}"
        with agent.action(key, direction=Direction.REDUCE, closes=one) as act:
            send(venue, dice, act, "close", one)
    else:
        number = dice.randrange(10**12)
        policy = dice.choice(list(HandOver))
        what = Commitment(f"esc_{number}", Kind.ESCROW, Decimal(1), "USD", hand_over=policy)
        with agent.action(f"open-{number}", opens=what) as act:
            send(venue, dice, act, "open", what.id)


def send(venue: Escrows, dice: random.Random, act: Any, what: str, escrow: str) -> None:
    """Through the venue, which may lose the request or the answer."""
    fate = dice.random()
    if fate < 0.05:
        raise NotSent
    act.check()
    if fate > 0.1:
        venue.do(what, escrow, act.key)
    if fate < 0.15:
        raise TimeoutError
    time.sleep(dice.random() * 0.004)
    act.settle(what)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
