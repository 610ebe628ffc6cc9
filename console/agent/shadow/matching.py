"""Which round of the active side is the same as one that the side standing by would have played: by its key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from console.domain.fence.claims import from_store
from console.domain.shadow.pricing import Pricing

if TYPE_CHECKING:
    from console.agent.fence.action import Proposal

WAITING: Final = 10_000
"""Rounds of either side that may wait for the other's; the oldest goes, and is counted."""
_PARTS: Final = 12
_LATELY: Final = float("-inf")


class Played(NamedTuple):
    """What the active side made of a key.

    Args:
        key: the idempotency key.
        amount, currency, direction, action: as it was claimed.
        pnl: what it brought.
        result: as it was settled: text, or JSON.
    """

    key: str
    amount: Decimal
    currency: str
    direction: str
    action: str
    pnl: Decimal
    result: str


class Wanted(NamedTuple):
    """What the side standing by wanted, and when, by our monotonic clock."""

    proposal: Proposal
    at: float


class _Claim(NamedTuple):
    claim_id: str
    amount: Decimal
    currency: str
    direction: str
    action: str
    at: float


class Matching:
    """Holds what each side did until the other's is there, or it is clear that it will not come; for one thread.

    What only the active side played, the other one stayed out of, if it decided on something since, and nothing that it
    wanted meanwhile went unmatched: then it may be the same round under another key, and nothing is known.

    Args:
        grace_s: how long one waits for the other.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._wanted: dict[str, Wanted] = {}
        self._claims: dict[str, _Claim] = {}
        self._played: dict[str, tuple[Played, float, float]] = {}
        self._over: dict[str, None] = {}
        """Keys that have counted: a loop that asks for one again and again is one round."""
        self._looked_at = self._astray_at = _LATELY
        self._unpriced = 0
        self.dropped = 0
        """Rounds that waited for too long in too great a number."""

    def clear(self) -> None:
        """Another tenure: what was before has nothing to do with it."""
        self._wanted.clear()
        self._claims.clear()
        self._played.clear()
        self._over.clear()
        self._looked_at = self._astray_at = _LATELY
        self._unpriced = self.dropped = 0

    def looked(self, proposal: Proposal | None, at: float) -> None:
        """The side standing by decided, at that time of our monotonic clock; the first word on a key counts, as a claim
        would."""
        self._looked_at = at
        if proposal is not None and proposal.key not in self._wanted and proposal.key not in self._over:
            self._wanted[proposal.key] = Wanted(proposal, at)
            self._drop(self._wanted)

    def heard(self, record: str, slot: str) -> None:
        """An entry of the stream of actions; claims and results of that slot count.

        A claim is: claim, number, ms, key, id, instance, slot, epoch, fingerprint, amount, currency, direction, action;
        its end: settle, number, ms, key, id, instance, slot, epoch, outcome, pnl, currency, result.
        """
        parts = record.split("\n", _PARTS - 1)
        if len(parts) != _PARTS or parts[0] not in ("claim", "settle") or parts[6] != slot:
            return
        now, key, claim_id = time.monotonic(), parts[3], parts[4]
        with suppress(ValueError, ArithmeticError):
            if parts[0] == "claim":
                direction, _, action = parts[11].partition("\n")
                self._claims[key] = _Claim(claim_id, from_store(parts[9]), parts[10], direction, action, now)
                self._drop(self._claims)
                return
            claim = self._claims.get(key)
            if claim is None or claim.claim_id != claim_id:
                return  # it was claimed before we began
            del self._claims[key]
            if parts[8] != "ok":
                self._wanted.pop(key, None)  # the venue would not have taken it, or nobody knows
                self._unpriced += 1
                return
            pnl, result = from_store(parts[9]), parts[11]
            played = Played(key, claim.amount, claim.currency, claim.direction, claim.action, pnl, result)
            self._played[key] = played, claim.at, now
            self._drop(self._played)

    def _drop(self, waiting: dict[str, Wanted] | dict[str, _Claim] | dict[str, tuple[Played, float, float]]) -> None:
        if len(waiting) > WAITING:
            del waiting[next(iter(waiting))]
            self.dropped += 1

    def take(self) -> Iterator[tuple[Wanted | None, Played | None]]:
        """The rounds that are clear now."""
        now = time.monotonic()
        clear = self._both() + self._one_alone(now)
        acts = (wanted.proposal if wanted is not None else played for wanted, played in clear)
        self._over.update((act.key, None) for act in acts if act is not None)
        while len(self._over) > WAITING:
            del self._over[next(iter(self._over))]
        yield from clear

    def _both(self) -> list[tuple[Wanted | None, Played | None]]:
        keys = [key for key in self._played if key in self._wanted]
        return [(self._wanted.pop(key), self._played.pop(key)[0]) for key in keys]

    def _one_alone(self, now: float) -> list[tuple[Wanted | None, Played | None]]:
        late = now - self._grace_s
        alone: list[tuple[Wanted | None, Played | None]] = []
        for key, wanted in list(self._wanted.items()):
            if wanted.at <= late and key not in self._claims:
                del self._wanted[key]
                self._astray_at = max(self._astray_at, wanted.at)
                alone.append((wanted, None))
        waiting = any(key not in self._claims for key in self._wanted)
        for key, (played, claimed_at, ended_at) in list(self._played.items()):
            if ended_at > late:
                continue
            del self._played[key]
            if self._looked_at >= ended_at and not waiting and self._astray_at < claimed_at - self._grace_s:
                alone.append((None, played))
            else:
                self._unpriced += 1
        return alone

    def unpriced_into(self, pricing: Pricing) -> None:
        """Hand over how many rounds nothing is known of."""
        pricing.unpriced += self._unpriced
        self._unpriced = 0
