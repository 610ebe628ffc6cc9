"""What is owed, as a screen lists it: by deadline, whose it is, who gets the money, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from console.domain.board.held import Held
from console.domain.commitments.commitment import Kind, Owed
from console.domain.fence.deployment import Authority, Slot
from console.domain.gates.fact import Fact
from console.domain.gates.rules import RELEASE_BEFORE
from console.domain.text import Safe, clean
from console.domain.venue.terms import EscrowTerms, Payee
from console.views.format import amount_text, clock_text, iso_text, plural, short_money_text
from console.views.tone import GLYPHS, Tone, slot_tone

_SHORT: Final = {Kind.UNKNOWN_OUTCOME: "unknown"}
_PARTIES: Final = frozenset({"creator", "counterparty"})


class OwedRow(NamedTuple):
    """One commitment, by columns.

    Args:
        key: its id at the venue, as it is.
        glyph: says the same as `state`.
        due: until it ends by itself, counted down.
        state: DISPUTE, OVERDUE, NO OWNER, UNWATCHED, soon, in flight, or watched.
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
    switch: str
    opened: str
    detail: str


class OwedBoard:
    """Everything that rows need, made once for a reading.

    Args:
        held: the reading.
    """

    def __init__(self, held: Held) -> None:
        left = held.left.value
        self.held = held
        self.owed: tuple[Owed, ...] = left.owed if left is not None else ()
        self._authority: Authority | None = held.authority
        self._eyes: Mapping[Slot, frozenset[str]] = {slot: left.eyes(slot) for slot in Slot} if left else {}
        self._living = {slot: bool(left and left.living(slot)) for slot in Slot}
        self.unwatched = sum(self._state(one, None)[0] in ("UNWATCHED", "NO OWNER") for one in self.owed)

    def server_now(self, now: datetime) -> datetime:
        """The store's clock at a moment of ours: deadlines are counted by it."""
        left = self.held.left.value
        return left.now + (now - self.held.at) if left is not None else now

    def title(self, now: datetime) -> str:
        """How many, and what is wrong among them."""
        server = self.server_now(now)
        over = 0
        for one in self.owed:  # by deadline: those that are over stand first
            if not one.overdue(server):
                break
            over += 1
        disputed = len(self.held.disputed)
        parts = [
            f"{GLYPHS[Tone.BAD]} {disputed} in dispute" if disputed else "",
            f"{GLYPHS[Tone.BAD]} {over} overdue" if over else "",
            f"{GLYPHS[Tone.WARN]} {self.unwatched} unwatched" if self.unwatched else "",
        ]
        return " · ".join(part for part in (f"Owed, by deadline: {len(self.owed):,}", *parts) if part)

    def row(self, one: Owed, now: datetime) -> OwedRow:
        """A commitment as a row.

        Args:
            one: of this board.
            now: our own clock.
        """
        what, server = one.commitment, self.server_now(now)
        state, tone = self._state(one, server)
        left_s = None if what.due is None else (what.due - server).total_seconds()
        owner = one.owner(self._authority)
        pays, pays_tone = pays_whom(one, self.held.terms)
        return OwedRow(
            key=one.id,
            glyph=GLYPHS.get(tone, "●"),
            due="no end" if left_s is None else clock_text(left_s),
            due_tone=_due_tone(left_s),
            state=state,
            tone=tone,
            kind=_SHORT.get(what.kind, what.kind.value),
            id=clean(one.id, 200),
            amount=f"{short_money_text(what.amount).removeprefix('+')} {clean(what.currency, 32)}".rstrip(),
            flow=what.flow.value,
            owner=self.owner_text(owner),
            owner_tone=slot_tone(owner.value) if owner else Tone.BAD,
            pays=pays,
            pays_tone=pays_tone,
            switch=what.policy.value if what.policy.pinned == (one.pin is not None) else f"stays {one.pin or ''}",
            opened=clean(one.version, 64) or "–",
            detail=clean(what.detail, 300),
        )

    def owner_text(self, owner: Slot | None) -> str:
        """A side and what runs there: `■ blue 2.4.0`."""
        if owner is None:
            return "nobody"
        sign = "■" if self._authority is not None and self._authority.active is owner else "□"
        runs = "/".join(self.held.runs.get(owner, ())) or "nobody lives"
        return f"{sign} {owner.value} {clean(runs, 40)}"

    def _state(self, one: Owed, server: datetime | None) -> tuple[str, Tone]:
        """The loudest thing that there is to say of it; without a time, of what does not depend on it."""
        owner = one.owner(self._authority)
        due = one.commitment.due
        if server is not None and one.id in self.held.disputed:
            return "DISPUTE", Tone.BAD
        if server is not None and one.overdue(server):
            return "OVERDUE", Tone.BAD
        if owner is None or not self._living[owner]:
            return "NO OWNER", Tone.BAD
        if one.id not in self._eyes[owner]:
            return "UNWATCHED", Tone.WARN
        if server is not None and due is not None and due - server <= RELEASE_BEFORE:
            return "soon", Tone.WARN
        return ("in flight", Tone.INFO) if one.claim else ("watched", Tone.GOOD)

    def facts(self, key: str, now: datetime) -> list[tuple[str, str]]:
        """Everything about one, for its detail; nothing where it is over meanwhile."""
        one = next((each for each in self.owed if each.id == key), None)
        if one is None:
            return []
        row, what = self.row(one, now), one.commitment
        terms = self.held.terms
        provenance = terms.value.provenance if what.kind is Kind.ESCROW and terms.value is not None else ""
        due = "never" if what.due is None else f"{iso_text(what.due)}, {_in(what.due - self.server_now(now))}"
        pinned = f"; pinned to {one.pin.value}" if one.pin else "; whoever is active owns it"
        return [
            ("what", f"{what.kind.value} {row.id}"),
            ("state", f"{row.glyph} {row.state}"),
            ("ends", due),
            ("amount", f"{amount_text(what.amount)} {clean(what.currency, 32)}, {what.flow.value}".replace(" ,", ",")),
            ("owner", row.owner + pinned),
            ("at a switch", what.policy.value),
            ("time-out", row.pays + (f" (known from: {clean(provenance, 200)})" if provenance else "")),
            ("opened", f"{iso_text(one.opened_at)} by {one.slot.value if one.slot else 'nobody known'} {row.opened}"),
            ("claim", clean(one.claim, 200)),
            ("detail", clean(what.detail, 4_096)),
        ]


def pays_whom(one: Owed, terms: Fact[EscrowTerms]) -> tuple[str, Tone]:
    """Who gets the money when its time is over; what nobody has said blocks, and is said so."""
    if one.commitment.kind is not Kind.ESCROW:
        return "–", Tone.MUTED
    if terms.value is None:
        return "▲ unknown", Tone.WARN
    payee = terms.value.payee
    if payee is Payee.UNSET:
        return "✖ UNSET", Tone.BAD
    role = _role(one)
    whose = "" if role not in _PARTIES else ": us" if role == payee.value else ": not us"
    return f"{payee.value}{whose}", Tone.WARN if whose == ": not us" else Tone.TEXT


def _role(one: Owed) -> str:
    """Our part in it, where its author wrote that down."""
    try:
        detail = json.loads(one.commitment.detail)
    except (ValueError, RecursionError):
        return ""
    return str(detail.get("role", "")).lower() if isinstance(detail, dict) else ""


def _due_tone(left_s: float | None) -> Tone:
    if left_s is None:
        return Tone.MUTED
    if left_s <= 0:
        return Tone.BAD
    return Tone.WARN if left_s <= RELEASE_BEFORE.total_seconds() else Tone.TEXT


def _in(rest: timedelta) -> str:
    text = clock_text(rest.total_seconds())
    return f"in {text}" if rest.total_seconds() > -1 else f"over since {text[1:]}"


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
