"""A rehearsal's verdict, and what is kept of it for the version that was rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from console.domain.document import Record
from console.domain.rehearsal.answer import Fault
from console.domain.rehearsal.compared import Compared
from console.domain.rehearsal.money import Money


class Limits(NamedTuple):
    """How much may differ beyond noise and still pass.

    Args:
        share: the largest share of rounds that may differ.
        max_loss: how much less than recorded the differing rounds may earn; None leaves money unjudged. With it, a
            round that differs and has no price is a failure, and so is any loss in another currency.
    """

    share: float = 0.0
    max_loss: Money | None = None


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """What is kept of a version's last rehearsal.

    Args:
        version: that was rehearsed.
        passed: whether it decided the same, within noise and limits.
        words: the figures.
        rounds, differing: compared, and of them those that differ by more than noise.
        faults: answers that failed.
        runs: how often it ran over the same inputs.
        first, last: when the first and the last round were recorded.
        inputs_sha256: of every line that it was given.
        command: that was run, without what looks like a secret.
        allowances: tolerances, what was ignored, limits; empty for none.
        who, login: who ran it, by their own word and by the store's.
        at: when, by the store's clock.
        manifest: hash of what the version was held to then; empty where it had declared nothing yet.
    """

    version: str
    passed: bool
    words: str
    rounds: int
    differing: int
    faults: int
    runs: int
    first: datetime
    last: datetime
    inputs_sha256: str
    command: str
    allowances: str
    who: str
    login: str
    at: datetime
    manifest: str = ""


def why_not(compared: Compared, faults: Mapping[Fault, int], limits: Limits) -> str:
    """Why a version did not decide the same; empty where it did.

    Args:
        compared: what comparing found.
        faults: how often it failed to answer, by class: any is too often.
        limits: what may differ.
    """
    if faults:
        told = ", ".join(f"{count:,} {fault.value}" for fault, count in faults.items())
        return f"it failed to answer: {told}"
    if not compared.rounds:
        return "nothing was compared"
    if not compared.differing <= limits.share * compared.rounds:
        return f"{compared.differing:,} of {compared.rounds:,} rounds differ, by more than noise"
    return _too_dear(compared, limits.max_loss) if limits.max_loss is not None else ""


def _too_dear(compared: Compared, limit: Money) -> str:
    if compared.unpriced:
        return f"{compared.unpriced:,} rounds that differ have no price, so what they cost is not known"
    for currency, priced in compared.priced.items():
        allowed = limit.amount if currency == limit.currency else Decimal(0)
        if not priced.difference >= -allowed:
            return f"the rounds that differ earn {priced.difference:+,f} {currency}; {-allowed:,f} is the limit"
    return ""


def figures(compared: Compared, faults: Mapping[Fault, int], runs: int) -> str:
    """A rehearsal in one line of figures."""
    parts = [f"{compared.differing:,} of {compared.rounds:,} rounds differ"]
    if runs > 1:
        parts.append(f"{compared.unsteady:,} by its own noise")
    if compared.differing:
        parts += [f"{one.difference:+,f} {currency}".rstrip() for currency, one in compared.priced.items()]
    if compared.unpriced:
        parts.append(f"{compared.unpriced:,} not priced")
    if faults:
        parts.append(", ".join(f"{count:,} {fault.value}" for fault, count in faults.items()))
    return ", ".join(parts)
