"""Every list that can be arranged, by the name that the configuration has for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.screens.parts.board_shapes import BOOK_COLUMNS, DRAIN_COLUMNS, FILE_COLUMNS, OWED_COLUMNS, SNAPSHOT_COLUMNS
from console.screens.parts.fleet_look import FLEET_COLUMNS
from console.screens.parts.shapes import (
    ALERT_COLUMNS,
    AUDIT_COLUMNS,
    DECISION_COLUMNS,
    DOUBT_COLUMNS,
    INSTANCE_COLUMNS,
)
from console.screens.places.experiments import COLUMNS as EXPERIMENT_COLUMNS
from widgets.lists.columns import Column


def lists() -> Mapping[str, Sequence[Column]]:
    """Their columns, in the order of the screens."""
    return {
        "decisions": DECISION_COLUMNS,
        "owed": OWED_COLUMNS,
        "versions": DRAIN_COLUMNS,
        "books": BOOK_COLUMNS,
        "snapshots": SNAPSHOT_COLUMNS,
        "instances": INSTANCE_COLUMNS,
        "doubts": DOUBT_COLUMNS,
        "files": FILE_COLUMNS,
        "alerts": ALERT_COLUMNS,
        "audit": AUDIT_COLUMNS,
        "experiments": EXPERIMENT_COLUMNS,
        "fleet": FLEET_COLUMNS,
    }
