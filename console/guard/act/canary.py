"""A guard on an agent's canary: capital goes back when a rule says so, whoever else is there to do it.

The desk that shares the rounds out does the same by itself; a guard is for the desk that hangs, lies frozen or is gone.
It never promotes. Each act carries the position it was decided on, so of a desk and two guards one does it.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from console.domain.canary.plan import Action, Proposal, RunState
from console.domain.canary.run import CanaryReading, propose
from console.domain.fence.intent import Source
from console.domain.guard.alerts import AlertKind
from console.domain.text import clean
from console.domain.triggers.finding import Severity
from console.guard.keep.charge import Charge
from console.store.records.canary import Act, CanaryCode, change, read_async, unordered

_CANARY: Final = "canary"
DESK_SILENT_S: Final = 30.0
"""A desk with capital in force that has said nothing for so long is told of."""


class CanaryWatch:
    """Looks at one agent's canary.

    Args:
        charge: the agent.
    """

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self.live = False
        """Whether a run went on when it was looked at last."""
        self.allowed: tuple[str, str, tuple[float, float]] | None = None
        """Slot and currency of the last run that was not taken back, and what its plan says that a round may return per
        unit at risk."""
        self.seen: tuple[CanaryReading | None, float] | None = None
        """What was read last, and when, on the monotonic clock; None before that."""
        self.finished = ""
        """The side whose finished canary had all of the capital then; empty for none."""

    async def look(self) -> CanaryCode | None:
        """Look once, and act where it is due; what came of an act, None where there was none.

        Raises:
            StoreUnreachable: no answer; the next look tries again.
            Refused: a key of the canary is of another Redis type.
        """
        stored = await read_async(self._charge.fence.client, self._charge.keys)
        reading = stored.reading
        self.seen = reading, time.monotonic()
        self.live = reading is not None and reading.run.live
        self.allowed = None
        self.finished = reading.run.slot if reading is not None and reading.run.finished else ""
        if reading is None:
            return None
        run = reading.run
        if run.plan is not None and run.state is not RunState.ABORTED:
            settings = run.plan.settings
            self.allowed = run.slot, str(run.currency), (settings.lowest, settings.highest)
        if not reading.run.live:
            await self._told_of(reading)
            return None
        closed = (stored.closed,) if stored.closed else ()
        proposal = propose(reading, stored.server_at, closed_gates=closed)
        if proposal is not None and proposal.action is Action.ROLL_BACK:
            return await self._abort(reading, proposal)
        await self._warn(reading, proposal, stored.server_at)
        return None

    async def _abort(self, reading: CanaryReading, proposal: Proposal) -> CanaryCode:
        run, why, charge = reading.run, str(clean(proposal.reason)), self._charge
        wanted = unordered(
            Act.ABORT, run, proposal.expected, agent=charge.agent, by=charge.by, why=why, source=Source.GUARD
        )
        reply = await charge.fence.call(change(charge.keys, wanted))
        charge.tell("canary", asked="abort", done=reply.code.value, run=str(run.name), reason=why)
        return reply.code

    async def _told_of(self, reading: CanaryReading) -> None:
        """An alert for a run that was taken back by a guard or a desk; once, whoever sees it first."""
        run = reading.run
        if run.share == 0 and run.state.value == "ABORTED" and run.source in (Source.GUARD, Source.AGENT):
            reason, what = f"canary {run.name}: {run.why}", ("canary", run.name, run.position.revision)
            await self._charge.raise_alert(
                Severity.HIGH, reason, run.step_began_at, *what, kind=AlertKind.ABORTED, trigger=_CANARY
            )

    async def _warn(self, reading: CanaryReading, proposal: Proposal | None, now: datetime) -> None:
        """What a person should look at, once a step: a desk that fell silent with money at work, a dwell too long."""
        run, desk = reading.run, reading.desk
        if run.share and (desk is None or (now - desk.at).total_seconds() > DESK_SILENT_S):
            reason = f"canary {run.name}: nothing has shared rounds out for {DESK_SILENT_S:.0f} s with capital in force"
            what = ("silent", run.name, run.position.revision)
            await self._charge.raise_alert(Severity.HIGH, reason, now, *what, trigger=_CANARY)
        if proposal is not None and proposal.page:
            reason = f"canary {run.name} is held by {proposal.gate.value}: {proposal.reason}"
            page = ("page", proposal.gate.value, run.name, run.position.revision)
            await self._charge.raise_alert(Severity.MEDIUM, reason, now, *page, trigger=_CANARY)
