"""From files to a timeline: which one it is, the content says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.seen.timeline import Timeline
from console.domain.text import Safe, clean
from console.logs.options import LogOptions
from console.recording.chunks import SIGNATURE
from console.recording.logs import LogsTimeline
from console.recording.ring import parts_of
from console.recording.timeline import RecordedTimeline
from console.regular import open_regular

ZIP: Final = b"PK\x03\x04"
MOST_FILES: Final = 1000


class Opened(NamedTuple):
    """What was opened.

    Args:
        timeline: what can be shown of it.
        missing: what of its time nobody kept, one sentence each.
    """

    timeline: Timeline
    missing: tuple[Safe, ...] = ()


def timeline_of(paths: Sequence[Path], options: LogOptions) -> Opened:
    """The timeline that files hold: parts of one recording, or decision logs.

    Args:
        paths: what an operator named; of a recording its first part names the others too.
        options: how decision logs are read.

    Raises:
        UsageError: none, or files of two sorts, were named, or one can't be opened.
        Damaged: a file holds nothing that can be shown.
        Refused: a newer release wrote it.
    """
    files = list(dict.fromkeys(part for path in paths for part in (parts_of(path) or (path,))))
    if not files or len(files) > MOST_FILES:
        raise UsageError(f"{len(files)} files were named.", f"Name 1 to {MOST_FILES}.")
    starts = [_start(path) for path in files]
    if all(start.startswith(SIGNATURE) for start in starts):
        recorded = RecordedTimeline(files)
        return Opened(recorded, recorded.missing)
    if len(files) == 1 and starts[0].startswith(ZIP):
        from console.recording.evidence import evidence_timeline

        evidence = evidence_timeline(files[0], options)
        return Opened(evidence, evidence.missing)
    if any(start.startswith((SIGNATURE, ZIP)) for start in starts):
        raise UsageError(
            "These files are of two sorts, or more than one evidence file.", "Name one sort; of evidence one file."
        )
    logs = LogsTimeline(files, options)
    return Opened(logs, logs.missing)


def _start(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(len(SIGNATURE)) or b""
    except OSError as error:
        raise UsageError(f"{clean(path)} can't be opened: {error.strerror or error}.") from error
