"""A run as text, for the store and for a report, and back."""

from __future__ import annotations

import json
from typing import Final

from console.domain.document import document, record_from
from console.domain.errors import UsageError
from console.domain.upgrade.run import KEPT, ORDER, UpgradeRun

MAX_BYTES: Final = 262_144
"""Of a run's text: every step with as much evidence as is kept stays far below."""


def run_text(run: UpgradeRun) -> str:
    """A run as JSON.

    Raises:
        UsageError: it is longer than a run can be.
    """
    text = json.dumps(document(run), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_BYTES:
        raise UsageError(f"A run's text has at most {MAX_BYTES:,} bytes.")
    return text


def read_run(text: str) -> UpgradeRun:
    """A run from its JSON.

    Raises:
        UsageError: it is no run, or not whole: a step is missing, doubled or unknown.
    """
    if len(text) > MAX_BYTES:
        raise UsageError("The run is longer than a run can be.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("The run is not JSON.") from None
    run = record_from(UpgradeRun, raw)
    if tuple(step.name for step in run.steps) != ORDER:
        raise UsageError("The run's steps are not the steps of a run.")
    if any(len(step.evidence) > KEPT for step in run.steps):
        raise UsageError(f"A step of the run has more than {KEPT} pieces of evidence.")
    return run
