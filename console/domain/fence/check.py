"""What a check found out: pure values, so that a screen, a verb and a money gate read the same list."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How a check ended. Unknown is not ok: it was not allowed, or there was no answer."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    """A double execution would be possible: money mode refuses."""
    UNKNOWN = "unknown"


class Check(NamedTuple):
    """One check.

    Args:
        name: short, the same for ever; what `--json` is keyed by.
        verdict: see `Verdict`.
        seen: what was found.
        risk: what could happen; empty where it is ok.
        remedy: what to do; empty where it is ok.
        required: whether money mode refuses unless it is ok.
        promised_by: who promised it, where it was not measured; empty where it was.
    """

    name: str
    verdict: Verdict
    seen: str
    risk: str = ""
    remedy: str = ""
    required: bool = False
    promised_by: str = ""


def refusals(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks for which money mode refuses to start: those that fail, and required ones that are unknown."""
    return tuple(
        check
        for check in checks
        if check.verdict is Verdict.FAIL or (check.required and check.verdict is Verdict.UNKNOWN)
    )
