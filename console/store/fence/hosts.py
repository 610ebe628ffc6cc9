"""Whether a process that a heartbeat speaks of still lives: what can be known of it from its own host."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from console.store.fence.ids import boot_id


def host_name() -> str:
    """This host since its start, and this process namespace: two processes of the same name can see each other's
    process ids. (A namespace's number alone is the same on every host.)"""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{boot_id()}/{namespace}"


def plain_host_name() -> str:
    """This host as people call it; the same after it was started anew."""
    return socket.gethostname()


def started_at(pid: int | str = "self") -> str:
    """What tells a process from an earlier one that had its pid: when it began, in ticks since the host's start; empty
    where the system doesn't say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def is_gone(holder: Mapping[str, object], host: str) -> bool | None:
    """Whether the process that a heartbeat speaks of has ended; None where that can't be seen from here.

    Args:
        holder: the heartbeat's fields.
        host: this host (`host_name`).
    """
    pid = holder.get("pid")
    if holder.get("host") != host or not isinstance(pid, int) or pid <= 1:
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    began = holder.get("started")  # another process may have its pid by now
    return bool(began) and bool(now := started_at(pid)) and began != now
