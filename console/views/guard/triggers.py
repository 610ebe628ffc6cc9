"""The triggers as the guard that looked last saw them."""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.guard.alerts import TriggerReading
from console.domain.seen.observation import Observation
from console.domain.triggers.finding import Arming, Response, Trigger, Verdict
from console.views.fence.link import link_view, stale_words
from console.views.format import age_text
from console.views.guard.guards import beat_age_s, look_age_s, looked_late, running
from console.views.looking import NOT_KEPT, is_past
from console.views.tone import Tone

_VERDICTS: Final = {
    Verdict.SAFE: ("✔", Tone.GOOD),
    Verdict.UNDECIDED: ("·", Tone.MUTED),
    Verdict.STALE: ("◌", Tone.WARN),
    Verdict.MISSING: ("?", Tone.WARN),
    Verdict.ERROR: ("▲", Tone.WARN),
    Verdict.HARM: ("✖", Tone.BAD),
}
_DUE: Final = {Response.ALERT.value: "alert", Response.FREEZE.value: "freeze", Response.ROLL_BACK.value: "back"}
"""What a finding asks for beyond going on, in a word."""
_SHORT: Final = {
    Trigger.EXCEPTION: "exc",
    Trigger.AUTH: "auth",
    Trigger.DOUBLE_SPEND: "dbl",
    Trigger.PNL: "pnl",
    Trigger.LATENCY: "lat",
    Trigger.ESCROW: "esc",
    Trigger.BAND: "band",
}
_COUNTS: Final = frozenset({Trigger.EXCEPTION, Trigger.AUTH, Trigger.DOUBLE_SPEND})


class TriggerRow(NamedTuple):
    """One trigger as the freshest guard saw it last.

    Args:
        key: the trigger's name on the command line.
        glyph, tone: what was found, or that it is off.
        name: in words; short: the same in at most four letters.
        figure: the value of the threshold, as far as there are any.
        note: what is due about it or what it may not do, in a word; else the samples it rests on.
        arming: "armed", "dry" or "off".
        reading: everything that was said.
    """

    key: str
    glyph: str
    tone: Tone
    name: str
    figure: str
    note: str
    arming: str
    reading: TriggerReading
    short: str


def trigger_rows(observation: Observation) -> tuple[TriggerRow, ...]:
    """Every trigger as the guard that looked last saw it; empty where no guard ever looked."""
    store = observation.store
    guards = running(observation) or (store.guards if store is not None else ())
    newest = next((guard for guard in guards if guard.triggers), None)
    return tuple(_row(reading) for reading in newest.triggers) if newest is not None else ()


def _row(reading: TriggerReading) -> TriggerRow:
    glyph, tone = _VERDICTS[reading.verdict]
    figure, note = _figure(reading), _note(reading)
    if reading.arming is Arming.OFF:
        glyph, tone, figure = "–", Tone.MUTED, ""
    elif reading.verdict.blind:
        figure = reading.verdict.value
    elif reading.verdict is Verdict.UNDECIDED and reading.response in _DUE:
        glyph, tone = "▲", Tone.WARN
    trigger, arming = reading.trigger, reading.arming.value
    return TriggerRow(trigger.value, glyph, tone, trigger.label, figure, note, arming, reading, _SHORT[trigger])


def _note(reading: TriggerReading) -> str:
    """At most six characters."""
    if reading.arming is not Arming.ARMED:
        return reading.arming.value
    if reading.verdict is Verdict.HARM:
        return "HARM"
    if reading.response in _DUE:
        return _DUE[reading.response]
    if not reading.n or reading.trigger in _COUNTS:
        return ""
    if reading.n < 1000:
        return f"n {reading.n}"
    return f"n {reading.n / 1000:.1f}k" if reading.n < 9_950 else f"n {min(round(reading.n / 1000), 999)}k"


def _figure(reading: TriggerReading) -> str:
    value, limit, unit = reading.value, reading.threshold, reading.unit
    if reading.trigger in _COUNTS:
        return f"{reading.n}"
    gap = "" if unit in ("σ", "") else " "
    if value is None:
        return "none" if reading.verdict is Verdict.SAFE else "undecided"
    if limit is None:
        return f"{_number(value)}{gap}{unit}"
    if unit in ("s", "ms"):
        return f"{_number(value)} of {_number(limit)} {unit}"
    return f"{_signed(value)} of {_signed(limit)}{gap}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _signed(value: float) -> str:
    if abs(value) >= 10:
        text = f"{value:+,.0f}" if abs(value) >= 1000 else f"{value:+.3g}"
    else:
        text = f"{value:+.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


def triggers_age(observation: Observation) -> tuple[str, bool]:
    """How long ago the triggers were looked at, and whether that is too long."""
    if observation.store is None or not observation.store.guards:
        return "", False
    if not link_view(observation).fresh:
        return stale_words(observation), True
    heard = running(observation)
    guard = (heard or observation.store.guards)[0]
    if not heard or looked_late(observation, guard):
        return f"looked {age_text(look_age_s(observation, guard))} ago", True
    return "live", False


def why_no_triggers(observation: Observation) -> str:
    """What to say where there is no trigger to show."""
    if observation.store is None:
        return "Not known until the store answers."
    if is_past(observation):
        return NOT_KEPT
    if not observation.store.guards:
        return "No guard has looked yet.\nRun `agent-console guard`: it rolls back by itself."
    return "Nobody is active: there is nothing to watch.\ns switches a side on."


def trigger_facts(observation: Observation, key: str) -> list[tuple[str, str]]:
    """Everything about one trigger, as label and text: what each guard says of it."""
    store = observation.store
    facts: list[tuple[str, str]] = []
    for guard in store.guards if store else ():
        for reading in guard.triggers:
            if reading.trigger.value != key:
                continue
            heard, looked = age_text(beat_age_s(observation, guard)), age_text(look_age_s(observation, guard))
            facts += [
                ("guard", f"{guard.name}, heard {heard} ago, looked {looked} ago"),
                ("found", f"{reading.verdict.value}, {reading.arming.value}; due: {reading.response}"),
                ("why", str(reading.reason)),
                ("value", _figure(reading)),
                ("samples", f"{reading.n}"),
            ]
            facts += [("decision", sample) for sample in reading.samples]
    return facts
