"""Resolving claims in doubt: whom to ask, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from console.agent.fence.action import as_text
from console.agent.fence.core import Core, Evidence
from console.domain.fence.claims import OpenClaim


def to_ask_about(core: Core, claims: list[OpenClaim]) -> list[OpenClaim]:
    """The claims in doubt that a probe is asked about: not those this process is still acting on."""
    return [claim for claim in claims if claim.in_doubt and claim.key not in core.acting]


def send(
    fence: Any, core: Core, claim: OpenClaim, evidence: Evidence, heartbeats: Mapping[str, Mapping[str, object]]
) -> Any:
    """The call that resolves; an awaitable one on an asyncio fence."""
    return fence.resolve(
        claim.key, claim.claim_id, executed=evidence.executed,
        proof=evidence.proof or core.proof(claim, heartbeats.get(claim.instance)), by=core.instance,
        evidence=evidence.evidence, quarantine_ms=core.settings.quarantine_ms, wake_ms=core.settings.wake_ms,
        retention_ms=core.settings.retention_ms, pnl=Decimal(evidence.pnl), result=as_text(evidence.result),
    )  # fmt: skip
