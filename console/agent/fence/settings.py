"""How an agent's controller behaves; every duration carries its unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from console.agent.fence.ended import VenueErrors
from console.domain.errors import UsageError

if TYPE_CHECKING:
    from console.domain.fence.promise import Promise
    from console.domain.venue.terms import KeyTerms

DAY_MS: Final = 86_400_000
LEAST_MARGIN_MS: Final = 5_000
"""So long before a venue's window ends it is over, at the least."""


class Settings(NamedTuple):
    """Settings of a controller; the defaults suit a venue that answers within three seconds.

    Args:
        lease_ms: how long a claim is good for; longer than the longest call to the venue.
        margin_ms: how much of the lease must be left right before sending.
        claim_patience_ms: how long an unanswered claim is repeated (as the same claim) before the action is given up.
        command_timeout_ms: longest wait for one answer of the store.
        heartbeat_ms: how often the instance is seen, flags are read and housekeeping is done.
        stale_after_ms: without word from the store for so long, the agent counts as reduce-only and not active.
        retention_ms: how long results are kept in the store; 0 for ever.
        replicas: how many replicas must hold a claim before it is acted on; 0 is unprotected against failover.
        replicas_wait_ms: how long to wait for them.
        schema: the newest state schema this version reads.
        quarantine_ms: longer than the venue takes to show what it has done.
        wake_ms: longer than any pause that a silent process could wake from.
        halt_file: while it exists, or can't be looked for, this host is halted; None for no such door. Its text may be
            "no new entries" or "reduce only"; anything else is a halt of everything.
        money: refuse to act on a server where a double execution would be possible (`agent-console doctor` says which):
            it is examined when the controller starts, or, if the store is away then, before the first action. False
            only where no money moves.
        spool_dir: where results wait, on disk, while the store is away; None keeps them in memory alone.
        memory_dir: where this host remembers what it has seen of each store, so that one that lost data is found out
            also after a restart; "default" is this user's (below `$XDG_STATE_HOME` or `~/.local/state`), None remembers
            nothing beyond the process.
        hand_over: whether this process, when it comes to its end, may make the other side active: the operator's
            decision.
        states_kept: how many states the store keeps of those that are handed over.
        state_bytes: the most that one of them may have; a larger one is refused, never cut.
        promised: what an operator vouches for of a server that does not tell (`Promise.of({…}, "NAME")`); what can be
            measured wins over it.
        examine_ms: how often the server's fitness is looked at again, besides after each new connection.
        definitive: exceptions that mean that the venue refused (it was not executed).
        doubtful: exceptions that leave an action in doubt without being a defect: time-outs, lost connections.
        venue: what the exceptions of the venue's HTTP client mean, from `console.agent.venues`; asked after
            `definitive`, before `doubtful`.
        key_terms: for how long the venue refuses to do an idempotency key twice, by the author or from the venue's
            document (`console.venue.setup.key_terms`); the same on both sides. A key whose first sending is longer ago
            is never granted for sending again: it is in doubt. None: nobody knows, and nothing is checked.
    """

    lease_ms: int = 5_000
    margin_ms: int = 500
    claim_patience_ms: int = 1_000
    command_timeout_ms: int = 250
    heartbeat_ms: int = 500
    stale_after_ms: int = 2_000
    retention_ms: int = 30 * DAY_MS
    replicas: int = 0
    replicas_wait_ms: int = 100
    schema: int = 1
    quarantine_ms: int = 60_000
    wake_ms: int = 600_000
    halt_file: Path | None = None
    money: bool = True
    spool_dir: Path | None = None
    memory_dir: Path | str | None = "default"
    hand_over: bool = False
    states_kept: int = 20
    state_bytes: int = 8 * 1024 * 1024
    examine_ms: int = 30_000
    definitive: tuple[type[BaseException], ...] = ()
    doubtful: tuple[type[BaseException], ...] = (TimeoutError, ConnectionError)
    venue: VenueErrors | None = None
    key_terms: KeyTerms | None = None
    promised: Promise | None = None

    @property
    def window_ms(self) -> int | None:
        """For how long after its first sending a key may be granted for another; None where nobody knows. Less than
        the venue's window: what is granted may be sent until the lease ends, and clocks differ."""
        terms = self.key_terms
        return None if terms is None else max(0, int(terms.window_s * 1000) - max(LEAST_MARGIN_MS, self.lease_ms))


_WHOLE: Final = {
    "lease_ms": 1,
    "margin_ms": 0,
    "claim_patience_ms": 0,
    "command_timeout_ms": 1,
    "heartbeat_ms": 1,
    "stale_after_ms": 1,
    "retention_ms": 0,
    "replicas": 0,
    "replicas_wait_ms": 0,
    "schema": 0,
    "states_kept": 1,
    "state_bytes": 1,
    "quarantine_ms": 0,
    "wake_ms": 0,
    "examine_ms": 1,
}
"""Whole numbers, and the least that each may be."""


def check_settings(settings: Settings) -> None:
    """Refuse settings that mean nothing, before anything is begun with them.

    Raises:
        UsageError: one does.
    """
    for name, least in _WHOLE.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 100 * 366 * DAY_MS:
            raise UsageError(f"Settings.{name} is a whole number from {least} on, not {value!r:.40}.")
    if settings.lease_ms <= settings.margin_ms:
        raise UsageError("The lease must be longer than its margin.")
    if settings.key_terms is not None:
        _check_key_terms(settings)
    for name in ("definitive", "doubtful"):
        kinds = getattr(settings, name)
        if not isinstance(kinds, tuple) or not all(
            isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds
        ):
            raise UsageError(f"Settings.{name} is a tuple of exception classes, not {kinds!r:.60}.")


def _check_key_terms(settings: Settings) -> None:
    from console.domain.venue.terms import KeyTerms  # here: not every agent's venue has told its terms

    terms = settings.key_terms
    if not isinstance(terms, KeyTerms):
        raise UsageError(f"Settings.key_terms are KeyTerms, not {terms!r:.60}.", "Say KeyTerms(window_s=…).")
    if 0 < terms.window_s * 1000 <= settings.lease_ms:
        raise UsageError(
            f"The venue forgets a key after {terms.window_s:g} s, and a lease of {settings.lease_ms} ms lets it be "
            "sent when it is forgotten.",
            "Make lease_ms shorter; or say window_s=0, if no key is ever to be sent again.",
        )
