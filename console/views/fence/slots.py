"""One slot at a glance: who it is, what it does, how it decides, what it is worth; or why there is nothing to show."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from console.domain.fence.deployment import ActiveState, Deployment, Instance, Phase, Slot
from console.domain.seen.earned import Counted
from console.domain.seen.observation import Observation, PnlTotal, VersionReading
from console.domain.triggers.finding import Arming, Trigger
from console.views.cover import since_text
from console.views.earned import Cover, counting_text, day_figure
from console.views.fence.alarm import SILENT_AFTER_S, alarm, freeze
from console.views.fence.instances import Acknowledgement, acknowledgement, beat_age_s, expected, names_text
from console.views.fence.link import drain_words, link_view, share_words, stale_words, version_text, versions_of
from console.views.format import (
    age_text,
    amount_text,
    count_text,
    milliseconds_text,
    money_text,
    rate_text,
    short_money_text,
)
from console.views.looking import is_past
from console.views.tone import GLYPHS, Tone

"""An active slot that has not decided for this long is called silent."""

_MONEY_ROWS: Final = 3


class Fact(NamedTuple):
    """A figure with its name.

    Args:
        label: its name; empty where the value says it all.
        width: characters kept for the value, so that its neighbours don't move; 0 for as many as it has.
    """

    label: str
    value: str
    tone: Tone = Tone.TEXT
    width: int = 0

    @property
    def text(self) -> str:
        """Name and figure."""
        return f"{self.label} {self.value}" if self.label else self.value


Facts = tuple[Fact, ...]
"""One line of figures."""


class PnlView(NamedTuple):
    """Profit and loss in one currency, dry or live.

    Args:
        label: `PnL 24 h`, or `dry 24 h` where no real money moved; `PnL since 13:05` where less was read.
        amount: of the time that the label names, or `counting… 43 %`; tone says gain or loss, and so does the sign.
        total: over all that was read.
        total_since: from when on that was, as `since Nov 24 13:05`; empty where nothing is known of what was left out.
        per_round: the mean of a round; empty where there was none.
        rounds: how many records are in it.
        series: running total for a sparkline; empty for none.
        since_switch: what was earned since the last switch, exact; empty where that is not known.
    """

    label: str
    amount: str
    total: str
    per_round: str
    currency: str
    rounds: int
    tone: Tone
    series: tuple[float, ...]
    total_since: str = ""
    since_switch: str = ""


class SlotView(NamedTuple):
    """A slot's card.

    Args:
        slot: "blue" or "green".
        acts: whether it may act, or may have a moment ago.
        role: ACTIVE, STANDBY, DRAINING, NEXT, HALTED or UNKNOWN; with its age while there is no connection.
        lines: what is known, one thought a line.
        pnl: one for each currency, dry and live apart; live first.
        pnl_more: how many more there are.
        empty: why there is nothing and what to do; empty where there is something.
        short: what matters most, for two short lines: its money and pace, then what hangs.
    """

    slot: str
    acts: bool
    version: str
    role: str
    role_tone: Tone
    lines: tuple[Facts, ...]
    pnl: tuple[PnlView, ...]
    pnl_more: int
    empty: tuple[str, ...]
    short: tuple[Facts, ...]


def role_of(deployment: Deployment | None, slot: Slot) -> tuple[str, Tone]:
    """What a slot may do now, in one word."""
    if deployment is None:
        return "UNKNOWN", Tone.MUTED
    key, authority = deployment.active, deployment.authority
    if key.state is ActiveState.HALTED or (authority and authority.phase is Phase.HALT):
        return "HALTED", Tone.BAD
    if key.state is ActiveState.DRAINING or (authority and authority.phase is Phase.DRAIN):
        return ("NEXT" if authority is not None and authority.target is slot else "DRAINING"), Tone.WARN
    if key.state is ActiveState.SLOT:
        return ("ACTIVE", Tone.GOOD) if key.slot is slot else ("STANDBY", Tone.MUTED)
    return "NOBODY ACTS", Tone.BAD


def never_switched(observation: Observation) -> bool:
    """Whether the store answers and no version was ever active: nobody has begun."""
    store = observation.store
    return store is not None and store.deployment.active.state is ActiveState.MISSING


def _loud(observation: Observation, slot: Slot, role: str, tone: Tone) -> tuple[str, Tone]:
    """The role with what is wrong about it: a dead or silent active side, a canary with its share of the money."""
    wrong = alarm(observation)
    if role == "ACTIVE":
        shared = f"{role} {share_words(observation, slot)}".rstrip()
        if wrong is not None:
            return f"{shared} {GLYPHS[wrong.tone]} {wrong.word.partition(' ON ')[0]}", wrong.tone
        return (f"{shared} ▲ FROZEN", Tone.BAD) if freeze(observation) is not None else (shared, tone)
    if is_past(observation) and role == "STANDBY":
        return "NOT ACTIVE", tone  # whether a canary played on it is not kept
    canary = observation.store.canary if observation.store else None
    if canary is None or canary.run.slot != slot.value or role != "STANDBY":
        return role, tone
    if canary.run.live:
        return f"CANARY {float(canary.run.share) * 100:g} %", Tone.WARN if canary.run.share else tone
    return ("CANARY 100 %", Tone.WARN) if wrong is not None and wrong.word.startswith("CANARY") else (role, tone)


def pnl_view(
    total: PnlTotal, since: datetime | None, now: datetime, slot: str = "", counted: Counted | None = None
) -> PnlView:
    """One currency's profit and loss, ready to draw.

    Args:
        since: from when on all was read.
        slot: whose it is.
        counted: exact sums over whole logs; None where nobody counts them.
    """
    day = day_figure(total, slot, since, now, counted)
    counting = day.cover is Cover.COUNTING
    tone = Tone.MUTED if counting else Tone.GAIN if day.amount > 0 else Tone.LOSS if day.amount < 0 else Tone.TEXT
    switch = counted.of_switch(slot, total.currency, dry=total.dry) if counted is not None else None
    return PnlView(
        label=f"{'dry' if total.dry else 'PnL'} {day.label}",
        amount=counting_text(day.share) if counting else short_money_text(day.amount),
        total=short_money_text(total.total),
        per_round=money_text(total.total / total.rounds, places=3) if total.rounds else "",
        currency=total.currency,
        rounds=total.rounds,
        tone=tone,
        series=total.series,
        total_since=since_text(since, now),
        since_switch=short_money_text(switch.amount) if switch is not None else "",
    )


def slot_view(observation: Observation, slot: Slot) -> SlotView:
    """A slot's card from an observation."""
    store = observation.store
    deployment = store.deployment if store else None
    reading = observation.logs.by_slot.get(slot.value) if observation.logs else None
    if reading is not None and not reading.decisions:
        reading = None
    instances = expected(store, slot) if store else ()
    told = acknowledgement(store, slot) if store and instances else None
    role, role_tone = role_of(deployment, slot)
    acts = role in ("ACTIVE", "DRAINING")
    active = role == "ACTIVE"
    if told is not None and not told.complete and role_tone is Tone.GOOD:
        role_tone = Tone.WARN
    role, role_tone = _loud(observation, slot, role, role_tone)
    if active and role_tone is Tone.WARN and GLYPHS[Tone.WARN] not in role:
        role = f"{role} {GLYPHS[Tone.WARN]}"  # nobody has to see that its colour is another
    staked = _at_stake(observation, slot)
    lines = (
        _draining(deployment),
        *_presence(observation, instances, told, reading, silent_matters=active),
        _pace(reading),
        _work(observation, instances, reading, escrows(observation, slot)),
        staked,
    )
    short = _short(observation, slot, deployment, instances, told, reading, escrows(observation, slot), staked)
    if deployment is not None and not link_view(observation).fresh:
        role, role_tone = f"{role} {stale_words(observation)}", Tone.STALE
    versions = versions_of(observation, slot.value)
    version = version_text(versions[0]) if versions else ""
    if len(versions) > 1:
        version += f" +{len(versions) - 1}"
    counted = observation.logs.counted if observation.logs else None
    totals = reading.pnl if reading else ()
    since = reading.since if reading else None
    pnl = tuple(pnl_view(total, since, observation.now, slot.value, counted) for total in totals)
    return SlotView(
        slot=slot.value,
        acts=acts,
        version=version,
        role=role,
        role_tone=role_tone,
        lines=tuple(line for line in lines if line),
        pnl=pnl[:_MONEY_ROWS],
        pnl_more=len(pnl[_MONEY_ROWS:]),
        empty=_why_empty(observation, slot, reading, instances),
        short=short,
    )


def _last_age_s(observation: Observation, reading: VersionReading | None) -> float | None:
    if reading is None or reading.last_at is None:
        return None
    return (observation.now - reading.last_at).total_seconds()


def _draining(deployment: Deployment | None) -> Facts:
    words = drain_words(deployment) if deployment else ""
    return (Fact("", words, Tone.WARN),) if words else ()


def _presence(
    observation: Observation,
    instances: tuple[Instance, ...],
    told: Acknowledgement | None,
    reading: VersionReading | None,
    *,
    silent_matters: bool,
) -> tuple[Facts, ...]:
    """Whether somebody is there: fenced agents say so by name, of plain ones only their decisions are seen."""
    if told is not None and observation.store is not None:
        beat_s = min(beat_age_s(observation.store, one) for one in instances)
        fenced = (
            Fact("", f"fenced · {told.text}", Tone.TEXT if told.complete else Tone.WARN),
            Fact("heartbeat", age_text(beat_s), Tone.TEXT if beat_s < SILENT_AFTER_S else Tone.WARN),
        )
        missing = (Fact("", f"▲ not acknowledged: {names_text(told.missing)}", Tone.WARN),) if told.missing else ()
        return (fenced, missing)
    age_s = _last_age_s(observation, reading)
    if age_s is None:
        return ()
    silent = silent_matters and age_s > SILENT_AFTER_S
    last = Fact(
        "last decision", f"{age_text(age_s)} ago{' ▲ silent' if silent else ''}", Tone.WARN if silent else Tone.TEXT
    )
    told_by = "" if is_past(observation) else "plain agents can't acknowledge"
    return ((last,), (Fact("", told_by, Tone.MUTED),) if told_by else ())


def _pace(reading: VersionReading | None) -> Facts:
    if reading is None:
        return ()
    return (
        Fact("decisions", rate_text(reading.rate_per_s), width=7),
        Fact("p50", milliseconds_text(reading.p50_ms), width=7),
        Fact("p99", milliseconds_text(reading.p99_ms), width=7),
        *((Fact("of last", count_text(reading.latencies), Tone.MUTED),) if reading.latencies else ()),
    )


def _work(
    observation: Observation, instances: tuple[Instance, ...], reading: VersionReading | None, watched: int | None
) -> Facts:
    facts: Facts = ()
    if reading is not None:
        rounds = sum(total.rounds for total in reading.pnl)
        facts = (Fact("rounds", count_text(rounds), width=7),)
        if reading.since is not None:
            facts = (*facts, Fact("", since_text(reading.since, observation.now), Tone.MUTED))
    if instances:
        facts = (
            *facts[:1],
            Fact("in flight", count_text(sum(instance.in_flight for instance in instances))),
            _in_doubt("in doubt", instances),
        )
    return facts if watched is None else (*facts, Fact("esc", count_text(watched)))


def _in_doubt(label: str, instances: tuple[Instance, ...]) -> Fact:
    doubts = sum(instance.in_doubt for instance in instances)
    return Fact(label, count_text(doubts), Tone.BAD if doubts else Tone.TEXT)


def escrows(observation: Observation, slot: Slot) -> int | None:
    """How many escrows a guard watches over for a side; None where none says so."""
    for guard in observation.store.guards if observation.store else ():
        for trigger in guard.triggers if guard.watching == slot.value else ():
            if trigger.trigger is Trigger.ESCROW and not trigger.verdict.blind and trigger.arming is not Arming.OFF:
                return trigger.n
    return None


def _at_stake(observation: Observation, slot: Slot) -> Facts:
    """A side's part of the capital and what of that is in open rounds, while a canary shares it out."""
    reading = observation.store.canary if observation.store else None
    if reading is None or not reading.run.live or reading.desk is None or reading.desk.run != reading.run.name:
        return ()
    run, desk, canary = reading.run, reading.desk, reading.run.slot == slot.value
    capital = run.capital * (run.share if canary else 1 - run.share)
    stake = desk.exposure_canary if canary else desk.exposure_stable
    return (Fact("", f"stake {amount_text(stake)} of {amount_text(capital)} {run.currency}"),)


def _why_empty(
    observation: Observation, slot: Slot, reading: VersionReading | None, instances: tuple[Instance, ...]
) -> tuple[str, ...]:
    if reading is not None or instances:
        return ()
    if observation.logs is None:
        return ("No decision log is followed.", "Start with --decisions PATH.")
    if not observation.logs.files:
        return ("No file matches --decisions yet.", "It is looked for every second.")
    logs = observation.logs
    if not logs.total and (logs.rejected or any(file.problem for file in logs.files)):
        return (f"No decisions of {slot.value} yet.", "The log can't be read: see log and lines.")
    unmapped = [v.version for v in observation.logs.by_version.values() if not v.slot]
    if unmapped:
        return (
            f"No decisions of {slot.value} yet.",
            f"Map one: --slot {slot.value}={unmapped[0][:16]}",
        )
    return (f"No decisions of {slot.value} yet.", f"Map one: --slot {slot.value}=VERSION")


def _short(
    observation: Observation,
    slot: Slot,
    deployment: Deployment | None,
    instances: tuple[Instance, ...],
    told: Acknowledgement | None,
    reading: VersionReading | None,
    watched: int | None,
    staked: Facts,
) -> tuple[Facts, ...]:
    """What matters most first: it is cut where the line ends."""
    hangs: Facts = ()
    if words := drain_words(deployment) if deployment else "":
        hangs = (Fact("", words.partition(", ")[2], Tone.WARN),)
    elif told is not None and not told.complete:
        hangs = (Fact("", f"▲ {told.text}", Tone.WARN),)
    if instances:
        hangs = (*hangs, _in_doubt("doubt", instances))
    if watched is not None:
        hangs = (*hangs, Fact("esc", count_text(watched)))
    kind = Fact("", "fenced" if told is not None else "plain", Tone.MUTED)
    if reading is None:
        nothing = Fact("", "no decisions yet", Tone.MUTED)
        return ((nothing,), (*hangs, kind) if told is not None else hangs)
    counted = observation.logs.counted if observation.logs else None
    pnl = pnl_view(reading.pnl[0], reading.since, observation.now, slot.value, counted) if reading.pnl else None
    money: Facts = (Fact("", "no PnL", Tone.MUTED),)
    if pnl is not None:
        label = "dry " if reading.pnl[0].dry else pnl.label.removeprefix("PnL ")
        money = (Fact(label, f"{pnl.amount:>11} {pnl.currency}".rstrip(), pnl.tone, 15),)
    ago = Fact("", f"{age_text(_last_age_s(observation, reading) or 0.0)} ago", Tone.MUTED)
    return ((*money, Fact("", rate_text(reading.rate_per_s), width=7)), (*hangs, *staked, ago, kind))
