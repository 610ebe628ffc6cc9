"""Two sides with five instances each in a restart loop: one after the other is killed with -9 and starts again at once.

A process that has loaded everything once forks them, so that a restart takes a moment and there are hundreds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from typing import Any

SIDES = ("blue", "green")
EACH = 5
PAUSE_S = 0.03
"""Between two kills."""


def main() -> None:
    """Kill and restart until told to end (SIGTERM); then end every child. A line for each restart."""
    from tests.faults import worker

    told: dict[str, Any] = json.loads(sys.argv[1])
    dice = random.Random(told["seed"])
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    children: dict[int, str] = {}

    def start(slot: str) -> None:
        seed = dice.randrange(1_000_000)
        pid = os.fork()
        if pid:
            children[pid] = slot
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv[1] = json.dumps({**told, "slot": slot, "seed": seed})
        worker.main()

    def kill(pid: int) -> str:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return children.pop(pid)

    for slot in SIDES * EACH:
        start(slot)
    while not over:
        time.sleep(PAUSE_S)
        start(kill(dice.choice(list(children))))
        print("restarted", flush=True)
    for pid in list(children):
        kill(pid)


if __name__ == "__main__":
    main()
