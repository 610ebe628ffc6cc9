"""What priced shadows tell of the running tenure, for the triggers: read where they report, never waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.shadow.pairs import PairSums
from console.domain.triggers.facts import Pairs, Tenure, other
from console.store.keys import ProofKeys
from console.store.records.shadows import read_shadows

if TYPE_CHECKING:
    from console.domain.shadow.report import ShadowReport
    from console.guard.keep.charge import Charge


class Pairing:
    """One agent's shadows.

    A shadow counts its rounds from its own begin. What it had counted when it was first heard of in a tenure is taken
    off: it may be of the tenure before, when what it shadowed was another version.

    Args:
        charge: the agent.
    """

    __slots__ = ("_before", "_charge", "_epoch", "_last")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._epoch = -1
        self._before: dict[tuple[str, str], PairSums] = {}
        self._last: dict[tuple[str, str], int] = {}

    async def read(self, tenure: Tenure | None) -> Pairs | None:
        """The newest word of a priced shadow of the side that does not act; None where there is none.

        Raises:
            StoreUnreachable: no answer.
        """
        if tenure is None:
            return None
        if tenure.epoch != self._epoch:
            self._epoch, self._before, self._last = tenure.epoch, {}, {}
        kept = await self._charge.state.hash(ProofKeys.of(self._charge.state.keys).shadows)
        told = [self._pairs(report, tenure) for report in read_shadows(kept)]
        return next((pairs for pairs in told if pairs is not None), None)

    def _pairs(self, report: ShadowReport, tenure: Tenure) -> Pairs | None:
        sums = report.reading.pairs
        if sums is None or report.slot != other(tenure.slot) or report.at < tenure.at:
            return None
        whose = (str(report.name), str(report.holder))
        if sums.rounds < self._last.get(whose, 0):
            self._before[whose] = PairSums()  # it began anew
        self._last[whose] = sums.rounds
        before = self._before.setdefault(whose, sums)
        return Pairs(report.name, report.slot, report.at, str(report.currency), sums.since(before))
