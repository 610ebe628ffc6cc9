"""What a rehearsal works on and finds: recorded rounds, differences by field, the first one, and money by currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from console.domain.rehearsal.money import MAX_CURRENCIES, Money, Sums, difference
from console.domain.shadow.compare import Kind
from console.domain.text import Safe


class Recorded(NamedTuple):
    """A recorded round.

    Args:
        number: in this rehearsal, from 1.
        at: when it was decided; aware UTC.
        kind: its decision type.
        version: that decided.
        document: the record; from outside.
        price: what it earned, where that is recorded.
    """

    number: int
    at: datetime
    kind: str
    version: str
    document: Mapping[str, object]
    price: Money | None


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first round that differs by more than noise.

    Args:
        round: its number in the rehearsal, from 1.
        at: when it was decided.
        decision_type: of what kind.
        version: that decided it then.
        recorded, rehearsed: both outputs, as text, made safe and cut.
        fields: what differs, `path (kind): recorded → rehearsed`; the first few.
    """

    round: int
    at: datetime
    decision_type: Safe
    version: Safe
    recorded: Safe
    rehearsed: Safe
    fields: tuple[Safe, ...]


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field and kind of difference.

    Args:
        path: positions in lists are `*`.
        kind: how it differs.
        rounds: rounds in which the first run differed so from the record.
        noise: rounds in which a run differed so from the first one; null where there was one run.
        money: whether the field moves money: then no noise is taken off it, and every run is held against the record.
        counts: whether it differs by more than noise explains.
    """

    path: Safe
    kind: Kind
    rounds: int
    noise: int | None
    money: bool
    counts: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """What differing rounds earned, over those for which both sides state it, in one currency.

    Args:
        recorded, rehearsed: PnL.
        difference: rehearsed less recorded.
    """

    recorded: Decimal
    rehearsed: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing found.

    Args:
        rounds: compared: those to which every run answered.
        differing: of them, those that differ by more than noise.
        unsteady: of them, those in which the runs differ from each other.
        fields: by rounds, those that count first.
        priced: currency → what the differing rounds earned, where both are stated.
        unpriced: differing rounds without a price on both sides.
        earned: currency → what the differing rounds earned as recorded, priced or not.
        first: the first differing round; None where there is none.
    """

    rounds: int
    differing: int
    unsteady: int
    fields: tuple[FieldDifference, ...]
    priced: Mapping[str, Priced]
    unpriced: int
    earned: Mapping[str, Decimal]
    first: FirstDifference | None


@dataclass(slots=True)
class Rounds:
    """Rounds in which the same fields differ."""

    rounds: int = 0
    recorded: Sums = field(default_factory=Sums)
    rehearsed: Sums = field(default_factory=Sums)
    earned: Sums = field(default_factory=Sums)
    unpriced: int = 0

    def add(self, was: Money | None, would: Money | None, currencies: set[str]) -> None:
        """One round more, priced where both sides state a price."""
        self.rounds += 1
        stated = {price.currency for price in (was, would) if price is not None}
        if was is None or would is None or len(stated | currencies) > MAX_CURRENCIES:
            self.unpriced += 1
        else:
            self.recorded.add(was.currency, was.amount)
            self.rehearsed.add(would.currency, would.amount)
        if was is not None and len(currencies | {was.currency}) <= MAX_CURRENCIES:
            self.earned.add(was.currency, was.amount)
        if len(currencies | stated) <= MAX_CURRENCIES:
            currencies |= stated

    def take_in(self, other: Rounds) -> None:
        """All of another one's."""
        self.rounds += other.rounds
        self.unpriced += other.unpriced
        for own, more in (
            (self.recorded, other.recorded),
            (self.rehearsed, other.rehearsed),
            (self.earned, other.earned),
        ):
            own.take_in(more)

    def priced(self) -> dict[str, Priced]:
        """By currency: both sides, and the difference."""
        was, would = self.recorded.by_currency, self.rehearsed.by_currency
        nothing = Decimal(0)
        return {
            currency: Priced(
                was.get(currency, nothing),
                would.get(currency, nothing),
                difference(would.get(currency, nothing), was.get(currency, nothing)),
            )
            for currency in sorted({*was, *would})
        }
