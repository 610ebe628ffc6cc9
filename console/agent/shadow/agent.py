"""A shadow: the new version decides on what the live one decides on, off the live path, and can't act.

    def make(venue: NoVenue) -> Callable[[State], Decision]:      # all that the shadow will ever hold
        return NewStrategy(venue).decide

    shadow = ShadowAgent(make, name="green-2.5.0", rules=Rules(ignore=("reasoning",)))
    decision = shadow.decide(state, strategy.decide)               # the live version first; its result, or its error

The live path pays for a copy of the state and of its decision and for one put on a bounded queue (one in C:
`queue.Queue` has a lock that its reader holds too); everything else happens on a thread of its own. A full queue, a
missed deadline, an error or a hanging shadow is counted, and never waited for. The thread shares the interpreter's lock
and the process's environment with the live version: a shadow that keeps a processor busy in Python, or whose code is
not trusted, belongs into a process of its own (`observe` there).
"""

from __future__ import annotations

import pickle
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from console.agent.plain_secrets import logger
from console.agent.shadow.venue import NoVenue, ShadowIntent
from console.domain.secrets import without_secrets
from console.domain.shadow.compare import Comparison, Raised, Rules, compare
from console.domain.shadow.pricing import Priced, Pricing, priced
from console.domain.shadow.rates import Divergence, ShadowReading, Tally

State = TypeVar("State")
Decision = TypeVar("Decision")

MAX_STATE_BYTES: Final = 256 * 1024
MAX_STUCK: Final = 3
"""Threads that a hanging shadow may keep; after that many it is given nothing more to do."""

_log = logger(__name__)


@dataclass(slots=True)
class _Job:
    at: datetime
    state: bytes
    live: bytes
    deadline: float
    repeat: bool


class ShadowAgent(Generic[State, Decision]):
    """Runs a shadow beside the live version.

    Args:
        make: builds the shadow's decision function; it gets a `NoVenue` and nothing else.
        name: of the shadow's version; names its threads.
        rules: what may differ.
        queue: rounds that may wait.
        deadline_s: from the live decision to the shadow's; a later answer is thrown away and counted.
        hang_s: a shadow that takes longer over one round is taken to hang: its thread is left behind.
        noise_share: share of the rounds in which the shadow decides twice, to measure how far it differs from itself.
        price: what a decision would have won or lost in a state, by the author's own reckoning, as an amount or, with
            the money at risk, as `Priced`; None where unknown.
        record: called with each divergence, on the shadow's thread; see `console.domain.shadow.rates.Divergence`.
    """

    def __init__(
        self,
        make: Callable[[NoVenue], Callable[[State], Decision]],
        *,
        name: str = "shadow",
        rules: Rules | None = None,
        queue: int = 64,
        deadline_s: float = 1.0,
        hang_s: float = 30.0,
        noise_share: float = 0.0,
        price: Callable[[State, Decision], Decimal | Priced | None] | None = None,
        record: Callable[[Divergence], None] | None = None,
    ) -> None:
        self._make = make
        self._name = name
        self._rules = rules or Rules()
        self._deadline_s = deadline_s
        self._hang_s = max(hang_s, deadline_s)
        self._noise_share = noise_share
        self._price = price
        self._record = record
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._most = queue
        self._random = random.Random(name)  # noqa: S311 - a sample, not a secret
        self._lock = threading.Lock()
        self._handing = threading.Lock()
        """Of its own, so that the live path never waits for a reader; held for a few instructions."""
        self._handed = self._finished = 0
        self._tally = Tally()
        self._dropped = 0
        self._timed_out = 0
        self._raised = 0
        self._pricing = Pricing()
        self._stuck = 0
        self._working = True
        self._generation = 0
        self._hangs_at: float | None = None
        self._venue = NoVenue()
        self._closed = False
        self._start()

    def decide(self, state: State, live: Callable[[State], Decision]) -> Decision:
        """Let the live version decide, then hand the round to the shadow; what live raises is raised."""
        before = self._copy(state)
        try:
            decision = live(state)
        except Exception as error:
            self._hand(before, Raised(type(error).__name__, without_secrets(str(error))))
            raise
        self._hand(before, decision)
        return decision

    def observe(self, state: State, decision: Decision | Raised) -> None:
        """Hand over a round that was decided elsewhere, from any thread or event loop; returns at once."""
        self._hand(self._copy(state), decision)

    def _copy(self, state: object) -> bytes | None:
        """The state as it was before live saw it, so that neither version can change the other's."""
        try:
            return pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001 - whatever the author's objects raise when copied: counted in _hand
            return None

    def _hand(self, state: bytes | None, live: object) -> None:
        copied = None if state is None else self._copy(live)
        if state is None or copied is None or len(state) + len(copied) > MAX_STATE_BYTES or self._closed:
            self._drop()
            return
        self._watch()
        now = time.monotonic()
        repeat = self._noise_share > 0.0 and self._random.random() < self._noise_share
        job = _Job(datetime.now(UTC), state, copied, now + self._deadline_s, repeat)
        with self._handing:
            if self._queue.qsize() < self._most:
                self._handed += 1
                self._queue.put(job)
            else:
                self._dropped += 1

    def _drop(self) -> None:
        """Count a round that is not looked at."""
        with self._handing:
            self._dropped += 1

    def _watch(self) -> None:
        """Leave a thread that hangs behind and start another, up to a bound; on the live path, never waits long."""
        hangs_at = self._hangs_at
        if hangs_at is None or time.monotonic() < hangs_at:
            return
        with self._lock:
            if self._hangs_at != hangs_at:
                return
            self._hangs_at = None
            self._timed_out += 1
            self._stuck += 1
            self._generation += 1
            self._finished += 1
            self._working = self._stuck < MAX_STUCK
        _log.warning("the shadow %s hangs; %d of %d threads left behind", self._name, self._stuck, MAX_STUCK)
        if self._working:
            self._start()

    def _came_back(self) -> None:
        """A thread that was left behind has ended; if it was the last straw, there is room for a worker again."""
        with self._lock:
            self._stuck -= 1
            start = not self._working and not self._closed
            self._working = self._working or start
        if start:
            self._start()

    def _start(self) -> None:
        threading.Thread(
            target=self._work, args=(self._generation,), name=f"shadow-{self._name}-{self._generation}", daemon=True
        ).start()

    def _work(self, generation: int) -> None:
        shadow: Callable[[State], Decision]
        try:
            shadow = self._make(self._venue)
        except Exception as error:  # noqa: BLE001 - a shadow that can't be built is a shadow that raises
            shadow = _always(error)
        while self._generation == generation:
            try:
                job = self._queue.get(timeout=0.5)
            except Empty:
                continue
            if job is None:
                return
            try:
                self._round(job, shadow, generation)
            except Exception:  # noqa: BLE001 - what the author's `record` raises: logged and counted
                _log.exception("a shadow round could not be compared or recorded")
                self._drop()
            with self._lock:
                current = self._generation == generation
                if current:
                    self._finished += 1
            if not current:
                self._came_back()

    def _round(self, job: _Job, shadow: Callable[[State], Decision], generation: int) -> None:
        if time.monotonic() > job.deadline:
            with self._lock:
                self._timed_out += 1
            return
        self._hangs_at = time.monotonic() + self._hang_s
        result = _run(shadow, job.state)
        again = _run(shadow, job.state) if job.repeat else None
        with self._lock:
            if self._generation != generation:
                return
            self._hangs_at = None
            if time.monotonic() > job.deadline:
                self._timed_out += 1
                return
        live = pickle.loads(job.live)  # noqa: S301 - our own copy, from this process
        comparison = compare(live, result, self._rules)
        noise = compare(result, again, self._rules) if job.repeat else None
        prices = self._prices(job.state, live, result)
        with self._lock:
            self._count(comparison, noise, prices, result)
        if self._record is not None and not comparison.equal:
            state = pickle.loads(job.state)  # noqa: S301 - our own copy, from this process
            self._record(Divergence(job.at, state, live, result))

    def _count(
        self, comparison: Comparison, noise: Comparison | None, prices: tuple[Priced, Priced] | None, result: object
    ) -> None:
        self._tally.add(comparison)
        if noise is not None:
            self._tally.add_noise(noise)
        self._raised += isinstance(result, Raised)
        if prices is not None:
            self._pricing.add(*prices)
        elif self._price is not None:
            self._pricing.unpriced += 1

    def _prices(self, state: bytes, live: object, shadow: object) -> tuple[Priced, Priced] | None:
        """Both decisions by the author's reckoning, or neither: the two sums are over the same rounds."""
        if self._price is None or isinstance(live, Raised) or isinstance(shadow, Raised):
            return None
        try:
            ours = priced(self._price(pickle.loads(state), live))  # type: ignore[arg-type]  # noqa: S301
            theirs = priced(self._price(pickle.loads(state), shadow))  # type: ignore[arg-type]  # noqa: S301
        except Exception:  # noqa: BLE001 - what the author's `price` raises: logged and counted
            _log.exception("a shadow round could not be priced")
            return None
        return None if ours is None or theirs is None else (ours, theirs)

    @property
    def intents(self) -> tuple[ShadowIntent, ...]:
        """The newest actions that the shadow tried."""
        return tuple(self._venue.intents)

    def reading(self) -> ShadowReading:
        """What the rounds so far have shown; a hanging shadow is noticed here too."""
        self._watch()
        with self._lock:
            tally, pricing = self._tally, self._pricing if self._price is not None else None
            return ShadowReading(
                tally.rounds,
                tally.diverged,
                tally.noise_rounds,
                tally.noise_diverged,
                tally.ignored,
                tally.tolerated,
                tally.fields(),
                self._dropped,
                self._timed_out,
                self._raised,
                self._venue.count,
                pricing.live_pnl if pricing else None,
                pricing.shadow_pnl if pricing else None,
                self._pricing.unpriced,
                pricing.pairs if pricing else None,
                pricing.returned if pricing else None,
                pricing.own if pricing else None,
            )

    def drain(self, timeout_s: float = 5.0) -> bool:
        """Wait until every round handed over was looked at; for tests and for the end of a run, not the live path."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self._handed == self._finished:
                return True
            self._watch()
            time.sleep(0.002)
        return False

    def close(self) -> None:
        """Take no more rounds, and let the thread end; a thread that hangs is left behind."""
        self._closed = True
        self._queue.put(None)


def _always(error: Exception) -> Callable[[Any], Any]:
    def fail(_: object) -> object:
        raise error

    return fail


def _run(shadow: Callable[[State], Decision], state: bytes) -> Decision | Raised:
    try:
        return shadow(pickle.loads(state))  # noqa: S301 - our own copy, from this process
    except Exception as error:  # noqa: BLE001 - raising is one of the outcomes that are compared
        return Raised(type(error).__name__, without_secrets(str(error)))
