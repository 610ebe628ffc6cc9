"""What is well, what is not, and what to do about it: one line for each thing that is checked, in a fixed order."""

from __future__ import annotations

from typing import Final

from console.domain.fence.deployment import ActiveState, Authority, Deployment, Phase, Slot
from console.domain.seen.decision import Rejection
from console.domain.seen.observation import LogReading, Observation, StoreReading, Walk
from console.views.check import Check as Check
from console.views.cover import logs_since, since_text
from console.views.fence.alarm import SILENT_AFTER_S, alarm, last_decision_s
from console.views.fence.instances import acknowledgement, beat_age_s, names_text
from console.views.fence.link import link_view, stale_words, store_age_s
from console.views.format import age_text, count_text, money_text, plural, time_text
from console.views.guard.guards import NO_SICKNESS, guard_checks
from console.views.looking import is_past
from console.views.outside import event_of, moved_text, unanswered
from console.views.tone import Tone, worst

_LATE_LOG_S: Final = 5.0
_FUTURE_S: Final = 5.0
_CLOCK_S: Final = 5.0
"""Clocks that differ by less are called right."""
MEMORY_HINT = "Archive the streams (`agent-console archive`, or the guard's [archive]), or raise maxmemory."
WRITES_HINT: Final = (
    "`agent-console doctor` says what to do. Agents stop by their halt file, or by ending their processes."
)


def health_view(observation: Observation) -> tuple[Check, ...]:
    """Every check, in the order in which an operator would ask."""
    deployment = observation.store.deployment if observation.store else None
    if is_past(observation):
        return (
            *_kept(observation),
            _active_key(observation, deployment),
            _log_files(observation),
            _log_lines(observation.logs),
            *_unplaced(observation.logs),
            _flags(observation),
            _doubt(deployment),
        )
    return (
        _store(observation),
        *(_aged(observation, check) for check in _data(observation)),
        *(_aged(observation, check) for check in _trip(observation)),
        _aged(observation, _active_key(observation, deployment)),
        _aged(observation, _active_agent(observation, deployment)),
        _aged(observation, _standby(observation, deployment)),
        *(_aged(observation, check) for check in guard_checks(observation)),
        _log_files(observation),
        _log_lines(observation.logs),
        *_unplaced(observation.logs),
        _aged(observation, _flags(observation)),
        _aged(observation, _doubt(deployment)),
    )


def _kept(observation: Observation) -> tuple[Check, ...]:
    """What of a moment that is over nobody kept, a line each."""
    missing = observation.looking.missing if observation.looking is not None else ()
    return tuple(Check("not kept", Tone.MUTED, text) for text in missing)


def _aged(observation: Observation, check: Check) -> Check:
    """A check that rests on the store: while there is no connection it is a memory, and not well."""
    if observation.store is None or link_view(observation).fresh:
        return check
    tone = Tone.STALE if check.tone is Tone.GOOD else check.tone
    return Check(check.name, tone, f"{stale_words(observation)}: {check.text}")


def is_healthy(checks: tuple[Check, ...]) -> bool:
    """Whether nothing is wrong, and nothing may be: what `status` ends with, and what its document says."""
    return all(check.tone not in (Tone.WARN, Tone.BAD) for check in checks if check.name not in NO_SICKNESS)


def overall(checks: tuple[Check, ...]) -> Tone:
    """The worst of them."""
    return worst([check.tone for check in checks])


def _data(observation: Observation) -> tuple[Check, ...]:
    """What the store has lost, holds wrong, or was told too late; nothing where nothing of that kind is known."""
    store = observation.store
    if store is None:
        return ()
    checks = []
    if store.damage:
        more = f" (and {len(store.damage) - 1} more)" if len(store.damage) > 1 else ""
        checks.append(
            Check("data", Tone.BAD, f"{store.damage[0]}{more}", "H halts, in any state; then look at the store's data.")
        )
    if store.refuses:
        text = f"takes no writes: nothing can be commanded, agents claim nothing ({store.refuses})"
        checks.append(Check("writes", Tone.BAD, text, WRITES_HINT))
    if store.unfit and store.deployment.instances:
        text = f"not fit for money: {store.unfit}; nothing is claimed"
        checks.append(Check("server", Tone.BAD, text, "`agent-console doctor` says what to do."))
    if store.fills:
        text = f"nearly full ({store.fills}): at its limit new claims are refused; results, switches and halts are not"
        checks.append(Check("memory", Tone.WARN, text, MEMORY_HINT))
    unread = [entry.problem for entry in store.audit if entry.problem and not entry.stream_id]
    if unread:
        checks.append(Check("read", Tone.WARN, "; ".join(unread), "What is not read is shown nowhere else either."))
    ahead_s = (store.at - store.server_at).total_seconds()
    if abs(ahead_s) > _CLOCK_S:
        text = f"this machine's is {age_text(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} the store's"
        checks.append(
            Check("clock", Tone.WARN, text, "One of the two is wrong: ages and times of day are off by that.")
        )
    authority = store.deployment.authority
    if authority is not None and authority.late:
        text = f"{plural(authority.late, 'report')} came late: executed perhaps twice, or taken for not executed"
        checks.append(Check("late", Tone.BAD, text, "Reconcile these keys at the venue: 5 names them."))
    return tuple(checks)


def _store(observation: Observation) -> Check:
    link, age_s = link_view(observation), store_age_s(observation)
    if link.fresh and observation.store is not None:
        place = f", {observation.store.place}" if observation.store.place else ""
        return Check("store", Tone.GOOD, f"{observation.store.server or 'answers'}{place}")
    if observation.link.replica:
        what = f"{observation.link.error} Nothing was read for {age_text(age_s or 0.0)}."
        return Check("store", Tone.BAD, what, "It is tried again by itself; attach to the primary.")
    error = f": {observation.link.error}" if observation.link.error else ""
    if age_s is None:
        waiting = "connecting" if not error else f"no answer yet{error}"
        return Check("store", Tone.WARN, waiting, "Nothing is known of the deployment until it answers.")
    return Check(
        "store",
        Tone.BAD,
        f"no answer for {age_text(age_s)}{error}",
        "What is shown is old. It is tried again by itself.",
    )


def _trip(observation: Observation) -> tuple[Check, ...]:
    """What moved the active side last, if that was no operator: it is said until an operator's next switch."""
    entry = unanswered(observation)
    if entry is None:
        return ()
    event = event_of(entry)
    assert event is not None
    what = f"{time_text(entry.at, observation.now)} {event.said}, {moved_text(entry)}"
    return (Check(event.check, event.tone, what, event.hint),)


def _drain(observation: Observation, authority: Authority) -> Check:
    """How a drain stands, and what ends it: one whose deadline is over waits for whoever looks next."""
    target = authority.target.value if authority.target else "nobody"
    left_s = authority.deadline_ms / 1000 - (observation.store.server_at.timestamp() if observation.store else 0.0)
    waits = f"{authority.in_flight} in flight" if authority.in_flight else "plain agents have to read the key"
    if left_s <= 0:
        text = f"draining to {target}, overdue: nobody has ended it, nobody acts"
        return Check("active", Tone.BAD, text, "`status --repair`, a guard, or this console ends it.")
    ends = f"It ends in {age_text(left_s)} at the latest; what is in flight then is in doubt."
    return Check("active", Tone.WARN, f"draining to {target}: {waits}, nobody acts", ends)


def _active_key(observation: Observation, deployment: Deployment | None) -> Check:
    if deployment is None:
        return Check("active", Tone.MUTED, "not known")
    key, authority = deployment.active, deployment.authority
    if key.state is ActiveState.MISSING:
        return Check("active", Tone.WARN, "no active version was ever set; both stand by", "s switches one on.")
    if key.state is ActiveState.WRONG_TYPE:
        return Check("active", Tone.BAD, f"the key holds a {key.raw}, not text; nobody acts", "s replaces it.")
    if key.state is ActiveState.UNKNOWN:
        return Check(
            "active", Tone.BAD, f"the key says “{key.raw[:40]}”, which is no slot; nobody acts", "s puts it right."
        )
    if deployment.written_from_outside:
        told = authority.active.value if authority and authority.active else authority.phase.value if authority else ""
        return Check(
            "active", Tone.WARN, f"written from outside: {key.raw}, the authority says {told}", "s or R puts it right."
        )
    if authority is None:
        return Check("active", Tone.GOOD, f"{key.raw}, by the plain key alone")
    if authority.phase is Phase.HALT:
        return Check("active", Tone.BAD, "halted; nobody acts until you say so", "H resumes.")
    if authority.phase is Phase.DRAIN:
        return _drain(observation, authority)
    agrees = "" if is_past(observation) else "; the plain key agrees"  # what a hand wrote there is not kept
    return Check("active", Tone.GOOD, f"{key.raw}, epoch {count_text(authority.generation)}{agrees}")


def _active_agent(observation: Observation, deployment: Deployment | None) -> Check:
    slot = deployment.active.slot if deployment else None
    if slot is None:
        return Check("agent", Tone.MUTED, "nobody is active")
    if (wrong := alarm(observation)) is not None and (wrong.tone is Tone.BAD or wrong.word.startswith("CANARY")):
        return Check("agent", wrong.tone, wrong.text, wrong.hint)
    if (waiting := _unheard(observation, slot, "agent")) is not None:
        return waiting
    age_s, logs = last_decision_s(observation, slot), observation.logs
    if age_s is None:
        hint = "The log can't be read: see below." if logs and unread(logs) else "Is the agent running?"
        return Check("agent", Tone.WARN, f"{slot.value} is active; no decision of it was seen", hint)
    if wrong is not None:
        return Check("agent", wrong.tone, wrong.text, wrong.hint)
    return Check("agent", Tone.GOOD, f"{slot.value} decided in the last {SILENT_AFTER_S:.0f} s")


def _unheard(observation: Observation, slot: Slot, name: str) -> Check | None:
    """Fenced instances of a slot that have not acknowledged or are silent, by name; None where there is none."""
    store = observation.store
    told = acknowledgement(store, slot) if store else None
    if store is None or told is None:
        return None
    if told.missing:
        have = told.expected - len(told.missing)
        verb = "has" if len(told.missing) == 1 else "have"
        return Check(
            name,
            Tone.WARN,
            f"{names_text(told.missing)} {verb} not acknowledged; {have} of {told.expected} did",
            "It can't act until then. Is it stuck?",
        )
    if told.silent:
        age_s = max(beat_age_s(store, one) for one in told.silent)
        return Check(
            name, Tone.WARN, f"{names_text(told.silent)}: no heartbeat for {age_text(age_s)}", "Is the agent running?"
        )
    return None


def _standby(observation: Observation, deployment: Deployment | None) -> Check:
    slot = deployment.active.slot if deployment else None
    if slot is None:
        return Check("standby", Tone.MUTED, "not known")
    other = slot.other
    if (waiting := _unheard(observation, other, "standby")) is not None:
        return waiting
    reading = observation.logs.by_slot.get(other.value) if observation.logs else None
    if reading is None or not reading.decisions:
        return Check("standby", Tone.MUTED, f"{other.value}: nothing seen")
    if reading.rate_per_s > 0:
        return Check("standby", Tone.MUTED, f"{other.value} logs decisions as well")
    age_s = last_decision_s(observation, other)
    return Check("standby", Tone.GOOD, f"{other.value} is quiet for {age_text(age_s or 0.0)}")


def _log_files(observation: Observation) -> Check:
    logs = observation.logs
    if logs is None:
        return Check("log", Tone.MUTED, "none is followed", "Start with --decisions PATH.")
    if logs.hung is not None:
        folder, _, name = logs.hung.path.rpartition("/")
        waits = age_text((observation.now - logs.hung.since).total_seconds())
        hint = f"Its disk hangs; look at {folder or 'its mount'}. No log is read until it answers."
        return Check("log", Tone.BAD, f"{name}: has not answered for {waits}", hint)
    if not logs.files:
        return Check("log", Tone.WARN, "no file matches --decisions yet", "It is looked for every second.")
    broken = [file for file in logs.files if file.problem]
    if broken:
        folder, _, name = broken[0].path.rpartition("/")
        others = len(broken) - 1
        more = f"; {plural(others, 'other')} can't be read either" if others else ""
        return Check("log", Tone.BAD, f"{name}: {broken[0].problem}{more}", f"It stands in {folder}." if folder else "")
    age_s = (observation.now - logs.at).total_seconds()
    if age_s > _LATE_LOG_S:
        return Check("log", Tone.WARN, f"not looked at for {age_text(age_s)}")
    ahead = [d for d in logs.recent if d.future_s > _FUTURE_S]
    if ahead:
        return Check(
            "log",
            Tone.WARN,
            f"{plural(len(ahead), 'record')} from the future, by up to {age_text(max(d.future_s for d in ahead))}",
        )
    name = logs.files[0].path.rsplit("/", 1)[-1] if len(logs.files) == 1 else plural(len(logs.files), "file")
    if not logs.total:  # nothing read is nothing known
        refused = sum(logs.rejected.values())
        return Check(
            "log", Tone.WARN if refused else Tone.MUTED, f"{name} · nothing could be read" if refused else name
        )
    since = f" {since_text(logs_since(logs), observation.now)}" if logs.skipped_bytes else ""
    return Check("log", Tone.GOOD, f"{name} · {plural(logs.total, 'line')}{since}")


_TIMESTAMP = "A timestamp is seconds, ms, µs or ns since 1970, or ISO 8601."


def _log_lines(logs: LogReading | None) -> Check:
    if logs and logs.never:
        name, count = max(logs.never.items(), key=lambda item: item[1])
        others = f"; {plural(len(logs.never) - 1, 'other path')} too" if len(logs.never) > 1 else ""
        hint = "`agent-console logs check FILE` says what the mapping reads, line by line."
        return Check("lines", Tone.WARN, f"{name}: never there, in {plural(count, 'record')}{others}", hint)
    rejected = {reason: count for reason, count in logs.rejected.items() if count} if logs else {}
    if not rejected:
        return Check("lines", Tone.GOOD if logs and logs.total else Tone.MUTED, "none refused")
    reasons = ", ".join(
        f"{count_text(n)} {reason}" for reason, n in sorted(rejected.items(), key=lambda item: -item[1])
    )
    hint = (
        "A timestamp is seconds, ms, µs or ns since 1970, or ISO 8601." if Rejection.BAD_TIMESTAMP in rejected else ""
    )
    return Check("lines", Tone.WARN, f"{count_text(sum(rejected.values()))} refused: {reasons}", hint)


def _unplaced(logs: LogReading | None) -> tuple[Check, ...]:
    """Lines that count nowhere, with their money; nothing where every line belongs to a slot."""
    unplaced = logs.unplaced if logs else None
    if logs is None or unplaced is None:
        return ()
    rounds = sum(total.rounds for total in unplaced.pnl)
    of = rounds + sum(total.rounds for reading in logs.by_slot.values() for total in reading.pnl)
    what = f"{count_text(rounds)} of {plural(of, 'round')}" if rounds else plural(unplaced.decisions, "decision")
    money = ", ".join(
        f"{money_text(total.total)} {total.currency or '(no currency)'}{' (dry)' if total.dry else ''}"
        for total in unplaced.pnl
    )
    verb = "belongs" if (rounds if rounds else unplaced.decisions) == 1 else "belong"
    text = f"{what} {verb} to no slot" + (f", {money} are counted nowhere" if money else "")
    versions = [reading.version for reading in logs.by_version.values() if not reading.slot]
    return (Check("slots", Tone.WARN, text, f"Map them: --slot green={versions[0][:32] if versions else 'VERSION'}"),)


def unread(logs: LogReading) -> str:
    """Why nothing of the logs could be read; empty where something was, or nothing is there."""
    if logs.total:
        return ""
    problem = next((file.problem for file in logs.files if file.problem), "")
    return problem or next((f"lines are refused: {reason}" for reason, count in logs.rejected.items() if count), "")


def _flags(observation: Observation) -> Check:
    if observation.store is None:
        return Check("flags", Tone.MUTED, "not known")
    wrong = [flag for flag in observation.store.flags.values() if flag.problem]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return Check(
            "flags", Tone.WARN, f"{wrong[0].name}: {wrong[0].problem}{more}", "Fenced agents keep the last value."
        )
    stored = sum(not flag.missing for flag in observation.store.flags.values())
    if unread := unread_text(observation.store):
        return Check(
            "flags", Tone.WARN, f"{count_text(stored)} set; {unread}", _WALK_HINTS[observation.store.flags_walk]
        )
    beyond = f", {observation.store.flags_more} more not shown" if observation.store.flags_more else ""
    return Check("flags", Tone.GOOD, f"{count_text(stored)} set, no problem{beyond}")


def unread_text(store: StoreReading) -> str:
    """That there may be flags that are not shown, since the keyspace was not walked through yet; empty where it was."""
    if store.flags_walk is Walk.WHOLE:
        return ""
    return "flags not all read yet" if store.flags_walk is Walk.BEGUN else "flags not all read: SCAN is not permitted"


_WALK_HINTS: Final = {
    Walk.BEGUN: "The store holds many keys; the walk through them goes on by itself.",
    Walk.REFUSED: "Only registered ones are read. Permit +scan to this user.",
}


def _doubt(deployment: Deployment | None) -> Check:
    if deployment is not None and deployment.damage:
        return Check("in doubt", Tone.BAD, "not known, since the data is damaged")
    if deployment is None or deployment.authority is None:
        return Check("in doubt", Tone.MUTED, "no fenced agent")
    doubts = deployment.authority.in_doubt
    if doubts:
        return Check(
            "in doubt",
            Tone.BAD,
            f"{plural(doubts, 'action')} whose outcome nobody knows",
            "Reconcile at the venue first; then 6 lists them, d resolves one.",
        )
    return Check("in doubt", Tone.GOOD, f"nothing · {count_text(deployment.authority.in_flight)} in flight")
