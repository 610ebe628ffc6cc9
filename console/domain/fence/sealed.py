"""The chain of a decision log: each line names the hash of the one before it (`prev`) and ends with its own (`hash`),
the SHA-256 of the line without it. Lines hold their number too (`sequence`), which tells a hole from a changed line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from console.domain.fence.chain import Finding, Mark

_MARK = b',"hash":"'


class Seal(NamedTuple):
    """What a whole line says of its place in the chain.

    Args:
        digest: its hash.
        previous: the hash of the line before it.
        sequence: its number, from 1; 0 where it holds none.
    """

    digest: str
    previous: str
    sequence: int


class LinesVerdict(NamedTuple):
    """What verifying a log's lines found.

    Args:
        lines: how many were looked at.
        head: the hash of the last one; empty where that one is none of the chain.
        problem: the first thing that is wrong; empty when nothing is.
        kind: of that; None when nothing is.
        wrong: how many things are wrong.
        sealed: how many lines carry a hash: none in the log of an agent that does not use our library.
        sequence: the number of the last line that holds one: with `head`, what to remember elsewhere.
    """

    lines: int
    head: str
    problem: str = ""
    kind: Finding | None = None
    wrong: int = 0
    sealed: int = 0
    sequence: int = 0


def add_seal(text: bytes) -> tuple[bytes, str]:
    """A record (an object of JSON with at least one name) with its hash, and the hash."""
    digest = hashlib.sha256(text).hexdigest()
    return text[:-1] + _MARK + digest.encode() + b'"}', digest


def read_seal(line: bytes) -> Seal | None:
    """What a line says of its place; None for one that was changed, is torn, or is no record of a chain."""
    text, mark, tail = line.rpartition(_MARK)
    digest = hashlib.sha256(text + b"}").hexdigest() if mark else ""
    if not mark or tail != digest.encode() + b'"}':
        return None
    try:
        body = json.loads(line)
        previous, sequence = body["prev"], body.get("sequence")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(previous, str):
        return None
    return Seal(digest, previous, sequence if type(sequence) is int and sequence > 0 else 0)


def verify_lines(lines: Iterable[bytes], after: str | None = None, remembered: Mark | None = None) -> LinesVerdict:
    """Whether lines are whole, unchanged and in order.

    Args:
        lines: oldest first, over rotated files.
        after: the hash before the first line; None to take the first line's word for it.
        remembered: the number (`sequence`) and the hash of the last line at an earlier look, which has to be among
            them. A chain that holds neither it nor its number was cut; one that holds another line there was written
            anew. A log that was written anew and is shorter can't be told from a cut one.
    """
    previous, number = after, 0 if after == "" else None
    count = sealed = wrong = sequence = 0
    first: Seal | None = None
    problem, kind = "", None
    met = remembered is None or not remembered.head
    for line in lines:
        count += 1
        stripped = line.rstrip(b"\n")
        seal = read_seal(stripped)
        fault: tuple[Finding, str] | None
        if seal is None:
            fault = Finding.CHANGED, f"line {count} was changed or is torn"
            sealed += _MARK in stripped
            previous = number = None
        else:
            fault = None if previous in (None, seal.previous) else _misfit(count, seal.sequence, number)
            sealed += 1
            met = met or (remembered is not None and remembered.head in (seal.digest, seal.previous))
            first = first or seal
            previous, number = seal.digest, seal.sequence or None
            sequence = seal.sequence or sequence
        if fault is not None:
            wrong += 1
            kind, problem = (kind, problem) if kind else fault
    if remembered is not None and not met:
        reach = sequence or count
        if reach < remembered.number or not wrong:
            wrong += 1
            kind, problem = (kind, problem) if kind else _unmet(remembered, first, reach)
    return LinesVerdict(count, previous or "", problem, kind, wrong, sealed, sequence)


def _misfit(count: int, sequence: int, number: int | None) -> tuple[Finding, str]:
    """What it is when a whole line does not follow the one before it, whose number is given."""
    if number is not None and 0 < sequence <= number + 1 and (sequence > 1 or number == 0):
        why = f"line {count} does not follow the one before it, though their numbers do"
        if sequence <= number:
            why = f"line {count} stands where another was"
        return Finding.CHANGED, f"{why}: changed"
    if number is not None and sequence > number + 2:
        return Finding.HOLE, f"{sequence - number - 1} lines are missing before line {count}"
    return Finding.HOLE, f"a line is missing before line {count}"


def _unmet(remembered: Mark, first: Seal | None, reach: int) -> tuple[Finding, str]:
    """What it is when a chain that fits in itself does not hold the remembered line."""
    if reach < remembered.number:
        return Finding.CUT, f"the newest lines are missing: there were {remembered.number}, not {reach}"
    if first is not None and first.sequence > remembered.number + 1:
        why = f"it begins with line {first.sequence}: what was between is missing, or rotated away"
        return Finding.HOLE, f"the remembered line {remembered.number} is no longer kept, {why}"
    return Finding.REWRITTEN, f"its line {remembered.number} is not the one that is remembered: written anew"
