"""What changed who may act without an operator's command: told apart from receipts, and said until somebody answers.

Such an entry has no receipt (`AuditEntry.id` is empty): a trip-wire rolled back or halted, or somebody wrote the plain
key by hand; or the receipt is a guard's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.fence.deployment import Authority, Phase
from console.domain.fence.intent import Source
from console.domain.operator.receipt import AuditEntry
from console.domain.seen.observation import Observation
from console.views.tone import Tone

_NOBODY: Final = frozenset({Source.TRIP, Source.OUTSIDE, Source.DRAIN})
"""Who is nobody in particular."""

_MOVED: Final = "active version"


class Event(NamedTuple):
    """A kind of change without a receipt.

    Args:
        label: in a narrow column.
        check: the name of its line among the checks.
        said: what happened, for the banner.
        hint: what to do about it.
    """

    label: str
    tone: Tone
    check: str = ""
    said: str = ""
    hint: str = ""


EVENTS: Final = {
    "automatic rollback": Event(
        "auto rollback", Tone.BAD, "trip", "rolled back automatically", "Look before s: the next trip halts."
    ),
    "halt": Event("halt", Tone.BAD, "trip", "halted automatically", "H resumes, with a reason."),
    "adopted": Event(
        "adopted", Tone.WARN, "outside", "agent:active_version was written by hand", "If nobody meant it: s or R."
    ),
    "reasserted": Event(
        "reasserted", Tone.WARN, "outside", "agent:active_version was written by hand and put back", "Who does that?"
    ),
    "level": Event("level", Tone.WARN),
    "late report": Event("late report", Tone.BAD),
    "clock moved": Event("clock moved", Tone.WARN),
    "kept": Event("kept", Tone.WARN),
    "drained": Event("drained", Tone.TEXT),
}


def event_of(entry: AuditEntry) -> Event | None:
    """The kind of change, where an entry is one that no operator commanded."""
    if entry.id:
        return EVENTS["automatic rollback"] if _by_guard(entry) else None
    event = EVENTS.get(entry.command)
    if event is not None and entry.command == "adopted" and _was_there_first(entry):
        return event._replace(tone=Tone.TEXT)
    return event


def _by_guard(entry: AuditEntry) -> bool:
    """A guard rolled plain agents back: it halts, looks at the target, and commands the switch itself."""
    return entry.command == "rollback" and entry.source is Source.GUARD


def _was_there_first(entry: AuditEntry) -> bool:
    """The first fenced agent took over a plain deployment as it found it: nobody wrote anything."""
    return all(change.before is None for change in entry.changes)


def moved_text(entry: AuditEntry) -> str:
    """`green → blue: loss −60.50`, and by whom, where that is somebody."""
    moves = [f"{change.before or '–'} → {change.after or '–'}" for change in entry.changes]
    nobody = entry.source in _NOBODY or (entry.source is Source.UNKNOWN and not entry.id)
    by = f", by {entry.who}" if entry.who and not nobody else ""
    return ": ".join(part for part in (", ".join(moves), entry.why) if part) + by


def unanswered(observation: Observation) -> AuditEntry | None:
    """The newest change that no operator made, as long as no operator has moved the active side since.

    What a guard did is answered by acknowledging its alert, too: nothing is used up by it.
    """
    store = observation.store
    if store is None:
        return None
    put_back: AuditEntry | None = None
    for entry in reversed(store.audit):
        if _answers(entry):
            break
        event = event_of(entry)
        if event is None or not event.check or event.tone is Tone.TEXT:
            continue
        if entry.command != "reasserted":
            seen = _by_guard(entry) and any(a.epoch == entry.epoch and not a.open for a in store.alerts)
            return entry if not seen and _in_force(entry, store.deployment.authority) else put_back
        put_back = put_back or entry
    return put_back


def _answers(entry: AuditEntry) -> bool:
    """Whether an operator moved the active side, whoever ended the drain; a halt is no answer."""
    if not entry.id:
        return entry.command == "drained"
    return not _by_guard(entry) and any(change.what == _MOVED and change.after != "halted" for change in entry.changes)


def _in_force(entry: AuditEntry, authority: Authority | None) -> bool:
    """Whether the authority still stands where the entry left it: receipts beyond the last few are not read."""
    if authority is None or entry.command == "adopted":
        return True
    if _by_guard(entry):
        return authority.active is not None and any(change.after == authority.active for change in entry.changes)
    return authority.phase is Phase.HALT if entry.command == "halt" else authority.automatic_rollback_used
