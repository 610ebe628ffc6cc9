"""What is wrong with who acts: a word for the header, a sentence for the checks, the next step.

An active side that is dead or silent, nobody active, a canary that plays all the money while the other side is called
active: each is loud wherever the active side is named.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.canary.plan import RunState
from console.domain.fence.deployment import ActiveState, Slot
from console.domain.seen.observation import Observation
from console.views.fence.instances import FRESH_S, beat_age_s, expected
from console.views.format import age_text
from console.views.tone import Tone

SILENT_AFTER_S: Final = 60.0
"""An active side that has decided nothing for so long is silent."""
DESK_FRESH_S: Final = 10.0
"""What shares the rounds out speaks more often than this while it runs."""
_NOBODY: Final = (ActiveState.MISSING, ActiveState.UNKNOWN, ActiveState.WRONG_TYPE)


class Alarm(NamedTuple):
    """What is wrong.

    Args:
        word: for the header and the card: `DEAD 78 s`.
        text: for the checks, with the side's name.
        hint: the next step.
        tone: BAD where nobody acts, WARN where perhaps nobody does.
    """

    word: str
    text: str
    hint: str
    tone: Tone


def alarm(observation: Observation) -> Alarm | None:
    """The worst that is wrong with who acts, by the newest reading; None while nothing is, in a halt and in a drain."""
    store = observation.store
    if store is None:
        return None
    key = store.deployment.active
    if key.state in _NOBODY:
        return Alarm("NOBODY ACTS", "nobody is active: neither side acts", "s switches a side on.", Tone.BAD)
    if key.slot is None:
        return None
    return _dead(observation, key.slot) or _canary(observation, key.slot) or _silent(observation, key.slot)


def _dead(observation: Observation, slot: Slot) -> Alarm | None:
    store = observation.store
    ages_s = [beat_age_s(store, one) for one in expected(store, slot)] if store else []
    if not ages_s or min(ages_s) <= FRESH_S:
        return None
    age, count = age_text(min(ages_s)), len(ages_s)
    which = "its only instance is dead" if count == 1 else f"all {count} instances are dead"
    text = f"{slot.value} is active and {which}: no heartbeat for {age}"
    return Alarm(f"DEAD {age}", text, f"Start {slot.value} again, or s switches to {slot.other.value}.", Tone.BAD)


def _canary(observation: Observation, slot: Slot) -> Alarm | None:
    store = observation.store
    reading = store.canary if store else None
    if store is None or reading is None or reading.desk is None or reading.run.state is not RunState.DONE:
        return None
    fresh = (store.server_at - reading.desk.at).total_seconds() <= DESK_FRESH_S
    if reading.run.slot == slot.value or not fresh or reading.desk.share < 1:
        return None
    canary = reading.run.slot
    return Alarm(
        f"CANARY 100 % ON {canary.upper()}",
        f"{canary} plays all the money as a finished canary, while {slot.value} is called active",
        f"s switches {canary} on; R goes back.",
        Tone.WARN,
    )


def _silent(observation: Observation, slot: Slot) -> Alarm | None:
    age_s = last_decision_s(observation, slot)
    if age_s is None or age_s <= SILENT_AFTER_S:
        return None
    age = age_text(age_s)
    hint = f"Is the agent running? s switches to {slot.other.value}."
    return Alarm(f"SILENT {age}", f"{slot.value} is active and silent for {age}", hint, Tone.WARN)


def last_decision_s(observation: Observation, slot: Slot) -> float | None:
    """How long ago a side decided anything, by its log's own time; None where no log says so."""
    reading = observation.logs.by_slot.get(slot.value) if observation.logs else None
    if reading is None or reading.last_at is None:
        return None
    return (observation.now - reading.last_at).total_seconds()
