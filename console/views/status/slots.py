"""A slot in the document of `status`: who is in it, how it decides, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import FORM
from console.domain.fence.deployment import Slot
from console.domain.seen.earned import Counted
from console.domain.seen.observation import Observation, PnlTotal, VersionReading
from console.domain.text import Safe
from console.views.cover import DAY
from console.views.earned import Cover, day_figure
from console.views.fence.link import versions_of
from console.views.fence.slots import role_of
from console.views.format import TIME, decimal_text


@dataclass(frozen=True, slots=True)
class PnlRecord:
    """Profit and loss in one currency, dry or live.

    Args:
        currency: empty where the log states none.
        dry: whether these rounds moved no real money.
        total: over all rounds read, from the slot's or version's `since` on.
        last_24h: over the last 24 hours, as far as they were read.
        last_24h_since: from when on those were read; null where nothing is known of what was left out.
        rounds: how many records had a PnL.
        last_24h_cover: `exact`: all of the 24 hours count; `counting`: whole logs are being counted, and `last_24h` is
            of what was read; `part`: it is of what was read, and nobody counts the rest.
        counted: how much of the logs is counted, from 0 to 1; null where nobody counts.
        since_switch: since the last switch, exact; null where that is not known, and until it is counted.
    """

    currency: str
    dry: bool
    total: Decimal = field(metadata={FORM: decimal_text})
    last_24h: Decimal = field(metadata={FORM: decimal_text})
    last_24h_since: datetime | None = field(metadata=TIME)
    rounds: int
    last_24h_cover: Cover
    counted: float | None
    since_switch: Decimal | None = field(metadata={FORM: decimal_text})

    @classmethod
    def of(
        cls, total: PnlTotal, since: datetime | None, now: datetime, slot: str = "", counted: Counted | None = None
    ) -> PnlRecord:
        """The record of a total.

        Args:
            since: from when on all was read.
            slot: whose it is.
            counted: exact sums over whole logs; None where nobody counts them.
        """
        day = day_figure(total, slot, since, now, counted)
        day_since = max(since, now - DAY) if since is not None else None
        if day.cover is Cover.EXACT and day_since is not None:
            day_since = now - DAY
        switch = counted.of_switch(slot, total.currency, dry=total.dry) if counted is not None else None
        return cls(
            total.currency,
            total.dry,
            total.total,
            day.amount,
            day_since,
            total.rounds,
            day.cover,
            counted.share if counted is not None else None,
            switch.amount if switch is not None else None,
        )


@dataclass(frozen=True, slots=True)
class PaceRecord:
    """How a version decides, as its log says.

    Args:
        decisions: records read.
        since: from when on all of them were read; null where nothing is known of what was left out.
        rate_per_s: decisions a second over the last minute.
        p50_ms: median latency; null where no record states one.
        p99_ms: the latency that one in a hundred exceeds.
        latencies: the newest so many records are what these two are of.
        first_at: the log's first time.
        last_at: the log's last time.
        pnl: each currency, dry and live apart; live first.
    """

    decisions: int
    since: datetime | None = field(metadata=TIME)
    rate_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    latencies: int
    first_at: datetime | None = field(metadata=TIME)
    last_at: datetime | None = field(metadata=TIME)
    pnl: tuple[PnlRecord, ...]

    @classmethod
    def of(cls, reading: VersionReading, now: datetime, slot: str = "", counted: Counted | None = None) -> PaceRecord:
        """The record of a version, or of a slot with what is counted of it."""
        return cls(
            decisions=reading.decisions,
            since=reading.since,
            rate_per_s=reading.rate_per_s,
            p50_ms=reading.p50_ms,
            p99_ms=reading.p99_ms,
            latencies=reading.latencies,
            first_at=reading.first_at,
            last_at=reading.last_at,
            pnl=tuple(PnlRecord.of(total, reading.since, now, slot, counted) for total in reading.pnl),
        )


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One running copy of a fenced agent.

    Args:
        name: unique to the process.
        version: of the agent.
        epoch_seen: the epoch that it was told last.
        acknowledged: whether that is the one in force.
        heartbeat_at: when it was heard last.
        in_flight: its actions that were claimed and not settled.
        in_doubt: its actions of which nobody knows whether they were executed.
    """

    name: str
    version: str
    epoch_seen: int
    acknowledged: bool
    heartbeat_at: datetime = field(metadata=TIME)
    in_flight: int
    in_doubt: int


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A slot: who is in it, how it decides, what it is worth.

    Args:
        role: `active`, `standby`, `draining`, `next`, `halted` or `unknown`.
        versions: seen in it, the one seen last first.
        decisions, since, rate_per_s, p50_ms, p99_ms, latencies, first_at, last_at, pnl: as in a version's.
        instances: its fenced agents.
    """

    role: str
    versions: tuple[str, ...]
    decisions: int
    since: datetime | None = field(metadata=TIME)
    rate_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    latencies: int
    first_at: datetime | None = field(metadata=TIME)
    last_at: datetime | None = field(metadata=TIME)
    pnl: tuple[PnlRecord, ...]
    instances: tuple[InstanceRecord, ...]

    @classmethod
    def of(cls, observation: Observation, slot: Slot) -> SlotRecord:
        """The record of a slot."""
        deployment = observation.store.deployment if observation.store else None
        reading = observation.logs.by_slot.get(slot.value) if observation.logs else None
        counted = observation.logs.counted if observation.logs else None
        empty = VersionReading(Safe(""), slot.value, 0, None, None)
        pace = PaceRecord.of(reading or empty, observation.now, slot.value, counted)
        return cls(
            role=role_of(deployment, slot)[0].lower(),
            versions=versions_of(observation, slot.value),
            decisions=pace.decisions,
            since=pace.since,
            rate_per_s=pace.rate_per_s,
            p50_ms=pace.p50_ms,
            p99_ms=pace.p99_ms,
            latencies=pace.latencies,
            first_at=pace.first_at,
            last_at=pace.last_at,
            pnl=pace.pnl,
            instances=tuple(
                InstanceRecord(
                    name=instance.name,
                    version=instance.version,
                    epoch_seen=instance.epoch_seen,
                    acknowledged=instance.acknowledged(deployment.epoch),
                    heartbeat_at=instance.heartbeat_at,
                    in_flight=instance.in_flight,
                    in_doubt=instance.in_doubt,
                )
                for instance in (deployment.instances if deployment else ())
                if deployment is not None and instance.slot is slot
            ),
        )
