"""Shadows: how often they decide otherwise, in what, how much of that is noise, and every round in which they did."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Final, NamedTuple

from console.domain.seen.observation import DivergenceLog, Observation
from console.domain.shadow.compare import Kind, Mismatch
from console.domain.shadow.pairs import PairSums, judged
from console.domain.shadow.rates import FieldRate, ShadowReading
from console.domain.shadow.report import DivergenceReading, ShadowReport
from console.views.format import age_text, count_text, money_text, percent_text, plural, time_text
from console.views.tone import Tone

FILES: Final = "files"
"""The key of the row that stands for the files of plain agents."""
SILENT_AFTER_S: Final = 10.0
"""A shadow's process reports once a second: after this it is silent."""


class ShadowRow(NamedTuple):
    """One shadow, or all files of divergences together.

    Args:
        key: `FILES`, or the shadow's name.
        glyph, tone: what the rounds show: ✖ a field that moves money differs, ▲ something beyond the noise does.
        diverged, noise: shares of the rounds, and of those played twice by one version.
        lost: rounds not compared: dropped, timed out, raised.
        live, shadow: priced over the same rounds, apart, with their currency; empty where nobody prices them.
        heard: how long ago; with a sign where that is late.
        note: what else has to be said.
    """

    key: str
    glyph: str
    tone: Tone
    name: str
    rounds: str
    diverged: str
    noise: str
    dropped: str
    timed_out: str
    raised: str
    intents: str
    live: str
    shadow: str
    heard: str
    heard_tone: Tone
    note: str = ""


class RateRow(NamedTuple):
    """One field and kind of difference; `money` says in a word that the field moves money."""

    key: str
    glyph: str
    tone: Tone
    path: str
    kind: str
    money: str
    rounds: str
    rate: str
    noise: str
    excess: str


class DivergenceRow(NamedTuple):
    """One round in which a shadow decided otherwise.

    Args:
        what: the field that matters most, how it differs, and how many more do.
        live, shadow: what either had there.
    """

    key: str
    glyph: str
    tone: Tone
    time: str
    what: str
    live: str
    shadow: str
    source: str
    reading: DivergenceReading


def shadow_rows(observation: Observation) -> tuple[ShadowRow, ...]:
    """Every shadow that reported, newest word first; then the files of divergences, where some are followed."""
    store, followed = observation.store, observation.divergences
    now = observation.now
    if store is not None:
        now = store.server_at + (observation.now - store.at)
    rows = [_row(report, now) for report in (store.shadows if store is not None else ())]
    return (*rows, _files_row(followed)) if followed is not None else tuple(rows)


def _row(report: ShadowReport, now: datetime) -> ShadowRow:
    reading = report.reading
    glyph, tone = _judged(reading.fields, reading.rounds)
    priced = reading.live_pnl is not None and reading.shadow_pnl is not None
    age_s = (now - report.at).total_seconds()
    late = age_s > SILENT_AFTER_S
    return ShadowRow(
        key=report.name,
        glyph=glyph,
        tone=tone,
        name=report.name,
        rounds=count_text(reading.rounds),
        diverged=_share(reading.diverged, reading.rounds),
        noise=_share(reading.noise_diverged, reading.noise_rounds),
        dropped=count_text(reading.dropped),
        timed_out=count_text(reading.timed_out),
        raised=count_text(reading.raised),
        intents=count_text(reading.intents),
        live=_priced(reading.live_pnl, report),
        shadow=_priced(reading.shadow_pnl, report),
        heard=f"▲ {age_text(age_s)}" if late else age_text(age_s),
        heard_tone=Tone.WARN if late else Tone.MUTED,
        note=_note(reading, str(report.currency), priced=priced),
    )


def _priced(pnl: Decimal | None, report: ShadowReport) -> str:
    return "" if pnl is None else f"{money_text(pnl)} {report.currency}".rstrip()


PAIRS_ALPHA: Final = 0.05
PAIRS_DUE: Final = 500.0


def pairs_text(sums: PairSums | None, currency: str) -> str:
    """What the shadow would have made of the same rounds beside what was made of them; empty without a bound."""
    if sums is None:
        return ""
    lower, upper = sums.bounds(PAIRS_ALPHA / 2.0, PAIRS_DUE)
    if not (isfinite(lower) and isfinite(upper)):
        return ""
    word = "the shadow earns less" if lower > 0.0 else "the shadow earns more" if upper < 0.0 else "no difference yet"
    per = f"{-upper:+.4g} to {-lower:+.4g} {currency}".rstrip()
    return f"{word}: {per} a round over {plural(sums.rounds, 'pair')}"


def _note(reading: ShadowReading, currency: str, *, priced: bool) -> str:
    sums, per_stake = judged(reading.pairs, reading.returned) if reading.pairs is not None else (None, False)
    told = pairs_text(sums, "of the usual stake" if per_stake else currency)
    notes = [told] if told else []
    notes += [] if reading.noise_rounds else ["noise not measured"]
    if not priced:
        notes.append("not priced")
    elif reading.unpriced:
        notes.append(f"{plural(reading.unpriced, 'round')} not priced")
    return ", ".join(notes)


def _files_row(followed: DivergenceLog) -> ShadowRow:
    glyph, tone = _judged(followed.fields, followed.total)
    broken = next((file for file in followed.files if file.problem), None)
    refused = sum(followed.rejected.values())
    notes = []
    if followed.hung is not None:
        name = followed.hung.path.rsplit("/", 1)[-1]
        notes.append(f"▲ {name}: its disk has not answered since {followed.hung.since:%H:%M:%S}")
    elif broken is not None:
        notes.append(f"▲ {broken.path.rsplit('/', 1)[-1]}: {broken.problem}")
    elif not followed.files:
        notes.append("▲ no file matches --divergences yet")
    notes.append(f"{plural(followed.total, 'record')}, {count_text(followed.diverged)} differ")
    if refused:
        reasons = ", ".join(f"{count_text(count)} {reason}" for reason, count in followed.rejected.items())
        notes.append(f"▲ {count_text(refused)} refused: {reasons}")
    wrong = refused or followed.hung is not None or broken is not None or not followed.files
    return ShadowRow(
        key=FILES,
        glyph="▲" if wrong and tone is not Tone.BAD else glyph,
        tone=Tone.WARN if wrong and tone is not Tone.BAD else tone,
        name="files",
        rounds=count_text(followed.total),
        diverged="",
        noise="",
        dropped="",
        timed_out="",
        raised="",
        intents="",
        live="",
        shadow="",
        heard="",
        heard_tone=Tone.MUTED,
        note="; ".join(notes),
    )


def _judged(fields: tuple[FieldRate, ...], rounds: int) -> tuple[str, Tone]:
    if not rounds:
        return "·", Tone.MUTED
    if any(rate.money and rate.excess for rate in fields):
        return "✖", Tone.BAD
    return ("▲", Tone.WARN) if any(rate.excess for rate in fields) else ("✔", Tone.GOOD)


def _share(part: int, whole: int) -> str:
    return percent_text(part / whole) if whole else "–"


def rate_rows(observation: Observation, key: str = "") -> tuple[RateRow, ...]:
    """What differs, by what the shadow adds to the noise.

    Args:
        observation: what was seen.
        key: of a shadow's row; without one, of the first.
    """
    store, followed = observation.store, observation.divergences
    shadows = store.shadows if store is not None else ()
    report = next((one for one in shadows if one.name == key), shadows[0] if shadows and not key else None)
    if report is not None:
        return tuple(_rate_row(rate) for rate in report.reading.fields)
    return tuple(_rate_row(rate) for rate in followed.fields) if followed is not None and key in ("", FILES) else ()


def _rate_row(rate: FieldRate) -> RateRow:
    glyph, tone = (
        ("✖", Tone.BAD) if rate.money and rate.excess else ("▲", Tone.WARN) if rate.excess else ("·", Tone.MUTED)
    )
    return RateRow(
        f"{rate.path} {rate.kind.value}",
        glyph,
        tone,
        rate.path or "the whole decision",
        rate.kind.value,
        "money" if rate.money else "",
        count_text(rate.rounds),
        percent_text(rate.rate),
        "–" if rate.noise is None else percent_text(rate.noise),
        percent_text(rate.excess),
    )


def divergences_of(observation: Observation) -> tuple[DivergenceReading, ...]:
    """From the store and from files, newest last; what can't be read comes first, since it says no time."""
    of_store = observation.store.divergences if observation.store is not None else ()
    of_files = observation.divergences.recent if observation.divergences is not None else ()
    return tuple(sorted((*of_store, *of_files), key=lambda one: (not one.problem, one.at)))


def divergence_rows(observation: Observation) -> tuple[DivergenceRow, ...]:
    """Newest last."""
    return tuple(_divergence_row(divergence, observation.now) for divergence in divergences_of(observation))


def _divergence_row(found: DivergenceReading, now: datetime) -> DivergenceRow:
    key, source = f"{found.source}/{found.key}", found.source.rsplit("/", 1)[-1]
    if found.problem:
        return DivergenceRow(key, "▲", Tone.WARN, "", f"can't be read: {found.problem}", "", "", source, found)
    at = time_text(found.at, now)
    if not found.mismatches:
        return DivergenceRow(key, "·", Tone.MUTED, at, "agrees", "", "", source, found)
    first = max(found.mismatches, key=lambda mismatch: mismatch.money)
    more = f" +{len(found.mismatches) - 1}" if len(found.mismatches) > 1 else ""
    glyph, tone = ("✖", Tone.BAD) if found.money else ("▲", Tone.WARN)
    what = f"{first.path or 'decision'}{more}"
    live, shadow = sides_of(first)
    return DivergenceRow(key, glyph, tone, at, what, live, shadow, source, found)


def sides_of(mismatch: Mismatch) -> tuple[str, str]:
    """What live and shadow had in a field; a dash where one of them had nothing."""
    if mismatch.kind is Kind.MISSING:
        return mismatch.live, "–"
    if mismatch.kind is Kind.EXTRA:
        return "–", mismatch.shadow
    return mismatch.live, mismatch.shadow


def shadow_lines(observation: Observation) -> list[str]:
    """Every shadow in a line without colour, for `status`."""
    lines = []
    for row in shadow_rows(observation):
        parts = [f"{row.glyph} {row.name}"]
        if row.key != FILES:
            parts.append(f"{row.rounds} rounds, {row.diverged} diverged, noise {row.noise}")
            parts.append(f"{row.dropped} dropped, {row.timed_out} timed out, {row.raised} raised")
        if row.live:
            parts.append(f"live {row.live}, shadow {row.shadow}")
        lines.append("   ".join(part for part in (*parts, row.note) if part))
    return lines
