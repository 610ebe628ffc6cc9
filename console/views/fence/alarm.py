"""What is wrong with who acts: a word for the header, a sentence for the checks, the next step.

An active side that is dead or silent, nobody active, a canary that plays all the money while the other side is called
active: each is loud wherever the active side is named.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.fence.deployment import ActiveState, Phase, Slot
from console.domain.seen.observation import Observation
from console.views.fence.instances import beat_age_s, expected
from console.views.format import age_text
from console.views.tone import Tone

SILENT_AFTER_S: Final = 60.0
"""An active side that has decided nothing for so long is silent."""
DESK_FRESH_S: Final = 10.0
"""What shares the rounds out speaks more often than this while it runs."""
_NOBODY: Final = (ActiveState.MISSING, ActiveState.UNKNOWN, ActiveState.WRONG_TYPE)

NOT_ENFORCED: Final = "NOT ENFORCED"
NOT_ENFORCEABLE: Final = "not enforceable on plain agents"
"""What is said of a freeze where plain agents play."""


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


def freeze(observation: Observation) -> Alarm | None:
    """What is stopped while somebody is active, and whom that can't bind; None where nothing is.

    Only fenced agents ask before they act: what plain agents read knows a halt, and no freeze.
    """
    store = observation.store
    authority = store.deployment.authority if store is not None else None
    if store is None or authority is None or not authority.level.rank or authority.phase is Phase.HALT:
        return None
    level, free = authority.level.value, unbound(observation)
    if not free:
        text = f"{level}: what is open may still be reduced"
        return Alarm(f"FROZEN: {level}", text, ":resume lifts it; it takes a reason.", Tone.WARN)
    who = " and ".join(slot.value for slot in free)
    verb = "go on as before" if len(free) > 1 else "goes on as before"
    return Alarm(
        f"FREEZE {NOT_ENFORCED}",
        f"{level} is {NOT_ENFORCEABLE}: {who} {verb}",
        "H halts, which plain agents obey; :resume lifts it.",
        Tone.BAD,
    )


def unbound(observation: Observation) -> tuple[Slot, ...]:
    """The sides that play with money and that a freeze can't bind, since no fenced instance of theirs is known."""
    store = observation.store
    return tuple(slot for slot in playing(observation) if not expected(store, slot)) if store is not None else ()


def playing(observation: Observation) -> tuple[Slot, ...]:
    """The sides that play with money: the active one, and a canary's with a share of the capital."""
    store = observation.store
    if store is None or store.deployment.active.slot is None:
        return ()
    canary = store.canary
    also = canary.run.slot if canary is not None and canary.run.live and canary.run.share else ""
    return tuple(slot for slot in Slot if slot is store.deployment.active.slot or slot.value == also)


def _dead(observation: Observation, slot: Slot) -> Alarm | None:
    store = observation.store
    counted = expected(store, slot) if store else ()
    if store is None or not counted or any(one.heard(store.server_at) for one in counted):
        return None
    newest_s, count = min((beat_age_s(store, one) for one in counted), key=abs), len(counted)
    age = age_text(abs(newest_s))
    which = "its only instance is dead" if count == 1 else f"all {count} instances are dead"
    since = f"no heartbeat for {age}" if newest_s > 0 else f"its newest heartbeat lies {age} ahead of the store's clock"
    text = f"{slot.value} is active and {which}: {since}"
    return Alarm(f"DEAD {age}", text, f"Start {slot.value} again, or s switches to {slot.other.value}.", Tone.BAD)


def _canary(observation: Observation, slot: Slot) -> Alarm | None:
    store = observation.store
    reading = store.canary if store else None
    if store is None or reading is None or reading.desk is None:
        return None
    from console.domain.canary.plan import RunState  # most have no canary, and the console starts without it

    if reading.run.state is not RunState.DONE:
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
