"""What stood around a decision, as `decisions show` and the console's detail tell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from console.domain.document import FORM, Record
from console.views.format import decimal_text, exact_time


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else exact_time(at)


@dataclass(frozen=True, slots=True)
class FlagThen(Record):
    """A flag as it was when a decision was made.

    Args:
        name: of the flag.
        value: what was set; null where nothing was, or where it is not known.
        since: since when; null where no receipt is known that set it.
        who: who had set it; empty for nobody known.
        problem: what is not known of it, or wrong with it; empty where nothing is.
    """

    name: str
    value: str | None
    since: datetime | None = field(metadata={FORM: _moment})
    who: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ActedReport(Record):
    """One entry of the stream of actions about the action that a decision led to.

    Args:
        at: by the store's clock.
        did: claim, settle, doubt, resolve or late.
        key: the idempotency key by which it was matched.
        named_at: where in the record that key stands.
        outcome: how it ended; empty for a claim and a doubt.
        amount: claimed, or won (above zero) and lost; null where the entry has none.
        currency: of it.
        slot: whose claim it is.
        instance: of the process.
        epoch: of the claim.
        told: the action of a claim, the result of an end, why of a doubt.
    """

    at: datetime = field(metadata={FORM: exact_time})
    did: str
    key: str
    named_at: str
    outcome: str
    amount: Decimal | None = field(metadata={FORM: _decimal})
    currency: str
    slot: str
    instance: str
    epoch: int
    told: str


@dataclass(frozen=True, slots=True)
class MomentReport(Record):
    """What stood around a decision.

    Args:
        active: who was active then; empty where that is not known.
        active_since: since when; null where no receipt is known.
        active_by: who had made it so.
        epoch: of that.
        flags: each flag as it was.
        manifest: short hash of what its version is made of; empty where none is known.
        manifest_at: when that was declared.
        action: what became of the action that it led to, oldest first: a claim and its ends.
        missing: what is not known, one sentence each.
    """

    active: str = ""
    active_since: datetime | None = field(default=None, metadata={FORM: _moment})
    active_by: str = ""
    epoch: int = 0
    flags: tuple[FlagThen, ...] = ()
    manifest: str = ""
    manifest_at: datetime | None = field(default=None, metadata={FORM: _moment})
    action: tuple[ActedReport, ...] = ()
    missing: tuple[str, ...] = ()

    def lacking(self, what: str) -> MomentReport:
        """The same, and that something is not known."""
        return replace(self, missing=(*self.missing, what))

    def with_force(
        self, active: str, since: datetime | None, by: str, epoch: int, flags: tuple[FlagThen, ...]
    ) -> MomentReport:
        """The same, with what was in force."""
        return replace(self, active=active, active_since=since, active_by=by, epoch=epoch, flags=flags)

    def with_manifest(self, short: str, at: datetime) -> MomentReport:
        """The same, with what the version is made of."""
        return replace(self, manifest=short, manifest_at=at)

    def with_action(self, action: tuple[ActedReport, ...]) -> MomentReport:
        """The same, with what became of its action."""
        return replace(self, action=action)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Names and texts, in the order in which they are told."""
        if self.active:
            since = f", since {exact_time(self.active_since)} by {self.active_by}" if self.active_since else ""
            yield "active", f"{self.active}{since}{f', epoch {self.epoch}' if self.epoch else ''}"
        if self.manifest:
            at = f", declared {exact_time(self.manifest_at)}" if self.manifest_at else ""
            yield "made of", f"{self.manifest}{at}"
        for flag in self.flags:
            since = f"  since {exact_time(flag.since)} by {flag.who}" if flag.since else ""
            value = flag.value if flag.value is not None else "?" if flag.problem else "not set"
            yield "flag", f"{flag.name} = {value}{since}{f'  ({flag.problem})' if flag.problem else ''}"
        for number, one in enumerate(self.action):
            if not number:
                yield "action", f"matched by the idempotency key {one.key} at {one.named_at}"
            money = "" if one.amount is None else f" {decimal_text(one.amount)} {one.currency}"
            told = f" · {one.told}" if one.told else ""
            yield (
                one.did,
                f"{exact_time(one.at)}{f' {one.outcome}' if one.outcome else ''}{money} · {one.slot} {one.instance}"
                f" epoch {one.epoch}{told}",
            )
        for what in self.missing:
            yield "not known", what
