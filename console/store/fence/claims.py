"""Claim, settle and resolve: the arguments and answers of the three scripts around one money action."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.fence.claims import (
    MAX_KEY,
    MAX_TEXT,
    QUARANTINE_MS,
    Direction,
    Done,
    OpenClaim,
    Outcome,
    parse_done,
    parse_open,
    to_store,
)
from console.domain.fence.sent import sent_text
from console.store.fence.calls import Call, base_keys
from console.store.fence.ids import host_clock
from console.store.fence.replies import texts
from console.store.keys import Keys

NAMING_TO: Final = 18
"""The number of a claim's last argument that names a commitment."""
DAY_MS: Final = 86_400_000
RETENTION_MS: Final = 30 * DAY_MS
"""How long a result is kept by default; 0 keeps it for ever, which releases of escrows and withdrawals want."""


class ClaimCode(StrEnum):
    """What the store says to a claim. Only GRANTED and DUP are permission to act."""

    GRANTED = "GRANTED"
    DUP = "DUP"
    """Our own call, granted before."""
    DONE = "DONE"
    BUSY = "BUSY"
    IN_DOUBT = "IN_DOUBT"
    PAST_WINDOW = "PAST_WINDOW"
    """It was perhaps sent so long ago that the venue may have forgotten the key: it is in doubt, and never sent again;
    `detail` says when."""
    MISMATCH = "MISMATCH"
    """The key was used with other parameters: a defect of the caller."""
    STALE_HELD = "STALE_HELD"
    """Our own call, granted before, but no longer in force: the caller must settle it as aborted."""
    HALTED = "HALTED"
    DRAINING = "DRAINING"
    NOT_ACTIVE = "NOT_ACTIVE"
    STALE = "STALE"
    """The epoch is no longer current, or the store is not as the client remembers it: look again (heartbeat), then
    decide again."""
    DAMAGED = "DAMAGED"
    """A key of the authority is missing, or holds what it must not; `detail` says which."""
    DIVERGED = "DIVERGED"
    """The plain key says otherwise: somebody wrote it by hand."""
    LEVEL = "LEVEL"
    """The level of the halt forbids this direction."""
    LIMIT = "LIMIT"
    OWED = "OWED"
    """There is a commitment of the id that it would open."""
    NOT_OWED = "NOT_OWED"
    """There is no commitment of the id that it would change or close: it is over."""
    NAMED = "NAMED"
    """Another claim without an end names the same commitment."""
    NOT_OWNER = "NOT_OWNER"
    """The commitment is another side's."""
    NOINIT = "NOINIT"
    REGRESSED = "REGRESSED"
    BADEPOCH = "BADEPOCH"
    BADARG = "BADARG"


class SettleCode(StrEnum):
    """What the store says to a result."""

    SETTLED = "SETTLED"
    RELEASED = "RELEASED"
    DOUBT = "DOUBT"
    ALREADY = "ALREADY"
    LATE = "LATE"
    """The claim was no longer ours. It is recorded; if the key is in other hands, a double spend is assumed."""
    NOINIT = "NOINIT"
    DAMAGED = "DAMAGED"
    """A key of the authority holds what it must not: the report must be made again."""
    BADARG = "BADARG"


class ResolveCode(StrEnum):
    """What the store says to evidence about a claim in doubt."""

    RESOLVED = "RESOLVED"
    ALREADY = "ALREADY"
    NOT_IN_DOUBT = "NOT_IN_DOUBT"
    NEEDS_EVIDENCE = "NEEDS_EVIDENCE"
    HOLDER_ALIVE = "HOLDER_ALIVE"
    """It can't be called not executed while its holder might still send it."""
    TOO_EARLY = "TOO_EARLY"
    DAMAGED = "DAMAGED"
    NOINIT = "NOINIT"
    BADARG = "BADARG"


class Proof(StrEnum):
    """Why the holder of a claim in doubt can't send it any more."""

    SELF = "self"
    """The very controller that made the claim says so."""
    GONE = "gone"
    """Its process is gone, or its network access is cut."""
    SILENT = "silent"
    """It has sent no heartbeat for longer than any pause it could wake from."""
    BURNED = "burned"
    """The venue will refuse this key from now on."""


class ClaimReply(NamedTuple):
    """The answer to a claim.

    Args:
        code: see `ClaimCode`.
        epoch: the running epoch.
        deadline_ms: when the lease ends, on the server's clock; 0 where there is none.
        server_ms: the server's clock; 0 where it was not needed.
        done: the recorded end, for DONE.
        detail: the holder, the target, the limit, …: whatever the code is about.
        replicas: how many replicas had it when asked to wait; 0 otherwise.
        newest: the number of the newest action, where it was granted.
    """

    code: ClaimCode
    epoch: int
    deadline_ms: int = 0
    server_ms: int = 0
    done: Done | None = None
    detail: str = ""
    replicas: int = 0
    newest: int = 0

    @property
    def granted(self) -> bool:
        """Whether this is permission to act, until the lease ends."""
        return self.code in (ClaimCode.GRANTED, ClaimCode.DUP)


class SettleReply(NamedTuple):
    """The answer to a result.

    Args:
        code: see `SettleCode`.
        epoch: the running epoch.
        tripped: "rollback" or "halt" where it touched a trip-wire, else empty.
        newest: the number of the newest action.
    """

    code: SettleCode
    epoch: int
    tripped: str = ""
    newest: int = 0


class ResolveReply(NamedTuple):
    """The answer to evidence; `detail` is the milliseconds left, or whom it is held by."""

    code: ResolveCode
    epoch: int
    detail: str = ""

    @property
    def used_up(self) -> bool:
        """Whether the key, which was not executed, can't be claimed again: it came past the venue's window."""
        return self.code is ResolveCode.RESOLVED and self.detail == "USED_UP"


class LeaseReply(NamedTuple):
    """Who holds a lease.

    Args:
        held: whether we do.
        holder: who does; empty for nobody.
        token: rises with every new term.
        left_ms: how long it lasts.
    """

    held: bool
    holder: str
    token: int
    left_ms: int


@lru_cache(1024)
def fingerprint(amount: Decimal, currency: str, direction: Direction, action: str) -> str:
    """What tells the same parameters from others under one idempotency key: 16 hexadecimal digits."""
    text = f"{to_store(amount)}\n{currency}\n{direction}\n{action}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_key(key: str) -> str:
    """An idempotency key that a record can hold.

    Raises:
        UsageError: it is empty, too long, or holds control characters.
    """
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise UsageError(
            "An idempotency key has 1 to 200 printable characters.",
            "Build it from what the action is for, not from a time.",
        )
    return key


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise UsageError(f"A recorded text may have at most {MAX_TEXT} characters; this one has {len(text)}.")
    return text


class Intent(NamedTuple):
    """What a claim asks for; made once, so that a repeated call is the same call.

    Args:
        key: the idempotency key: the business intent, never the version or a random number.
        claim_id: unique to this claim.
        slot, epoch, instance: who asks, by which epoch.
        amount, currency, direction: what it risks.
        action: description, free text.
        lease_ms: how long the claim is good for.
        seen: the highest epoch the client ever saw.
        lineage, newest: the authority that the client knows, and the number of the newest action that it has seen; a
            store that is behind them is not granted from.
        named: the commitment that it opens, changes or closes (`naming`); empty for none.
    """

    key: str
    claim_id: str
    slot: str
    epoch: int
    instance: str
    amount: Decimal
    currency: str
    direction: Direction
    action: str
    lease_ms: int
    seen: int
    lineage: str = ""
    newest: int = 0
    named: str = ""

    @property
    def fingerprint(self) -> str:
        """Of its parameters."""
        action = self.action
        if self.named:
            op, about, *_ = self.named.split("\n", 2)
            action += f"\n{op}\n{about}"
        return fingerprint(self.amount, self.currency, self.direction, action)

    @property
    def naming(self) -> tuple[str, ...]:
        """The four arguments that name a commitment; none where it names none."""
        return tuple(self.named.split("\n", 3)) if self.named else ()


def claim(keys: Keys, intent: Intent, window_ms: int | None = None) -> Call[ClaimReply]:
    if intent.lease_ms < 1:
        raise UsageError("A lease is at least 1 ms long.")
    amount = to_store(intent.amount)
    if intent.amount < 0:
        raise UsageError("An amount is 0 or more; the direction says which way it goes.")
    args: tuple[str, ...] = (
        intent.slot,
        str(intent.epoch),
        check_key(intent.key),
        intent.claim_id,
        intent.instance,
        intent.fingerprint,
        str(intent.lease_ms),
        amount,
        intent.currency,
        intent.direction.value,
        str(intent.seen),
        intent.lineage,
        str(intent.newest),
        _short(intent.action),
        *intent.naming,
    )
    if window_ms is not None:
        args += ("",) * (NAMING_TO - len(args)) + (str(window_ms),)
    return Call("claim", (*base_keys(keys), keys.done(intent.key)), args, claim_reply)


def settle(
    keys: Keys, intent: Intent, outcome: Outcome, *, result: str, pnl: Decimal, retention_ms: int, trigger: str
) -> Call[SettleReply]:
    args = (
        intent.key,
        intent.claim_id,
        outcome.value,
        str(retention_ms),
        to_store(pnl),
        intent.instance,
        intent.fingerprint,
        trigger,
        str(intent.epoch),
        intent.slot,
        to_store(intent.amount),
        intent.currency,
        intent.direction.value,
        _short(result),
        *intent.naming,
    )
    return Call("settle", (*base_keys(keys), keys.done(intent.key)), args, settle_reply)


class Resolution(NamedTuple):
    """How a claim in doubt ended, on evidence.

    Args:
        key, claim_id: which.
        executed: whether the venue did it.
        by: who says so.
        evidence: what was seen; must not be empty.
        proof: for *not executed*: why the holder can't send it any more.
        quarantine_ms: longer than the venue takes to show what it has done; counted from the end of the lease.
        wake_ms: for `Proof.SILENT`: longer than any pause the holder could wake from.
        retention_ms, pnl, result: as for a settlement, where it was executed.
        own: what the claim ids of the caller's own controller begin with; `Proof.SELF` is taken for those alone.
        looked_ms: when the evidence began to be looked for, on the steady clock as a heartbeat or housekeeping told it:
            quarantine and silence must have been over by then, for what was not there yet may have come since. None:
            now.
    """

    key: str
    claim_id: str
    executed: bool
    by: str
    evidence: str
    proof: Proof | None = None
    quarantine_ms: int = QUARANTINE_MS
    wake_ms: int = 600_000
    retention_ms: int = RETENTION_MS
    pnl: Decimal = Decimal(0)
    result: str = ""
    own: str = ""
    looked_ms: int | None = None


def resolve(keys: Keys, resolution: Resolution) -> Call[ResolveReply]:
    """The call that ends a claim in doubt."""
    args = (
        resolution.key,
        resolution.claim_id,
        "executed" if resolution.executed else "not_executed",
        resolution.proof.value if resolution.proof else "",
        resolution.by,
        str(resolution.quarantine_ms),
        str(resolution.wake_ms),
        str(resolution.retention_ms),
        to_store(resolution.pnl),
        _short(resolution.result),
        _short(resolution.evidence),
        resolution.own,
        host_clock(),
        "" if resolution.looked_ms is None else str(resolution.looked_ms),
    )
    return Call("resolve", (*base_keys(keys), keys.done(resolution.key)), args, resolve_reply)


def claim_reply(reply: Any) -> ClaimReply:
    """Parse the answer of claim.lua."""
    words = texts(reply)
    code, epoch = ClaimCode(words[0]), int(words[1])
    if code in (ClaimCode.GRANTED, ClaimCode.DUP, ClaimCode.STALE_HELD):
        return ClaimReply(code, epoch, int(words[2]), int(words[3]), newest=int(words[4]))
    if code is ClaimCode.DONE:
        return ClaimReply(code, epoch, done=parse_done(words[2]))
    if code in (ClaimCode.BUSY, ClaimCode.IN_DOUBT):
        return ClaimReply(code, epoch, int(words[3]), detail=words[2])
    if code is ClaimCode.PAST_WINDOW:
        return ClaimReply(code, epoch, server_ms=int(words[3]), detail=sent_text(int(words[2])))
    return ClaimReply(code, epoch, detail=words[2] if len(words) > 2 else "")


def settle_reply(reply: Any) -> SettleReply:
    """Parse the answer of settle.lua."""
    code, epoch, tripped, newest = texts(reply)
    return SettleReply(SettleCode(code), int(epoch), tripped, int(newest))


def resolve_reply(reply: Any) -> ResolveReply:
    """Parse the answer of resolve.lua."""
    code, epoch, detail = texts(reply)
    return ResolveReply(ResolveCode(code), int(epoch), detail)


def lease(keys: Keys, name: str, holder: str, *, ttl_ms: int, release: bool) -> Call[LeaseReply]:
    return Call(
        "lease",
        (keys.beside(f"lease:{name}"),),
        (holder, str(ttl_ms), "1" if release else "0"),
        lease_reply,
    )


def lease_reply(reply: Any) -> LeaseReply:
    """Parse the answer of lease.lua."""
    held, holder, token, left = texts(reply)
    return LeaseReply(held == "1", holder, int(token), int(left))


def read_open(raw: Mapping[Any, Any]) -> list[OpenClaim]:
    """The claims of the hash `…:open`, oldest first; what is no claim's record is left out (`unreadable` counts it)."""
    open_claims = []
    for key, record in raw.items():
        with suppress(ValueError, ArithmeticError):
            open_claims.append(parse_open(key, record))
    return sorted(open_claims, key=lambda claim: (claim.claimed_ms, claim.key))


def unreadable(raw: Mapping[Any, Any]) -> int:
    """How many fields of the hash `…:open` are no claim's record."""
    return len(raw) - len(read_open(raw))
