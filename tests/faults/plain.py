"""A plain agent: the contract's two keys, no library, and it thinks before it acts."""

from __future__ import annotations

import os
import random
import sys
import time

import redis

from tests.faults.venue import Client


def main() -> None:
    """Arguments: port, venue, slot, poll_s, think_s, seed."""
    port, venue_path, slot, poll_s, think_s, seed = sys.argv[1:]
    store = redis.Redis(port=int(port), decode_responses=True, client_name=f"plain-{slot}")
    venue = Client(venue_path)
    dice = random.Random(seed)
    store.get("agent:active_version")
    os.write(1, b"ready\n")
    number = 0
    while True:
        if store.get("agent:active_version") == slot:
            time.sleep(dice.random() * float(think_s))
            venue.execute(f"{slot}-{number}", "", slot, slot)
            number += 1
        time.sleep(dice.random() * float(poll_s))


if __name__ == "__main__":
    main()
