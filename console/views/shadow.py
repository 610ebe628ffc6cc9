"""Shadows: how often they decide otherwise, in what, how much of that is noise, and each such round side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from console.domain.observation import Observation
from console.domain.shadow_report import DivergenceReading, ShadowReport
from console.domain.text import clean
from console.views.format import age_text, iso_text, money_text, percent_text, time_text
from console.views.tone import Tone

MAX_LINES = 200
WORTH_SHOWING = 400


class ShadowRow(NamedTuple):
    """One shadow in a line.

    Args:
        rounds, diverged, noise: how many, and which share of them.
        lost: rounds not looked at, timed out or raised.
        pnl: priced, live and shadow apart.
    """

    key: str
    name: str
    rounds: str
    diverged: str
    noise: str
    lost: str
    lost_tone: Tone
    intents: str
    pnl: str
    age: str


class RateRow(NamedTuple):
    """One field and kind of difference."""

    key: str
    path: str
    kind: str
    rate: str
    noise: str
    excess: str
    tone: Tone
    search: str


class DivergenceRow(NamedTuple):
    """One round in which a shadow decided otherwise."""

    key: str
    time: str
    source: str
    path: str
    live: str
    shadow: str
    tone: Tone
    reading: DivergenceReading

    @property
    def search(self) -> str:
        """The words a filter looks at."""
        return f"{self.time} {self.source} {self.path} {self.live} {self.shadow}"


class DiffLine(NamedTuple):
    """One line of two decisions side by side; `sign` is ≠ where they differ, $ where that moves money."""

    sign: str
    path: str
    live: str
    shadow: str
    tone: Tone


def shadow_rows(observation: Observation) -> tuple[ShadowRow, ...]:
    """Every shadow that reported, newest word first."""
    store = observation.store
    return tuple(_row(report, observation.now) for report in (store.shadows if store is not None else ()))


def _row(report: ShadowReport, now: datetime) -> ShadowRow:
    reading = report.reading
    lost = reading.dropped + reading.timed_out + reading.raised
    noise = percent_text(reading.noise_diverged / reading.noise_rounds) if reading.noise_rounds else "not measured"
    pnl = ""
    if reading.live_pnl is not None and reading.shadow_pnl is not None:
        pnl = f"live {money_text(reading.live_pnl)}  shadow {money_text(reading.shadow_pnl)} {report.currency}"
    return ShadowRow(
        str(report.name), str(report.name), f"{reading.rounds:,}",
        percent_text(reading.diverged / reading.rounds) if reading.rounds else "–", noise,
        f"{reading.dropped} dropped, {reading.timed_out} late, {reading.raised} raised" if lost else "none lost",
        Tone.WARN if lost else Tone.MUTED, f"{reading.intents}", pnl,
        age_text((now - report.at).total_seconds()),
    )  # fmt: skip


def rate_rows(observation: Observation) -> tuple[RateRow, ...]:
    """What differs, by what the shadow adds to the noise: of the shadow that spoke last, else of the files."""
    store = observation.store
    if store is not None and store.shadows:
        fields = store.shadows[0].reading.fields
    else:
        fields = observation.divergences.fields if observation.divergences is not None else ()
    return tuple(
        RateRow(
            f"{rate.path} {rate.kind.value}", f"{'$ ' if rate.money else '  '}{rate.path or 'the decision'}",
            rate.kind.value, percent_text(rate.rate), "–" if rate.noise is None else percent_text(rate.noise),
            percent_text(rate.excess), Tone.BAD if rate.money and rate.excess else Tone.TEXT,
            f"{rate.path} {rate.kind.value}",
        )
        for rate in fields
    )  # fmt: skip


def divergences_of(observation: Observation) -> tuple[DivergenceReading, ...]:
    """From the store and from files, oldest first."""
    of_store = observation.store.divergences if observation.store is not None else ()
    of_files = observation.divergences.recent if observation.divergences is not None else ()
    return tuple(sorted((*of_store, *of_files), key=lambda found: found.at))


def divergence_rows(observation: Observation) -> tuple[DivergenceRow, ...]:
    """Newest first."""
    rows = []
    for found in reversed(divergences_of(observation)):
        if found.problem:
            said = ("can't be read", "", str(found.problem))
        elif found.mismatches:
            first = max(found.mismatches, key=lambda mismatch: mismatch.money)
            more = f" +{len(found.mismatches) - 1}" if len(found.mismatches) > 1 else ""
            said = (f"{first.path or 'decision'}{more}", str(first.live), str(first.shadow))
        else:
            said = ("equal by our rules", "", "")
        tone = Tone.WARN if found.problem else Tone.BAD if found.money else Tone.TEXT
        at = "" if found.problem else time_text(found.at, observation.now)
        rows.append(DivergenceRow(f"{found.source}/{found.key}", at, str(found.source), *said, tone, found))
    return tuple(rows)


def diff_lines(found: DivergenceReading) -> tuple[DiffLine, ...]:
    """Both decisions field by field; what differs is marked by a sign, not by colour alone."""
    differing = {mismatch.path: mismatch for mismatch in found.mismatches}
    live, shadow = dict(_flat(found.divergence.live)), dict(_flat(found.divergence.shadow))
    lines = []
    for path in dict.fromkeys([*live, *shadow, *differing]):
        mismatch = next((m for name, m in differing.items() if path == name or path.startswith(f"{name}.")), None)
        sign = "" if mismatch is None else "$" if mismatch.money else "≠"
        tone = Tone.MUTED if mismatch is None else Tone.BAD if mismatch.money else Tone.WARN
        lines.append(DiffLine(sign, path or "decision", live.get(path, "–"), shadow.get(path, "–"), tone))
    return tuple(lines[:MAX_LINES])


def _flat(value: object, path: str = "", depth: int = 0) -> Iterable[tuple[str, str]]:
    """A decision as paths and safe texts, as far as it is worth showing."""
    if depth < 8 and isinstance(value, Mapping) and value:
        for name, inner in list(value.items())[:MAX_LINES]:
            yield from _flat(inner, f"{path}.{clean(name, 60)}" if path else str(clean(name, 60)), depth + 1)
    elif depth < 8 and isinstance(value, list | tuple) and value:
        for number, inner in enumerate(value[:MAX_LINES]):
            yield from _flat(inner, f"{path}.{number}" if path else str(number), depth + 1)
    else:
        yield path, str(clean(value, WORTH_SHOWING))


def state_lines(found: DivergenceReading) -> tuple[str, ...]:
    """The state that both decided on, as indented JSON, made safe line by line."""
    try:
        text = json.dumps(found.divergence.state, indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = str(clean(found.divergence.state, WORTH_SHOWING))
    lines = text.split("\n")[:MAX_LINES]
    return tuple(" " * (len(line) - len(line.lstrip(" "))) + clean(line.lstrip(" "), WORTH_SHOWING) for line in lines)


def shadow_document(report: ShadowReport) -> dict[str, Any]:
    """A shadow as plain values, for `--json`."""
    reading = report.reading
    return {
        "name": report.name,
        "at": iso_text(report.at),
        "holder": report.holder,
        "rounds": reading.rounds,
        "diverged": reading.diverged,
        "noise_rounds": reading.noise_rounds,
        "noise_diverged": reading.noise_diverged,
        "dropped": reading.dropped,
        "timed_out": reading.timed_out,
        "raised": reading.raised,
        "intents": reading.intents,
        "live_pnl": None if reading.live_pnl is None else f"{reading.live_pnl:f}",
        "shadow_pnl": None if reading.shadow_pnl is None else f"{reading.shadow_pnl:f}",
        "currency": report.currency or None,
        "fields": [
            {
                "path": rate.path, "kind": rate.kind.value, "rounds": rate.rounds, "rate": rate.rate,
                "noise": rate.noise, "excess": rate.excess, "money": rate.money,
            }
            for rate in reading.fields
        ],
    }  # fmt: skip
