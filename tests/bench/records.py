"""Decisions as plain agents log them: the same ones each time, stamped when they are written."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_KINDS = ("place_bet", "cash_out", "accept_escrow", "session_end", "deny")
_WORDS = (
    "kelly fraction 0.18, floor applied; variance within the band",
    "target reached; edge 0.031 after fees",
    "arbitrator unknown; terms exceed the limit",
    "session bets 31 of 50; volatility above the band",
)


def record(number: int, timestamp: float, chance: random.Random) -> dict[str, Any]:
    """One decision: nine of ten are blue's."""
    green = number % 10 == 9
    return {
        "agent_version": "2.5.0" if green else "2.4.0",
        "timestamp": timestamp,
        "decision_type": _KINDS[number % len(_KINDS)],
        "inputs": {
            "game": "crash",
            "bankroll": round(chance.uniform(100, 900), 2),
            "multiplier": round(chance.uniform(1, 4), 3),
            "features": [round(chance.gauss(0, 1), 5) for _ in range(8)],
        },
        "output": {
            "action": chance.choice(("BET", "HOLD", "CASH_OUT", "SKIP")),
            "amount": round(chance.uniform(1, 20), 2),
            "pnl": round(chance.gauss(0.02, 1.5), 2),
            "currency": "USD",
        },
        "reasoning": f"{_WORDS[number % len(_WORDS)]}; confidence {chance.random():.3f}",
        "latency_ms": round(chance.uniform(8, 120), 1),
    }


def line_of(number: int, timestamp: float, chance: random.Random) -> bytes:
    """The same as a line."""
    return json.dumps(record(number, timestamp, chance), separators=(",", ":")).encode() + b"\n"


def halves(count: int = 4000) -> list[tuple[bytes, bytes]]:
    """Lines cut where the timestamp belongs, so that stamping one costs next to nothing."""
    chance = random.Random(7)
    made = []
    for number in range(count):
        before, _, after = line_of(number, 0.5, chance).partition(b'"timestamp":0.5')
        made.append((before + b'"timestamp":', after))
    return made


def stamped(parts: list[tuple[bytes, bytes]], first: int, timestamps: Iterator[float]) -> bytes:
    """A line for each timestamp."""
    return b"".join(
        b"%s%.3f%s" % (parts[number % len(parts)][0], timestamp, parts[number % len(parts)][1])
        for number, timestamp in enumerate(timestamps, first)
    )


def write_log(path: Path, count: int, *, span_s: float | None = None, end_s: float | None = None) -> None:
    """A log of so many decisions, evenly over the time that ends now (or at `end_s`)."""
    parts = halves()
    end = time.time() if end_s is None else end_s
    span = count / 10 if span_s is None else span_s
    with path.open("wb") as file:
        for first in range(0, count, 10_000):
            numbers = range(first, min(count, first + 10_000))
            file.write(stamped(parts, first, (end - span * (count - number) / count for number in numbers)))
