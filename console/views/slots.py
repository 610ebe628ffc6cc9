"""One slot at a glance: who it is, what it does, how it decides, what it is worth; or why there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.domain.deployment import ActiveState, Deployment, Phase, Slot
from console.domain.observation import Observation, PnlTotal, VersionReading
from console.views.format import age_text, count_text, milliseconds_text, money_text, plural, rate_text
from console.views.link import link_view, stale_words, version_text, versions_of
from console.views.tone import Line, Span, Tone, slot_tone

SILENT_AFTER_S: Final = 60.0
"""An active slot that has not decided for this long is called silent."""

_MONEY_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class PnlView:
    """Profit and loss in one currency, dry or live.

    Args:
        label: `PnL 24 h`, or `dry 24 h` where no real money moved.
        amount: last 24 hours; tone says gain or loss, and so does the sign.
        total: since the log begins.
        rounds: how many records are in it.
        series: running total for a sparkline; empty for none.
    """

    label: str
    amount: str
    total: str
    currency: str
    rounds: int
    tone: Tone
    series: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot's card.

    Args:
        slot: "blue" or "green".
        glyph: ■ acts, □ does not.
        role: ACTIVE, STANDBY, DRAINING, NEXT, HALTED or UNKNOWN.
        lines: what is known, one fact a line; the same lines in the same order for both slots.
        pnl: one for each currency, dry and live apart; live first.
        empty: why there is nothing and what to do; empty where there is something.
        summary: everything on one line, for a narrow screen.
    """

    slot: str
    glyph: str
    version: str
    role: str
    role_tone: Tone
    lines: tuple[Line, ...]
    pnl: tuple[PnlView, ...]
    empty: tuple[str, ...]
    summary: Line


def role_of(deployment: Deployment | None, slot: Slot) -> tuple[str, Tone]:
    """What a slot may do now, in one word."""
    if deployment is None:
        return "UNKNOWN", Tone.MUTED
    key, authority = deployment.active, deployment.authority
    if key.state is ActiveState.HALTED or (authority and authority.phase is Phase.HALT):
        return "HALTED", Tone.BAD
    if key.state is ActiveState.DRAINING:
        if authority is not None and authority.target is slot:
            return "NEXT", Tone.WARN
        return "DRAINING", Tone.WARN
    if key.state is ActiveState.SLOT:
        return ("ACTIVE", Tone.GOOD) if key.slot is slot else ("STANDBY", Tone.MUTED)
    return "STANDBY", Tone.WARN


def pnl_view(total: PnlTotal) -> PnlView:
    """One currency's profit and loss, ready to draw."""
    tone = Tone.GAIN if total.last_24h > 0 else Tone.LOSS if total.last_24h < 0 else Tone.TEXT
    return PnlView(
        label="dry 24 h" if total.dry else "PnL 24 h",
        amount=money_text(total.last_24h),
        total=money_text(total.total),
        currency=total.currency,
        rounds=total.rounds,
        tone=tone,
        series=total.series,
    )


def slot_view(observation: Observation, slot: Slot) -> SlotView:
    """A slot's card from an observation."""
    deployment = observation.store.deployment if observation.store else None
    reading = observation.logs.by_slot.get(slot.value) if observation.logs else None
    if reading is not None and not reading.decisions:
        reading = None
    role, role_tone = role_of(deployment, slot)
    fresh = link_view(observation).fresh
    if deployment is not None and not fresh:
        role, role_tone = f"{role} {stale_words(observation)}", Tone.STALE
    versions = versions_of(observation, slot.value)
    version = version_text(versions[0]) if versions else ""
    if len(versions) > 1:
        version += f" +{len(versions) - 1}"
    pnl = tuple(pnl_view(total) for total in reading.pnl[:_MONEY_ROWS]) if reading else ()
    return SlotView(
        slot=slot.value,
        glyph=_glyph(role),
        version=version,
        role=role,
        role_tone=role_tone,
        lines=(
            _presence(observation, deployment, slot, reading, role),
            _pace(reading),
            _doubt(deployment, slot, reading),
        ),
        pnl=pnl,
        empty=_why_empty(observation, slot, reading, deployment),
        summary=_summary(observation, slot, version, role, role_tone, reading, pnl),
    )


def _glyph(role: str) -> str:
    return "■" if role.startswith(("ACTIVE", "DRAINING")) else "□"


def _last_age_s(observation: Observation, reading: VersionReading | None) -> float | None:
    if reading is None or reading.last_at is None:
        return None
    return (observation.now - reading.last_at).total_seconds()


def _presence(
    observation: Observation, deployment: Deployment | None, slot: Slot, reading: VersionReading | None, role: str
) -> Line:
    instances = [i for i in deployment.instances if i.slot is slot] if deployment else []
    if deployment is not None and instances:
        newest = max(instance.heartbeat_at for instance in instances)
        server_now = observation.store.server_at if observation.store else observation.now
        age_s = (server_now - newest).total_seconds()
        acknowledged = sum(instance.acknowledged(deployment.epoch) for instance in instances)
        every = acknowledged == len(instances)
        return (
            Span("heartbeat ", Tone.MUTED),
            Span(f"{age_text(age_s):<7}", Tone.TEXT if age_s < SILENT_AFTER_S else Tone.WARN),
            Span(f"{acknowledged}/{len(instances)}", Tone.TEXT if every else Tone.WARN),
            Span(" acknowledged" if every else " acknowledged: waiting", Tone.MUTED if every else Tone.WARN),
        )
    age_s_or_none = _last_age_s(observation, reading)
    if age_s_or_none is None:
        return (Span("no decisions seen", Tone.MUTED),)
    silent = role.startswith("ACTIVE") and age_s_or_none > SILENT_AFTER_S
    return (
        Span("last decision ", Tone.MUTED),
        Span(f"{age_text(age_s_or_none)} ago", Tone.WARN if silent else Tone.TEXT),
        Span(" ▲ silent" if silent else "", Tone.WARN),
    )


def _pace(reading: VersionReading | None) -> Line:
    if reading is None:
        return ()
    line: Line = (Span(f"{rate_text(reading.rate_per_s):<9}"), Span(" p50 ", Tone.MUTED))
    return (
        *line,
        Span(f"{milliseconds_text(reading.p50_ms):<7}"),
        Span(" p99 ", Tone.MUTED),
        Span(f"{milliseconds_text(reading.p99_ms):<7}"),
    )


def _doubt(deployment: Deployment | None, slot: Slot, reading: VersionReading | None) -> Line:
    line: Line = ()
    if reading is not None:
        line = (Span(f"{plural(reading.decisions, 'decision')} "),)
    instances = [i for i in deployment.instances if i.slot is slot] if deployment else []
    if instances:
        doubts = sum(instance.in_doubt for instance in instances)
        line += (
            Span("  in flight ", Tone.MUTED),
            Span(count_text(sum(instance.in_flight for instance in instances))),
            Span("  in doubt ", Tone.MUTED),
            Span(count_text(doubts), Tone.BAD if doubts else Tone.TEXT),
        )
    return line


def _why_empty(
    observation: Observation, slot: Slot, reading: VersionReading | None, deployment: Deployment | None
) -> tuple[str, ...]:
    if reading is not None or (deployment and any(i.slot is slot for i in deployment.instances)):
        return ()
    if observation.logs is None:
        return ("No decision log is followed.", "Start with --decisions PATH.")
    if not observation.logs.files:
        return ("No file matches --decisions yet.", "It is looked for again every second.")
    unmapped = [v.version for v in observation.logs.by_version.values() if not v.slot]
    if unmapped:
        return (
            f"No decisions of {slot.value} yet; {plural(len(unmapped), 'version belongs', 'versions belong')} to no slot.",
            f"Map one with --slot {slot.value}={unmapped[0][:24]}",
        )
    return (f"No decisions of {slot.value} yet.", f"Map a version with --slot {slot.value}=VERSION.")


def _summary(
    observation: Observation,
    slot: Slot,
    version: str,
    role: str,
    role_tone: Tone,
    reading: VersionReading | None,
    pnl: tuple[PnlView, ...],
) -> Line:
    line: Line = (
        Span(f"{_glyph(role)} {slot.value.upper():<5}", slot_tone(slot.value)),
        Span(f" {version[:12]:<12}"),
        Span(f" {role:<8.18}", role_tone),
    )
    if reading is None:
        return (*line, Span(" no decisions yet", Tone.MUTED))
    age_s = _last_age_s(observation, reading)
    line += (Span(f" {rate_text(reading.rate_per_s):>8}"), Span(f"  {age_text(age_s or 0.0):>6} ago", Tone.MUTED))
    if pnl:
        line += (Span("  24 h ", Tone.MUTED), Span(f"{pnl[0].amount:>10}", pnl[0].tone), Span(f" {pnl[0].currency}"))
    return line
