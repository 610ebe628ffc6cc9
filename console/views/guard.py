"""The guards and what they see: the header's word, the triggers, the banner of a trip, the list of alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from console.domain.fence.deployment import Phase
from console.domain.guard.alerts import Alert, AlertKind, GuardReading, TriggerReading
from console.domain.seen.observation import Observation
from console.domain.triggers.finding import Arming, Response, Severity, Trigger, Verdict
from console.views.check import Check
from console.views.fence.link import link_view, stale_words
from console.views.format import age_text, iso_text, plural, time_text
from console.views.tone import Tone

NO_GUARD: Final = "no guard"
UNSEEN: Final = "alerts"
NO_SICKNESS: Final = frozenset({NO_GUARD, UNSEEN})
"""Checks that ask for somebody, where nothing need be wrong with what is watched."""

NAMES: Final = {
    Trigger.EXCEPTION: "exception",
    Trigger.AUTH: "auth failure",
    Trigger.DOUBLE_SPEND: "double spend",
    Trigger.PNL: "PnL",
    Trigger.LATENCY: "latency",
    Trigger.ESCROW: "escrow gap",
    Trigger.BAND: "PnL band",
}
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

_COUNTS: Final = frozenset({Trigger.EXCEPTION, Trigger.AUTH, Trigger.DOUBLE_SPEND})
_WORST: Final = {AlertKind.HALTED: 3, AlertKind.ROLLED_BACK: 2, AlertKind.ABORTED: 1, AlertKind.FROZEN: 0}
"""What changed something, by how much it matters now."""


class GuardWord(NamedTuple):
    """What the header says of the guards; empty where nobody is active and none runs."""

    text: str
    tone: Tone


class TriggerRow(NamedTuple):
    """One trigger as the freshest guard saw it last.

    Args:
        key: the trigger's name on the command line.
        glyph, tone: what was found, or that it is off.
        name: in words.
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


class Banner(NamedTuple):
    """What nobody has acknowledged yet and changed something.

    Args:
        text: what, how long ago, and why.
        more: how many others there are; empty for none.
        tone: how bad it is.
        alert: with its evidence.
    """

    text: str
    more: str
    tone: Tone
    alert: Alert


class AlertRow(NamedTuple):
    """One alert.

    Args:
        key: its id.
        open: whether nobody has said yet that they saw it.
        reason: the trigger, and what it saw.
        seen: who acknowledged it, and when; empty for an open one.
    """

    key: str
    open: bool
    glyph: str
    tone: Tone
    time: str
    kind: str
    reason: str
    seen: str
    alert: Alert

    @property
    def search(self) -> str:
        """The words a filter looks at."""
        return f"{self.time} {self.kind} {self.reason} {self.seen}"


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
        return bool(guard.problem), _looked_late(observation, guard), not guard.notifies, since, guard.name

    return tuple(sorted(lately, key=order))


def guard_word(observation: Observation) -> GuardWord:
    """The header's word on the guards."""
    store = observation.store
    if store is None:
        return GuardWord("", Tone.MUTED)
    found = running(observation)
    if not found:
        somebody = store.deployment.active.slot is not None
        return GuardWord("NO GUARD", Tone.WARN) if somebody or store.guards else GuardWord("", Tone.MUTED)
    first = found[0]
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    text = f"{first.name[:24]}{more} {age_text(look_age_s(observation, first))}"
    if not link_view(observation).fresh:
        return GuardWord(text, Tone.STALE)
    blind = sum(bool(guard.problem) for guard in found)
    if blind:
        return GuardWord(f"{text} can't see" if blind == len(found) else f"{text}, {blind} can't see", Tone.WARN)
    return GuardWord(text, Tone.WARN if _looked_late(observation, first) else Tone.GOOD)


def _looked_late(observation: Observation, guard: GuardReading) -> bool:
    """Whether a guard that is heard has stopped looking; measured at its last word, whatever time has passed since."""
    return look_age_s(observation, guard) - beat_age_s(observation, guard) > guard.fresh_s


def guard_checks(observation: Observation) -> tuple[Check, ...]:
    """Whether anybody guards, and what is stopped: for the health panel."""
    store = observation.store
    if store is None:
        return ()
    checks: list[Check] = [*_unseen(observation)]
    authority = store.deployment.authority
    if authority is not None and authority.level.rank and authority.phase is not Phase.HALT:
        checks.append(
            Check(
                "level", Tone.WARN, f"{authority.level.value}: what is open may still be reduced", ":resume lifts it."
            )
        )
    found = running(observation)
    if not found:
        if store.deployment.active.slot is None and not store.guards:
            return tuple(checks)
        silent = f"{store.guards[0].name} is silent: " if store.guards else ""
        said = f"{silent}nothing rolls back by itself"
        return (*checks, Check(NO_GUARD, Tone.WARN, said, "Run `agent-console guard`."))
    blind = next((guard for guard in found if guard.problem), None)
    if blind is not None:
        return (*checks, Check("guard", Tone.WARN, f"{blind.name}: {blind.problem}"))
    if _looked_late(observation, found[0]):
        said = f"{found[0].name} looked {age_text(look_age_s(observation, found[0]))} ago"
        return (*checks, Check("guard", Tone.WARN, said, "Is it stuck, or is its clock off?"))
    watched = f"watching {found[0].watching}" if found[0].watching else "nobody is active"
    return (*checks, Check("guard", Tone.GOOD, f"{plural(len(found), 'guard')} {watched}"))


def _unseen(observation: Observation) -> tuple[Check, ...]:
    """Warnings that wait: they changed nothing, so no banner says so."""
    waiting = [alert for alert in open_alerts(observation) if alert.kind not in _WORST]
    if not waiting:
        return ()
    said = f"{plural(len(waiting), 'warning')} that nobody has seen: {_told(waiting[-1])}"
    return (Check(UNSEEN, Tone.WARN, said, "8 lists them, a says that you have."),)


def trigger_rows(observation: Observation) -> tuple[TriggerRow, ...]:
    """Every trigger as the guard that looked last saw it; empty where no guard ever looked."""
    store = observation.store
    guards = running(observation) or (store.guards if store is not None else ())
    told = next((guard for guard in guards if guard.triggers), None)
    return tuple(_row(reading) for reading in told.triggers) if told is not None else ()


def _row(reading: TriggerReading) -> TriggerRow:
    glyph, tone = _VERDICTS[reading.verdict]
    figure, note = _figure(reading), _note(reading)
    if reading.arming is Arming.OFF:
        glyph, tone, figure = "–", Tone.MUTED, ""
    elif reading.verdict.blind:
        figure = reading.verdict.value
    elif reading.verdict is Verdict.UNDECIDED and reading.response in _DUE:
        glyph, tone = "▲", Tone.WARN
    return TriggerRow(
        reading.trigger.value, glyph, tone, NAMES[reading.trigger], figure, note, reading.arming.value, reading
    )


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
    found = running(observation)
    guard = (found or observation.store.guards)[0]
    if not found or _looked_late(observation, guard):
        return f"looked {age_text(look_age_s(observation, guard))} ago", True
    return "live", False


def why_no_triggers(observation: Observation) -> str:
    """What to say where there is no trigger to show."""
    if observation.store is None:
        return "Not known until the store answers."
    if not observation.store.guards:
        return "No guard has looked yet.\nRun `agent-console guard`: it rolls back by itself."
    return "Nobody is active: there is nothing to watch."


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


def banner(observation: Observation) -> Banner | None:
    """The open alert that matters most, if one changed something; the newest of the worst kind."""
    alerts = [alert for alert in _alerts(observation) if alert.open and alert.kind in _WORST]
    if not alerts:
        return None
    top = max(alerts, key=lambda alert: (_WORST[alert.kind], alert.at))
    more = f"+{len(alerts) - 1} more" if len(alerts) > 1 else ""
    age = age_text((observation.now - top.at).total_seconds())
    tone = Tone.WARN if top.kind is AlertKind.FROZEN else Tone.BAD
    return Banner(f"{top.kind.value.upper()} {age} ago: {_told(top)}", more, tone, top)


def _told(alert: Alert) -> str:
    """Why, with the trigger's name before it once."""
    if not alert.trigger or alert.reason.startswith(alert.trigger):
        return str(alert.reason)
    return f"{alert.trigger}: {alert.reason}"


def _alerts(observation: Observation) -> tuple[Alert, ...]:
    return observation.store.alerts if observation.store is not None else ()


def open_alerts(observation: Observation) -> tuple[Alert, ...]:
    """Alerts that nobody has acknowledged, oldest first."""
    return tuple(alert for alert in _alerts(observation) if alert.open)


def alert_rows(observation: Observation) -> tuple[AlertRow, ...]:
    """Every alert: open ones first, each part newest first."""
    rows = [_alert_row(alert, observation.now) for alert in _alerts(observation)]
    return tuple(sorted(rows, key=lambda row: (not row.open, -row.alert.at.timestamp())))


def _alert_row(alert: Alert, now: datetime) -> AlertRow:
    tone = Tone.BAD if alert.severity in (Severity.CRITICAL, Severity.HIGH) else Tone.WARN
    seen = ""
    if alert.acknowledged_at is not None:
        seen = f"{alert.acknowledged_by} {time_text(alert.acknowledged_at, now)}"
    glyph = "✔" if seen else "✖" if tone is Tone.BAD else "▲"
    return AlertRow(
        alert.id, alert.open, glyph, Tone.MUTED if seen else tone, time_text(alert.at, now), alert.kind.value,
        _told(alert), seen, alert,
    )  # fmt: skip


def alert_facts(alert: Alert) -> list[tuple[str, str]]:
    """Everything about one alert, as label and text."""
    facts = [
        ("at", iso_text(alert.at)),
        ("what", f"{alert.kind.value} ({alert.severity.value})"),
        ("trigger", str(alert.trigger)),
        ("why", str(alert.reason)),
        ("by", str(alert.by)),
        ("epoch", str(alert.epoch) if alert.epoch else ""),
    ]
    if alert.value is not None:
        limit = f" of {alert.threshold:g}" if alert.threshold is not None else ""
        facts.append(("value", f"{alert.value:g}{limit}"))
    if alert.n:
        facts.append(("samples", str(alert.n)))
    facts += [("decision", str(sample)) for sample in alert.samples]
    seen = "nobody yet"
    if alert.acknowledged_at is not None:
        seen = f"{alert.acknowledged_by}, {iso_text(alert.acknowledged_at)}"
    return [*facts, ("seen by", seen)]
