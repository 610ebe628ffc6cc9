"""Medians, percentiles, and what the kernel knows of a process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
HAS_PROC = Path("/proc/self/schedstat").exists()


def median(values: Sequence[float]) -> float:
    """The middle one; the mean of the two middle ones."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def cpu_s(pid: int) -> float:
    """Seconds of processor time that the process and its threads have used so far; its children are not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    by_ticks = (int(fields[11]) + int(fields[12])) / TICKS
    by_scheduler = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            by_scheduler += int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:  # the thread ended meanwhile
            continue
    return max(by_ticks, by_scheduler)


def rss_mib(pid: int) -> float:
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def rise(samples: list[float]) -> float:
    """The rise of the straight line that fits them best, from the first to the last."""
    count = len(samples)
    middle, mean = (count - 1) / 2, sum(samples) / count
    spread = sum((index - middle) ** 2 for index in range(count)) or 1.0
    slope = sum((index - middle) * (sample - mean) for index, sample in enumerate(samples)) / spread
    return slope * (count - 1)
