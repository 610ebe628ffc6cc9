"""The readable part of an evidence file: whether the chains held, what is missing, the money, the timeline."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from console.domain.seen.kept import Kept
from console.domain.seen.past import marks_at
from console.evidence.manifest import Manifest
from console.evidence.markdown import escaped, table

EVENTS: Final = 2_000
"""Of the timeline, the newest; the files have all."""


def report_text(manifest: Manifest, kept: Kept, pictures: int) -> str:
    """`report.md`."""
    return "\n".join(_lines(manifest, kept, pictures)) + "\n"


def _lines(manifest: Manifest, kept: Kept, pictures: int) -> Iterator[str]:
    yield f"# Evidence: {escaped(manifest.agent)}, {_time(manifest.since)} to {_time(manifest.until)}"
    yield ""
    yield from table(
        ("", ""),
        (
            ("made", f"{_time(manifest.made_at)} by {manifest.made_by}"),
            ("store", manifest.url or "none"),
            *(manifest.versions.items()),
            *((f"{name}, entries", f"{count:,}") for name, count in manifest.entries.items()),
            ("pictures", f"{pictures:,}"),
        ),
    )
    yield from ("", "## What is not in it", "")
    yield from (f"- {escaped(one, 600)}" for one in manifest.left or ("nothing is missing",))
    yield from ("", "## Chains, when it was made", "")
    yield from (f"- {escaped(line, 600)}" for chain in manifest.chains for line in chain.lines())
    yield from ("", "## Money", "", "Exact sums of the rounds of that time that state a PnL.", "")
    yield from table(
        ("slot", "version", "currency", "rounds", "PnL"),
        (
            (one.slot or "–", one.version, f"{one.currency}{' dry' if one.dry else ''}", one.rounds, one.pnl)
            for one in manifest.earned
        ),
    )
    yield from ("", "## Timeline", "")
    yield from _timeline(kept, manifest)
    yield from ("", "## Decision logs", "")
    yield from table(
        ("log", "lines", "bytes", "in this file"),
        ((one.path, f"{one.lines:,}", f"{one.bytes:,}", one.member) for one in manifest.logs),
    )


def _timeline(kept: Kept, manifest: Manifest) -> Iterator[str]:
    marks = [mark for mark in marks_at(kept) if manifest.since <= mark.at < manifest.until]
    if len(marks) > EVENTS:
        yield from (f"The newest {EVENTS:,} of {len(marks):,}; the files under store/ have all.", "")
    newest = deque(marks, maxlen=EVENTS)
    yield from table(("time", "what", ""), ((f"{one.at:%H:%M:%S.%f}"[:12], one.kind.value, one.text) for one in newest))


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
