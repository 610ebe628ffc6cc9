"""Whether the chains are whole, as `agent-console audit verify` and `archive verify` say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.domain.document import Report
from console.domain.fence.chain import ChainVerdict, Finding
from console.domain.fence.sealed import LinesVerdict
from console.domain.text import clean

SHOWN = 3
"""Findings on a chain's line; the document has all that are kept."""


@dataclass(frozen=True, slots=True)
class FindingReport:
    """One thing that is wrong with a chain.

    Args:
        kind: `hole`, `changed`, `cut` or `rewritten`.
        at: the stream id of the entry where it shows; empty at the end.
        number: that entry's number in the chain.
        missing: how many entries are gone; 0 where none are, or nobody can say how many.
        text: the same in words.
    """

    kind: Finding
    at: str
    number: int | None
    missing: int
    text: str


@dataclass(frozen=True, slots=True)
class ChainReport(Report):
    """Whether one chain is whole.

    Args:
        chain: `acts`, `log`, `audit`, or the path of a decision log.
        whole: whether nothing is wrong with it.
        entries: how many were looked at.
        first: the number of the first of them; lower ones were archived.
        last: the number of the last one.
        head: its hash.
        unchained: entries among them that are older than the chain, and in none.
        wrong: how many things are wrong.
        findings: the first of them.
        notes: what could not be compared.
    """

    chain: str
    whole: bool
    entries: int
    first: int | None
    last: int | None
    head: str
    unchained: int
    wrong: int
    findings: tuple[FindingReport, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, chain: str, verdict: ChainVerdict, *, unmet: bool = False) -> ChainReport:
        """Of a stream.

        Args:
            chain: its name.
            verdict: what was found.
            unmet: whether the head that was remembered lies before what was looked at.
        """
        findings = tuple(
            FindingReport(one.kind, clean(one.at, 40), one.number, one.missing, clean(one.text, 200))
            for one in verdict.findings
        )
        notes = ("the remembered head is older than what was looked at",) if unmet else ()
        return cls(
            chain,
            verdict.ok,
            verdict.entries,
            verdict.first,
            verdict.last,
            clean(verdict.head, 64),
            verdict.unchained,
            verdict.wrong,
            findings,
            notes,
        )

    @classmethod
    def of_log(cls, path: str, verdict: LinesVerdict) -> ChainReport:
        """Of a decision log."""
        findings: tuple[FindingReport, ...] = ()
        notes: tuple[str, ...] = ()
        plain = verdict.sealed == 0
        if plain:
            notes = ("its lines are in no chain",)
        elif verdict.kind is not None:
            findings = (FindingReport(verdict.kind, "", None, 0, clean(verdict.problem, 200)),)
        return cls(
            clean(path, 300),
            not findings,
            verdict.lines,
            None,
            None if plain else verdict.lines,
            clean(verdict.head, 64),
            verdict.lines if plain else 0,
            0 if plain else verdict.wrong,
            findings,
            notes,
        )

    @property
    def well(self) -> bool:
        """Whether it is whole."""
        return self.whole

    def lines(self) -> Iterator[str]:
        if not self.whole:
            told = "; ".join(f"{one.kind.value.upper()}: {one.text}" for one in self.findings[:SHOWN])
            more = f"; and {self.wrong - SHOWN} more" if self.wrong > SHOWN else ""
            yield f"✖ {self.chain:<5} {told}{more}"
            return
        span = f", {self.first} to {self.last}" if self.first is not None and self.entries else ""
        older = f", {self.unchained} older than the chain" if self.unchained and self.last is not None else ""
        head = f", head {self.head[:12]}" if self.head else ""
        notes = "".join(f" ({note})" for note in self.notes)
        yield f"✔ {self.chain:<5} whole: {self.entries} entries{span}{older}{head}{notes}"
