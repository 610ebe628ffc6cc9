"""Decisions as a plain agent logs them, with the clock in the test's hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def record(at_s: float, version: str, **more: Any) -> dict[str, Any]:
    """One bet of 1 USD a round, 10 ms, unless told otherwise; `pnl=None` for a round without money."""
    pnl = more.pop("pnl", 1.0)
    output = {"action": "BET", "pnl": pnl, "currency": "USD", **more.pop("output", {})}
    if pnl is None:
        del output["pnl"]
    return {
        "agent_version": version,
        "timestamp": at_s,
        "decision_type": "bet",
        "inputs": {},
        "output": output,
        "reasoning": "",
        "latency_ms": 10.0,
        **more,
    }


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    """Append records to a log."""
    with path.open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in records)
    return path


def history(start_s: float, rounds: int, version: str, *, step_s: float = 1.0, **more: Any) -> list[dict[str, Any]]:
    """Rounds that win 2 and 0 in turn: 1 ± 1."""
    return [record(start_s + step_s * n, version, **{"pnl": 2.0 * (n % 2), **more}) for n in range(rounds)]
