"""The drain board: may a version be stopped, what is left of it, until when, and who takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.board.held import Held
from console.domain.commitments.versions import Item, VersionFacts, VersionState, judge
from console.domain.fence.deployment import Slot
from console.domain.text import clean
from console.views.format import clock_text, count_text, iso_text, plural
from console.views.order import NO_VALUES, By
from console.views.tone import GLYPHS, Tone, slot_tone

_ANSWERS: Final = {
    VersionState.ACTIVE: ("NO, active", Tone.ACCENT, "●"),
    VersionState.DRAINING: ("NO, draining", Tone.WARN, GLYPHS[Tone.WARN]),
    VersionState.UNKNOWN: ("UNKNOWN", Tone.BAD, GLYPHS[Tone.BAD]),
    VersionState.DRAINED: ("YES, drained", Tone.GOOD, GLYPHS[Tone.GOOD]),
    VersionState.RETIRED: ("YES, retired", Tone.MUTED, GLYPHS[Tone.MUTED]),
}
_ORDER: Final = (
    VersionState.DRAINING,
    VersionState.UNKNOWN,
    VersionState.ACTIVE,
    VersionState.DRAINED,
    VersionState.RETIRED,
)
"""What somebody has to see to stands first."""
_WORST: Final = (
    VersionState.ACTIVE,
    VersionState.DRAINING,
    VersionState.UNKNOWN,
    VersionState.DRAINED,
    VersionState.RETIRED,
)
_MOST_ITEMS: Final = 200


class DrainRow(NamedTuple):
    """One version.

    Args:
        key: its name, as it is.
        answer: whether it may be stopped, and its state.
        where: the side it runs in, or ran in.
        left: how many things it opened have no end yet.
        until: when the last of them ends by itself.
        taken: who takes what is left; or why it is so.
        by: what it is sorted by.
    """

    key: str
    glyph: str
    answer: str
    tone: Tone
    where: str
    where_tone: Tone
    version: str
    left: str
    until: str
    taken: str
    taken_tone: Tone
    by: By = NO_VALUES


def drain_rows(held: Held | None, now: datetime) -> tuple[DrainRow, ...]:
    """Every version, what somebody has to see to first."""
    if held is None or held.versions.value is None:
        return ()
    ranked = sorted(held.versions.value, key=lambda one: (_ORDER.index(judge(one).state), one.version))
    return tuple(_row(one, held, now) for one in ranked)


def _row(facts: VersionFacts, held: Held, now: datetime) -> DrainRow:
    verdict = judge(facts)
    answer, tone, glyph = _ANSWERS[verdict.state]
    alone = any(item.taken_by is None for item in facts.items)
    taken = _takers(facts.items) if facts.items else clean(verdict.why, 160)
    slot = facts.slots[0].value if facts.slots else ""
    return DrainRow(
        key=facts.version,
        glyph=glyph,
        answer=answer,
        tone=tone,
        where="/".join(one.value for one in facts.slots) or "–",
        where_tone=slot_tone(slot),
        version=clean(facts.version, 64) or "(no name)",
        left=count_text(len(facts.items)),
        until=_until(facts.items, _server(held, now)),
        taken=taken,
        taken_tone=Tone.BAD if alone else Tone.TEXT if facts.items else Tone.MUTED,
        by={
            "may stop?": _ORDER.index(verdict.state),
            "left": len(facts.items),
            "until": _last_end(facts.items),
        },
    )


def _server(held: Held, now: datetime) -> datetime:
    left = held.left.value
    return left.now + (now - held.at) if left is not None else now


def _until(items: Sequence[Item], server: datetime) -> str:
    """When the last of them ends by itself; `no end` where one never does."""
    if not items:
        return "–"
    end = _last_end(items)
    return clock_text((end - server).total_seconds()) if end is not None else "no end"


def _last_end(items: Sequence[Item]) -> datetime | None:
    """When the last of them ends by itself; None where there is none, or one never does."""
    ends = [item.until for item in items if item.until is not None]
    return max(ends, default=None) if len(ends) == len(items) else None


def _takers(items: Sequence[Item]) -> str:
    """`green 3`; `NOBODY 2, blue 1`: what nobody takes stands first."""
    counted = Counter(item.taken_by for item in items)
    nobody = [f"NOBODY {count_text(counted[None])}"] if counted[None] else []
    return ", ".join(nobody + [f"{slot.value} {count_text(counted[slot])}" for slot in Slot if counted[slot]])


class Glance(NamedTuple):
    """The answer for one side, in one line.

    Args:
        who: the side and its version.
        answer: `may NOT be stopped`, `may be stopped`, `UNKNOWN if it may be stopped`.
        why: in a few words.
    """

    slot: Slot
    who: str
    glyph: str
    answer: str
    tone: Tone
    why: str


def glances(held: Held | None, active: Slot | None, problem: str, now: datetime) -> tuple[Glance, ...]:
    """May blue be stopped? And green?

    Args:
        held: what was read; None where nothing was.
        active: who may act now.
        problem: why nothing was read.
        now: our own clock.
    """
    return tuple(_glance(slot, held, active, problem, now) for slot in Slot)


def _glance(slot: Slot, held: Held | None, active: Slot | None, problem: str, now: datetime) -> Glance:
    sign = "■" if slot is active else "□"
    own = [one for one in (held.versions.value or () if held else ()) if slot in one.slots]
    if not own:
        why = problem or "not read yet"
        if held is not None:
            why = held.versions.why or "a plain agent tells nothing"
        if slot is active:
            return Glance(slot, f"{sign} {slot.value}", "●", "may NOT be stopped", Tone.ACCENT, "it acts")
        return Glance(
            slot, f"{sign} {slot.value}", GLYPHS[Tone.BAD], "UNKNOWN if it may be stopped", Tone.BAD, clean(why)
        )
    assert held is not None
    worst = min(own, key=lambda one: _WORST.index(judge(one).state))
    row = _row(worst, held, now)
    state = judge(worst).state
    words = {VersionState.UNKNOWN: "UNKNOWN if it may be stopped"}
    answer = words.get(state, "may be stopped" if judge(worst).may_stop else "may NOT be stopped")
    last = "" if row.until == "–" else "one never ends by itself, " if row.until == "no end" else f"last {row.until}, "
    why = f"{row.left} left, {last}taken by {row.taken}" if worst.items else row.taken
    more = sum(not judge(one).may_stop for one in own) - 1
    also = f"; and {plural(more, 'other version')} of it" if more > 0 else ""
    return Glance(slot, f"{sign} {slot.value} {row.version}", row.glyph, answer, row.tone, why + also)


def drain_facts(held: Held | None, key: str, now: datetime) -> list[tuple[str, str]]:
    """Everything about a version, for its detail."""
    facts = next((one for one in (held.versions.value or () if held else ()) if one.version == key), None)
    if facts is None or held is None:
        return []
    verdict, row = judge(facts), _row(facts, held, now)
    told = [
        ("version", row.version),
        ("may stop", f"{row.glyph} {row.answer}: {verdict.why}"),
        ("side", row.where),
        ("living", f"{facts.living} instances with a fresh heartbeat"),
        ("last act", iso_text(facts.last_act) if facts.last_act and facts.last_act.year > 1970 else "none known"),
        ("venue read", iso_text(facts.venue_read) if facts.venue_read else "no read to go by"),
    ]
    for item in facts.items[:_MOST_ITEMS]:
        until = clock_text((item.until - _server(held, now)).total_seconds()) if item.until else "no end"
        taker = f"{item.taken_by.value} takes it" if item.taken_by else "NOBODY takes it"
        told.append((item.what, f"{clean(item.id, 80)}  {until}  {taker}"))
    if len(facts.items) > _MOST_ITEMS:
        told.append(("", f"and {count_text(len(facts.items) - _MOST_ITEMS)} more"))
    return told


def no_versions(held: Held | None, problem: str) -> str:
    """Why the drain board is empty, and what to do."""
    if held is None:
        return f"Not read: {problem} r tries again." if problem else "Reading the versions …"
    if held.versions.value is None:
        return f"UNKNOWN: {held.versions.why}. r reads again."
    return (
        "No version has said its name: plain agents say it in their log alone.\n"
        "A fenced agent says it when it connects: docs/agents.md."
    )
