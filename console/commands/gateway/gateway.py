"""The one door from commands to the store: read-only is enforced here, and here every change gets its audit entry.

A command can't forget either: it holds no client, only this.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from console.commands.gateway.door import Quiesce, ms_since, server_time
from console.commands.gateway.guard import Guarding
from console.domain.errors import Conflict, Refused
from console.domain.fence.claims import OpenClaim
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.claims import Proof, ResolveCode
from console.store.fence.ids import new_id
from console.store.fence.replies import FlagCode

if TYPE_CHECKING:
    pass

_UNRESOLVED: Final[Mapping[ResolveCode, tuple[str, str]]] = {
    ResolveCode.ALREADY: ("it is resolved already.", ""),
    ResolveCode.NOT_IN_DOUBT: ("it is not in doubt.", ""),
    ResolveCode.NEEDS_EVIDENCE: ("it takes evidence.", 'Say --evidence "…".'),
    ResolveCode.HOLDER_ALIVE: (
        "its holder might still send it.",
        "Prove that it can't: --proof gone, silent or burned; or wait until it settles itself.",
    ),
    ResolveCode.TOO_EARLY: ("the venue might still show it.", "Ask the venue again after the milliseconds named."),
}


class Gateway(Guarding):
    """Reads for everybody, writes for those who may; see `Door` for its arguments."""

    async def set_flag(
        self,
        name: str,
        *,
        expected: str | None,
        value: str | None,
        command: str,
        why: str,
        undoes: str = "",
        reversible: bool = True,
    ) -> Receipt:
        """Set a flag (None: remove it) if it still holds what is expected (None: that it is missing).

        Raises:
            Conflict: it holds something else.
            Refused: its key is not text.
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        reversible = reversible and not undoes
        fields = self._audit_fields(identity, command, f"flag:{name}", why, undoes=undoes, reversible=reversible)
        reply = await self._once(self._fence.set_flag(name, expected=expected, value=value, audit=fields), command)
        if reply.code is FlagCode.CONFLICT:
            holds = "unset" if reply.before is None else clean(reply.before, 40)
            raise Conflict(f"flag {name} is {holds} now; somebody changed it meanwhile.", "Look again, then decide.")
        if reply.code is FlagCode.WRONGTYPE:
            raise Refused(f"The key of flag {name} holds a {clean(reply.before, 24)}, not text.")
        return Receipt(
            id=identity,
            at=server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=(Change(f"flag:{name}", expected, value),),
            elapsed_ms=ms_since(started),
            who=self.who,
            why=why,
            reversible=reversible,
        )

    async def resolve_doubt(
        self,
        claim: OpenClaim,
        *,
        executed: bool,
        proof: str,
        evidence: str,
        pnl: Decimal,
        command: str,
        why: str,
    ) -> Receipt:
        """End an action in doubt, on evidence.

        Raises:
            Refused: the evidence is not enough: its holder might still send it, or the venue might still show it.
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        reply = await self._once(
            self._fence.resolve(
                claim.key,
                claim.claim_id,
                executed=executed,
                proof=Proof(proof) if proof else None,
                by=self.who,
                evidence=evidence,
                pnl=pnl,
            ),
            command,
        )
        if reply.code is not ResolveCode.RESOLVED:
            message, hint = _UNRESOLVED.get(reply.code, (f"It was not resolved: {reply.code.value.lower()}.", ""))
            detail = f" ({clean(reply.detail, 60)})" if reply.detail else ""
            raise Refused(f"{clean(claim.key, 60)}: {message}{detail}", hint)
        verdict = "executed" if executed else "not executed"
        change = Change(f"doubt {claim.key}", f"in doubt, {claim.amount.normalize():f} {claim.currency}", verdict)
        return await self.record(command=command, changes=(change,), why=why or evidence, started=started)


__all__ = ["Gateway", "Quiesce"]
