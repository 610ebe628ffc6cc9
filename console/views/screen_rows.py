"""The list that a screen shows, as rows for a spreadsheet: `export --format csv`."""

from __future__ import annotations

from typing import Any

from console.domain.board.boards import Seen
from console.domain.document import document
from console.domain.errors import UsageError
from console.domain.seen.observation import Observation
from console.domain.state.flags import FlagReading
from console.views.board_report import board_report
from console.views.decisions import DecisionReport
from console.views.receipts import AuditReport


def screen_rows(observation: Observation, screen: str, seen: Seen) -> list[dict[str, Any]]:
    """The rows of a screen's list, in its order; of the overview those are its decisions.

    Args:
        observation: what is shown.
        screen: its name.
        seen: what was read for the boards.

    Raises:
        UsageError: the screen has no list, or what it lists could not be read.
    """
    store, logs = observation.store, observation.logs
    match screen:
        case "overview" | "decisions":
            decisions = logs.recent if logs is not None else ()
            return [DecisionReport.of(one, str(one.source)).document() for one in decisions]
        case "state" | "checklist":
            board = board_report(str(observation.agent), screen, seen)
            if board is None:
                raise UsageError(f"The screen {screen} was not read; there is nothing to list.")
            rows: list[dict[str, Any]] = board.document()["commitments" if screen == "state" else "items"]
            return rows
    if store is None:
        raise UsageError("The store was not read; there is nothing to list.")
    match screen:
        case "audit":
            return [AuditReport.of(entry).document() for entry in store.audit]
        case "flags":
            return [_flag(one) for one in store.flags.values()]
        case "shadow":
            return [document(one) for one in store.divergences]
        case "experiments":
            return [document(one) for one in store.experiments]
        case "canary":
            return [document(store.canary)] if store.canary is not None else []
    raise UsageError(f"The screen {screen} has no list.", "--format json has all of it.")


def _flag(one: FlagReading) -> dict[str, Any]:
    value = None if one.missing else str(one.raw)
    return {"name": one.name, "value": value, "type": one.type.value if one.type else None, "problem": one.problem}
