"""Resolving claims in doubt: whom to ask, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.agent.fence.action import as_text
from console.agent.fence.core import Core, Evidence
from console.domain.fence.claims import OpenClaim, as_money
from console.store.fence.claims import Proof, Resolution


def to_ask_about(core: Core, claims: list[OpenClaim]) -> list[OpenClaim]:
    """The claims in doubt that a probe is asked about: not those this process is still acting on, or whose end it has
    yet to tell."""
    return [claim for claim in claims if claim.in_doubt and claim.key not in core.acting]


class Looked(NamedTuple):
    """What was known right before the probe was asked: what it says was so then, and maybe no longer.

    Args:
        at_ms: the steady clock, as the store told it.
        proof: the best proof there was that the claim's holder couldn't send it any more.
    """

    at_ms: int
    proof: Proof


def look(core: Core, claim: OpenClaim, heartbeats: Mapping[str, Mapping[str, object]], steady_ms: int) -> Looked:
    """Before the probe is asked."""
    return Looked(steady_ms, core.proof(claim, heartbeats.get(claim.instance)))


def resolution(core: Core, claim: OpenClaim, evidence: Evidence, looked: Looked) -> Resolution:
    """What a probe's evidence says of a claim, with the proof that stands for it."""
    settings = core.settings
    return Resolution(
        claim.key,
        claim.claim_id,
        executed=evidence.executed,
        by=core.instance,
        evidence=as_text(evidence.evidence),
        proof=evidence.proof or looked.proof,
        quarantine_ms=settings.quarantine_ms,
        wake_ms=settings.wake_ms,
        retention_ms=settings.retention_ms,
        pnl=as_money(evidence.pnl),
        result=as_text(evidence.result),
        own=core.own,
        looked_ms=looked.at_ms,
    )
