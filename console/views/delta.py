"""What green has over blue: money a round, pace, latency; and what a canary's rounds have shown of that."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from console.domain.seen.observation import Observation, PnlTotal, VersionReading
from console.views.canary.canary import canary_view
from console.views.canary.figures import desk_of, evidence_of, interval_text
from console.views.format import count_text, milliseconds_text, money_text, rate_text, short_money_text
from console.views.tone import Tone


class Delta(NamedTuple):
    """One figure of green less that of blue, in words."""

    label: str
    text: str
    tone: Tone = Tone.TEXT


def deltas(observation: Observation) -> tuple[Delta, ...]:
    """Every figure that both sides have, and the verdict of a canary; one line that says why where there is none."""
    sides = observation.logs.by_slot if observation.logs else {}
    blue, green = sides.get("blue"), sides.get("green")
    both = (*_money(blue, green), *_pace(blue, green)) if blue and green else ()
    told = (*both, *_verdict(observation))
    return told or (Delta("", "Only one side has decided anything.", Tone.MUTED),)


def _money(blue: VersionReading, green: VersionReading) -> tuple[Delta, ...]:
    """In the first currency, dry or live, that both have."""
    found: dict[tuple[str, bool], PnlTotal] = {(total.currency, total.dry): total for total in blue.pnl}
    pair = next(((found[key], one) for one in green.pnl if (key := (one.currency, one.dry)) in found), None)
    if pair is None:
        return ()
    was, now = pair
    unit = f" {now.currency}{' dry' if now.dry else ''}"
    day = Delta("PnL 24 h", f"{short_money_text(now.last_24h - was.last_24h):>11}{unit}")
    if not (was.rounds and now.rounds):
        return (day,)
    mean: Decimal = now.total / now.rounds - was.total / was.rounds
    tone = Tone.GAIN if mean > 0 else Tone.LOSS if mean < 0 else Tone.TEXT
    return (Delta("a round", f"{money_text(mean, places=3):>11}{unit}", tone), day)


def _pace(blue: VersionReading, green: VersionReading) -> tuple[Delta, ...]:
    told = [Delta("decisions", f"{rate_text(green.rate_per_s)}, blue {rate_text(blue.rate_per_s)}")]
    for label, now, was in (("p50", green.p50_ms, blue.p50_ms), ("p99", green.p99_ms, blue.p99_ms)):
        if now is not None and was is not None:
            told.append(Delta(label, f"{milliseconds_text(now)}, blue {milliseconds_text(was)}"))
    return tuple(told)


def _verdict(observation: Observation) -> tuple[Delta, ...]:
    view, store = canary_view(observation), observation.store
    if view is None or store is None or store.canary is None:
        return ()
    tone = Tone.STALE if view.stale else view.verdict_tone
    evidence = evidence_of(desk_of(store.canary))
    told = [Delta("verdict", view.verdict, tone)]
    if evidence is not None:
        of = "" if view.slot == "green" else " of blue"
        told.append(Delta(f"Δ{of}", interval_text(evidence.lower, evidence.upper)))
        told.append(Delta("rounds", f"{count_text(evidence.rounds_canary)} / {count_text(evidence.rounds_stable)}"))
    return tuple(told)
