"""What is held at one moment: commitments, versions on their way out, the venue's word, snapshots and kept states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from console.domain.board.whole import Whole
from console.domain.commitments.left import Left
from console.domain.commitments.versions import VersionFacts
from console.domain.fence.deployment import Authority, Slot
from console.domain.gates.fact import Fact
from console.domain.state.kept import KeptStates
from console.domain.text import Safe
from console.domain.venue.stored import VenueSeen
from console.domain.venue.terms import EscrowTerms


class SnapshotFile(NamedTuple):
    """A snapshot's file as it is listed.

    Args:
        id: its name for every verb.
        path: of the file.
        size: in bytes.
        hash: the first digits of SHA-256 over the file; empty where it can't be read.
        problem: why it can't be restored, whatever its age; empty where nothing is wrong.
        taken_at: when; None where the file doesn't say.
        active: who was active.
        flags: how many it holds.
        who, why: who took it, and the reason given.
    """

    id: Safe
    path: Safe
    size: int
    hash: Safe = Safe("")
    problem: Safe = Safe("")
    taken_at: datetime | None = None
    active: Safe = Safe("")
    flags: int = 0
    who: Safe = Safe("")
    why: Safe = Safe("")


class Held(NamedTuple):
    """Everything that screen 6 shows beside the stream of observations; each part lacks on its own.

    Args:
        at: when it was read; our own clock, aware UTC.
        took_s: how long that took.
        authority: who may act, as fenced agents are told.
        runs: what runs in each side: the versions of its living instances.
        left: what the store lists: commitments by deadline, claims, and who watches what.
        whole: everything outstanding, by every place that lists it.
        versions: every version and what is left of it.
        venue: the newest look at the venue, a guard's or our own.
        terms: who is paid at an escrow's time-out, by every document that is known.
        snapshots: the files of this host, newest first.
        kept: what agents kept in the store.
    """

    at: datetime
    took_s: float
    authority: Authority | None
    runs: Mapping[Slot, tuple[str, ...]]
    left: Fact[Left]
    whole: Whole
    versions: Fact[tuple[VersionFacts, ...]]
    venue: Fact[VenueSeen]
    terms: Fact[tuple[EscrowTerms, ...]]
    snapshots: Fact[tuple[SnapshotFile, ...]]
    kept: Fact[KeptStates]
