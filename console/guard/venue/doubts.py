"""Doubts told from the venue's history: resolved where the venue's own record says it, else asked of a person.

The rules are the protocol's, unchanged: *executed* takes the venue's record under our key; *not executed* is only
proposed, and the store takes it where the holder can't send any more and the quarantine was over when it was looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from console.domain.fence.claims import OpenClaim
from console.domain.guard.alerts import AlertKind
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.domain.triggers.finding import Severity
from console.domain.venue.doubts import Says, Verdict, Wanted, verdict
from console.domain.venue.reading import Reading
from console.domain.venue.things import History
from console.guard.keep.charge import Charge
from console.guard.venue.alarm import Alarm
from console.store.fence.claims import Proof, Resolution, ResolveCode
from console.store.fence.hosts import host_name, is_gone
from console.store.fence.ids import new_id
from console.store.records.audit import append

if TYPE_CHECKING:
    from console.venue.prober import Prober

QUARANTINE_MS: Final = 60_000
"""At the least, whatever a document says of how soon its history shows what was done."""
_WAITS: Final = (ResolveCode.HOLDER_ALIVE, ResolveCode.TOO_EARLY)


class Doubts:
    """Tells the doubts of one agent.

    Args:
        charge: the agent.
        prober: asks its venue.
        alarm: for what a person has to look at.
    """

    def __init__(self, charge: Charge, prober: Prober, alarm: Alarm) -> None:
        self._charge, self._prober, self._alarm = charge, prober, alarm

    async def look(self, now: datetime) -> Reading[History] | None:
        """Look for every action in doubt in the venue's history; None where there is nothing to look for.

        Args:
            now: our own clock, aware UTC.

        Raises:
            StoreUnreachable: no answer.
        """
        fence, probe = self._charge.fence, self._prober.venue.document.probes.history
        if probe is None or probe.key is None:
            return None
        server_ms = await self._charge.state.server_ms()
        claims = [claim for claim in await fence.open_claims() if claim.is_doubt(server_ms)]
        if not claims:
            return None
        # What the protocol asks for was so before the history was read: what came after it proves nothing.
        looked_ms = (await fence.tend()).steady_ms
        beats = await fence.heartbeats()
        history = await self._prober.history(now)
        for claim in claims:
            await self._one(claim, history, beats, looked_ms, frozenset(probe.failed), server_ms)
        return history

    async def _one(
        self,
        claim: OpenClaim,
        history: Reading[History],
        beats: Mapping[str, Mapping[str, object]],
        looked_ms: int,
        failed: frozenset[str],
        server_ms: int,
    ) -> None:
        venue = self._prober.venue
        wanted = Wanted(claim.key, _time(claim.claimed_ms), _time(claim.deadline_ms), claim.amount)
        told = verdict(
            wanted,
            history,
            failed=failed,
            tolerance=venue.rules.tolerances.amount,
            visible_s=venue.keys.visible_s,
        )
        if told.says is Says.ASK:
            if told.times > 1 or server_ms - claim.deadline_ms > venue.keys.visible_s * 1000:
                await self._ask(claim, told)
            return
        executed = told.says is Says.EXECUTED
        gone = is_gone(beats.get(claim.instance, {}), host_name())
        reply = await self._charge.fence.resolve(
            Resolution(
                claim.key,
                claim.claim_id,
                executed=executed,
                by=self._charge.by,
                evidence=str(venue.secret.hide(told.evidence)),
                proof=None if executed else Proof.GONE if gone else Proof.SILENT,
                quarantine_ms=max(QUARANTINE_MS, int(venue.keys.visible_s * 1000)),
                pnl=told.pnl,
                looked_ms=looked_ms,
            )
        )
        if reply.code is ResolveCode.RESOLVED:
            ending = "executed" if executed else "not executed, its key is used up" if reply.used_up else "not executed"
            await self._record(claim, ending, told, reply.epoch)
        elif reply.code not in (*_WAITS, ResolveCode.ALREADY, ResolveCode.NOT_IN_DOUBT):
            self._charge.tell("doubt not resolved", key=str(clean(claim.key, 80)), code=reply.code.value)

    async def _record(self, claim: OpenClaim, ending: str, told: Verdict, epoch: int) -> None:
        charge, evidence = self._charge, self._prober.venue.secret.hide(told.evidence)
        charge.tell("doubt resolved", key=str(clean(claim.key, 80)), verdict=ending, evidence=evidence)
        held = f"in doubt, {claim.amount.normalize():f} {claim.currency}"
        receipt = Receipt(
            id=new_id(),
            at=_time(await charge.state.server_ms()),
            command="doubts resolve",
            agent=charge.agent,
            changes=(Change(f"doubt {claim.key}", held, ending),),
            elapsed_ms=0.0,
            who=charge.by,
            why=str(evidence),
            epoch=epoch,
        )
        await append(charge.fence.client, charge.keys, receipt)

    async def _ask(self, claim: OpenClaim, told: Verdict) -> None:
        twice = told.times > 1
        words = f"{clean(claim.key, 60)} is in doubt, and the venue's history does not settle it: {told.evidence}"
        await self._alarm.once(
            ("doubt", claim.claim_id, "twice" if twice else "ask"),
            f"EXECUTED {told.times} TIMES: {words}" if twice else words,
            Severity.CRITICAL if twice else Severity.MEDIUM,
            AlertKind.WARNING,
        )


def _time(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
