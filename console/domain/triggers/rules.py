"""The seven rules: facts, what is remembered of earlier looks, settings and `now` in; findings out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from console.domain.triggers.events import SAMPLES, Events
from console.domain.triggers.facts import Facts, Source
from console.domain.triggers.finding import Arming, Finding, Response, Trigger, Verdict
from console.domain.triggers.look import LONGEST_S, Assessment, Figures, Look, Memory
from console.domain.triggers.pnl import (
    PnlView,
    comparable,
    judge_holdback,
    judge_pairs,
    judge_pnl,
    sigmas,
    with_oddities,
)
from console.domain.triggers.settings import TriggerSettings

AGES_S: Final = 1.0
"""The same where ages are shown that grow."""
PAIRS_AGE_S: Final = 30.0
"""What a shadow said longer ago says nothing of now: then the baseline is all there is."""
USUAL_GAPS: Final = 20.0
"""An agent is silent when nothing came for so many times its usual pause."""


def assess(facts: Facts, source: Source, memory: Memory, settings: TriggerSettings, now: datetime) -> Assessment:
    """Look at everything once.

    Args:
        facts: what is known; not changed.
        source: how it arrives.
        memory: of the look before.
        settings: thresholds and arming.
        now: aware UTC.
    """
    if facts.tenure is None:
        return Assessment(now, (), Memory(), holds_s=LONGEST_S)
    look = Look(facts, settings, now, memory)
    blind, blind_since, patience_s = _blind(look, source)
    slow, slow_since = _latency(look)
    pnl, band = _pnl(look)
    judged = (
        _events(look, Trigger.EXCEPTION, facts.exceptions, "unhandled exception"),
        _events(look, Trigger.AUTH, facts.refusals, "the venue refused our credentials"),
        _spend(look),
        pnl,
        slow,
        _escrow(look, source),
        band,
    )
    findings = tuple(_final(look, finding, blind, source) for finding in judged)
    calm = not (blind or slow_since or any(finding.response is not Response.CONTINUE for finding in findings))
    next_s = min((finding.next_check_s for finding in findings if finding.next_check_s > 0.0), default=LONGEST_S)
    most_s = AGES_S if facts.escrows.looks or facts.watch_list else LONGEST_S
    holds_s = max(0.0, min(patience_s, next_s, most_s)) if calm else 0.0
    return Assessment(now, findings, Memory(slow_since, blind_since), facts.tenure.slot, holds_s)


def _final(look: Look, finding: Finding, blind: Finding | None, source: Source) -> Finding:
    """A trigger that is off is not looked at; one without a source says so; a blind one knows nothing but harm."""
    if finding.arming is Arming.OFF:
        return Finding(finding.trigger, Verdict.UNDECIDED, Arming.OFF, Response.CONTINUE, "off", look.now)
    if not source.configured and not look.facts.decisions:
        why = "off: no decision log is followed"
        return Finding(finding.trigger, Verdict.UNDECIDED, Arming.OFF, Response.CONTINUE, why, look.now)
    if blind is None or finding.verdict is Verdict.HARM or finding.trigger is Trigger.BAND:
        return finding
    return blind._replace(trigger=finding.trigger, arming=finding.arming)


def _blind(look: Look, source: Source) -> tuple[Finding | None, datetime | None, float]:
    """Whether the facts are there at all: an unreadable log, a side that never spoke, one that fell silent.

    A log that is missing for a moment, or not there yet, has the patience that silence has. One that never could be
    read says nothing of the agent: that is told, and nobody is frozen for it.

    Returns:
        What is found, since when it is so, and, where it is not, for how many seconds more.
    """
    facts, settings, now = look.facts, look.settings, look.now
    if not source.configured or facts.tenure is None:
        return None, None, LONGEST_S
    begin = max(facts.tenure.at, source.watched_since)
    usual_s = facts.baseline.gap_s if facts.baseline else 0.0
    patience_s = max(settings.stale_s, USUAL_GAPS * usual_s)
    last_s = max(facts.now.last_s, source.alive_at.timestamp() if source.alive_at else 0.0)
    silent_s = now.timestamp() - max(last_s, begin.timestamp())
    unread_s = 0.0
    if source.problem:
        unread_since = source.problem_since.timestamp() if source.problem_since else facts.now.last_s
        unread_s = now.timestamp() - max(unread_since, begin.timestamp())
    if max(silent_s, unread_s) <= patience_s:
        return None, None, patience_s - max(silent_s, unread_s)
    if source.problem and (source.barred or (source.unseen and silent_s <= patience_s)):
        why = f"this guard never could read the decision log: {source.problem}; it sees nothing that goes wrong"
        return look.say(Trigger.EXCEPTION, Verdict.ERROR, Response.ALERT, why, Figures(unread_s, unit="s")), None, 0.0
    if source.problem:
        verdict, why, silent_s = Verdict.ERROR, f"the decision log can't be read: {source.problem}", unread_s
    elif not facts.now.count:
        verdict, why = Verdict.MISSING, f"no decision of {facts.tenure.slot} since it became active"
    else:
        verdict, why = Verdict.STALE, f"no decision of {facts.tenure.slot} for {silent_s:.0f} s"
    since = look.memory.blind_since or now
    lasted_s = (now - since).total_seconds()
    left_s = settings.deadline_s - lasted_s
    if left_s <= 0.0:
        response, why = Response.ROLL_BACK, f"{why}; the deadline has passed"
    else:
        response, why = Response.FREEZE, f"{why}; rolls back in {left_s:.0f} s"
    figures = Figures(max(silent_s, lasted_s), settings.deadline_s, "s", facts.now.count, next_check_s=max(0.0, left_s))
    return look.say(Trigger.EXCEPTION, verdict, response, why, figures), since, 0.0


def _events(look: Look, trigger: Trigger, events: Events, what: str) -> Finding:
    """Something that is harm by happening once: acted on while it is news, reported when it is not."""
    if not events.count:
        return look.say(trigger, Verdict.SAFE, Response.CONTINUE, "none", Figures(0.0, 1.0))
    last = events.newest[-1]
    age_s = look.now.timestamp() - last.at_s
    samples = tuple(event.id for event in events.newest)
    figures = Figures(float(events.count), 1.0, n=events.count, samples=samples)
    reason = f"{what}: {last.text}" if last.text else what
    if age_s <= look.settings.news_s:
        return look.say(trigger, Verdict.HARM, Response.ROLL_BACK, reason, figures)
    reason = f"{reason}; {age_s:.0f} s old, so not acted on"
    return look.say(trigger, Verdict.UNDECIDED, Response.ALERT, reason, figures)


def _spend(look: Look) -> Finding:
    """The same key twice, else the same content, else parts of an order that nothing tells apart: those only alert."""
    facts, trigger, how = look.facts, Trigger.DOUBLE_SPEND, look.settings.spend_content
    by_key = _events(look, trigger, facts.spends, "double spend by key")
    if by_key.verdict is Verdict.HARM:
        return by_key
    by_content = by_key
    if how is not Arming.OFF and facts.lookalikes.count:
        by_content = _events(look, trigger, facts.lookalikes, "the same action twice")
        if how is Arming.DRY:
            by_content = _only_told(by_content)
    if by_content.verdict is not Verdict.SAFE or not facts.fills.count:
        return by_content
    return _only_told(_events(look, trigger, facts.fills, "two fills of one order that nothing tells apart"))


def _only_told(finding: Finding) -> Finding:
    """The same, but nothing more than an alert."""
    if finding.verdict is not Verdict.HARM:
        return finding
    return finding._replace(verdict=Verdict.UNDECIDED, response=Response.ALERT)


def _pnl(look: Look) -> tuple[Finding, Finding]:
    facts, settings = look.facts, look.settings
    pairs = facts.pairs
    if pairs is not None and abs((look.now - pairs.at).total_seconds()) <= PAIRS_AGE_S and pairs.sums.rounds:
        window = facts.now.pnl.get(pairs.currency)
        view = judge_pairs(pairs, window, settings)
        if window is not None:
            view = with_oddities(view, pairs.currency, window, settings, look.now.timestamp())
        samples = window.samples if window is not None else ()
        figures = Figures(view.value, view.threshold, view.unit, view.n, samples)
        found = look.say(Trigger.PNL, view.verdict, view.response, view.reason, figures)
        nothing = (Verdict.UNDECIDED, Response.CONTINUE, "judged by pairs")
        return found, (
            _band(look, pairs.currency) if window else look.say(Trigger.BAND, *nothing, Figures(threshold=1.0))
        )
    views: list[tuple[str, PnlView]] = []
    for currency, window in facts.now.pnl.items():
        before = facts.baseline.pnl.get(currency) if facts.baseline else None
        count = len(facts.now.pnl)
        held = judge_holdback(currency, window, facts.beside.pnl.get(currency), settings, count)
        view = held or judge_pnl(currency, window, before, settings, count)
        if held is None and facts.baseline:
            view = view._replace(reason=f"{view.reason} (against {facts.baseline.version})")
        views.append((currency, with_oddities(view, currency, window, settings, look.now.timestamp())))
    if not views:
        nothing = (Verdict.UNDECIDED, Response.CONTINUE, "no round with a PnL yet")
        pnl = look.say(Trigger.PNL, *nothing, Figures(threshold=-settings.pnl_sigmas))
        return pnl, look.say(Trigger.BAND, *nothing, Figures(threshold=1.0))
    currency, view = max(views, key=lambda item: (item[1].response.rank, item[1].verdict.rank, -(item[1].value or 0)))
    figures = Figures(view.value, view.threshold, view.unit, view.n, facts.now.pnl[currency].samples)
    pnl = look.say(Trigger.PNL, view.verdict, view.response, view.reason, figures)
    return pnl, _band(look, currency)


def _band(look: Look, currency: str) -> Finding:
    """Within one standard deviation of a round from the baseline: continue, and say so."""
    window = look.facts.now.pnl[currency]
    before = look.facts.baseline.pnl.get(currency) if look.facts.baseline else None
    n = window.money.moments.count
    if before is None or before.rounds < 2 or n < look.settings.pnl_rounds:
        too_little = Figures(threshold=1.0, n=n)
        return look.say(Trigger.BAND, Verdict.UNDECIDED, Response.CONTINUE, "not enough data", too_little)
    rounds, past = comparable(window, before)
    z = sigmas(rounds, past)
    away = (rounds.recent.mean - past.mean) / past.deviation if past.deviation else None
    inside = abs(away) <= 1.0 if away is not None else z == 0.0
    verdict = Verdict.SAFE if inside else Verdict.UNDECIDED
    reason = f"{'within' if inside else 'outside'} one standard deviation of the baseline"
    return look.say(Trigger.BAND, verdict, Response.CONTINUE, reason, Figures(away, 1.0, "sd", n))


def _latency(look: Look) -> tuple[Finding, datetime | None]:
    facts, settings = look.facts, look.settings
    recent = sorted(facts.now.recent_ms.since(look.now.timestamp() - settings.latency_window_s))
    before = facts.baseline.median_ms if facts.baseline else None
    n = len(recent)
    if not before:
        figures = Figures(unit="ms", n=n)
        return look.say(Trigger.LATENCY, Verdict.UNDECIDED, Response.CONTINUE, "no baseline", figures), None
    limit = max(before * settings.latency_factor, settings.latency_floor_ms)
    verdict, response = Verdict.UNDECIDED, Response.CONTINUE
    since, left_s, middle = None, 0.0, None
    if n < settings.latency_rounds:
        reason = f"not enough data: {n} of {settings.latency_rounds} decisions"
        since = look.memory.slow_since if n else None  # slow and then too rare to measure is not quick
    else:
        middle = recent[n // 2]
        reason = f"median {middle:.4g} ms"
        if middle <= limit:
            verdict = Verdict.SAFE
        else:
            since = look.memory.slow_since or look.now
            left_s = max(0.0, settings.latency_persist_s - (look.now - since).total_seconds())
            reason += f", more than {settings.latency_factor:g} times {before:.4g}"
            reason += f" and than {settings.latency_floor_ms:g}" if limit > before * settings.latency_factor else ""
            if left_s:
                response, reason = Response.ALERT, f"{reason}; rolls back in {left_s:.0f} s if it lasts"
            else:
                verdict, response = Verdict.HARM, Response.ROLL_BACK
                reason += f", for {settings.latency_persist_s:.0f} s"
    figures = Figures(middle, limit, "ms", n, next_check_s=left_s)
    return look.say(Trigger.LATENCY, verdict, response, reason, figures), since


def _escrow(look: Look, source: Source) -> Finding:
    facts, limit_s = look.facts, look.settings.escrow_gap_s
    watch_list = facts.watch_list
    if not facts.escrows.looks and not watch_list:
        return look.say(Trigger.ESCROW, Verdict.SAFE, Response.CONTINUE, "no escrow is watched", Figures(unit="s"))
    # Counted from where we could have seen a look at the earliest: who starts late has not seen a gap.
    since = max(facts.tenure.at, source.watched_since) if facts.tenure else source.watched_since
    looks = {str(name): max(at, since) for name, at in facts.looks().items()}
    missing: list[str] = []
    if watch_list is not None:
        # What the active side looked at itself and then took off its list has ended; what it never took over has not.
        begun_s = facts.tenure.at.timestamp() if facts.tenure else 0.0
        missing = sorted(
            str(name) for name, at_s in facts.escrows.looks.items() if at_s < begun_s and name not in watch_list
        )
        looks = {name: at for name, at in looks.items() if name in watch_list or name in missing}
        looks = {**{name: since for name in watch_list if name not in facts.escrows.over}, **looks}
    ages = {name: (look.now - at).total_seconds() for name, at in looks.items()}
    oldest_s = max(ages.values(), default=0.0)
    overdue = sorted((name for name, age_s in ages.items() if age_s > limit_s), key=lambda name: -ages[name])
    if overdue or missing:
        what = f"nobody looked at {overdue[0]} for {oldest_s:.0f} s" if overdue else ""
        gone = f"{missing[0]} is not on the active side's list" if missing else ""
        reason = "; ".join(part for part in (what, gone, "audit the escrows") if part)
        figures = Figures(oldest_s, limit_s, "s", len(looks), tuple([*overdue, *missing][:SAMPLES]))
        return look.say(Trigger.ESCROW, Verdict.HARM, Response.ROLL_BACK, reason, figures)
    figures = Figures(oldest_s, limit_s, "s", len(looks), next_check_s=limit_s - oldest_s)
    return look.say(Trigger.ESCROW, Verdict.SAFE, Response.CONTINUE, f"{len(looks)} watched", figures)
