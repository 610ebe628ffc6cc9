"""The chain of a decision log: each line ends with the hash of the one before it (`prev`) and its own (`hash`), the
SHA-256 of the line without it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from console.domain.fence.chain import Finding, Mark

_MARK = b',"hash":"'


class LinesVerdict(NamedTuple):
    """What verifying a log's lines found.

    Args:
        lines: how many were looked at.
        head: the hash of the last one.
        problem: the first thing that is wrong; empty when nothing is.
        kind: of that; None when nothing is.
        wrong: how many things are wrong.
        sealed: how many lines carry a hash: none in the log of an agent that does not use our library.
    """

    lines: int
    head: str
    problem: str = ""
    kind: Finding | None = None
    wrong: int = 0
    sealed: int = 0


def _previous(line: bytes) -> str | None:
    """The hash that a line says it follows; None where it is no record."""
    try:
        stated = json.loads(line)["prev"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return stated if isinstance(stated, str) else None


def verify_lines(lines: Iterable[bytes], after: str | None = None, remembered: Mark | None = None) -> LinesVerdict:
    """Whether lines are whole, unchanged and in order.

    Args:
        lines: oldest first, over rotated files.
        after: the hash before the first line; None to take the first line's word for it.
        remembered: the count of lines and the hash of the last one at an earlier look, which has to be among them.
    """
    previous, count, sealed, from_start = after, 0, 0, False
    problem, kind, wrong = "", None, 0
    met = remembered is None or not remembered.head
    for line in lines:
        count += 1
        stripped = line.rstrip(b"\n")
        text, mark, tail = stripped.rpartition(_MARK)
        digest = hashlib.sha256(text + b"}").hexdigest()
        what: Finding | None = None
        stated = _previous(stripped) if mark and tail == digest.encode() + b'"}' else None
        if stated is None:
            what, why = Finding.CHANGED, f"line {count} was changed or is torn"
            sealed += bool(mark)
            previous = None
        else:
            if previous is not None and stated != previous:
                what, why = Finding.HOLE, f"a line is missing before line {count}"
            from_start = from_start or (count == 1 and stated == "")
            sealed, previous = sealed + 1, digest
            met = met or (remembered is not None and digest == remembered.head)
        if what is not None:
            problem, kind, wrong = problem or why, kind or what, wrong + 1
    if remembered is not None and not met and not wrong:
        wrong, kind, problem = 1, Finding.REWRITTEN, "the remembered head is in none of its lines: written anew"
        if from_start and count < remembered.number:
            kind, problem = Finding.CUT, f"the newest lines are missing: there were {remembered.number}, not {count}"
        elif not from_start:
            problem += ", or rotated away since"
    return LinesVerdict(count, previous or "", problem, kind, wrong, sealed)
