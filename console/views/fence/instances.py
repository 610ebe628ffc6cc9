"""Fenced agents by name: who has acknowledged the running epoch, who is silent, and what each holds.

"Two of three acknowledged" is never well: whoever has not is named wherever the count stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment, Instance, Slot
from console.domain.fence.sent import Sending
from console.domain.seen.observation import Observation, StoreReading
from console.views.format import age_text, amount_text, count_text, iso_text, time_text
from console.views.order import NO_VALUES, By, money_value
from console.views.tone import Tone, slot_tone

GONE_AFTER_S: Final = 3600.0
"""An instance that has not been heard of for so long is not waited for any more; what it left in doubt is listed."""

_MOST_NAMED: Final = 3
_NAME: Final = 40
_LAST_MS: Final = 1 << 46


class InstanceRow(NamedTuple):
    """One fenced instance.

    Args:
        key: its name.
        glyph: ■ where its slot may act, □ where it stands by, · where it belongs to none we know.
        acknowledged: the sign, and in a word how its epoch relates to the running one.
        beat: age of its heartbeat; with a sign where that is late.
        note: what it tells of itself.
        by: what it is sorted by.
    """

    key: str
    glyph: str
    slot: str
    slot_tone: Tone
    version: str
    acknowledged: str
    tone: Tone
    beat: str
    beat_tone: Tone
    in_flight: str
    in_doubt: str
    doubt_tone: Tone
    note: str
    by: By = NO_VALUES


class DoubtRow(NamedTuple):
    """One action whose outcome nobody knows.

    Args:
        key: its idempotency key.
        amount: with its currency.
        holder: the instance that claimed it.
        since: when it was claimed; it has been in doubt since its lease ended.
        sent: when its key was sent first, and until when it may be sent again; empty where that was not read.
        by: what it is sorted by.
    """

    key: str
    amount: str
    holder: str
    slot_tone: Tone
    since: str
    age: str
    action: str
    claim: OpenClaim
    sent: str = ""
    by: By = NO_VALUES


class Acknowledgement(NamedTuple):
    """How far the running epoch has come.

    Args:
        expected: how many living instances have to acknowledge it.
        missing: those of them that have not, by name.
        silent: those that were not heard of lately: they may be dead, and are not counted.
    """

    expected: int
    missing: tuple[Instance, ...]
    silent: tuple[Instance, ...]

    @property
    def complete(self) -> bool:
        """Whether everybody has."""
        return not self.missing

    @property
    def text(self) -> str:
        """`2/3 acknowledged`, of the living; `1/1 acknowledged, 2 dead`."""
        dead = f", {len(self.silent)} dead" if self.silent else ""
        return f"{self.expected - len(self.missing)}/{self.expected} acknowledged{dead}"


def beat_age_s(store: StoreReading, instance: Instance) -> float:
    """How long ago an instance was heard of, by the server's clock alone."""
    return (store.server_at - instance.heartbeat_at).total_seconds()


def expected(store: StoreReading, slot: Slot | None = None) -> tuple[Instance, ...]:
    """The instances that are counted, of one slot or of all: those heard of within the hour."""
    return tuple(
        one
        for one in store.deployment.instances
        if (slot is None or one.slot is slot) and beat_age_s(store, one) < GONE_AFTER_S
    )


def acknowledgement(store: StoreReading, slot: Slot | None = None) -> Acknowledgement:
    """Who has acknowledged the running epoch, of one slot or of all."""
    counted, epoch = expected(store, slot), store.deployment.epoch
    silent = tuple(one for one in counted if not one.heard(store.server_at))
    living = tuple(one for one in counted if one not in silent)
    return Acknowledgement(len(living), tuple(one for one in living if not one.acknowledged(epoch)), silent)


def acknowledged_text(store: StoreReading) -> str:
    """Each side's count, by name: `blue 2/2 acknowledged · green 1/1 acknowledged, 1 dead`."""
    sides = [slot for slot in Slot if expected(store, slot)]
    return " · ".join(f"{slot.value} {acknowledgement(store, slot).text}" for slot in sides)


def names_text(instances: Sequence[Instance]) -> str:
    """The first few by name, and how many more there are."""
    names = [one.name if len(one.name) <= _NAME else f"{one.name[: _NAME - 1]}…" for one in instances[:_MOST_NAMED]]
    more = f" and {len(instances) - _MOST_NAMED} more" if len(instances) > _MOST_NAMED else ""
    return ", ".join(names) + more


def instance_rows(observation: Observation) -> tuple[InstanceRow, ...]:
    """Every instance, by slot and name."""
    store = observation.store
    if store is None:
        return ()
    ordered = sorted(store.deployment.instances, key=lambda one: (one.slot or "~", one.name))
    return tuple(_instance_row(store, one) for one in ordered)


def _instance_row(store: StoreReading, one: Instance) -> InstanceRow:
    slot, age_s = one.slot.value if one.slot else "–", beat_age_s(store, one)
    words, tone = _relation(store.deployment, one)
    late, gone = not one.heard(store.server_at), age_s >= GONE_AFTER_S
    return InstanceRow(
        key=one.name,
        glyph="·" if one.slot is None else "■" if store.deployment.active.slot is one.slot else "□",
        slot=slot,
        slot_tone=slot_tone(slot),
        version=one.version,
        acknowledged="· gone" if gone else words,
        tone=Tone.MUTED if gone else tone,
        beat=f"▲ {age_text(age_s)}" if late else age_text(age_s),
        beat_tone=Tone.MUTED if gone else Tone.WARN if late else Tone.TEXT,
        in_flight=count_text(one.in_flight),
        in_doubt=count_text(one.in_doubt),
        doubt_tone=Tone.BAD if one.in_doubt else Tone.TEXT,
        note=one.info,
        by={"heartbeat": -one.heartbeat_at.timestamp(), "flight": one.in_flight, "doubt": one.in_doubt},
    )


def _relation(deployment: Deployment, one: Instance) -> tuple[str, Tone]:
    if one.epoch_seen == deployment.epoch:
        return "✔ current", Tone.GOOD
    if one.epoch_seen > deployment.epoch:
        return "▲ ahead", Tone.WARN
    return ("✖ behind" if one.epoch_seen else "✖ never"), Tone.BAD


def instance_of(observation: Observation | None, name: str) -> Instance | None:
    """An instance by its name."""
    store = observation.store if observation else None
    return next((one for one in store.deployment.instances if one.name == name), None) if store else None


def doubt_rows(observation: Observation) -> tuple[DoubtRow, ...]:
    """Every action in doubt that was read, oldest first."""
    store = observation.store
    if store is None:
        return ()
    return tuple(
        _doubt_row(claim, store.server_at, store.sendings.get(claim.key))
        for claim in store.open_claims
        if claim.in_doubt
    )


def _doubt_row(claim: OpenClaim, now: datetime, sent: Sending | None) -> DoubtRow:
    at = datetime.fromtimestamp(min(max(0, claim.claimed_ms), _LAST_MS) / 1000, UTC)
    early = early_text(claim, int(now.timestamp() * 1000))
    return DoubtRow(
        key=claim.key,
        amount=f"{amount_text(claim.amount)} {claim.currency}".rstrip(),
        holder=claim.instance,
        slot_tone=slot_tone(claim.slot),
        since=time_text(at, now),
        age=age_text((now - at).total_seconds()),
        action=", ".join(part for part in (early, claim.action or "no description") if part),
        claim=claim,
        sent=sent.words(int(now.timestamp() * 1000)) if sent is not None else "",
        by={"amount": money_value(claim.amount, claim.currency), "since": at},
    )


def early_text(claim: OpenClaim, server_ms: int) -> str:
    """When the venue can be asked, where that is too early still: `not before 42 s`; empty where it is not."""
    left_ms = claim.early_ms(server_ms)
    return f"ask the venue in {left_ms / 1000:.0f} s" if left_ms > 0 else ""


def early_now(observation: Observation | None, key: str) -> str:
    """The same of the doubt with this key, as of the last reading."""
    store = observation.store if observation is not None else None
    if observation is None or store is None:
        return ""
    since_s = (observation.now - store.at).total_seconds()
    server_ms = int((store.server_at.timestamp() + since_s) * 1000)
    return next((early_text(claim, server_ms) for claim in store.open_claims if claim.key == key), "")


def doubts_more(observation: Observation) -> int:
    """Actions in doubt that are counted in the store and were not read."""
    store = observation.store
    if store is None or store.deployment.authority is None:
        return 0
    return max(0, store.deployment.authority.in_doubt - len(doubt_rows(observation)))


def doubt_facts(row: DoubtRow) -> tuple[tuple[str, str], ...]:
    """Everything about an action in doubt, by name."""
    claim = row.claim
    return (
        ("key", claim.key),
        ("amount", row.amount),
        ("action", row.action),
        ("direction", claim.direction),
        ("held by", f"{claim.instance} ({claim.slot})"),
        ("since", f"{row.since}Z, {row.age} ago"),
        ("sendings", row.sent),
        ("epoch", str(claim.epoch)),
        ("claim", claim.claim_id),
    )


def instance_facts(observation: Observation, one: Instance) -> tuple[tuple[str, str], ...]:
    """Everything about an instance, by name."""
    store = observation.store
    if store is None:
        return ()
    words, _tone = _relation(store.deployment, one)
    return (
        ("instance", one.name),
        ("slot", one.slot.value if one.slot else "none that is known"),
        ("version", one.version),
        ("acknowledged", f"{words}: saw epoch {one.epoch_seen}, running is {store.deployment.epoch}"),
        ("heartbeat", f"{iso_text(one.heartbeat_at)}, {age_text(beat_age_s(store, one))} ago"),
        ("in flight", count_text(one.in_flight)),
        ("in doubt", count_text(one.in_doubt)),
        ("says", one.info),
    )
