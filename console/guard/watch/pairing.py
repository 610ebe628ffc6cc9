"""What priced shadows tell of the running tenure, for the triggers: read where they report, never waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from console.domain.shadow.pairs import PairSums
from console.domain.text import Safe
from console.domain.triggers.facts import SLOTS, Facts, Pairs, Tenure, other
from console.store.keys import ProofKeys
from console.store.records.shadows import read_shadows

if TYPE_CHECKING:
    from console.domain.shadow.report import ShadowReport
    from console.guard.keep.charge import Charge

SILENT: Final = timedelta(seconds=10)
"""A shadow reports once a second: one that is so far behind another has ended."""


class _Counted(NamedTuple):
    """What a shadow has counted."""

    sums: PairSums = PairSums()
    returned: PairSums = PairSums()


class Pairing:
    """One agent's shadows.

    A shadow counts its rounds from its own begin. What it had counted when it was first heard of in a tenure is taken
    off, unless it says that it counts that tenure alone: it may be of the tenure before, when what it shadowed was
    another version.

    A shadow compares two versions on the same rounds, whichever of them acts: one of the side that became active, which
    runs on beside the old version, tells the same with the signs turned.

    It is a control only if it is of the version that this tenure replaced: one that never acted is what a canary
    proves, and however well its shadow looks, nobody is rolled back to it. After an automatic roll back there is none:
    the version that was rolled back from is nothing to be held against.

    Args:
        charge: the agent.
    """

    __slots__ = ("_before", "_charge", "_epoch", "_last")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._epoch = -1
        self._before: dict[tuple[str, str], _Counted] = {}
        self._last: dict[tuple[str, str], int] = {}

    async def read(self, facts: Facts, *, back: bool = False) -> Pairs | None:
        """Of the priced shadows that tell of this tenure the one with the most rounds; None where there is none.

        Args:
            facts: what is known of the agent.
            back: whether the tenure began with an automatic roll back.

        Raises:
            StoreUnreachable: no answer.
        """
        tenure = facts.tenure
        if tenure is None or back:
            return None
        if tenure.epoch != self._epoch:
            self._epoch, self._before, self._last = tenure.epoch, {}, {}
        kept = await self._charge.state.hash(ProofKeys.of(self._charge.state.keys).shadows)
        controls = [report for report in read_shadows(kept) if _is_control(report, tenure, facts)]
        told = [pairs for report in controls if (pairs := self._pairs(report, tenure)) is not None]
        newest = max((pairs.at for pairs in told), default=tenure.at)
        heard = [pairs for pairs in told if newest - pairs.at <= SILENT]  # one that has ended is no reason to be deaf
        return max(heard, key=lambda pairs: pairs.sums.rounds, default=None)

    def _pairs(self, report: ShadowReport, tenure: Tenure) -> Pairs | None:
        sums = report.reading.pairs
        if sums is None or report.at < tenure.at:
            return None
        counted = _Counted(sums, report.reading.returned or PairSums())
        whose = (str(report.name), str(report.holder))
        if sums.rounds < self._last.get(whose, 0):
            self._before[whose] = _Counted()  # it began anew
        self._last[whose] = sums.rounds
        of_this_alone = report.tenure and report.tenure == tenure.epoch
        before = _Counted() if of_this_alone else self._before.setdefault(whose, counted)
        new, returned = sums.since(before.sums), counted.returned.since(before.returned)
        slot, name = other(tenure.slot), report.name
        if report.slot == tenure.slot:
            new, returned, name = new.turned, returned.turned, Safe("")
        return Pairs(name, slot, report.at, str(report.currency), new, returned)


def _is_control(report: ShadowReport, tenure: Tenure, facts: Facts) -> bool:
    """Whether a shadow compares the version that acts with the one that it replaced."""
    name, now, before = str(report.name), facts.now.version, facts.baseline
    if report.slot == tenure.slot:
        return now in ("", tenure.slot, name)
    if report.slot not in SLOTS:
        return False
    if report.acted or before is None or before.slot != report.slot or str(before.version) != name:
        return report.acted
    # a log may hold what a version decided that stood by all the time: it won and lost nothing, and was not replaced
    return any(pnl.rounds for pnl in before.pnl.values())
