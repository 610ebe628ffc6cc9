"""Screen 2: every decision, with its reason; `/` searches everything that was ever logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from console.domain.errors import ConsoleError
from console.domain.seen.browsing import Spot
from console.screens.frame.listing import ListScreen
from console.screens.parts.paging import PageList
from console.screens.places.paged import Shown
from console.screens.places.ranked import RankedScreen
from console.views.browsing import further_back, why_no_hits
from widgets.lists.line_list import LineList

if TYPE_CHECKING:
    from widgets.typing.filter_line import FilterLine

TERMS = "text   re:pattern   !not   slot:green   type:bet   pnl<-5   since:24h"


class DecisionsScreen(RankedScreen):
    """The decision feed, its past, and what a search finds in both."""

    HINTS: ClassVar[Sequence[str]] = ("view.filter", "view.pause", *ListScreen.HINTS, "list.sort", "list.columns")

    # the search

    async def action_filter(self) -> None:
        """Search everything; where no whole log can be read, filter the feed."""
        await super().action_filter()
        if self._filter_line is not None and self.host.browser.able:
            self._filter_line.hint(TERMS)
            self._filter_line.open(self._text)

    def apply_filter(self, target: LineList | None, text: str) -> str:
        """Search; what is wrong with the question, or ""."""
        if not self.host.browser.able or target not in (self._feed, self._pages, self._ranked):
            return super().apply_filter(target, text)
        text = text.strip()
        if not text:
            if self._text:
                self._follow()
            return ""
        if text == self._text:
            return ""
        try:
            self.host.browser.search(text)
        except ConsoleError as error:
            return error.message
        self._own_order()
        self._text, self._hit_keys = text, frozenset()
        self._browsed = self.host.browser.seen
        self._pages.empty = why_no_hits(None, text)
        self._put((), None)
        self._show(Shown.HITS)
        self._show_title()
        return ""

    def _filter_result(self, target: LineList | None) -> str:
        if not self.host.browser.able:
            return super()._filter_result(target)
        hits = self._browsed.hits
        found = len(hits.rows) if hits is not None else 0
        return f"{found:,}{'' if hits is not None and hits.done else ' so far'}" if self._text else ""

    def on_filter_line_submitted(self, event: FilterLine.Submitted) -> None:
        """Keep what is searched, and say how to go on."""
        if not self.host.browser.able:
            return  # then it is a filter, kept by `TypingScreen`
        event.prevent_default()
        problem = self.apply_filter(self._filtered, event.text)
        self.stop_typing()
        if problem:
            self.say(problem, "warn", fade_s=30)
        elif self._text:
            self.say("n goes to an older hit, N to a newer one, i shows its neighbours, esc ends it.", "info")

    def stop_typing(self) -> None:
        """The list that is shown gets the keys."""
        self._return_to = None
        super().stop_typing()

    def on_page_list_hit(self, event: PageList.Hit) -> None:
        """To an older or a newer hit; among its neighbours where these are shown."""
        hits = self._browsed.hits
        if hits is None or not hits.rows:
            self.say(
                f"Nothing was searched; {self.key_of('view.filter')} does." if not self._text else "No hit.", "info"
            )
            return
        if self._shows is Shown.HITS:
            place = self._pages.index - event.step
        else:
            spot = self._pages.spot
            at = (spot.decision.at, spot.decision.offset) if spot is not None else None
            places = [(one.decision.at, one.decision.offset) for one in hits.rows]
            before = sum(at is not None and one < at for one in places)
            within = at in places
            place = before - 1 if event.step > 0 else before + within
        if not 0 <= place < len(hits.rows):
            self._no_more_hits(older=event.step > 0)
        elif self._shows is Shown.HITS:
            self._pages.move_to(place)
            self._show_title()
        else:
            self._go_around(hits.rows[place])

    def _no_more_hits(self, *, older: bool) -> None:
        hits = self._browsed.hits
        if hits is None or not older or (hits.done and not hits.more):
            self.say(f"There is no {'older' if older else 'newer'} hit.", "info")
        elif not hits.done:
            self.say("No older hit was found so far; it is still looked for.", "info")
        else:
            self.say(f"Older ones: / {further_back(hits.rows[0], self._text)}", "info", fade_s=30)

    def on_page_list_around(self, event: PageList.Around) -> None:
        """The hit among its neighbours, and back to the hits."""
        if self._shows is Shown.HITS:
            if (spot := self._pages.spot) is not None:
                self._go_around(spot)
        elif self._text and self._browsed.hits is not None:
            self._show(Shown.HITS)
            rows, spot = self._browsed.hits.rows, self._pages.spot
            place = next((n for n, one in enumerate(rows) if spot is not None and one.key == spot.key), len(rows) - 1)
            self._put(rows, place)
            self._show_title()

    def _go_around(self, spot: Spot) -> None:
        self._show(Shown.PAGE)
        place, page = self._pages.place_of(spot.key), self._browsed.page
        if place is not None and page is not None and self._pages.shown == len(page.rows):
            self._pages.move_to(place)
            self._show_title()
            return
        self._wanted = 0
        self.host.browser.around(spot)

    def action_back(self) -> None:
        """End a search that goes on; from neighbours to the hits; then back to the newest."""
        if self._shows in (Shown.FEED, Shown.RANKED) or self.has_class("-zoomed"):
            super().action_back()
        elif self._text and (self._browsed.hits is None or not self._browsed.hits.done):
            self.host.browser.stop()
            self.say("The search was ended; what it found stays.", "info")
        elif self._shows is Shown.PAGE and self._text:
            self.on_page_list_around(PageList.Around())
        else:
            self._follow()
            self.say("Following the newest again.", "info")

    def action_pause(self) -> None:
        """What is shown of the past stands still anyway."""
        if self._listed is Shown.FEED:
            super().action_pause()
        else:
            self.say("This stands still; esc goes back to the newest.", "info")
