"""Snapshots and kept states as a screen lists them: age, size, hash, who and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from console.domain.board.held import Held, SnapshotFile
from console.domain.state.kept import KeptState
from console.domain.state.snapshot import MAX_AGE_S
from console.domain.text import clean
from console.views.format import age_text, bytes_text, iso_text
from console.views.order import NO_VALUES, By
from console.views.tone import GLYPHS, Tone

_SHOWN_HASH = 8
_SHOWN_NAME = 15


class SnapshotRow(NamedTuple):
    """One of them.

    Args:
        key: its name for every verb: a file's id, or `store:` and a number.
        name: its beginning, which names it too.
        state: whether it can be used: fresh, old, future, DAMAGED.
        what: who was active and how many flags; or the version and schema of a kept state.
    """

    key: str
    name: str
    glyph: str
    tone: Tone
    age: str
    state: str
    size: str
    hash: str
    who: str
    what: str
    why: str
    by: By = NO_VALUES


def snapshot_rows(held: Held | None, now: datetime) -> tuple[SnapshotRow, ...]:
    """Files of this host and what agents kept in the store, newest last."""
    if held is None:
        return ()
    rows = [(one.taken_at, _file(one, now)) for one in held.snapshots.value or ()]
    kept = held.kept.value
    if kept is not None:
        store_now = kept.now + max(timedelta(0), now - held.at)  # the stream may be older than this reading
        rows += [(one.at, _kept(one, store_now)) for one in kept.states]
    oldest = min((at for at, _row in rows if at is not None), default=now)
    return tuple(row for _at, row in sorted(rows, key=lambda pair: (pair[0] or oldest, pair[1].key)))


def _file(one: SnapshotFile, now: datetime) -> SnapshotRow:
    if one.problem or one.taken_at is None:
        glyph, what = GLYPHS[Tone.BAD], str(one.problem or "it doesn't say when it was taken")
        return SnapshotRow(
            one.id,
            one.id[:_SHOWN_NAME],
            glyph,
            Tone.BAD,
            "–",
            "DAMAGED",
            bytes_text(one.size),
            one.hash[:_SHOWN_HASH],
            "",
            "",
            what,
            {"age": None, "size": one.size},
        )
    age_s = (now - one.taken_at).total_seconds()
    state, tone = _fresh(age_s)
    what = f"{one.active or 'nobody'} active, {one.flags} flags"
    return SnapshotRow(
        one.id,
        one.id[:_SHOWN_NAME],
        GLYPHS[tone],
        tone,
        age_text(age_s),
        state,
        bytes_text(one.size),
        one.hash[:_SHOWN_HASH],
        one.who,
        what,
        str(one.why),
        {"age": -one.taken_at.timestamp(), "size": one.size},
    )


def _kept(one: KeptState, now: datetime) -> SnapshotRow:
    age_s = float(one.age_s(now))
    state, tone = _fresh(age_s)
    taken = f", taken over by {one.taken.instance}" if one.taken else ""
    return SnapshotRow(
        f"store:{one.number}",
        f"store:{one.number}",
        GLYPHS[tone],
        tone,
        age_text(age_s),
        state,
        bytes_text(one.size),
        one.hash[:_SHOWN_HASH],
        one.instance,
        f"{one.slot or '–'} {one.version}, schema {one.schema}{taken}",
        one.why,
        {"age": -one.at.timestamp(), "size": one.size},
    )


def _fresh(age_s: float) -> tuple[str, Tone]:
    if age_s < 0:
        return "future", Tone.BAD
    return ("fresh", Tone.GOOD) if age_s <= MAX_AGE_S else ("old", Tone.MUTED)


def snapshot_facts(held: Held | None, key: str, now: datetime) -> list[tuple[str, str]]:
    """Everything that is known of one without opening it."""
    row = next((one for one in snapshot_rows(held, now) if one.key == key), None)
    if row is None or held is None:
        return []
    use = {
        "fresh": f"it can be restored until it is {MAX_AGE_S} s old",
        "old": f"too old to restore: {MAX_AGE_S} s is the limit",
        "future": "from the future: compare the clocks",
    }.get(row.state, "it can't be restored")
    file = next((one for one in held.snapshots.value or () if one.id == key), None)
    kept = next(
        (one for one in (held.kept.value.states if held.kept.value else ()) if f"store:{one.number}" == key), None
    )
    at = file.taken_at if file is not None else kept.at if kept is not None else None
    return [
        ("name", key),
        ("state", f"{row.glyph} {row.state}: {use}"),
        ("at", f"{iso_text(at)}, {row.age} ago" if at is not None else "unknown"),
        ("size", row.size),
        ("hash", str(file.hash if file is not None else kept.hash if kept is not None else "")),
        ("who", row.who),
        ("what", row.what),
        ("why", row.why or "no reason was given"),
        ("epoch", str(kept.epoch) if kept is not None else ""),
        ("file", str(file.path) if file is not None else ""),
    ]


def no_snapshots(held: Held | None, problem: str) -> str:
    """Why nothing is listed, and what to do."""
    if held is None:
        return f"Not read: {problem} r tries again." if problem else "Reading the snapshots …"
    for fact in (held.snapshots, held.kept):
        if fact.value is None:
            return f"UNKNOWN: {clean(fact.source)}: {fact.why}. r reads again."
    return "No snapshot was taken on this host, and no agent keeps its state in the store. S takes one."
