"""Who guards: the header's word, and what the health panel says of it."""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.guard.alerts import GuardReading
from console.domain.seen.observation import Observation
from console.views.check import Check
from console.views.fence.alarm import freeze
from console.views.fence.link import link_view
from console.views.format import age_text, plural
from console.views.guard.alerts import WORST, open_alerts, told
from console.views.looking import is_past
from console.views.tone import Tone

NO_GUARD: Final = "no guard"
UNSEEN: Final = "alerts"
LAST_DOOR: Final = "last door"
NO_SICKNESS: Final = frozenset({NO_GUARD, UNSEEN})
"""Checks that ask for somebody, where nothing need be wrong with what is watched."""


class GuardWord(NamedTuple):
    """What the header says of the guards; empty where nobody is active and none runs.

    Args:
        short: how long ago they looked; `none` where there is none.
    """

    text: str
    tone: Tone
    short: str = ""


def beat_age_s(observation: Observation, guard: GuardReading) -> float:
    """How long ago a guard was heard, by the server's clock and the time since that was read."""
    assert observation.store is not None
    store = observation.store
    return guard.age_s(store.server_at) + (observation.now - store.at).total_seconds()


def look_age_s(observation: Observation, guard: GuardReading) -> float:
    """How long ago a guard looked at its triggers; one that is heard and looks no more is not to be trusted."""
    behind_s = (guard.heartbeat_at - guard.evaluated_at).total_seconds() if guard.evaluated_at is not None else 0.0
    return beat_age_s(observation, guard) + max(0.0, behind_s)


def running(observation: Observation) -> tuple[GuardReading, ...]:
    """The guards that were heard of lately: those that see before those that don't, else always in the same order.

    By the last word they would take turns several times a second, and what is shown with them.
    """
    if observation.store is None:
        return ()
    store = observation.store
    lately = [guard for guard in store.guards if guard.running(store.server_at)]

    def order(guard: GuardReading) -> tuple[bool, bool, bool, float, str]:
        since = guard.started_at.timestamp() if guard.started_at is not None else 0.0
        return bool(guard.problem), looked_late(observation, guard), not guard.notifies, since, guard.name

    return tuple(sorted(lately, key=order))


def guard_word(observation: Observation) -> GuardWord:
    """The header's word on the guards."""
    store = observation.store
    if store is None or is_past(observation):
        return GuardWord("", Tone.MUTED)
    guards = running(observation)
    if not guards:
        somebody = store.deployment.active.slot is not None
        return GuardWord("NO GUARD", Tone.WARN, "none") if somebody or store.guards else GuardWord("", Tone.MUTED)
    first = guards[0]
    more = f" +{len(guards) - 1}" if len(guards) > 1 else ""
    short = age_text(look_age_s(observation, first))
    text = f"{first.name[:24]}{more} {short}"
    if not link_view(observation).fresh:
        return GuardWord(text, Tone.STALE, short)
    blind = sum(bool(guard.problem) for guard in guards)
    if blind:
        return GuardWord(
            f"{text} can't see" if blind == len(guards) else f"{text}, {blind} can't see", Tone.WARN, "can't see"
        )
    return GuardWord(text, Tone.WARN if looked_late(observation, first) else Tone.GOOD, short)


def looked_late(observation: Observation, guard: GuardReading) -> bool:
    """Whether a guard that is heard has stopped looking; measured at its last word, whatever time has passed since."""
    return look_age_s(observation, guard) - beat_age_s(observation, guard) > guard.fresh_s


def guard_checks(observation: Observation) -> tuple[Check, ...]:
    """Whether anybody guards, and what is stopped: for the health panel."""
    store = observation.store
    if store is None:
        return ()
    checks: list[Check] = [*_unseen(observation)]
    if (frozen := freeze(observation)) is not None:
        checks.append(Check("level", frozen.tone, frozen.text, frozen.hint))
    checks += _last_door(observation)
    guards = running(observation)
    if not guards:
        if store.deployment.active.slot is None and not store.guards:
            return tuple(checks)
        silent = f"{store.guards[0].name} is silent: " if store.guards else ""
        alone = f"{silent}nothing rolls back by itself"
        return (*checks, Check(NO_GUARD, Tone.WARN, alone, "Run `agent-console guard`."))
    first, blind = guards[0], next((guard for guard in guards if guard.problem), None)
    if blind is not None:
        return (*checks, Check("guard", Tone.WARN, f"{blind.name}: {blind.problem}"))
    if looked_late(observation, first):
        late = f"{first.name} looked {age_text(look_age_s(observation, first))} ago"
        return (*checks, Check("guard", Tone.WARN, late, "Is it stuck, or is its clock off?"))
    watched = f"watching {first.watching}" if first.watching else "nobody is active"
    return (*checks, Check("guard", Tone.GOOD, f"{plural(len(guards), 'guard')} {watched}"))


def _last_door(observation: Observation) -> tuple[Check, ...]:
    """The venue's dead man's switch with its countdown, where a guard ever kept one."""
    store = observation.store
    if store is None or store.deadman is None:
        return ()
    from console.domain.venue.deadman import State  # most venues have none, and the console starts without it

    now = store.server_at + (observation.now - store.at)
    text = store.deadman.line(now).removeprefix("dead man's switch: ")
    tone = Tone.GOOD if store.deadman.state(now) is State.ARMED else Tone.WARN
    return (Check(LAST_DOOR, tone, text, "" if tone is Tone.GOOD else "`agent-console guard status` says why."),)


def _unseen(observation: Observation) -> tuple[Check, ...]:
    """Warnings that wait: they changed nothing, so no banner says so."""
    waiting = [alert for alert in open_alerts(observation) if alert.kind not in WORST]
    if not waiting:
        return ()
    unseen = f"{plural(len(waiting), 'warning')} that nobody has seen: {told(waiting[-1])}"
    return (Check(UNSEEN, Tone.WARN, unseen, "8 lists them, a says that you have."),)
