"""Moving a canary's capital, if it stands where the decision saw it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from console.commands.gateway.door import OTHERWISE, Door, Order, otherwise, owed_alone
from console.domain.canary.plan import Position
from console.domain.canary.run import CanaryRun
from console.domain.errors import Conflict, Refused
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.records.canary import UPGRADE, CanaryCode, CanaryReply, RunChange, Stored, change, read_async


class CanaryGate:
    """Reads and changes the canary.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def read(self) -> Stored:
        """Everything about the canary, as it is now.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await read_async(self._door.client, self._door.keys)

    async def change(self, wanted: RunChange, order: Order, seen: CanaryRun | None = None) -> Receipt:
        """Change a run.

        Args:
            wanted: what is to be done, and to which run; `by`, `why` and `audit` are filled in here.
            order: what was ordered.
            seen: the run as the decision saw it.

        Raises:
            Conflict: it stands elsewhere by now.
            Refused: it may not be done now; the text says why.
            ReadOnly, StoreUnreachable: as named.
        """
        run = wanted.run
        begun = self._door.begin(order, f"canary {run}")
        basis = owed_alone(order.basis)  # what is written down of a run is an event too; its revision binds the rest
        wanted = replace(wanted, by=self._door.who, why=order.why, audit=begun.fields, basis=basis)
        call = change(self._door.keys, wanted)
        reply = await begun.once(self._door.fence.call(call))
        _raise_unless_changed(reply, run)
        if reply.code is CanaryCode.AGAIN:
            return begun.receipt(server_ms=reply.server_ms, note="it was so already")
        before = None if seen is None or seen.name != run else standing(seen.state.value, seen.position, seen.share)
        after = standing(reply.state.value if reply.state else "", reply.position, reply.share)
        return begun.receipt(Change(f"canary {run}", before, after), server_ms=reply.server_ms)


def standing(state: str, position: Position, share: Decimal) -> str:
    """Where a run stands, as receipts say it: the script writes the same words into the audit."""
    return f"{state}, step {position.step + 1}, share {share:f}"


def _raise_unless_changed(reply: CanaryReply, run: str) -> None:
    code, name = reply.code, clean(run, 64)
    if code in (CanaryCode.DONE, CanaryCode.AGAIN):
        return
    if code is CanaryCode.CONFLICT and reply.detail in OTHERWISE:
        raise otherwise(reply.detail)
    if code is CanaryCode.CONFLICT and reply.detail == UPGRADE:
        raise Conflict("The upgrade's run was changed meanwhile: no canary was started.", "`upgrade show` says more.")
    if code is CanaryCode.CONFLICT:
        raise Conflict(
            f"Canary {clean(reply.run, 64)} stands at step {reply.position.step + 1}, revision "
            f"{reply.position.revision} by now{': ' + reply.detail if reply.detail else ''}.",
            "Look again, then decide.",
        )
    refusals = {
        CanaryCode.NONE: ("There is no canary.", "`canary start PLAN` starts one."),
        CanaryCode.OVER: (f"Canary {name} is over: {reply.state}.", "`canary start PLAN` starts another."),
        CanaryCode.ACTIVE: (f"Canary {clean(reply.run, 64)} goes on.", "Abort it or let it finish first."),
        CanaryCode.PAUSED: (f"Canary {name} is paused.", "`canary resume` lets it go on."),
        CanaryCode.CLOSED: (
            f"No capital rises now: {reply.detail}.",
            "What reduces risk is always open; `resume` lifts a freeze.",
        ),
        CanaryCode.BADSTEP: ("One step at a time, and within the plan.", "`canary show` says where it stands."),
        CanaryCode.NOT_LAST: (f"Canary {name} is not at its last step.", ""),
    }
    message, hint = refusals[code]
    raise Refused(message, hint)
