"""The one rule: never in high volatility, in a dispute, around an auto-release, or in a venue's maintenance."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from console.domain.commitments.commitment import Kind, Owed
from console.domain.commitments.listing import Outstanding, merged
from console.domain.gates.fact import Fact, Lack, known
from console.domain.gates.facts import EscrowSeen, GateFacts
from console.domain.gates.gate import Asked, Judged, State, ago, closed, lacks, opened, unchecked, unknown
from console.domain.gates.rules import RELEASE_AFTER, RELEASE_BEFORE
from console.domain.gates.volatility import measured
from console.domain.text import clean
from console.domain.venue.terms import Payee


def volatility(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the market is calm. Configured and silent, in whatever way, counts as high."""
    fact, rules = facts.volatility, asked.rules.volatility
    if fact.value is None:
        if fact.lack is Lack.NOT_CHECKED:
            return lacks(fact)
        assert fact.lack is not None
        return closed(fact, f"counts as high: {fact.lack.value}: {fact.why}")
    seen = measured(fact.value.points, rules, prices=fact.value.prices)
    if seen is None:
        return closed(fact, f"counts as high: {len(fact.value.points)} points make no figure")
    age_s = (asked.now - seen.at).total_seconds()
    if not -rules.fresh_s <= age_s <= rules.fresh_s:
        where = "from the future" if age_s < 0 else "silent"
        return closed(fact, f"counts as high: {Lack.STALE.value}: {where}, the newest figure is {ago(abs(age_s))} off")
    high = seen.high(rules)
    usual = "no median yet" if seen.usual is None else f"median {seen.usual:.6g} of {seen.behind}"
    limit = "" if rules.limit is None else f", limit {rules.limit:.6g}"
    words = f"{seen.current:.6g}, {usual}, {ago(age_s)} ago{limit}"
    if high is None:
        need = f"{rules.windows} figures before the newest one are needed, or a limit"
        return closed(fact, f"counts as high: {words}; {need}")
    if seen.usual:
        words = f"{seen.current / seen.usual:.2f} times its median; {words}"
    return closed(fact, f"high: {words}") if high else opened(fact, words)


def disputes(facts: GateFacts, asked: Asked) -> Judged:
    """Whether anything is in dispute, by the commitments, the state file and the venue."""
    lack = _first_lack(facts)
    every = _escrows(facts)
    names = sorted({one.id for one in every if one.disputed} | set(_at_venue(facts)))
    fact: Fact[object] = facts.owed if facts.owed.value is not None else facts.state
    if names:
        return closed(fact, f"{len(names)} in dispute: {_some(names)}")
    if lack is not None:
        return lack
    if not every and not _told(facts):
        return unchecked(fact, "no escrow is recorded anywhere")
    return opened(fact, f"none of {len(every)} escrows is in dispute")


def auto_release(facts: GateFacts, asked: Asked) -> Judged:
    """Whether an escrow's money moves by itself about now: from 5 minutes ago to 30 minutes ahead."""
    fact: Fact[object] = facts.owed if facts.owed.value is not None else facts.state
    every = _escrows(facts)
    since, until = asked.now - RELEASE_AFTER, asked.now + RELEASE_BEFORE
    near = sorted((due, one.id) for one in every for due in one.dues if since <= due <= until)
    if near:
        due, first = near[0]
        s = (due - asked.now).total_seconds()
        when = f"in {ago(s)}" if s >= 0 else f"{ago(-s)} ago"
        count = len({name for _due, name in near})
        return closed(fact, f"{count} of {len(every)} escrows: {clean(first, 40)} is released {when}")
    lack = _first_lack(facts)
    if lack is not None:
        return lack
    dark = [one.id for one in every if not one.dues and not one.disputed]
    if dark:
        return unknown(fact, f"{Lack.MISSING.value}: when {_some(dark)} is released is not recorded")
    if not every and not _told(facts):
        return unchecked(fact, "no escrow is recorded anywhere")
    ahead = [due for one in every for due in one.dues if due > asked.now]
    next_one = f", the next in {ago((min(ahead) - asked.now).total_seconds())}" if ahead else ""
    return opened(fact, f"none of {len(every)} escrows within 30 min{next_one}")


def escrows(facts: GateFacts, asked: Asked) -> Judged:
    """Whether every active escrow is listed with its time-out, and none is overdue."""
    fact: Fact[object] = facts.owed if facts.owed.value is not None else facts.state
    lack = _first_lack(facts)
    if lack is not None:
        return lack
    every = _escrows(facts)
    if not every and not _told(facts):
        return unchecked(fact, "no escrow is recorded anywhere")
    dark = [one.id for one in every if not one.dues and not one.disputed]
    since = asked.now - RELEASE_AFTER
    late = [one.id for one in every if one.dues and max(one.dues) < since]
    if apart := [f"{clean(row.thing.id, 40)} {row.apart[0]}" for row in _apart(facts, asked)]:
        more = f" and {len(apart) - 3} more" if len(apart) > 3 else ""
        return closed(facts.venue.things or fact, f"{'; '.join(apart[:3])}{more}")
    if dark:
        return closed(fact, f"{len(dark)} of {len(every)} without a time-out: {_some(dark)}")
    if late:
        return closed(fact, f"{len(late)} of {len(every)} overdue: {_some(late)}")
    return opened(fact, f"{len(every)} listed, each with its time-out")


def payee(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the venue of every active escrow says who is paid at its time-out, and who said so."""
    told = facts.venue.terms
    every = _escrows(facts)
    if told is None or (told.value is None and told.lack is Lack.NOT_CHECKED):
        nothing: Fact[object] = told or known("venue", asked.now, ())
        return unchecked(nothing, "no venue's document is known" if every else "no escrow is recorded anywhere")
    if told.value is None:
        return lacks(told)
    names = _some([one.id for one in every])
    unset = [one for one in told.value if one.payee is Payee.UNSET]
    if every and unset:
        return closed(told, f"of {len(every)} escrows {unset[0].words()}: {names}")
    if every and len({one.payee for one in told.value}) > 1:
        return closed(told, f"two documents differ: {'; '.join(str(one.words()) for one in told.value)}")
    if (lack := _first_lack(facts)) is not None:
        return lack
    if not every:
        return (
            opened(told, "no escrow is active") if _told(facts) else unchecked(told, "no escrow is recorded anywhere")
        )
    return opened(told, f"{len(every)} escrows: {told.value[0].words()}")


def maintenance(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the venue is, or within 30 minutes will be, in a maintenance that was announced."""
    told = facts.venue.maintenance
    fact: Fact[object] = told if told is not None else known("settings", asked.now, ())
    windows = asked.rules.maintenance + (told.value or () if told is not None else ())
    for window in windows:
        if window.begins - timedelta(minutes=30) <= asked.now < window.ends:
            s = (window.begins - asked.now).total_seconds()
            when = f"begins in {ago(s)}" if s > 0 else f"until {window.ends:%Y-%m-%d %H:%M}Z"
            return closed(fact, f"{when} {clean(window.words, 80)}".rstrip())
    if told is not None and told.value is None:
        return lacks(told)
    if not windows and told is None:
        return unchecked(fact, "no window is configured, and the venue is not asked")
    return opened(fact, f"none of {len(windows)} windows is near")


def with_escrows(facts: GateFacts) -> GateFacts:
    """The facts with every escrow put together: of ten thousand that takes its time, and four items go by it."""
    return facts._replace(escrows=_escrows(facts))


def _escrows(facts: GateFacts) -> tuple[EscrowSeen, ...]:
    """Every escrow that commitments, the state file or the venue name; what each knows of it is put together."""
    if facts.escrows is not None:
        return facts.escrows
    by_id = {
        owed.id: EscrowSeen(owed.id, _dues(owed.commitment.due), in_dispute(owed))
        for owed in facts.owed.value or ()
        if owed.commitment.kind is Kind.ESCROW
    }
    state, venue = facts.state.value, facts.venue.things
    there = venue.value.things if venue is not None and venue.value is not None else ()
    ours = state.listing(facts.state.source).things if state is not None else ()
    for one in (thing for thing in (*ours, *there) if thing.kind is Kind.ESCROW):
        seen = by_id.get(one.id, EscrowSeen(one.id))
        by_id[one.id] = EscrowSeen(one.id, seen.dues | _dues(one.due), seen.disputed or one.disputed)
    return tuple(by_id.values())


def _dues(due: datetime | None) -> frozenset[datetime]:
    return frozenset() if due is None else frozenset({due})


def _apart(facts: GateFacts, asked: Asked) -> list[Outstanding]:
    """Escrows that stand otherwise at the venue than on our lists."""
    venue, state = facts.venue.things, facts.state
    if venue is None or venue.value is None:
        return []
    places = [venue.value] + ([state.value.listing(state.source)] if state.value is not None else [])
    rows = merged(facts.owed.value or (), asked.now, places)
    return [row for row in rows if row.thing.kind is Kind.ESCROW and row.apart]


def in_dispute(owed: Owed) -> bool:
    """Whether its author wrote down that it is in dispute: a detail in JSON with a status or a time of it."""
    text = owed.commitment.detail
    if "\\" not in text and "disputed" not in text.lower():
        return False  # none of the names below can stand in it: of thousands only a few are read as JSON
    try:
        detail = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(detail, dict):
        return False
    told = detail.get("disputed_at") or detail.get("disputed")
    return bool(told) or str(detail.get("status", "")).lower() == "disputed"


def _at_venue(facts: GateFacts) -> tuple[str, ...]:
    told = facts.venue.disputes
    return told.value if told is not None and told.value is not None else ()


def _told(facts: GateFacts) -> bool:
    """Whether anybody who keeps escrows says that there is none."""
    venue = facts.venue.things
    return (
        bool(facts.owed.value)
        or (facts.state.value is not None and facts.state.value.escrows is not None)
        or (venue is not None and venue.value is not None and Kind.ESCROW in venue.value.whole)
    )


def _first_lack(facts: GateFacts) -> Judged | None:
    """A list of escrows that should be there and is not; one that nobody configured is none."""
    venue = facts.venue
    for fact in (facts.owed, facts.state, *(one for one in (venue.disputes, venue.things) if one is not None)):
        if fact.value is None and fact.lack is not Lack.NOT_CHECKED:
            judged = lacks(fact)
            assert judged.state is State.UNKNOWN
            return judged
    for listing in (facts.state.value, venue.things.value if venue.things is not None else None):
        gap = next((one for one in listing.unread if Kind.ESCROW in one.kinds), None) if listing is not None else None
        if gap is not None:
            fact = facts.state if listing is facts.state.value else venue.things or facts.state
            return unknown(fact, f"{Lack.ERROR.value}: {clean(gap.what, 60)}: {clean(gap.why, 100)}")
    return None


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(str(clean(name, 40)) for name in names[:3]) + more
