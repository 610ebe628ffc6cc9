"""A venue's dead man's switch as the guard keeps it: who keeps it alive, until when, and how often it has fallen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from console.domain.document import Record
from console.domain.text import Safe, clean
from console.domain.untrusted import moment, whole
from console.domain.venue.terms import DeadmanTerms


class State(StrEnum):
    """How the switch stands."""

    OFF = "off"
    """It was never armed."""
    ARMED = "armed"
    """Kept alive: it falls when its time is over without a sign of life."""
    FALLING = "falling"
    """Nobody keeps it alive any more, on purpose: it falls when its time is over."""
    FALLEN = "fallen"
    """Its time was over without a sign of life: the venue has cancelled what it takes."""
    SPENT = "spent"
    """It has fallen as often as it may today: it protects nothing until midnight, UTC."""


@dataclass(frozen=True, slots=True)
class Deadman(Record):
    """The switch as it is kept in the store.

    Args:
        epoch: in which the last sign of life was sent.
        slot: for which side.
        by: which guard sent it.
        beaten_at: when the venue had taken it; None before the first.
        due_at: when it falls without another; None where it is not armed.
        let_fall: why it is not kept alive any more; empty while it is.
        falls: how often it has fallen on `day`.
        day: the UTC day, as ISO 8601.
        per_day: how often it may fall a day; 0 for as often as it likes.
        takes, goodbye: which orders it cancels, and what a graceful goodbye does to it.
        open_questions: what nobody has found out about it.
    """

    epoch: int = 0
    slot: Safe = Safe("")
    by: Safe = Safe("")
    beaten_at: datetime | None = None
    due_at: datetime | None = None
    let_fall: Safe = Safe("")
    falls: int = 0
    day: Safe = Safe("")
    per_day: int = 0
    takes: Safe = Safe("")
    goodbye: Safe = Safe("")
    open_questions: tuple[Safe, ...] = ()

    def state(self, now: datetime) -> State:
        """How it stands now."""
        if self.spent(now):
            return State.SPENT
        if self.due_at is None:
            return State.OFF
        if now >= self.due_at:
            return State.FALLEN
        return State.FALLING if self.let_fall else State.ARMED

    def spent(self, now: datetime) -> bool:
        """Whether it has fallen as often as it may today."""
        return bool(self.per_day) and self.fallen_on(now) >= self.per_day

    def fallen_on(self, now: datetime) -> int:
        """How often it has fallen on the UTC day of a moment, one that nobody has counted yet included."""
        day = _day(now)
        fell = self.due_at is not None and now >= self.due_at and _day(self.due_at) == day
        return (self.falls if self.day == day else 0) + fell

    def left_s(self, now: datetime) -> float | None:
        """The countdown in seconds; None where it is not armed, 0 where it has fallen."""
        return None if self.due_at is None else max(0.0, (self.due_at - now).total_seconds())

    def line(self, now: datetime) -> str:
        """The switch in one line."""
        state, left_s = self.state(now), self.left_s(now)
        text = f"dead man's switch: {state.value}"
        if state in (State.ARMED, State.FALLING):
            text += f", falls in {left_s:.0f} s without a sign of life"
        text += f"; {self.slot}, epoch {self.epoch}, kept by {self.by}" if self.epoch else ""
        text += f"; {self.let_fall}" if self.let_fall else ""
        text += f"; takes {self.takes}" if self.takes else ""
        if self.per_day:
            text += f"; fell {self.fallen_on(now)} of {self.per_day} times today"
        return text + (f"; nobody knows {', '.join(self.open_questions)}" if self.open_questions else "")


def beaten(before: Deadman | None, terms: DeadmanTerms, *, epoch: int, slot: str, by: str, at: datetime) -> Deadman:
    """The record after a sign of life.

    Args:
        before: the record so far; None for none.
        terms: what the switch does.
        epoch, slot, by: in which it was sent, for whom, by whom.
        at: when it was *sent*: the countdown began at the earliest then.
    """
    old, day = before or Deadman(), _day(at)
    return Deadman(
        epoch=epoch,
        slot=clean(slot, 8),
        by=clean(by, 64),
        beaten_at=at,
        due_at=at + timedelta(seconds=terms.timeout_s),
        falls=old.fallen_on(at),
        day=Safe(day),
        per_day=terms.per_day,
        takes=Safe(terms.takes.value),
        goodbye=Safe(terms.goodbye.value),
        open_questions=tuple(map(Safe, terms.open_questions)),
    )


def dropped(before: Deadman, why: str) -> Deadman:
    """The record once nobody keeps it alive any more."""
    return before if before.let_fall else replace(before, let_fall=clean(why, 200))


def deadman_from(kept: Mapping[str, Any]) -> Deadman:
    """The record in a document from the store, which is text from outside: what is no such value counts as missing."""
    questions = kept.get("open_questions")
    return Deadman(
        epoch=whole(kept.get("epoch")),
        beaten_at=moment(kept.get("beaten_at")),
        due_at=moment(kept.get("due_at")),
        falls=whole(kept.get("falls")),
        per_day=whole(kept.get("per_day")),
        open_questions=tuple(clean(one, 80) for one in questions[:5]) if isinstance(questions, list) else (),
        **{
            name: clean(kept.get(name) or "", most)
            for name, most in (("slot", 8), ("by", 64), ("let_fall", 200), ("day", 10), ("takes", 40), ("goodbye", 20))
        },
    )


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
