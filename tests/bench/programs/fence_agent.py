"""An agent that acts once each time its side becomes active, and says when, by the clock that all processes share.

Arguments: URL, slot, mode. In mode `fail` it raises instead of acting, and says when.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import Any

from console.agent import AgentController, Proposal


class Agent(AgentController):
    """One action for each epoch in which this side is active."""

    acted_in = 0
    mode = "act"

    def decide(self, state: Any) -> Proposal | None:
        """At most once an epoch."""
        return Proposal(f"act-{self.epoch}") if self.active and self.epoch != self.acted_in else None

    def execute(self, wanted: Proposal, act: Any) -> str:
        """Say when."""
        self.acted_in = act.epoch
        said = time.monotonic()
        os.write(1, f"{'acted' if self.mode == 'act' else 'raised'} {said!r}\n".encode())
        if self.mode == "fail":
            raise ZeroDivisionError
        return "done"


def main() -> None:
    """Until killed."""
    url, slot, mode = sys.argv[1:]
    agent = Agent(url, slot=slot, version="bench")
    agent.mode = mode
    agent.start()
    os.write(1, b"ready\n")
    while True:
        with suppress(ZeroDivisionError):
            agent.round()
        agent.wait_change(5.0)


if __name__ == "__main__":
    main()
