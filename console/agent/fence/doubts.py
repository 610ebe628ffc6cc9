"""Resolving claims in doubt: whom to ask, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from console.agent.fence.action import as_text
from console.agent.fence.core import Core, Evidence
from console.domain.fence.claims import OpenClaim

Probe = Callable[[OpenClaim], Evidence | None]


def to_ask_about(core: Core, claims: list[OpenClaim]) -> list[OpenClaim]:
    """The claims in doubt that a probe is asked about: not those this process is still acting on."""
    return [claim for claim in claims if claim.in_doubt and claim.key not in core.acting]


def send(
    fence: Any, core: Core, claim: OpenClaim, found: Evidence, heartbeats: Mapping[str, Mapping[str, object]]
) -> Any:
    """The call that resolves; an awaitable one on an asyncio fence."""
    return fence.resolve(
        claim.key, claim.claim_id, executed=found.executed,
        proof=found.proof or core.proof(claim, heartbeats.get(claim.instance)), by=core.instance,
        evidence=found.evidence, quarantine_ms=core.settings.quarantine_ms, wake_ms=core.settings.wake_ms,
        retention_ms=core.settings.retention_ms, pnl=Decimal(found.pnl), result=as_text(found.result),
    )  # fmt: skip
