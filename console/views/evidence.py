"""Evidence files as verbs tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.document import FORM, Report
from console.views.fence.chains import ChainReport
from console.views.format import exact_time


@dataclass(frozen=True, slots=True)
class EvidenceReport(Report):
    """An evidence file that was written.

    Args:
        path: where it is.
        bytes: how large it is.
        digest: SHA-256 of its list of hashes: kept elsewhere it proves the whole file.
        since: from when.
        until: before when.
        decisions: lines of decision logs in it.
        whole: whether every chain was whole.
        partial: whether a part of the time could not be had.
        left: what is not in it, and why.
    """

    path: str
    bytes: int
    digest: str
    since: datetime = field(metadata={FORM: exact_time})
    until: datetime = field(metadata={FORM: exact_time})
    decisions: int
    whole: bool
    partial: bool
    left: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"{self.path}  {self.bytes:,} bytes, {self.decisions:,} lines of decisions"
        yield f"digest {self.digest}"
        yield "every chain is whole" if self.whole else "✖ a chain is not whole: report.md in it says which"


@dataclass(frozen=True, slots=True)
class VerifiedReport(Report):
    """Whether an evidence file is as it was written.

    Args:
        sound: whether it is.
        digest: SHA-256 of its list of hashes.
        members: how many files are in it.
        problems: what is wrong with it.
        chains: the chains in it, as far as they reach.
    """

    sound: bool
    digest: str
    members: int
    problems: tuple[str, ...]
    chains: tuple[ChainReport, ...]

    @property
    def well(self) -> bool:
        """Whether it is as it was written, and every chain in it is whole."""
        return self.sound and all(chain.well for chain in self.chains)

    def lines(self) -> Iterator[str]:
        yield from (f"✖ {problem}" for problem in self.problems)
        if self.sound:
            yield f"✔ as it was written: {self.members:,} members"
        if self.digest:
            yield f"digest {self.digest}"
        for chain in self.chains:
            yield from chain.lines()
