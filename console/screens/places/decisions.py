"""Screen 2: every decision that is kept, with its reason; enter shows the whole record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from console.domain.seen.observation import Observation
from console.screens.frame.listing import ListScreen
from console.screens.parts.feeding import DecisionFeed
from console.screens.parts.shapes import DECISION_COLUMNS


class DecisionsScreen(ListScreen):
    """The decision feed, full size."""

    HINTS: ClassVar[Sequence[str]] = ("view.filter", "view.pause", *ListScreen.HINTS)

    def __init__(self) -> None:
        self._feed = DecisionFeed(DECISION_COLUMNS, id="decisions-feed")
        super().__init__("Decisions", self._feed)

    def show_body(self, observation: Observation) -> None:
        """What is new."""
        self._feed.take(observation, most=1000)
        self.panel.title = self._feed.title
        self.panel.note = self._feed.note
        self.age(self._feed.age)
