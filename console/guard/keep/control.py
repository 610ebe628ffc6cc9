"""Who may act, and the events that led to it, as they stand in the store: text from outside, until it is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console.domain.errors import Refused
from console.domain.fence.deployment import Phase
from console.domain.fence.intent import Aim, Source
from console.domain.text import Safe, clean
from console.domain.triggers.facts import Tenure
from console.store.fence.replies import text

BY: Final = "guard "
"""How a guard's name begins in control events."""
"""How the reason of a take-over begins."""
FIELDS: Final = ("ep", "ten", "ph", "act", "prev", "lvl")
"""Of the authority, in the order in which `control_of` wants them."""


@dataclass(frozen=True, slots=True)
class Event:
    """A control event, as far as a guard needs it.

    Args:
        id: in the stream.
        kind: "switched", "rollback", "halt", "level", …
        epoch: that it led to.
        at: the server's time.
        active, previous: after it; empty for nobody.
        by, why: in words.
        source, aim, target: who acted, what for, and for which side.
        level: how much is stopped after it.
        trigger: the name of what a trigger saw; empty for none, and where an earlier release wrote it.
    """

    id: str
    kind: str
    epoch: int
    at: datetime
    active: str
    previous: str
    by: Safe
    why: Safe
    level: int
    source: Source = Source.UNKNOWN
    aim: Aim = Aim.NONE
    target: str = ""
    trigger: str = ""

    @property
    def going_back(self) -> bool:
        """Whether a guard is about to make the version before active, and has stopped everything for that."""
        return self.kind == "halt" and self.source is Source.GUARD and self.aim is Aim.GO_BACK

    @property
    def automatic_rollback(self) -> bool:
        """Whether this made a side active because of a trigger; a take-over from a dead side has none."""
        back = self.kind == "switched" and self.source is Source.GUARD and self.aim is Aim.GO_BACK
        return self.kind == "rollback" or back


@dataclass(frozen=True, slots=True)
class Control:
    """Who may act.

    Args:
        tenure: the running one; None while nobody is active.
        epoch: the running epoch.
        phase: RUN, DRAIN or HALT; None on a store without authority.
        previous: who was active before; empty for nobody.
        level: how much is stopped.
        plain: the plain key's text; empty when missing.
        began_back: whether the running tenure began with an automatic roll back.
    """

    tenure: Tenure | None
    epoch: int
    phase: Phase | None
    previous: str
    level: int
    plain: str
    began_back: bool = False


def control_of(values: Sequence[Any], plain: str, key: str) -> Control:
    """Who may act.

    Args:
        values: the authority's `FIELDS`.
        plain: the plain key's text; empty when missing.
        key: the authority's, for the message.

    Raises:
        Refused: the authority is not what a script of ours has written.
    """
    if values[0] is None:
        return Control(None, 0, None, "", 0, plain)
    epoch, began, phase, active, previous, level = ("" if value is None else text(value) for value in values)
    tenure = None
    if phase == Phase.RUN.value and active in ("blue", "green"):
        since = _number(key, "ten", began)
        tenure = Tenure(active, since, _moment(since))
    known = Phase(phase) if phase in set(Phase) else None
    return Control(tenure, _number(key, "ep", epoch), known, previous, _number(key, "lvl", level), plain)


def _number(key: str, name: str, value: str) -> int:
    if value == "":
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 17):
        raise Refused(f"{key} holds no number as {name}, but {clean(value, 40)!r}.", "Nothing else may use this key.")
    return int(value)


def event_of(stream_id: str, fields: Mapping[Any, Any]) -> Event:
    """A control event from its fields."""
    words = {text(name): text(value) for name, value in fields.items()}

    def number(name: str) -> int:
        value = words.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0

    return Event(
        id=stream_id,
        kind=words.get("k", ""),
        epoch=number("ep"),
        at=_moment(number("ts")),
        active=words.get("act", ""),
        previous=words.get("prev", ""),
        by=clean(words.get("by", ""), 128),
        why=clean(words.get("why", "")),
        level=number("lvl"),
        source=Source.of(words.get("src", "")),
        aim=Aim.of(words.get("aim", "")),
        target=words.get("side", ""),
        trigger=clean(words.get("trigger", ""), 64),
    )


def _moment(milliseconds: int) -> datetime:
    """Epochs and times are server milliseconds; an epoch from a store with a wild clock is held at the year 9999."""
    return datetime.fromtimestamp(min(milliseconds, 253_402_300_799_000) / 1000, UTC)
