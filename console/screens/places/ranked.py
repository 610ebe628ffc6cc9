"""Screen 2, sorted: the newest decisions, a page of everything or the hits of a search, by any of their columns."""

from __future__ import annotations

from collections.abc import Sequence

from console.domain.seen.browsing import Spot
from console.screens.parts.arrangements import Arrangement
from console.screens.places.paged import PagedScreen, Shown
from console.views.browsing import hits_title, progress_note
from console.views.lists import decision_value
from console.views.order import Order
from widgets.lists.grid import GridRow
from widgets.lists.line_list import LineList


class RankedScreen(PagedScreen):
    """Decisions, whose own order is that of time: sorted rows stand in a list of their own before it."""

    def __init__(self) -> None:
        super().__init__()
        self.arrangeable("decisions", self._feed, self._pages, self._ranked)

    def on_mount(self) -> None:
        """As it was sorted last."""
        if self.arrangement("decisions").order.column:
            self._show(Shown.RANKED)

    def rearrange(self, rows: LineList, wanted: Arrangement) -> None:
        """Into the sorted list, or out of it; where it was already, in its new order."""
        ranked = self._shows is Shown.RANKED
        if wanted.order.column and not ranked:
            self._ranked.set_items((), self._ranked_row)
            self._show(Shown.RANKED)
        elif ranked and not wanted.order.column:
            self._show(self._listed)
        super().rearrange(rows, wanted)
        if not ranked:
            self._ranked.move_to(0)

    def _own_order(self) -> None:
        """In the order of time again."""
        wanted = self.arrangement("decisions")
        if wanted.order.column:
            self.rearrange(self._ranked, wanted._replace(order=Order()))

    def _follow(self) -> None:
        self._own_order()
        super()._follow()

    def show_ranked(self) -> None:
        """What is sorted is what is loaded: the title says of what."""
        of_feed, by = self._listed is Shown.FEED, self.order_text(self._ranked, "")
        spots: Sequence[Spot] = self._feed.spots if of_feed else self._pages.kept
        self._ranked.empty = self._feed.empty if of_feed else self._pages.empty
        self._ranked.set_items(self.in_order(self._ranked, spots, _value), self._ranked_row)
        if self._listed is Shown.HITS:
            self.panel.title = f"{hits_title(self._browsed.hits, self._text, self._ranked_place())} ({by})"
            self.panel.note, self.panel.age = "", progress_note(self._browsed)
        else:
            which = "the newest" if of_feed else "this page,"
            self.panel.title = f"Decisions: {which} {len(spots):,} ({by})"
            self.panel.note = self._feed.note if of_feed else ""
            self.panel.age = self._feed.age or "live" if of_feed else ""
        self.panel.stale = self._ranked.stale = of_feed and bool(self._feed.age)

    def _ranked_place(self) -> int:
        """Where the row under the cursor stands among the hits."""
        row = self._ranked.current
        spot = row.detail if row is not None else None
        return next((at for at, one in enumerate(self._pages.kept) if one is spot), 0)

    def _ranked_row(self, spot: Spot) -> GridRow:
        row = self._row(spot)
        return row if self.host.browser.able else row._replace(detail=spot.decision)

    def action_back(self) -> None:
        """Out of the sorted list; then as ever."""
        if self._shows is Shown.RANKED and not self.has_class("-zoomed"):
            if not self.host.browser.able and self.end_filter():
                return
            self._own_order()
            self.say("In the order of time again.", "info")
        else:
            super().action_back()


def _value(spot: Spot, name: str) -> object:
    return decision_value(spot.decision, name)
