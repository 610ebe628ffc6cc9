"""What reads of the venue say; whoever makes them fills `VenueFacts` in."""

from __future__ import annotations

from console.domain.gates.fact import Fact, known
from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Asked, Judged, lacks, opened, unchecked


def key(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the API key answers 200."""
    return _read(facts.venue.key, asked)


def balance(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the balance was read freshly and agrees with the books."""
    return _read(facts.venue.balance, asked)


def positions(facts: GateFacts, asked: Asked) -> Judged:
    """Whether every position is somebody's, and the venue's own read did not fail."""
    return _read(facts.venue.positions, asked)


def monitor(facts: GateFacts, asked: Asked) -> Judged:
    """Whether what carries out stop orders at the venue runs."""
    return _read(facts.venue.monitor, asked)


def escrows(facts: GateFacts, asked: Asked) -> Judged:
    """Whether every escrow is at the venue as our books have it."""
    return _read(facts.venue.escrows, asked)


def _read(fact: Fact[str] | None, asked: Asked) -> Judged:
    if fact is None:
        nothing: Fact[object] = known("venue", asked.now, ())
        return unchecked(nothing, "the venue is not asked")
    return opened(fact, fact.value) if fact.value is not None else lacks(fact)
