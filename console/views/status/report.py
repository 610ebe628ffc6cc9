"""What `agent-console status --json` prints: the state of a deployment as one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from console.domain.document import Record
from console.domain.fence.deployment import Deployment, Slot
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.observation import Observation, Walk
from console.views.fence.link import link_view, store_age_s
from console.views.flags import FlagRecord, flag_record
from console.views.format import TIME
from console.views.health import health_view, is_healthy
from console.views.status.logs import DecisionsRecord, DivergencesRecord
from console.views.status.slots import SlotRecord

if TYPE_CHECKING:
    from console.views.canary.record import CanaryRecord
    from console.views.experiment_record import ExperimentDocument, UnreadableExperiment
    from console.views.shadow.record import ShadowRecord


@dataclass(frozen=True, slots=True)
class ActiveKeyRecord:
    """What the plain key says.

    Args:
        state: `slot`, `draining`, `halted`, `missing`, `unknown` or `wrong type`.
        raw: its text; that type where it is no text.
        written_from_outside: whether the authority says something else.
    """

    state: str
    raw: str
    written_from_outside: bool


@dataclass(frozen=True, slots=True)
class AuthorityRecord:
    """Who may act, as fenced agents are told.

    Args:
        epoch: that actions are claimed in.
        generation: how often it changed.
        phase: `RUN`, `DRAIN` or `HALT`.
        active: the slot that may act.
        target: the slot that is next, while the other drains.
        previous: the slot that was active before.
        in_flight: actions that were claimed and not settled.
        in_doubt: actions of which nobody knows whether they were executed.
        late: reports of this tenure for actions that had been taken for not executed, or were lost.
    """

    epoch: int
    generation: int
    phase: str
    active: str | None
    target: str | None
    previous: str | None
    in_flight: int
    in_doubt: int
    late: int


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """The connection to the store.

    Args:
        url: without passwords.
        state: `LIVE`, `CONNECTING`, `STALE`, `RECONNECTING` or `OFFLINE`.
        latency_ms: round trip of the reading.
        age_s: of the reading.
        server: name and version.
        error: why the last try failed.
    """

    url: str
    state: str
    latency_ms: float | None
    age_s: float | None
    server: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """A receipt, as the audit has it.

    Args:
        id: of the receipt.
        at: when it took effect.
        command: its name.
        who: who gave it.
        why: the reason given.
        changes: what was, what is.
        elapsed_ms: how long it took, where that is known.
        epoch: the epoch after it; 0 where it does not touch who may act.
        note: one sentence for people.
    """

    id: str
    at: datetime = field(metadata=TIME)
    command: str
    who: str
    why: str
    changes: tuple[Change, ...]
    elapsed_ms: float | None
    epoch: int
    note: str


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One thing that was looked at.

    Args:
        name: always the same word for the same thing.
        state: `ok`, `warn`, `bad` or `unknown`.
        text: the evidence.
        hint: what to do; empty where nothing has to be done.
    """

    name: str
    state: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class StatusReport(Record):
    """The state of a deployment. Fields may be added; none is renamed or removed. What is not known is null.

    Args:
        agent: whose keys.
        at: when it was looked at.
        healthy: whether no check is worse than good, but for a missing guard and warnings that nobody has seen.
        fresh: whether the store's reading is of the present.
        active: `blue`, `green`, `draining` or `halted`; null where the key says none of these.
        active_key: what the plain key says.
        authority: who may act, as fenced agents are told; null on a store that no command of ours has touched.
        slots: what each slot is and does.
        flags: the flags that are set or registered, by name.
        flags_more: flags beyond those listed.
        flags_whole: whether every flag was read; until the keyspace was walked through once, some may be missing.
        store: the connection to the store.
        decisions: what the decision logs hold.
        actions: the newest receipts, oldest first.
        canary: the run that goes on, or the last one; null where there never was one.
        shadows: every shadow that ever reported.
        divergences: what files of divergences hold; null where none is followed.
        experiments: every experiment.
        checks: what was looked at, and how it is.
    """

    agent: str
    at: datetime = field(metadata=TIME)
    healthy: bool
    fresh: bool
    active: str | None
    active_key: ActiveKeyRecord | None
    authority: AuthorityRecord | None
    slots: Mapping[str, SlotRecord]
    flags: Mapping[str, FlagRecord]
    flags_more: int
    flags_whole: bool
    store: StoreRecord
    decisions: DecisionsRecord
    actions: tuple[ActionRecord, ...]
    canary: CanaryRecord | None
    shadows: tuple[ShadowRecord, ...]
    divergences: DivergencesRecord | None
    experiments: tuple[ExperimentDocument | UnreadableExperiment, ...]
    checks: tuple[CheckRecord, ...]


def status_report(observation: Observation) -> StatusReport:
    """The report of an observation."""
    store = observation.store
    checks = health_view(observation)
    deployment = store.deployment if store else None
    return StatusReport(
        agent=observation.agent,
        at=observation.now,
        healthy=is_healthy(checks),
        fresh=link_view(observation).fresh,
        active=_active(deployment),
        active_key=_active_key(deployment),
        authority=_authority(deployment),
        slots={slot.value: SlotRecord.of(observation, slot) for slot in Slot},
        flags={name: flag_record(flag) for name, flag in sorted(store.flags.items())} if store else {},
        flags_more=store.flags_more if store else 0,
        flags_whole=store is not None and store.flags_walk is Walk.WHOLE,
        store=_store(observation),
        decisions=DecisionsRecord.of(observation.logs, observation.now),
        actions=tuple(_action(entry) for entry in store.audit) if store else (),
        canary=_canary(observation),
        shadows=_shadows(observation),
        divergences=DivergencesRecord.of(observation.divergences) if observation.divergences is not None else None,
        experiments=_experiments(observation),
        checks=tuple(
            CheckRecord(
                check.name,
                check.tone.value if check.tone.value in ("ok", "warn", "bad") else "unknown",
                check.text,
                check.hint,
            )
            for check in checks
        ),
    )


def _active(deployment: Deployment | None) -> str | None:
    if deployment is None:
        return None
    key = deployment.active
    if key.slot is not None:
        return key.slot.value
    return key.state.value if key.state.value in ("draining", "halted") else None


def _active_key(deployment: Deployment | None) -> ActiveKeyRecord | None:
    if deployment is None:
        return None
    key = deployment.active
    return ActiveKeyRecord(key.state.value, key.raw, deployment.written_from_outside)


def _authority(deployment: Deployment | None) -> AuthorityRecord | None:
    authority = deployment.authority if deployment else None
    if authority is None:
        return None
    return AuthorityRecord(
        epoch=authority.epoch,
        generation=authority.generation,
        phase=authority.phase.value,
        active=authority.active.value if authority.active else None,
        target=authority.target.value if authority.target else None,
        previous=authority.previous.value if authority.previous else None,
        in_flight=authority.in_flight,
        in_doubt=authority.in_doubt,
        late=authority.late,
    )


def _store(observation: Observation) -> StoreRecord:
    link = observation.link
    return StoreRecord(
        url=link.url,
        state=link_view(observation).state.value,
        latency_ms=link.latency_ms,
        age_s=store_age_s(observation),
        server=observation.store.server if observation.store else None,
        error=link.error or None,
    )


def _action(entry: AuditEntry) -> ActionRecord:
    return ActionRecord(
        id=entry.id,
        at=entry.at,
        command=entry.command,
        who=entry.who,
        why=entry.why,
        changes=entry.changes,
        elapsed_ms=entry.elapsed_ms,
        epoch=entry.epoch,
        note=entry.note,
    )


def _canary(observation: Observation) -> CanaryRecord | None:
    """The views of proofs are imported only where there is something for them to say."""
    if observation.store is None or observation.store.canary is None:
        return None
    from console.views.canary.canary import proposal_of
    from console.views.canary.record import canary_record

    return canary_record(observation.store.canary, proposal_of(observation))


def _shadows(observation: Observation) -> tuple[ShadowRecord, ...]:
    if observation.store is None or not observation.store.shadows:
        return ()
    from console.views.shadow.record import shadow_record

    return tuple(shadow_record(report) for report in observation.store.shadows)


def _experiments(observation: Observation) -> tuple[ExperimentDocument | UnreadableExperiment, ...]:
    if observation.store is None or not observation.store.experiments:
        return ()
    from console.views.experiment_record import experiment_record

    return tuple(experiment_record(view) for view in observation.store.experiments)
