"""What screen 2 says of a page of whole logs, and of a search in them."""

from __future__ import annotations

from datetime import UTC, datetime

from console.domain.seen.browsing import Browsed, Hits, Page, Spot
from console.domain.text import clean
from console.views.format import bytes_text, count_text

EXACT_UP_TO = 99_999


def lines_text(lines: int) -> str:
    """A number of lines in few characters: `1,204`, `412 k`, `12.3 M`."""
    if lines <= EXACT_UP_TO:
        return count_text(lines)
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if lines >= size:
            amount = lines / size
            return f"{amount:.0f} {unit}" if amount >= 100 else f"{amount:.1f} {unit}"
    raise AssertionError(lines)


def moment_text(at: datetime, now: datetime) -> str:
    """The time of day in UTC, with the day before it where that is not the day of `now`."""
    at = at.astimezone(UTC)
    if at.year != now.year:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{at:%H:%M:%S}" if at.date() == now.astimezone(UTC).date() else f"{at:%b %d %H:%M:%S}"


def place_title(page: Page, index: int, now: datetime, *, counted: bool = True) -> str:
    """How far back one is.

    Args:
        page: what is shown.
        index: of the row under the cursor.
        now: aware UTC.
        counted: whether the lines after it are known; those up to a moment of the past are not counted.
    """
    if not page.rows:
        return "Decisions · none"
    index = min(index, len(page.rows) - 1)
    at = moment_text(page.rows[index].decision.at, now)
    if not counted:
        return f"Decisions · {at}"
    back = page.newer + len(page.rows) - 1 - index
    about = "" if page.exact else "about "
    return f"Decisions · {about}{lines_text(back)} lines back · {at}"


def hits_title(hits: Hits | None, text: str, index: int) -> str:
    """What was found, and how far was looked."""
    shown = f"“{clean(text, 30)}”"
    if hits is None:
        return f"Search {shown} · looking…"
    found = count_text(len(hits.rows))
    place = f"hit {count_text(len(hits.rows) - index)} of {found}" if hits.rows else "no hit"
    return f"Search {shown} · {place}{'' if hits.done else ' so far'}"


def progress_note(browsed: Browsed) -> str:
    """How far a search is, and what it left out; empty where it looked at everything."""
    hits = browsed.hits
    if hits is None:
        return ""
    missing = f" · ▲ {len(browsed.left)} logs not read" if browsed.left else ""
    share = f"{100 * hits.looked // hits.of if hits.of else 100} % of {bytes_text(hits.of)}"
    if not hits.done:
        return f"{share}, esc ends it{missing}"
    if hits.stopped:
        return f"ended at {share}{missing}"
    if hits.more:
        return f"the newest of more; until: looks further back{missing}"
    return f"all of {bytes_text(hits.of)}{missing}"


def why_no_hits(hits: Hits | None, text: str) -> str:
    """What stands where no hit is."""
    if hits is None or not hits.done:
        return f"Looking for “{clean(text, 60)}” in everything that was logged; esc ends it."
    if hits.stopped:
        return "None in what was looked at before it was ended; esc goes back."
    return f"No decision is like “{clean(text, 60)}”; esc goes back."


def further_back(spot: Spot, text: str) -> str:
    """The question about what is older than a hit."""
    words = [word for word in text.split(" ") if not word.lower().startswith("until:")]
    return f"until:{spot.decision.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {' '.join(words)}"
