"""Local books beside the venue's, as a screen shows them: difference and age; what was not read is unknown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from console.domain.board.held import Held
from console.domain.gates.fact import Lack
from console.domain.text import clean
from console.domain.venue.books import Comparison, Standing
from console.domain.venue.stored import VenueSeen
from console.views.format import MINUS, age_text, amount_text, iso_text
from console.views.order import NO_VALUES, By, money_value
from console.views.tone import GLYPHS, Tone

_TONES: Final = {
    Standing.AGREES: Tone.GOOD,
    Standing.DIFFERS: Tone.BAD,
    Standing.UNKNOWN: Tone.BAD,
    Standing.NO_BOOKS: Tone.WARN,
}


class BookRow(NamedTuple):
    """One thing in both books.

    Args:
        key: what it is.
        ours, venue: what each says; `unknown` where the venue was not read.
        difference: the venue's less ours.
        ages: of our books, and of the venue's word.
        stands: whether they agree, in a word, and what differs.
    """

    key: str
    glyph: str
    tone: Tone
    what: str
    ours: str
    venue: str
    difference: str
    ages: str
    stands: str
    by: By = NO_VALUES


def book_rows(held: Held | None, now: datetime) -> tuple[BookRow, ...]:
    """Every comparison of the newest look, then what else of it is unknown."""
    seen = held.venue.value if held is not None else None
    if seen is None:
        return ()
    since_s, fresh = max(0.0, (now - seen.at).total_seconds()), seen.fresh(now)
    rows = [_row(one, since_s, fresh=fresh) for one in seen.rows]
    compared = {str(one.what) for one in seen.rows}
    rows += [
        BookRow(
            f"{index} {item.what}",
            GLYPHS[Tone.BAD],
            Tone.BAD,
            str(clean(item.what, 40)),
            "",
            "unknown",
            "–",
            f"– / {age_text((now - item.at).total_seconds())}",
            f"{item.why.value}: {item.detail}" if item.detail else item.why.value,
            dict.fromkeys(("ours", "the venue's", "differ")),
        )
        for index, item in enumerate(seen.items)
        if item.why is not None and str(item.what) not in compared
    ]
    return tuple(rows)


def _row(one: Comparison, since_s: float, *, fresh: bool) -> BookRow:
    standing = one.standing if fresh else Standing.UNKNOWN
    tone = _TONES[standing]
    ours_age = "–" if one.ours_age_s is None else age_text(one.ours_age_s + since_s)
    detail = str(one.detail) if fresh else "the look is too old to go by"
    return BookRow(
        key=str(one.what),
        glyph=GLYPHS[tone],
        tone=tone,
        what=str(clean(one.what, 40)),
        ours=_said(one.ours, one.currency, "–"),
        venue=_said(one.venue, one.currency, "unknown"),
        difference=_difference(one),
        ages=f"{ours_age} / {age_text(one.venue_age_s + since_s)}",
        stands=f"{standing.value}: {detail}" if detail else standing.value,
        by={
            "ours": _worth(one.ours, one.currency),
            "the venue's": _worth(one.venue, one.currency),
            "differ": money_value(one.difference, one.currency),
            "ages": one.ours_age_s,
        },
    )


def _worth(text: str | None, currency: str) -> Any:
    """What an amount is sorted by; of a list how many it has."""
    try:
        return money_value(Decimal((text or "").partition(":")[0]), currency)
    except InvalidOperation:
        return None


def _said(text: str | None, currency: str, nothing: str) -> str:
    """An amount with its currency; of a list how many it has, which its detail names."""
    if text is None:
        return nothing
    if not currency:
        return str(clean(text.partition(":")[0], 24))
    try:
        return f"{Decimal(text):,f} {clean(currency, 16)}".replace("-", MINUS)
    except InvalidOperation:
        return f"{clean(text, 40)} {clean(currency, 16)}"


def _difference(one: Comparison) -> str:
    if one.difference is None:
        return "–"
    if not one.currency:
        return f"{one.difference:f}"
    sign = MINUS if one.difference < 0 else "+" if one.difference else ""
    return f"{sign}{amount_text(abs(one.difference))}"


def book_facts(held: Held | None, key: str, now: datetime) -> list[tuple[str, str]]:
    """Everything about a line, for its detail: of lists what is on them."""
    row = next((one for one in book_rows(held, now) if one.key == key), None)
    seen = held.venue.value if held is not None else None
    if row is None or seen is None:
        return []
    told = next((one for one in seen.rows if str(one.what) == key), None)
    ours, venue = (told.ours, told.venue) if told is not None and not told.currency else (row.ours, row.venue)
    return [
        ("what", row.what),
        ("stands", f"{row.glyph} {row.stands}"),
        ("ours", str(ours or "–")),
        ("the venue's", str(venue or "unknown")),
        ("differ", row.difference),
        ("ages", f"{row.ages} (ours / the venue's)"),
        ("read", f"{iso_text(seen.at)} by {seen.by}"),
    ]


def books_title(seen: VenueSeen | None) -> str:
    """Whose word it is."""
    return "Balances against the venue" if seen is None else f"Balances against {clean(seen.venue, 40)}"


def books_age(held: Held | None, now: datetime) -> tuple[str, bool]:
    """Who asked the venue and how long ago; and whether that is too old to go by."""
    seen = held.venue.value if held is not None else None
    if seen is None:
        return "unread", True
    return f"by {clean(seen.by, 30)} {age_text((now - seen.at).total_seconds())} ago", not seen.fresh(now)


def no_books(held: Held | None, problem: str) -> str:
    """Why nothing is shown, and what to do."""
    if held is None:
        return f"Not read: {problem} r tries again." if problem else "Reading …"
    fact = held.venue
    if fact.lack is Lack.NOT_CHECKED:
        return (
            "UNKNOWN: the venue was never read.\n"
            "--venue FILE names its document (docs/venues.md); then a guard asks it in turns, and r asks it now."
        )
    if fact.value is None:
        lack = fact.lack.value if fact.lack else "error"
        return f"UNKNOWN: {lack}: {fact.why}\nr asks again; `agent-console venue check` shows every probe."
    return f"{clean(fact.value.venue, 40)} was read, and its document has no probe for anything that books can hold."
