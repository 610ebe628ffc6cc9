"""Recorded decisions, for rehearsals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEGAN = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A decision, so many seconds after the first."""
    whole = {
        "agent_version": "2.4.0",
        "timestamp": BEGAN.timestamp() + number,
        "decision_type": "bet",
        "inputs": {"price": 100 + number},
        "output": {"bet": "1", "pnl": 0.5, "currency": "USD"},
        "reasoning": "because",
    }
    return {**whole, **changes}


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """A log of them."""
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return path
