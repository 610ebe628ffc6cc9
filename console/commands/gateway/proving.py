"""The part of the gateway that proves new versions: a canary's capital, and experiments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from console.commands.gateway.door import ms_since, server_time
from console.commands.gateway.fence import Moving
from console.domain.errors import Conflict, Refused
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.ids import new_id

if TYPE_CHECKING:
    from decimal import Decimal

    from console.domain.canary.plan import Plan, Position
    from console.domain.canary.run import CanaryRun
    from console.domain.experiment.record import ExperimentRecord, ExperimentView
    from console.store.records.canary import Act, CanaryReply, Stored

_AGAIN: Final = "it was so already"


class Proving(Moving):
    """Reads and changes what proves a new version; see `Door` for its arguments."""

    async def canary(self) -> Stored:
        """Everything about the canary, as it is now.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.records.canary import read_async

        return await read_async(self._client, self.keys)

    async def change_canary(
        self,
        act: Act,
        run: str,
        expected: Position | None,
        *,
        command: str,
        why: str,
        seen: CanaryRun | None = None,
        target: int = 0,
        plan: Plan | None = None,
        slot: str = "",
        currency: str = "",
        capital: Decimal | None = None,
    ) -> Receipt:
        """Change a canary's run if it stands where the decision saw it; see `console.store.records.canary.change`.

        Raises:
            Conflict: it stands elsewhere by now.
            Refused: it may not be done now; the text says why.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.store.records.canary import CanaryCode, change

        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        fields = self._audit_fields(identity, command, f"canary {run}", why)
        call = change(
            self.keys, act, run, expected, by=self.who, why=why, target=target, plan=plan, slot=slot,
            currency=currency, capital=capital, audit=fields,
        )  # fmt: skip
        reply = await self._once(self._fence.call(call), command)
        _raise_unless_changed(reply, run)
        again = reply.code is CanaryCode.AGAIN
        before = None if seen is None or seen.name != run else standing(seen.state.value, seen.position, seen.share)
        after = standing(reply.state.value if reply.state else "", reply.position, reply.share)
        return Receipt(
            id=identity,
            at=server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=() if again else (Change(f"canary {run}", before, after),),
            elapsed_ms=ms_since(started),
            who=self.who,
            why=why,
            note=_AGAIN if again else "",
        )

    async def experiments(self) -> tuple[ExperimentView, ...]:
        """Every experiment.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return (await self.read()).experiments

    async def put_experiment(
        self, record: ExperimentRecord, expected: int, *, command: str, why: str, before: str | None, after: str
    ) -> Receipt:
        """Define or change an experiment, if its revision is the one expected.

        Raises:
            Conflict: somebody else changed it meanwhile.
            Refused: there are too many.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.store.records.experiments import DocumentCode, put

        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        fields = self._audit_fields(identity, command, f"experiment {record.name}", why)
        call = put(self.keys, record, expected, before=before or "", after=after, audit=fields)
        reply = await self._once(self._fence.call(call), command)
        if reply.code is DocumentCode.CONFLICT:
            raise Conflict(f"Experiment {record.name} was changed meanwhile.", "Look again, then decide.")
        if reply.code is DocumentCode.FULL:
            raise Refused("There are as many experiments as there may be.", "Use another agent's name for new ones.")
        return Receipt(
            id=identity,
            at=server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=(Change(f"experiment {record.name}", before, after),),
            elapsed_ms=ms_since(started),
            who=self.who,
            why=why,
        )


def standing(state: str, position: Position, share: Decimal) -> str:
    """Where a run stands, as receipts say it: the script writes the same words into the audit."""
    return f"{state}, step {position.step + 1}, share {share:f}"


def _raise_unless_changed(reply: CanaryReply, run: str) -> None:
    from console.store.records.canary import CanaryCode

    code, name = reply.code, clean(run, 64)
    if code in (CanaryCode.DONE, CanaryCode.AGAIN):
        return
    if code is CanaryCode.CONFLICT:
        raise Conflict(
            f"Canary {clean(reply.run, 64)} stands at step {reply.position.step + 1}, revision "
            f"{reply.position.revision} by now{': ' + reply.detail if reply.detail else ''}.",
            "Look again, then decide.",
        )
    said = {
        CanaryCode.NONE: ("There is no canary.", "`canary start PLAN` starts one."),
        CanaryCode.OVER: (f"Canary {name} is over: {reply.state}.", "`canary start PLAN` starts another."),
        CanaryCode.ACTIVE: (f"Canary {clean(reply.run, 64)} goes on.", "Abort it or let it finish first."),
        CanaryCode.PAUSED: (f"Canary {name} is paused.", "`canary resume` lets it go on."),
        CanaryCode.CLOSED: (f"No capital rises now: {reply.detail}.", "What reduces risk is always open."),
        CanaryCode.BADSTEP: ("One step at a time, and within the plan.", "`canary show` says where it stands."),
        CanaryCode.NOT_LAST: (f"Canary {name} is not at its last step.", ""),
    }
    message, hint = said[code]
    raise Refused(message, hint)
