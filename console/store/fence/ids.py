"""Ids of calls, and one question about an error, shared by both fences."""

from __future__ import annotations

import itertools
import os
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path


def new_id() -> str:
    """An id for a switch or a claim: repeating a call with the same id is the same switch, the same claim."""
    return uuid.uuid4().hex


def call_ids() -> Iterator[str]:
    """Ids of calls on one connection, each once."""
    return map("{}{:x}".format, itertools.repeat(os.urandom(4).hex()), itertools.count())  # safe between threads


@cache
def boot_id() -> str:
    """What tells this start of this host from every other, and from other hosts; made up where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return uuid.uuid4().hex


def host_clock() -> str:
    """This host's clock since its start, as the scripts take it: it never jumps, and goes on while the host sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return f"{boot_id()}:{time.clock_gettime_ns(clock) // 1_000_000}"


def other_slot(error: Exception) -> bool:
    """Whether the server refused because the keys lie in different slots of a cluster."""
    return "CROSSSLOT" in str(error) or "same slot" in str(error) or "hash to the same" in str(error)
