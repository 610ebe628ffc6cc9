"""The version that stands by goes on as a priced shadow of the one that acts: a concurrent control, by itself.

    controller = AgentController(url, slot=me, version=me, shadow=StandbyShadow(url, price))

    def price(wanted, played):           # what `wanted`, which was not sent, would have brought in the round as it went
        return None if played is None else wanted.amount * odds(played.result) - wanted.amount

An agent's loop decides on both sides; what the side that stands by wants is refused by the fence, and is what its
version would have done. Beside it stands what the active side made of the same intent: the same idempotency key. So
nothing is asked of the loop, and nothing here can act: what is wanted is only kept, and `price` is only asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from console.agent.blocking.link import Link
from console.agent.fence.core import other_side
from console.agent.plain_secrets import logger
from console.agent.shadow.matching import WAITING, Matching, Played, Wanted
from console.domain.errors import ConsoleError, UsageError
from console.domain.secrets import without_secrets
from console.domain.shadow.compare import Rules, compare
from console.domain.shadow.pricing import Priced, Pricing, priced
from console.domain.shadow.rates import ShadowReading, Tally
from console.domain.shadow.report import ShadowReport
from console.domain.text import clean
from console.store.fence.blocking import Fence
from console.store.fence.replies import text
from console.store.records.shadows import say
from console.store.server.adopting import adopt_sync
from console.store.server.connect import connect_sync
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis import Redis

    from console.agent.fence.action import Proposal
    from console.agent.fence.standing import Whose

DAY_S: Final = 86_400.0
EVERY_S: Final = 1.0
_READ: Final = 500
_READS: Final = 20
"""Reads of the stream of actions in one turn, at the most."""
_RULES: Final = Rules(money=frozenset({"acts", "currency", "direction"}))
_NOTHING: Final = Priced(Decimal(0))

_log = logger(__name__)


class StandbyShadow:
    """What a version would have made of the rounds that the other one plays, while it stands by.

    It begins when the other side acts and ends when this side does, when its version is retired, or when it has been
    kept warm for long enough. It reports what it finds as `ShadowReporter` does, with its slot: a guard's `pnl` judges
    the active side by it.

    Args:
        url: of the store.
        price: what `wanted` would have brought: an amount, or `Priced` with the money at risk (else `wanted.amount` is
            it); at the fees and fills that were met, or the shadow looks better than it is. `played` is what the active
            side made of the same key; None where it did not play it. None where that can't be told. Called on a thread
            of this object's own.
        warm_s: so long after the switch (or after this process began, if that was later) it goes on, in seconds.
        grace_s: how long one side's round waits for the other's; what nothing came of, that side stayed out of.
        every_s: seconds between two reports.
        connect: opens a connection; by default to `url`.

    Raises:
        UsageError: a time that is not above 0.
    """

    def __init__(
        self,
        url: str,
        price: Callable[[Proposal, Played | None], Decimal | Priced | None],
        *,
        warm_s: float = DAY_S,
        grace_s: float = 30.0,
        every_s: float = EVERY_S,
        connect: Callable[[], Redis] | None = None,
    ) -> None:
        if not all(isfinite(time_s) and time_s > 0.0 for time_s in (warm_s, grace_s, every_s)):
            raise UsageError("A shadow's times are above 0 seconds.")
        self._price = price
        opened = connect or (lambda: connect_sync(url, name="agent-console-standby"))
        self._connect = lambda: adopt_sync(opened()) if connect else opened()
        self._warm_ms = warm_s * 1000.0
        self._every_s = every_s
        self._matching = Matching(grace_s)
        self._inbox: SimpleQueue[tuple[Proposal | None, float]] = SimpleQueue()
        """In C, without a lock that a reader holds too: who puts something in never waits."""
        self._lost = 0
        self._acted = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._core: Whose | None = None
        self._began_ms = 0
        self._cursor = ""
        self._currency: str | None = None
        self._forget(0)
        self.why_not = "it has not begun"
        """Why it does not shadow now; empty while it does."""
        self.last_error = ""
        """Why the last turn failed; empty if it did not."""

    def _forget(self, tenure: int) -> None:
        self._tenure = tenure
        self._cursor = ""
        self._currency = None
        self._pricing, self._tally = Pricing(), Tally()
        self._matching.clear()
        self._lost = 0

    # -- what the controller calls -------------------------------------------------------------------------------------

    def begin(self, core: Whose) -> None:
        """Go on beside that controller, on a thread of its own; returns at once."""
        if self._thread is not None:
            return
        self._core, self._stopping = core, threading.Event()
        # of one that was ended, and has not noticed, no more
        whose = (Link(self._connect, core.keys_on), self._stopping)
        self._thread = threading.Thread(target=self._run, args=whose, name="agent-console-standby", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Begin nothing more; the thread ends by itself, and is not waited for."""
        self._stopping.set()
        self._thread = None

    def looked(self, wanted: Proposal | None) -> None:
        """This side stood by and decided: what it wanted, None for nothing. On the live path: returns at once, in a
        signal's handler, too."""
        if self._inbox.qsize() < WAITING:
            self._inbox.put((wanted, time.monotonic()))
        else:
            self._lost += 1

    # -- the turns -----------------------------------------------------------------------------------------------------

    def _run(self, link: Link, stopping: threading.Event) -> None:
        while True:
            try:
                link.run(self._turn)
            except ConsoleError as error:
                self.last_error = error.message
            except Exception as error:  # noqa: BLE001 - a control that fails is told, and tried again
                self.last_error = f"defect: {type(error).__name__}: {without_secrets(str(error))}"
                _log.exception("the shadow that stands by has a defect; it is tried again")
            else:
                self.last_error = ""
            if stopping.wait(self._every_s):
                link.close()
                return

    def _turn(self, fence: Fence) -> None:
        core = self._core
        if core is None:
            return
        tenure, self.why_not = self._asked(fence, core)
        if self.why_not:
            self._take_in()
            self._forget(0)
            return
        if tenure != self._tenure:
            self._forget(tenure)
            self._cursor = f"{max(tenure, self._began_ms)}-0"
        self._take_in()
        self._read(fence, core)
        for wanted, played in self._matching.take():
            self._count(wanted, played)
        self._matching.unpriced_into(self._pricing)
        say(fence.client, fence.keys, self._report(core))

    def _take_in(self) -> None:
        for _ in range(WAITING):
            try:
                wanted, at = self._inbox.get_nowait()
            except Empty:
                return
            self._matching.looked(wanted, at)

    def _asked(self, fence: Fence, core: Whose) -> tuple[int, str]:
        """The running tenure, and why this side is not to shadow it; empty where it is."""
        with wrap_errors():
            values = fence.client.hmget(fence.keys.ctl, "ten", "ph", "act")
            retired = fence.client.hexists(fence.keys.retired, core.version)
            now_ms = int(fence.client.time()[0]) * 1000
        tenure, phase, active = (text(value) if value is not None else "" for value in values)
        self._began_ms = self._began_ms or now_ms
        self._acted = self._acted or active == core.slot
        if active != other_side(core.slot) or phase != "RUN" or not tenure.isdecimal():
            return 0, f"{active or 'nobody'} is active"
        if retired:
            return 0, f"{clean(core.version, 64)} is retired"
        if now_ms - max(int(tenure), self._began_ms) > self._warm_ms:
            return 0, "it has been warm for long enough"
        return int(tenure), ""

    def _read(self, fence: Fence, core: Whose) -> None:
        theirs = other_side(core.slot)
        for _ in range(_READS):
            with wrap_errors():
                read: Any = fence.client.xrange(fence.keys.actions, min=f"({self._cursor}", count=_READ)
            for stream_id, fields in read:
                self._cursor = text(stream_id)
                self._matching.heard(text(fields.get(b"d", fields.get("d", b""))), theirs)
            if len(read) < _READ:
                return

    def _count(self, wanted: Wanted | None, played: Played | None) -> None:
        """A round that both, or one of them, would have played."""
        ours = self._priced(wanted, played) if wanted is not None else _NOTHING
        theirs = Priced(played.pnl, played.amount) if played is not None else _NOTHING
        currency = played.currency if played is not None else wanted.proposal.currency if wanted is not None else ""
        if self._currency is None:
            self._currency = currency
        if ours is None or currency != self._currency:
            self._pricing.unpriced += 1
            return
        self._tally.add(compare(_shown(played), _shown(wanted.proposal if wanted else None), _RULES))
        self._pricing.add(theirs, ours)

    def _priced(self, wanted: Wanted, played: Played | None) -> Priced | None:
        proposal = wanted.proposal
        if played is not None and played.currency != proposal.currency:
            return None
        try:
            price = priced(self._price(proposal, played))
        except Exception:  # noqa: BLE001 - what the author's `price` raises: logged and counted
            _log.exception("a round could not be priced")
            return None
        return price._replace(stake=proposal.amount) if price is not None and price.stake is None else price

    def _report(self, core: Whose) -> ShadowReport:
        return ShadowReport(
            clean(core.version, 64),
            datetime.now(UTC),
            clean(core.instance, 64),
            self.reading(),
            clean(self._currency or "", 16),
            core.slot,
            self._tenure,
            core.manifest.hash if core.manifest is not None else "",
            self._acted,
        )

    def reading(self) -> ShadowReading:
        """What the rounds of this tenure have shown."""
        tally, pricing = self._tally, self._pricing
        return ShadowReading(
            rounds=tally.rounds,
            diverged=tally.diverged,
            fields=tally.fields(),
            dropped=self._matching.dropped + self._lost,
            live_pnl=pricing.live_pnl,
            shadow_pnl=pricing.shadow_pnl,
            unpriced=pricing.unpriced,
            pairs=pricing.pairs,
            returned=pricing.returned,
            own=pricing.own,
        )


def _shown(act: Proposal | Played | None) -> dict[str, object]:
    """What of an act is compared."""
    if act is None:
        return {"acts": False}
    direction = str(act.direction)
    return {"acts": True, "amount": act.amount, "currency": act.currency, "direction": direction, "action": act.action}
