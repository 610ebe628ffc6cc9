"""What the boards show, for programs: `export --format json` of the screens 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.domain.board.boards import Board, Seen
from console.domain.board.checks import Checks
from console.domain.board.held import Held
from console.domain.document import FORM, Record
from console.domain.gates.fact import Fact
from console.domain.venue.books import Comparison
from console.views.commitments.board import payee_of
from console.views.commitments.draining import VersionReport
from console.views.commitments.listed import CommitmentReport, reports
from console.views.format import exact_time
from console.views.gates.checklist import ChecklistReport, checklist_report
from console.views.snapshots import KeptSnapshot


@dataclass(frozen=True, slots=True)
class LackReport(Record):
    """A part that could not be read: it is unknown, and not empty.

    Args:
        part: which.
        lack: missing, stale, error, timed out, or not checked.
        why: in words.
    """

    part: str
    lack: str
    why: str


@dataclass(frozen=True, slots=True)
class SnapshotFileReport(Record):
    """A snapshot's file.

    Args:
        id: its name for every verb.
        path: of the file.
        bytes: of the file.
        hash: the first digits of SHA-256 over it; empty where it can't be read.
        problem: why it can't be restored, whatever its age; empty where nothing is wrong.
        taken_at: when; null where it doesn't say.
        active: who was active.
        flags: how many it holds.
        who: took it.
        why: the reason given.
    """

    id: str
    path: str
    bytes: int
    hash: str
    problem: str
    taken_at: datetime | None = field(metadata={FORM: exact_time})
    active: str
    flags: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class HeldReport(Record):
    """What is held at one moment.

    Args:
        agent: whose.
        at: when it was read.
        commitments: by every place that lists them, as `commitments list` has them.
        disputed: ids of those in dispute.
        payee: who gets an escrow's money at its time-out: counterparty, creator, unset; null where no document says
            it, or two differ.
        versions: with what is left of each.
        venue_at: when the venue was read; null where it was not.
        venue_by: who read it.
        books: local books beside the venue's.
        snapshots: files of this host, newest first.
        kept: states that agents kept in the store, newest first.
        unknown: parts that could not be read.
    """

    agent: str
    at: datetime = field(metadata={FORM: exact_time})
    commitments: tuple[CommitmentReport, ...]
    disputed: tuple[str, ...]
    payee: str | None
    versions: tuple[VersionReport, ...]
    venue_at: datetime | None = field(metadata={FORM: exact_time})
    venue_by: str
    books: tuple[Comparison, ...]
    snapshots: tuple[SnapshotFileReport, ...]
    kept: tuple[KeptSnapshot, ...]
    unknown: tuple[LackReport, ...]


def board_report(agent: str, screen: str, seen: Seen) -> HeldReport | ChecklistReport | None:
    """What a board shows; None where the screen is no board, or nothing was read for it."""
    if screen == Board.HELD and seen.held is not None:
        return held_report(agent, seen.held)
    if screen == Board.CHECKS and seen.checks is not None:
        return checks_report(agent, seen.checks)
    return None


def checks_report(agent: str, checks: Checks) -> ChecklistReport:
    """The checklist, as `checklist --phase all --json` gives it."""
    return checklist_report(agent, checks.checked, checks.clocks, [clock.phase.value for clock in checks.clocks])


def held_report(agent: str, held: Held) -> HeldReport:
    """What is held."""
    venue, kept = held.venue.value, held.kept.value
    parts: tuple[tuple[str, Fact[object]], ...] = (
        ("commitments", held.left),
        ("versions", held.versions),
        ("venue", held.venue),
        ("payee", held.terms),
        ("snapshots", held.snapshots),
        ("kept", held.kept),
    )
    return HeldReport(
        agent=agent,
        at=held.at,
        commitments=tuple(reports(held.whole, held.authority)),
        disputed=tuple(sorted(held.whole.disputed)),
        payee=payee.value if (payee := payee_of(held.whole.terms)) is not None else None,
        versions=tuple(VersionReport.of(one) for one in held.versions.value or ()),
        venue_at=venue.at if venue is not None else None,
        venue_by=str(venue.by) if venue is not None else "",
        books=venue.rows if venue is not None else (),
        snapshots=tuple(
            SnapshotFileReport(
                one.id, one.path, one.size, one.hash, one.problem, one.taken_at, one.active, one.flags, one.who, one.why
            )
            for one in held.snapshots.value or ()
        ),
        kept=tuple(KeptSnapshot.of(one, kept.now) for one in kept.states) if kept is not None else (),
        unknown=tuple(LackReport(name, fact.lack.value, fact.why) for name, fact in parts if fact.lack is not None),
    )
