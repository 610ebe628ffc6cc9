"""Ids of calls, and what tells one start of a host from another, shared by both fences."""

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
