"""A screen of decisions: the newest as they come, and before its first row everything that was ever logged."""

from __future__ import annotations

from enum import Enum, auto

from console.domain.seen.browsing import Browsed, Spot
from console.domain.seen.observation import Observation
from console.screens.frame.listing import ListScreen
from console.screens.parts.paging import PAGE_COLUMNS, EdgeFeed, PageList, page_row, ranked_key
from console.screens.parts.shapes import DECISION_COLUMNS
from console.views.browsing import hits_title, place_title, progress_note, why_no_hits
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid, GridRow
from widgets.lists.line_list import LineList
from widgets.lists.long_grid import LongGrid


class Shown(Enum):
    """Which of its lists the screen shows."""

    FEED = auto()
    """The newest, followed."""
    PAGE = auto()
    """A page of everything."""
    HITS = auto()
    """What a search found."""
    RANKED = auto()
    """The rows of one of these, sorted."""


class PagedScreen(ListScreen):
    """The decision feed, full size; whoever goes beyond its first row sees pages of the whole logs in its place."""

    def __init__(self) -> None:
        self._feed = EdgeFeed(DECISION_COLUMNS, id="decisions-feed")
        super().__init__("Decisions", self._feed)
        self._pages = PageList(id="decisions-pages")
        self._ranked = LongGrid(PAGE_COLUMNS, ranked_key, empty="No decision to sort.", id="decisions-ranked")
        self._pages.display = self._ranked.display = False
        self.panel = Panel("Decisions", self._feed, self._pages, self._ranked, classes="zoomable -current")
        self._shows = self._listed = Shown.FEED
        self._browsed = Browsed()
        self._text = ""
        """What is searched; empty for nothing."""
        self._hit_keys: frozenset[str] = frozenset()
        self._wanted: int | None = None
        """Rows up from the row that was asked for with a page; None where the cursor stays."""

    def on_mount(self) -> None:
        """Listen to what is read."""
        self.host.browser.told = self._told
        self._feed.longer = self.host.browser.able

    def on_unmount(self) -> None:
        """The logs are not read any more."""
        self.host.browser.told = lambda: None
        self.host.browser.until = None
        self.host.browser.leave()

    def show_body(self, observation: Observation) -> None:
        """What is new."""
        looking = observation.looking
        moment = looking.at if looking is not None else None
        if moment != self.host.browser.until:
            self.host.browser.until = moment
            if self._listed is not Shown.FEED:
                self._follow()
        self._feed.take(observation, most=1000)
        if self._shows is not Shown.FEED:
            self._show_title()
            return
        self.panel.title = self._feed.title
        self.panel.note = self._feed.note
        self.age(self._feed.age)

    # which list is shown

    def focus_first(self) -> None:
        """Give the keys to the list that is shown."""
        self._in_front.focus()

    @property
    def _in_front(self) -> LineList:
        """The list that is shown."""
        return {Shown.FEED: self._feed, Shown.RANKED: self._ranked}.get(self._shows, self._pages)

    def _show(self, shown: Shown) -> None:
        self._shows = shown
        self._listed = self._listed if shown is Shown.RANKED else shown
        for rows in (self._feed, self._pages, self._ranked):
            rows.display = rows is self._in_front
        if not self.typing:
            self.focus_first()

    def _follow(self) -> None:
        """Back to the newest decisions."""
        self.host.browser.leave()
        self._browsed, self._text, self._hit_keys, self._wanted = Browsed(), "", frozenset(), None
        self._show(Shown.FEED)
        self._feed.follow()
        if self.shown is not None:
            self.show_body(self.shown)

    # pages

    def on_edge_feed_beyond(self, event: EdgeFeed.Beyond) -> None:
        """Somebody went beyond the first row of the feed."""
        decision = self._feed.oldest
        if event.step and decision is not None:
            self._wanted = event.step
            self.host.browser.before(decision.source, decision.offset)
        else:
            self._wanted = 0
            self.host.browser.oldest()
        self._pages.empty = "Reading the log."
        self._put((), None)
        self._show(Shown.PAGE)
        self._show_title()

    def on_page_list_beyond(self, event: PageList.Beyond) -> None:
        """The cursor is near an end of what is shown."""
        if self._shows is Shown.HITS:
            self._beyond_hits(event)
            return
        page, browser = self._browsed.page, self.host.browser
        if event.far and event.step > 0:
            self._follow()
        elif event.far:
            if page is not None and page.first:
                self._pages.move_to(0)
                self._show_title()
                return
            self._wanted = 0
            browser.oldest()
        elif page is None or browser.seen.busy:
            return
        elif event.step < 0 and not page.first:
            browser.older()
        elif event.step > 0 and not page.last:
            browser.newer()
        elif event.step > 0 and event.over:
            self._follow()

    def _beyond_hits(self, event: PageList.Beyond) -> None:
        if event.far:
            self._pages.move_to(0 if event.step < 0 else max(0, self._pages.shown - 1))
            self._show_title()

    def _told(self) -> None:
        """Something was read."""
        before, self._browsed = self._browsed, self.host.browser.seen
        seen = self._browsed
        if seen.problem and seen.problem != before.problem:
            self._pages.empty = str(seen.problem)
            self.say(str(seen.problem), "bad", fade_s=0)
        if seen.hits is not None and seen.hits is not before.hits:
            self._hit_keys = frozenset(spot.key for spot in seen.hits.rows)
            if self._listed is Shown.HITS:
                self._pages.empty = why_no_hits(seen.hits, self._text)
                self._put(seen.hits.rows, None if self._pages.shown else len(seen.hits.rows) - 1)
            if self._filter_line is not None and self.typing:
                self._filter_line.tell(self._filter_result(self._pages))
        if seen.page is not None and seen.page is not before.page and self._listed is Shown.PAGE:
            self._pages.empty = "The logs hold no decision."
            self._take_page()
        self._show_title()

    def _take_page(self) -> None:
        page = self._browsed.page
        if page is None:
            return
        cursor, self._wanted = self._wanted, None
        if cursor is not None:
            place = next((place for place, spot in enumerate(page.rows) if page.at and spot.key == page.at), None)
            last = len(page.rows) if page.last else 0
            cursor = max(0, (place if place is not None else last) - cursor)
        self._put(page.rows, cursor, middle=bool(page.at) and cursor is not None and bool(self._text))

    def _put(self, spots: tuple[Spot, ...], cursor: int | None, *, middle: bool = False) -> None:
        self._pages.put(spots, self._row, cursor, middle=middle)

    def _row(self, spot: Spot) -> GridRow:
        now = self.shown.now if self.shown is not None else spot.decision.at
        return page_row(spot, now, hit=spot.key in self._hit_keys)

    def _show_title(self) -> None:
        seen, now = self._browsed, self.shown.now if self.shown is not None else None
        if self._shows is Shown.FEED or now is None:
            return
        if self._shows is Shown.RANKED:
            self.show_ranked()
            return
        self.panel.stale = self._pages.stale = False
        if self._shows is Shown.HITS:
            self.panel.title = hits_title(seen.hits, self._text, self._pages.index)
            self.panel.age = progress_note(seen)
        else:
            reading = seen.page is None and not seen.problem
            self.panel.title = "Decisions · reading…" if reading else self._place_title()
            self.panel.age = "G follows the newest again"
        self.panel.note = ""

    def show_ranked(self) -> None:
        """The sorted rows, and their title."""
        raise NotImplementedError

    def _place_title(self) -> str:
        page = self._browsed.page
        if page is None or self.shown is None:
            return "Decisions · not read"
        of_now = self.host.browser.until is None or page.last
        return place_title(page, self._pages.index, self.shown.now, counted=of_now)

    def on_grid_highlighted(self, event: Grid.Highlighted) -> None:
        """The title tells where the cursor is."""
        self._show_title()
