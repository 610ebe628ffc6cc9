"""The decision feed: takes from each observation what it has not yet shown, and says what went by unseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.domain.seen.observation import LogReading, Observation
from console.screens.parts.shapes import NEWEST_LAST, decision_feed_row
from console.views.fence.alarm import playing
from console.views.format import age_text, count_text
from console.views.lists import decision_row
from widgets.lists.columns import Column
from widgets.lists.feed import Feed, FeedRow

MOST_AT_ONCE: Final = 100
"""New rows taken from one observation after the first; what arrives faster than anyone can read is counted in a row of
its own."""

_LATE_S: Final = 5.0


class DecisionFeed(Feed):
    """A feed of decisions.

    Args:
        columns: as in `Feed`.
        only_active: whether at first only decisions of whoever plays for money are shown.
    """

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, only_active: bool = False) -> None:
        super().__init__(columns, empty="Waiting for decisions.", id=id)
        self._last = 0
        self._only_active = only_active
        self.title = f"Decisions ({NEWEST_LAST})"
        self.note = ""
        self.age = ""

    @property
    def only_active(self) -> bool:
        """Whether only decisions of whoever plays for money are shown; those already shown stay when that changes
        hands.
        """
        return self._only_active

    @only_active.setter
    def only_active(self, value: bool) -> None:
        if value != self._only_active:
            self._only_active = value
            self.clear()
            self._last = 0

    def take(self, observation: Observation, most: int = MOST_AT_ONCE) -> None:
        """Show what is new, at most so many rows of it."""
        logs = observation.logs
        self.empty = why_empty(observation)
        if logs is None:
            return
        self._extend(logs, observation, most)
        rejected = sum(logs.rejected.values())
        self.note = f"{count_text(logs.total)} read" + (f" · ▲ {count_text(rejected)} refused" if rejected else "")
        late_s = (observation.now - logs.at).total_seconds()
        self.age = age_text(late_s) if late_s > _LATE_S else ""
        self.stale = bool(self.age)
        whose = self._whose(observation)
        of = " of both" if len(whose) > 1 else f" of {''.join(whose)}" if whose else ""
        state = ", paused" if self.paused else ", following" if self.following else ""
        self.title = f"Decisions{of} ({NEWEST_LAST}{state})"

    def _whose(self, observation: Observation) -> frozenset[str]:
        """Whose decisions alone are shown; empty where everybody's are: in a halt one wants to see who still acts."""
        return frozenset(slot.value for slot in playing(observation)) if self._only_active else frozenset()

    def _extend(self, logs: LogReading, observation: Observation, most: int) -> None:
        if not logs.recent:
            return
        newest = max(decision.sequence for decision in logs.recent)  # they are ordered by their own time
        jumped = observation.looking is not None and self._last < min(one.sequence for one in logs.recent) - 1
        if newest < self._last or (self._last and jumped):
            self.clear()
            self._last = 0
        if newest == self._last:
            return
        fresh = [decision for decision in logs.recent if decision.sequence > self._last]
        fresh = fresh[-most:] if self._last and observation.looking is None else fresh  # a replay can wait
        unseen, whose = newest - self._last - len(fresh), self._whose(observation)
        rows = [
            decision_feed_row(decision_row(decision, observation.now), decision)
            for decision in fresh
            if not whose or not decision.slot or decision.slot in whose
        ]
        if unseen > 0 and self._last:
            what = "decision" if unseen == 1 else "decisions"
            note = f"… {count_text(unseen)} {what} went by faster than they can be shown"
            rows.insert(0, FeedRow(-newest, ("", "", "", "", "", "", "", note), tone="dim"))
        self.extend(rows)
        self._last = newest


def why_empty(observation: Observation) -> str:
    """Why there are no decisions, and what to do."""
    logs = observation.logs
    if logs is None:
        return "No decision log is followed.\nStart with --decisions PATH (JSON lines; globs work)."
    if not logs.files:
        return "No file matches --decisions yet.\nIt is looked for every second."
    refused = sum(logs.rejected.values())
    if refused and not logs.total:
        return f"{count_text(refused)} lines were refused and none accepted; the health panel says why."
    return "The log holds no decisions yet."
