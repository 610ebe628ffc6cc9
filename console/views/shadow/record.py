"""A shadow in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import Record
from console.domain.shadow.pairs import PairSums
from console.domain.shadow.rates import FieldRate
from console.domain.shadow.report import ShadowReport
from console.views.format import TIME


@dataclass(frozen=True, slots=True)
class ShadowRecord(Record):
    """A shadow: how often it decided otherwise, and in what.

    Args:
        name: of the shadow's version.
        at: when it reported.
        holder: the process it runs beside.
        rounds: that were compared.
        diverged: those in which anything that is compared differs.
        noise_rounds: rounds played twice by one version.
        noise_diverged: those in which it differed from itself.
        ignored: differences that the rules ignore.
        tolerated: differences within the rules' tolerance.
        dropped, timed_out, raised: rounds not compared, and why.
        intents: what the shadow would have done.
        live_pnl: the live version's, over the rounds that were priced; null where nobody prices them.
        shadow_pnl: the shadow's over the same rounds.
        unpriced: rounds without a price.
        currency: of the two; null where there are none.
        slot: whose version plays the shadow; null where that was not said.
        pairs: the differences of the priced rounds, live less shadow; null without a price.
        returned: the same, each over its version's usual stake, which is judged where it has most of the rounds; null
            where no stake is known.
        own: the shadow's results, each over its stake: a canary's spread is taken from it; null likewise.
        manifest: SHA-256 of what the shadow's version is made of; null where that was not said.
        fields: what differs.
    """

    name: str
    at: datetime = field(metadata=TIME)
    holder: str
    rounds: int
    diverged: int
    noise_rounds: int
    noise_diverged: int
    ignored: int
    tolerated: int
    dropped: int
    timed_out: int
    raised: int
    intents: int
    live_pnl: Decimal | None
    shadow_pnl: Decimal | None
    unpriced: int
    currency: str | None
    slot: str | None
    pairs: PairSums | None
    returned: PairSums | None
    own: PairSums | None
    manifest: str | None
    fields: tuple[FieldRate, ...]


def shadow_record(report: ShadowReport) -> ShadowRecord:
    """The record of a shadow's report."""
    reading = report.reading
    return ShadowRecord(
        name=report.name,
        at=report.at,
        holder=report.holder,
        rounds=reading.rounds,
        diverged=reading.diverged,
        noise_rounds=reading.noise_rounds,
        noise_diverged=reading.noise_diverged,
        ignored=reading.ignored,
        tolerated=reading.tolerated,
        dropped=reading.dropped,
        timed_out=reading.timed_out,
        raised=reading.raised,
        intents=reading.intents,
        live_pnl=reading.live_pnl,
        shadow_pnl=reading.shadow_pnl,
        unpriced=reading.unpriced,
        currency=report.currency or None,
        slot=report.slot or None,
        pairs=reading.pairs,
        returned=reading.returned,
        own=reading.own,
        manifest=report.manifest or None,
        fields=reading.fields,
    )
