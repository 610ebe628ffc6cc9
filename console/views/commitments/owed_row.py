"""A line of what is owed: something outstanding, or a part of a place of which nobody knows what it lists."""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.board.whole import Gap
from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import Outstanding, Place
from console.domain.text import clean
from console.views.tone import GLYPHS, Tone

PLACES: Final = {Place.STORE: "store", Place.STATE_FILE: "file", Place.VENUE: "venue"}


class OwedRow(NamedTuple):
    """One thing that is owed, by columns; or a part of a place of which nobody knows what it lists.

    Args:
        key: by what it is known again; `OwedBoard.named` knows its id.
        glyph: says the same as `state`.
        due: until it ends by itself, counted down.
        state: DISPUTE, OVERDUE, DIFFERS, NO OWNER, UNKNOWN, UNWATCHED, soon, in flight, or watched.
        places: that list it.
        owner: the side, ■ where it may act, and what runs there.
        pays: who gets the money when its time is over.
        switch: what a switch does with it.
        opened: the version that opened it.
    """

    key: str
    glyph: str
    due: str
    due_tone: Tone
    state: str
    tone: Tone
    kind: str
    id: str
    amount: str
    flow: str
    owner: str
    owner_tone: Tone
    pays: str
    pays_tone: Tone
    places: str
    switch: str
    opened: str
    detail: str


def key_of(one: Gap | Outstanding) -> str:
    """By what a line of the list is known again."""
    return f"{one.place.place.value}: {one.what.what}" if isinstance(one, Gap) else f"{one.thing.kind} {one.thing.id}"


def gap_row(gap: Gap) -> OwedRow:
    """What can't be told of a place, as a loud line: it stands first, so that no list with a gap is empty."""
    place, what = gap
    return OwedRow(
        key=key_of(gap),
        glyph=GLYPHS[Tone.BAD],
        due="",
        due_tone=Tone.BAD,
        state="UNKNOWN",
        tone=Tone.BAD,
        kind=place.place.value,
        id=clean(what.what, 200),
        amount="",
        flow="",
        owner="nobody knows",
        owner_tone=Tone.BAD,
        pays=clean(what.why, 200),
        pays_tone=Tone.BAD,
        places=PLACES[place.place],
        switch="",
        opened="",
        detail=clean(what.why, 300),
    )


def gap_facts(gap: Gap) -> list[tuple[str, str]]:
    """Everything about it, for its detail."""
    place, what = gap
    kinds = ", ".join(sorted(kind.value for kind in what.kinds)) if set(what.kinds) != set(Kind) else "of every kind"
    return [
        ("what", f"{place.place.value} {clean(place.name, 80)}: {clean(what.what, 200)}"),
        ("state", f"{GLYPHS[Tone.BAD]} UNKNOWN, which is not nothing"),
        ("why", clean(what.why, 400)),
        ("may hold", kinds),
    ]
