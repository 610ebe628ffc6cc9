"""Whoever waits for the other side without the library: `poll` reads the key once a second, `stream` blocks in XREAD.

Arguments: URL, mode. Says when it saw each change, by the clock that all processes share.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from console.store.fence.listen import events
from console.store.server.connect import connect_sync


def main() -> None:
    """Until killed."""
    url, mode = sys.argv[1:]
    client = connect_sync(url, timeout_s=None)
    last: Any = client.get("agent:active_version")
    os.write(1, b"ready\n")
    while mode == "poll":
        now = client.get("agent:active_version")
        if now != last:
            last = now
            os.write(1, f"seen {time.monotonic()!r}\n".encode())
        time.sleep(1.0)
    cursor = "$"
    while True:
        found = events(client.execute_command("XREAD", "BLOCK", 0, "STREAMS", "bench:one-way", cursor))
        said = time.monotonic()
        cursor = found[-1][0]
        os.write(1, f"seen {said!r}\n".encode())


if __name__ == "__main__":
    main()
