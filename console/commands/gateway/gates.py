"""What gates keep: ticks, proposed overrides and their approvals, the version that a canary proves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.commands.gateway.door import Begun, Door, Order, server_time
from console.domain.errors import Conflict, Refused
from console.domain.gates.facts import Tick
from console.domain.gates.plan import UNKNOWN_LOGIN, Approval, Person, Plan, Proposed, same_person
from console.domain.operator.receipt import Change, Receipt
from console.domain.rehearsal.evidence import Evidence
from console.domain.text import clean
from console.store.records import gates as records
from console.store.records.experiments import DocumentCode
from console.store.records.gates import Kept
from console.store.server.trouble import wrap_errors


class GateRecords:
    """Reads and changes what gates keep.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def read(self) -> Kept:
        """Everything of it.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await records.read(self._door.client, self._door.keys)

    async def text_at(self, key: str) -> bytes | None:
        """A plain key's text, at most a megabyte of it; None where there is no such key.

        Raises:
            Refused: it is no text, or a longer one.
            StoreUnreachable: the store did not answer.
        """
        return await records.text_at(self._door.client, key)

    async def person(self) -> Person:
        """Who is at this console, by their own word and by the store's login.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from redis.exceptions import NoPermissionError, ResponseError

        with wrap_errors():
            try:
                login: Any = await self._door.client.acl_whoami()
            except (NoPermissionError, ResponseError):
                login = UNKNOWN_LOGIN
        name = login.decode("utf-8", "replace") if isinstance(login, bytes) else str(login)
        return Person(self._door.who, str(clean(name, 128)))

    async def now(self) -> datetime:
        """The server's clock.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        with wrap_errors():
            seconds, micros = await self._door.client.time()
        return server_time(int(seconds) * 1000 + int(micros) // 1000)

    async def tick(self, tick: Tick, order: Order) -> Receipt:
        """Write down that a named operator saw to an item.

        Raises:
            Conflict: somebody else ticked it in the same moment.
            ReadOnly, StoreUnreachable: as named.
        """
        kept = await self.read()
        name = records.tick_name(tick.item)
        before = kept.ticks.get(tick.item)
        told = Person(tick.by, tick.login).told
        return await self._put(
            order,
            name,
            records.tick_document(tick),
            kept.revisions.get(name, 0),
            Change(f"checklist {tick.item}", before and f"ticked by {before.by}", f"ticked by {told}"),
        )

    async def propose(self, plan: Plan, order: Order) -> Receipt:
        """Write down what somebody wants to do over closed gates, for another to approve.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        kept = await self.read()
        worn = kept.worn(plan.proposed_at)
        if worn and not self._door.read_only:
            await records.forget(self._door.client, self._door.keys, worn)
        name = records.plan_name(plan.id)
        words = f"{plan.command} {plan.target or plan.step} over {', '.join(plan.closed)}".replace("  ", " ")
        change = Change(f"plan {plan.id}", None, f"proposed: {words}")
        return await self._put(order, name, records.plan_document(plan, None), kept.revisions.get(name, 0), change)

    async def approve(self, proposed: Proposed, approver: Person, holds_s: float, order: Order) -> Receipt:
        """Agree to a plan.

        Raises:
            Refused: whoever proposed it can't approve it.
            Conflict: it was changed meanwhile.
            ReadOnly, StoreUnreachable: as named.
        """
        plan = proposed.plan
        if same_person(plan.proposer, approver):
            raise Refused(
                f"{approver.told} can't approve plan {plan.id}: {plan.proposer.told} proposed it.",
                "Somebody else has to; where the store knows people by ACL users, each by a login of their own.",
            )
        now = await self.now()
        approval = Approval(plan.id, approver.who, approver.login, now, now + timedelta(seconds=holds_s))
        change = Change(
            f"plan {plan.id}",
            f"proposed by {plan.proposer.told}",
            f"approved by {approver.told} until {approval.expires_at:%H:%M:%S}Z",
        )
        name = records.plan_name(plan.id)
        return await self._put(order, name, records.plan_document(plan, approval), proposed.revision, change)

    async def canary_known(self, run: str, order: Order, version: str = "") -> None:
        """Write down which version a canary's side runs as it begins, and which gates an operator goes over in the run;
        it has no entry in the audit of its own.

        Args:
            run: the canary's.
            order: what is about to be done to it.
            version: empty for what is known already.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        if not (version or order.over):
            return
        begun = self._door.begin(order)
        kept = await self.read()
        name, version = records.canary_name(run), version or kept.canaries.get(run, "")
        over = kept.accepted.get(run, frozenset()) | frozenset(order.over)
        call = records.put(
            self._door.keys,
            name,
            {"version": version, "accepted": sorted(over)},
            kept.revisions.get(name, 0),
            by=self._door.who,
            why=f"canary of {version}"[:200],
        )
        await begun.once(self._door.fence.call(call))

    async def rehearsed(self, evidence: Evidence, order: Order) -> Receipt:
        """Write down a version's last rehearsal, in place of the one before.

        Raises:
            Conflict: another rehearsal of the version was written down in the same moment.
            ReadOnly, StoreUnreachable: as named.
        """
        kept = await self.read()
        worn = kept.worn(evidence.at)
        if worn and not self._door.read_only:
            await records.forget(self._door.client, self._door.keys, worn)
        name, before = records.rehearsal_name(evidence.version), kept.rehearsals.get(evidence.version)
        change = Change(f"rehearsal of {evidence.version}", _verdict(before) if before else None, _verdict(evidence))
        return await self._put(order, name, evidence.document(), kept.revisions.get(name, 0), change)

    async def overridden(self, order: Order, closed: Mapping[str, str], note: str) -> Receipt:
        """Write down, loudly and before it is done, that closed gates are overridden.

        Args:
            order: what is about to be done, with the reason.
            closed: gate → its evidence.
            note: who this is, and who approved it.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        begun = self._door.begin(order._replace(command="override", reversible=False))
        changes = [Change(f"gate {name}", evidence[:200], "OVERRIDDEN") for name, evidence in closed.items()]
        return await begun.record(begun.receipt(*changes, note=note))

    async def _put(self, order: Order, name: str, document: dict[str, Any], expected: int, change: Change) -> Receipt:
        begun: Begun = self._door.begin(order, change.what)
        call = records.put(
            self._door.keys,
            name,
            document,
            expected,
            by=self._door.who,
            why=order.why,
            before=change.before or "",
            after=change.after or "",
            audit=begun.fields,
        )
        reply = await begun.once(self._door.fence.call(call))
        if reply.code is DocumentCode.CONFLICT:
            raise Conflict(f"{clean(change.what, 60)} was changed meanwhile.", "Look again, then decide.")
        if reply.code is DocumentCode.FULL:
            raise Refused(
                "There are as many ticks and plans as there may be.", "Those older than a day go by themselves."
            )
        return begun.receipt(change, server_ms=reply.server_ms)


def _verdict(evidence: Evidence) -> str:
    return f"{'passed' if evidence.passed else 'failed'}: {evidence.words}"[:200]
