"""The drain board: a version as `agent-console versions` lists it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console.domain.commitments.versions import VersionFacts, judge
from console.domain.document import Record, Report
from console.domain.manifest.manifest import UNDECLARED
from console.domain.text import clean

SHOWN = 20
"""How many items are listed for people; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class ItemReport(Record):
    """Something that a version opened and that has no end yet.

    Args:
        what: claim, doubt, a commitment's kind, or "escrow at the venue" for what no list of ours has.
        id: idempotency key, or the commitment's id.
        until: when it ends by itself; null for never.
        taken_by: the slot that brings it to its end; null where nobody does.
    """

    what: str
    id: str
    until: datetime | None
    taken_by: str | None


@dataclass(frozen=True, slots=True)
class VersionReport(Report):
    """A version.

    Args:
        version: its name.
        state: active, draining, drained, retired or unknown.
        why: in words.
        may_stop: whether nothing is lost if its processes are stopped for good.
        slots: where it ran.
        living: how many instances of it have a fresh heartbeat.
        last_act: no act of it is later than this.
        left: what is left of it.
        manifest: hash of what it is held to, 12 digits; null where it declared no manifest.
        venue_read: the read of the venue that this goes by, on the store's clock as `last_act` is; null for none.
    """

    version: str
    state: str
    why: str
    may_stop: bool
    slots: tuple[str, ...]
    living: int
    last_act: datetime | None
    left: tuple[ItemReport, ...]
    manifest: str | None = None
    venue_read: datetime | None = None

    @classmethod
    def of(cls, facts: VersionFacts, manifest: str | None = None) -> VersionReport:
        """The report of a version.

        Args:
            facts: what is known of it.
            manifest: what it is held to, as it is shown; None where it declared none.
        """
        verdict = judge(facts)
        return cls(
            version=clean(facts.version, 64) or "(no name)",
            state=verdict.state.value,
            why=verdict.why,
            may_stop=verdict.may_stop,
            slots=tuple(slot.value for slot in facts.slots),
            living=facts.living,
            last_act=facts.last_act,
            left=tuple(
                ItemReport(item.what, clean(item.id, 200), item.until, item.taken_by.value if item.taken_by else None)
                for item in facts.items
            ),
            manifest=manifest,
            venue_read=facts.venue_read,
        )

    def lines(self) -> Iterator[str]:
        answer = "may be stopped" if self.may_stop else "may not be stopped"
        yield f"{self.version}  {'/'.join(self.slots) or '-'}  {self.state.upper()}  {answer}: {self.why}"
        yield f"  manifest {self.manifest or UNDECLARED}"
        for item in self.left[:SHOWN]:
            until = f"until {item.until:%Y-%m-%d %H:%M:%S}Z" if item.until else "without a deadline"
            yield f"  {item.what}  {clean(item.id, 48)}  {until}  taken by {item.taken_by or 'NOBODY'}"
        if len(self.left) > SHOWN:
            yield f"  and {len(self.left) - SHOWN} more"
