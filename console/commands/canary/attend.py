"""Asking the gates for a canary that nobody attends: what an automatic step up goes by, and what takes capital back.

A guard does it, and whoever walks an upgrade: both have the operator's settings, and no agent waits for either.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.commands.context import Context
from console.commands.gates.keeper import Rise, ask
from console.domain.canary.gate_report import GateReport
from console.domain.canary.plan import Action
from console.domain.canary.run import CanaryReading, CanaryRun, propose
from console.domain.fence.deployment import Slot
from console.domain.fence.intent import Source
from console.domain.gates.checklist import Checked, Line
from console.domain.gates.gate import Act, State
from console.domain.text import clean
from console.store.records.canary_gates import keep

if TYPE_CHECKING:
    from console.store.records.canary import CanaryCode


class Attendant:
    """Asks the gates about one agent's canary.

    Args:
        ctx: surroundings, as an operator has them.
        by: who this is, in reports and in the audit.
    """

    def __init__(self, ctx: Context, by: str) -> None:
        self._ctx, self._by = ctx, by
        self._unknown_since: dict[str, datetime] = {}

    async def look(self) -> CanaryCode | None:
        """Ask, say what was seen, and take capital back where a gate closed; what came of that, None where it was not
        due.

        Raises:
            Refused: a key of the canary is of another Redis type.
            StoreUnreachable: no answer.
        """
        from console.store.records.canary import CanaryCode

        for _ in range(2):  # it may have moved while the gates were asked
            code = await self._once()
            if code is not CanaryCode.CONFLICT:
                break
        return code

    async def _once(self) -> CanaryCode | None:
        ctx = self._ctx
        reading = (await ctx.gateway.canaries.read()).reading
        run = reading.run if reading is not None else None
        if run is None or run.plan is None or not (run.live or run.finished):
            self._unknown_since.clear()
            return None
        seen = await ctx.read()
        authority = seen.deployment.authority
        if run.finished and authority is not None and authority.active is Slot(run.slot):
            return None  # it acts: there is no other side that its capital would go back to by itself
        checked = await ask(ctx, Rise("canary promote", Act.CANARY_UP, Slot(run.slot)), seen)
        accepted = (await ctx.gateway.gates.read()).accepted.get(str(run.name), frozenset())
        report = self._report(run, checked, accepted, seen.server_at)
        await keep(ctx.gateway.client, ctx.gateway.keys, report)
        proposal = propose(CanaryReading(run, gates=(report,)), seen.server_at)
        if proposal is None or proposal.action is not Action.ROLL_BACK:
            return None
        return await self._abort(run, str(clean(proposal.reason)))

    def _report(self, run: CanaryRun, checked: Checked, accepted: frozenset[str], now: datetime) -> GateReport:
        """What was seen: what is unknown for as long as an analysis may be old counts as closed."""
        assert run.plan is not None
        shut = checked.forbidding
        lacking = {line.item.id for line in shut if line.judged.state is not State.CLOSED}
        self._unknown_since = {name: self._unknown_since.get(name, now) for name in lacking}
        closed: list[str] = []
        held: list[str] = []
        for line in shut:
            since = self._unknown_since.get(line.item.id)
            for_good = since is None or (now - since).total_seconds() >= run.plan.stale_after_s
            (closed if for_good and line.item.id not in accepted else held).append(_words(line))
        return GateReport(clean(self._by, 128), run.name, now, tuple(closed), tuple(held))

    async def _abort(self, run: CanaryRun, why: str) -> CanaryCode:
        from console.store.records.canary import Act as RunAct
        from console.store.records.canary import change, unordered

        gateway = self._ctx.gateway
        wanted = unordered(
            RunAct.ABORT, run, run.position, agent=self._ctx.agent, by=self._by, why=why, source=Source.GUARD
        )
        return (await gateway.fence.call(change(gateway.keys, wanted))).code


def _words(line: Line) -> str:
    return f"{line.item.id} ({line.judged.words})"
