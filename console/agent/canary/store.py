"""The desk's side of the store: one book, one holder, and nothing that was said is said a second time."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from console.domain.canary.plan import Action, Proposal
from console.domain.canary.run import CanaryRun, DeskReading, TrackPoint
from console.domain.canary.stored import point_text, report_document
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.domain.fence.intent import Source
from console.domain.text import clean
from console.store.records import canary as calls
from console.store.records.canary import Act, BookCode, CanaryCode, Stored

if TYPE_CHECKING:
    from console.agent.blocking.link import Link
    from console.agent.canary.page import Page
    from console.store.fence.blocking import Fence

WAITING: Final = 10_000
"""Ends of rounds that may wait for the store; each is small, and none is dropped: beyond that nothing is given out."""


class Entry(Enum):
    """How an entry ended."""

    OK = auto()
    MOVED = auto()
    TAKEN = auto()


_ENTRIES: Final = {BookCode.OK: Entry.OK, BookCode.MOVED: Entry.MOVED, BookCode.TAKEN: Entry.TAKEN}


class DeskStore:
    """Writes one desk's book.

    Args:
        link: to the store.
        holder: the desk's name.
    """

    def __init__(self, link: Link, holder: str) -> None:
        self._link = link
        self._holder = holder
        self._token = ""
        self._offset_s = time.time() - time.monotonic()
        self._ends: set[str] = set()
        """Rounds that have ended, and whose end the store has not taken."""
        self._strays: set[str] = set()
        """Rounds whose booking got no answer: given to nobody, and maybe in the book all the same."""
        self.taken = False
        """Whether another process has taken over."""

    def now(self) -> datetime:
        """The store's time, as far as we know it; aware UTC."""
        return datetime.fromtimestamp(time.monotonic() + self._offset_s, UTC)

    def open(self) -> Stored:
        """Take the book over, once, and read what there is.

        Raises:
            Refused: another process has taken over from us.
            StoreUnreachable: no answer.
        """
        if self.taken:
            raise Refused("Another process shares this agent's rounds out now.", "Restart this one to take over.")
        if not self._token:
            reply = self._link.run(lambda fence: fence.call(calls.take(fence.keys, self._holder)))
            self._token = reply.token
        return self.read()

    def read(self) -> Stored:
        """What there is.

        Raises:
            StoreUnreachable: no answer.
        """
        stored = self._link.run(lambda fence: calls.read(fence.client, fence.keys))
        self._offset_s = stored.server_at.timestamp() - time.monotonic()
        return stored

    def kept_state(self, stored: Stored) -> object:
        """What was kept for a restart; None where there is nothing, or nothing that can be read."""
        try:
            return json.loads(stored.state) if stored.state else None
        except (ValueError, RecursionError):
            return None

    # -- the book ------------------------------------------------------------------------------------------------------

    def give(self, page: Page, round_id: str) -> Entry:
        """Book a round before it is played.

        Raises:
            UsageError: its id is too long.
            StoreUnreachable: no answer; whether it stands in the book is not known, and it will be taken out again.
        """
        if len(round_id) > calls.MAX_ROUND_ID:
            raise UsageError(f"A round's id has at most {calls.MAX_ROUND_ID} characters.")
        if len(self._ends) >= WAITING:
            raise StoreUnreachable("The store has not taken the ends of earlier rounds.", "Nothing more is given out.")
        record, ledger = page.record(round_id), page.ledger()
        run, revision = page.name, page.position.revision

        def book(fence: Fence) -> Any:
            return fence.call(calls.give(fence.keys, self._token, run, revision, round_id, record, ledger))

        try:
            entry = _ENTRIES[self._link.run(book).code]
        except StoreUnreachable:
            self._strays.add(round_id)
            raise
        self._strays.discard(round_id)
        self.taken = self.taken or entry is Entry.TAKEN
        return entry

    def end(self, page: Page, round_id: str) -> None:
        """Book the end of a round; what the store can't take now waits for the next report, which says so.

        Args:
            page: the one in force, whose ledger is written.
            round_id: of whatever page.
        """
        self._ends.add(round_id)
        with suppress(StoreUnreachable, Refused):
            self.flush(page)

    def flush(self, page: Page) -> None:
        """Write down every end that waits. The caller sees to it that nothing is given out meanwhile.

        Raises:
            StoreUnreachable: no answer.
            Refused: another process has taken over.
        """
        for round_id in (*self._strays, *self._ends):
            ledger = page.ledger()

            def book(fence: Fence, round_id: str = round_id, ledger: str = ledger) -> Any:
                return fence.call(calls.end(fence.keys, self._token, round_id, ledger))

            self._must_hold(self._link.run(book).code)
            self._strays.discard(round_id)
            self._ends.discard(round_id)

    def _must_hold(self, code: BookCode) -> None:
        if code is BookCode.TAKEN:
            self.taken = True
            raise Refused("Another process shares this agent's rounds out now.", "Restart this one to take over.")

    def turn(self, page: Page) -> Entry:
        """Begin a new page of the book.

        Raises:
            StoreUnreachable: no answer; doing it again is harmless.
        """
        run, revision, ledger = page.name, page.position.revision, page.ledger()
        reply = self._link.run(lambda fence: fence.call(calls.turn(fence.keys, self._token, run, revision, ledger)))
        self.taken = self.taken or reply.code is BookCode.TAKEN
        return _ENTRIES[reply.code]

    def report(self, reading: DeskReading, state: object, point: TrackPoint | None) -> None:
        """Say how things stand.

        Raises:
            StoreUnreachable: no answer.
            Refused: another process has taken over.
        """
        document = json.dumps(report_document(reading), separators=(",", ":"))
        kept = json.dumps(state, separators=(",", ":"))
        drawn = point_text(point) if point is not None else ""
        reply = self._link.run(lambda fence: fence.call(calls.report(fence.keys, self._token, document, drawn, kept)))
        self._must_hold(reply.code)

    # -- the run -------------------------------------------------------------------------------------------------------

    def carry_out(self, run: CanaryRun, proposal: Proposal) -> bool:
        """Do what the evaluator says, if the run still stands where it was evaluated; whether it was done here.

        Raises:
            StoreUnreachable: no answer; the next evaluation tries again.
        """
        act = {Action.ROLL_BACK: Act.ABORT, Action.PROMOTE: Act.STEP, Action.FINISH: Act.FINISH}.get(proposal.action)
        if act is None:
            return False
        why = str(clean(proposal.reason))

        def change(fence: Fence) -> Any:
            wanted = calls.unordered(
                act,
                run,
                proposal.expected,
                agent=fence.keys.agent,
                by=f"desk {self._holder}",
                why=why,
                source=Source.AGENT,
                target=proposal.target,
            )
            return fence.call(calls.change(fence.keys, wanted))

        return bool(self._link.run(change).code is CanaryCode.DONE)
