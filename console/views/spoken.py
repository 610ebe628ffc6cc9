"""The console as lines to be spoken or logged: what is so, and then only what has changed, in words without signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from console.domain.fence.deployment import Slot
from console.domain.guard.alerts import Alert
from console.domain.seen.observation import Observation
from console.views.canary.canary import canary_view
from console.views.canary.told import canary_line
from console.views.check import Check
from console.views.fence.link import header_view, link_view
from console.views.fence.slots import slot_view
from console.views.format import plural
from console.views.guard.alerts import told
from console.views.health import health_view
from console.views.ladder import ladder, ladder_line
from console.views.lists import action_rows, flag_rows
from console.views.tone import SEVERITY, Tone

_WORDS: Final = {Tone.GOOD: "well", Tone.WARN: "warning", Tone.BAD: "bad"}
_SIGNS: Final = {
    "→": " to ",
    "−": "minus ",
    "±": " plus or minus ",
    "Δ": "difference ",
    "σ": " sigma",
    "·": ", ",
    "–": " none ",
    "…": "",
    "[": " ",
    "]": " ",
    "|": ", ",
}
"""What speech leaves out, or spells; every other sign that is no text is dropped."""


def spoken(text: str) -> str:
    """A line as it is spoken: minus is a word, arrows are, and boxes and ticks are nothing.

    Args:
        text: of a view, safe already.
    """
    words = "".join(_SIGNS.get(char, char if char.isascii() or char.isalnum() else " ") for char in text)
    return " ".join(words.split()).replace(" ,", ",").replace(" .", ".").replace(",,", ",")


def whole(observation: Observation) -> Iterator[str]:
    """Everything that an operator would look at first: who acts, what it is worth, what is not well, what is open."""
    header = header_view(observation)
    yield spoken(f"Agent {header.agent} at {header.url}, {_link(observation)}, {_mode(observation)}.")
    yield spoken(_active(observation))
    for slot in Slot:
        yield from _slot(observation, slot)
    for check in health_view(observation):
        if check.tone in SEVERITY:
            yield _check(check)
    if not any(check.tone in SEVERITY for check in health_view(observation)):
        yield "Health: all is well."
    for line in (_canary(observation), _run(observation)):
        if line:
            yield line
    alerts = [alert for alert in _alerts(observation).values() if alert.open]
    yield from (f"Open alert: {spoken(told(alert))}" for alert in alerts)
    yield f"{plural(len(flag_rows(observation)), 'flag')}, {plural(len(alerts), 'open alert')}."


def changes(before: Observation, now: Observation) -> Iterator[str]:
    """What is otherwise than it was, a line each; nothing where all is as it was.

    Args:
        before: the last observation that was told of.
        now: this one.
    """
    if _link(before) != _link(now):
        yield spoken(f"Store: {_link(now)}.")
    if _mode(before) != _mode(now):
        yield spoken(f"Commands: {_mode(now)}.")
    yield from _health(before, now)
    if not link_view(now).fresh:  # all else is a memory, and only its age changes
        return
    if _active(before) != _active(now):
        yield spoken(_active(now))
    for slot in Slot:
        was, is_now = slot_view(before, slot), slot_view(now, slot)
        if (was.role, was.version) != (is_now.role, is_now.version):
            yield spoken(f"{slot.value} {is_now.version}: {is_now.role}.")
    yield from _alerted(before, now)
    yield from _acted(before, now)
    yield from _flags(before, now)
    for state, line in ((_canary_state, _canary), (_run_state, _run)):
        if state(before) != state(now) and (words := line(now)):
            yield words


def worth(observation: Observation) -> Iterator[str]:
    """What each side is worth, and how fast it decides."""
    for slot in Slot:
        yield from _slot(observation, slot)


def _link(observation: Observation) -> str:
    return header_view(observation).link.state.value.lower()


def _mode(observation: Observation) -> str:
    if observation.locked:
        return "locked until you unlock it"
    return "read-only" if observation.read_only else "commands go through"


def _active(observation: Observation) -> str:
    header = header_view(observation)
    epoch = f"epoch {header.epoch}" if header.epoch else ""
    parts = (f"Active: {header.active_text}", header.role, epoch, header.warning)
    return ", ".join(part for part in parts if part) + "."


def _slot(observation: Observation, slot: Slot) -> Iterator[str]:
    view = slot_view(observation, slot)
    facts = view.empty or tuple(" ".join(fact.text for fact in facts) for facts in view.lines)
    sentences = (f"{slot.value} {view.version}".rstrip() + f": {view.role}", *facts)
    yield spoken(" ".join(f"{one.removesuffix('.')}." for one in sentences))
    for pnl in view.pnl:
        yield spoken(f"{slot.value} {pnl.label} {pnl.amount} {pnl.currency}, {plural(pnl.rounds, 'round')}.")


def _check(check: Check) -> str:
    hint = f" {check.hint}" if check.hint else ""
    return spoken(f"Health, {check.name}, {_WORDS.get(check.tone, 'does not apply')}: {check.text}.{hint}")


def _health(before: Observation, now: Observation) -> Iterator[str]:
    was = {check.name: check.tone for check in health_view(before)}
    for check in health_view(now):
        if check.tone != was.get(check.name, Tone.GOOD) and (check.tone in SEVERITY or was.get(check.name) in SEVERITY):
            yield _check(check)


def _alerts(observation: Observation) -> Mapping[str, Alert]:
    return {alert.id: alert for alert in observation.store.alerts} if observation.store is not None else {}


def _alerted(before: Observation, now: Observation) -> Iterator[str]:
    was = _alerts(before)
    for key, alert in _alerts(now).items():
        if key not in was and before.store is not None:
            yield f"Alert: {spoken(told(alert))}"
        elif key in was and was[key].open and not alert.open:
            yield spoken(f"Alert seen by {alert.acknowledged_by}: {told(alert)}")


def _acted(before: Observation, now: Observation) -> Iterator[str]:
    if before.store is None:
        return
    known = {row.key for row in action_rows(before)}
    for row in action_rows(now):
        if row.key not in known:
            because = f", because: {row.why}" if row.why else ""
            yield spoken(f"{row.command} by {row.who}: {row.change or row.summary}{because}.")


def _flags(before: Observation, now: Observation) -> Iterator[str]:
    """Flags that no command of ours changed are told all the same."""
    if before.store is None:
        return
    was = {row.name: row.value for row in flag_rows(before)}
    for row in flag_rows(now):
        if was.get(row.name) != row.value:
            yield spoken(f"Flag {row.name} is {row.value}.")


def _canary(observation: Observation) -> str:
    words = spoken("".join(text for text, _tone in canary_line(observation)))
    return f"Canary: {words}." if words else ""


def _run(observation: Observation) -> str:
    told_of = ladder(observation)
    return f"Upgrade: {spoken(''.join(text for text, _tone in ladder_line(told_of)))}." if told_of is not None else ""


def _canary_state(observation: Observation) -> object:
    """What of a canary is told when it changes; its figures move all the time."""
    view = canary_view(observation)
    return (view.title, view.state, view.ladder, view.verdict, bool(view.stale)) if view is not None else None


def _run_state(observation: Observation) -> object:
    told_of = ladder(observation)
    return (told_of.title, told_of.state, told_of.step, told_of.hands_tone) if told_of is not None else None
