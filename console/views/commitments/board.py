"""What is owed, as a screen lists it: by deadline, whose it is, who gets the money, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from console.domain.board.held import Held
from console.domain.board.whole import Gap, owner_of
from console.domain.commitments.commitment import DEFAULT_HAND_OVER, Kind
from console.domain.commitments.listing import Outstanding
from console.domain.fence.deployment import Authority, Slot
from console.domain.gates.rules import RELEASE_BEFORE
from console.domain.text import Safe, clean
from console.domain.venue.terms import EscrowTerms, Payee
from console.views.commitments.listed import paid
from console.views.commitments.owed_row import PLACES, OwedRow, gap_facts, gap_row, key_of
from console.views.commitments.owed_words import in_text, kind_text, opened_facts, role_of, seen_text, switch_text
from console.views.format import amount_text, clock_text, iso_text, plural, short_money_text
from console.views.order import money_value, text_value
from console.views.tone import GLYPHS, Tone, slot_tone

_STATES: Final = (
    "DISPUTE",
    "OVERDUE",
    "DIFFERS",
    "NO OWNER",
    "UNKNOWN",
    "UNWATCHED",
    "soon",
    "in flight",
    "watched",
)
"""The loudest first."""
_PARTIES: Final = frozenset({"creator", "counterparty"})


class OwedBoard:
    """Everything that rows need, made once for a reading.

    Args:
        held: the reading.
    """

    def __init__(self, held: Held) -> None:
        left, self._whole = held.left.value, held.whole
        self.held = held
        self.owed: tuple[Gap | Outstanding, ...] = (*held.whole.gaps, *held.whole.rows)
        self._authority: Authority | None = held.authority
        self._living = {slot: bool(left and left.living(slot)) for slot in Slot}
        states = Counter(self._state(one, None)[0] for one in held.whole.rows)
        self.unwatched = states["UNWATCHED"] + states["NO OWNER"]
        self._apart, self._unknown = states["DIFFERS"], states["UNKNOWN"] + len(held.whole.gaps)
        self._payee = payee_of(held.whole.terms)

    @property
    def gaps(self) -> int:
        """So many lines tell what is not known; they stand first."""
        return len(self._whole.gaps)

    def server_now(self, now: datetime) -> datetime:
        """The store's clock at a moment of ours: deadlines are counted by it."""
        return self._whole.now + (now - self.held.at)

    def title(self, now: datetime, order: str = "by deadline") -> str:
        """How many, in which order, and what is wrong among them."""
        server = self.server_now(now)
        over = 0
        for one in self._whole.rows:  # by deadline: those that are over stand first
            if not _overdue(one, server):
                break
            over += 1
        disputed = len(self._whole.disputed)
        parts = [
            f"{GLYPHS[Tone.BAD]} {disputed} in dispute" if disputed else "",
            f"{GLYPHS[Tone.BAD]} {over} overdue" if over else "",
            f"{GLYPHS[Tone.BAD]} {self._unknown} UNKNOWN" if self._unknown else "",
            f"{GLYPHS[Tone.BAD]} {self._apart} differ" if self._apart else "",
            f"{GLYPHS[Tone.WARN]} {self.unwatched} unwatched" if self.unwatched else "",
        ]
        return " · ".join(part for part in (f"Owed, {order}: {len(self._whole.rows):,}", *parts) if part)

    def row(self, one: Gap | Outstanding, now: datetime) -> OwedRow:
        """A line of the list.

        Args:
            one: of this board.
            now: our own clock.
        """
        if isinstance(one, Gap):
            return gap_row(one)
        thing, owed, server = one.thing, one.owed, self.server_now(now)
        state, tone = self._state(one, server)
        left_s = None if thing.due is None else (thing.due - server).total_seconds()
        owner = owner_of(one, self._authority)
        pays, pays_tone = self._pays(one)
        money = "" if thing.amount is None else short_money_text(thing.amount).removeprefix("+")
        what = owed.commitment if owed is not None else None
        return OwedRow(
            key=key_of(one),
            glyph=GLYPHS.get(tone, "●"),
            due="no end" if left_s is None else clock_text(left_s),
            due_tone=_due_tone(left_s),
            state=state,
            tone=tone,
            kind=kind_text(one),
            id=clean(thing.id, 200),
            amount=f"{money} {clean(thing.currency, 32)}".strip(),
            flow=what.flow.value if what is not None else "–",
            owner=self.owner_text(owner, fenced=owed is not None),
            owner_tone=slot_tone(owner.value) if owner else Tone.BAD,
            pays=pays,
            pays_tone=pays_tone,
            places=", ".join(PLACES[place] for place, _at in one.seen),
            switch=switch_text(owed) if owed is not None else DEFAULT_HAND_OVER[thing.kind].value,
            opened=(clean(owed.version, 64) if owed is not None else "") or "–",
            detail=clean(what.detail, 300) if what is not None else "",
        )

    def value(self, one: Gap | Outstanding, name: str) -> Any:
        """What a line is sorted by, by the name of its column; a gap is not known, whatever the column.

        The state is that of the reading: what runs out meanwhile changes its place with the next one.
        """
        if isinstance(one, Gap):
            return None
        thing, owed = one.thing, one.owed
        what = owed.commitment if owed is not None else None
        match name:
            case "ends in":
                return thing.due
            case "state":
                return _STATES.index(self._state(one, self._whole.now)[0])
            case "what":
                return kind_text(one)
            case "amount":
                return money_value(thing.amount, thing.currency)
            case "id":
                return text_value(thing.id)
            case "flow":
                return what.flow.value if what is not None else None
            case "owner":
                owner = owner_of(one, self._authority)
                return owner.value if owner is not None else ""
            case "at time-out":
                return text_value(self._pays(one)[0])
            case "listed by":
                return ", ".join(PLACES[place] for place, _at in one.seen)
            case "at a switch":
                return switch_text(owed) if owed is not None else DEFAULT_HAND_OVER[thing.kind].value
            case "opened by":
                return text_value(owed.version) if owed is not None else None
            case _:
                return text_value(what.detail) if what is not None else None

    def owner_text(self, owner: Slot | None, *, fenced: bool) -> str:
        """A side and, of fenced agents, what runs there: `■ blue 2.4.0`. A plain one's life can't be seen."""
        if owner is None:
            return "nobody"
        sign = "■" if self._authority is not None and self._authority.active is owner else "□"
        runs = "/".join(self.held.runs.get(owner, ())) or ("nobody lives" if fenced else "")
        return f"{sign} {owner.value} {clean(runs, 40)}".rstrip()

    def _state(self, one: Outstanding, server: datetime | None) -> tuple[str, Tone]:
        """The loudest thing that there is to say of it; without a time, of what does not depend on it."""
        owner = owner_of(one, self._authority)
        if server is not None and one.thing.id in self._whole.disputed:
            return "DISPUTE", Tone.BAD
        if server is not None and _overdue(one, server):
            return "OVERDUE", Tone.BAD
        if one.apart:
            return "DIFFERS", Tone.BAD
        if one.owed is not None and (owner is None or not self._living[owner]):
            return "NO OWNER", Tone.BAD
        if one.unknown:
            return "UNKNOWN", Tone.BAD
        if not self._whole.taken(one, owner):
            return "UNWATCHED", Tone.WARN
        due = one.thing.due
        if server is not None and due is not None and due - server <= RELEASE_BEFORE:
            return "soon", Tone.WARN
        return ("in flight", Tone.INFO) if one.owed is not None and one.owed.claim else ("watched", Tone.GOOD)

    def facts(self, key: str, now: datetime) -> list[tuple[str, str]]:
        """Everything about one, for its detail; nothing where it is over meanwhile."""
        one = self._at(key)
        if one is None:
            return []
        if isinstance(one, Gap):
            return gap_facts(one)
        row, thing, owed = self.row(one, now), one.thing, one.owed
        pinned = f"; pinned to {owed.pin.value}" if owed is not None and owed.pin else "; whoever is active owns it"
        time_out = paid(self._whole.terms) if thing.kind is Kind.ESCROW else None
        due = "never" if thing.due is None else f"{iso_text(thing.due)}, {in_text(thing.due - self.server_now(now))}"
        money = "–" if thing.amount is None else f"{amount_text(thing.amount)} {clean(thing.currency, 32)}".rstrip()
        return [
            ("what", f"{(owed.commitment.kind if owed is not None else thing.kind).value} {row.id}"),
            ("state", f"{row.glyph} {row.state}"),
            ("ends", due),
            ("amount", f"{money}, {row.flow}".removesuffix(", –")),
            ("owner", row.owner + pinned),
            ("at a switch", row.switch),
            ("time-out", row.pays + (f" ({time_out})" if time_out else "")),
            *(("listed by", seen_text(place, at, self.server_now(now))) for place, at in one.seen),
            *(("differs", clean(line)) for line in one.apart),
            *(("unknown", clean(line)) for line in one.unknown),
            *(opened_facts(owed) if owed is not None else ()),
        ]

    def named(self, key: str) -> str:
        """The id at the venue of what has this key; empty for a gap, and for what is over meanwhile."""
        one = self._at(key)
        return one.thing.id if isinstance(one, Outstanding) else ""

    def _at(self, key: str) -> Gap | Outstanding | None:
        return next((each for each in self.owed if key_of(each) == key), None)

    def _pays(self, one: Outstanding) -> tuple[str, Tone]:
        """Who gets the money when its time is over; what nobody has said blocks, and is said so."""
        if one.thing.kind is not Kind.ESCROW:
            return "–", Tone.MUTED
        if self._payee is None:
            return ("✖ DIFFER", Tone.BAD) if len(self._whole.terms or ()) > 1 else ("▲ unknown", Tone.WARN)
        if self._payee is Payee.UNSET:
            return "✖ UNSET", Tone.BAD
        role = role_of(one)
        whose = "" if role not in _PARTIES else ": us" if role == self._payee.value else ": not us"
        return f"{self._payee.value}{whose}", Tone.WARN if whose == ": not us" else Tone.TEXT


def payee_of(terms: tuple[EscrowTerms, ...] | None) -> Payee | None:
    """Who is paid at an escrow's time-out; None where no document says it, or two differ."""
    told = {one.payee for one in terms or ()}
    return told.pop() if len(told) == 1 else None


def _overdue(one: Outstanding, server: datetime) -> bool:
    return one.thing.due is not None and one.thing.due <= server


def _due_tone(left_s: float | None) -> Tone:
    if left_s is None:
        return Tone.MUTED
    if left_s <= 0:
        return Tone.BAD
    return Tone.WARN if left_s <= RELEASE_BEFORE.total_seconds() else Tone.TEXT


def nothing_owed(held: Held | None, problem: str) -> Iterator[str]:
    """Why the list is empty, and what to do."""
    if held is None:
        yield f"Not read: {problem} r tries again." if problem else "Reading what is owed …"
    elif held.left.value is None:
        yield f"UNKNOWN, which is not nothing: {held.left.why}. r reads again."
    else:
        yield "Nothing is owed: no position, order, escrow, round, challenge, withdrawal or swap is recorded."
        yield "A fenced agent says what an action opens and closes, and the list keeps itself: docs/agents.md says how."


def age_of(at: datetime | None, now: datetime) -> float | None:
    """Seconds since a reading; None where there was none."""
    return None if at is None else max(0.0, (now - at).total_seconds())


def more_claims(held: Held) -> Safe:
    """What of the claims can't be read; empty where all can."""
    left = held.left.value
    return (
        clean(f"{plural(left.unreadable, 'claim')} can't be read") if left is not None and left.unreadable else Safe("")
    )
