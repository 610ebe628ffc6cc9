"""Hash chains: every entry of the streams `…:acts`, `…:log` and `…:audit` carries a SHA-1 over its predecessor's and
its own fields.

A chain shows tampering; it does not prevent it. The input of a hash is the previous hash and then each name and value
in order, each as `length:text` (lengths in bytes), without the field `h` itself.

What is wrong with a chain is one of four things: a hole, a changed entry, a cut tail, or a chain that was written anew.
Entries of `acts` and `log` hold their own number, which tells a hole from a change; where entries hold none, the count
that stands beside the head does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

Fields = Mapping[bytes, bytes] | Mapping[str, str] | Mapping[bytes | str, bytes | str]

KEPT: Final = 100
"""The most findings that a verdict holds; further ones are only counted."""


class Finding(StrEnum):
    """What can be wrong with a chain."""

    HOLE = "hole"
    """Entries are missing that others stood after."""
    CHANGED = "changed"
    """An entry is not the one that was written there."""
    CUT = "cut"
    """The newest entries are missing."""
    REWRITTEN = "rewritten"
    """It is a chain, and not the one that a remembered head belongs to."""


class Mark(NamedTuple):
    """A place in a chain that is remembered.

    Args:
        number: of its entry, from 1; 0 before the first.
        head: that entry's hash; empty before the first.
    """

    number: int
    head: str


class ChainFinding(NamedTuple):
    """One thing that is wrong.

    Args:
        kind: see `Finding`.
        at: the stream id of the entry where it shows; empty at the end.
        number: that entry's number in the chain; None where it isn't known.
        missing: how many entries are gone; 0 where none are, or nobody can say how many.
        text: a sentence without a full stop.
    """

    kind: Finding
    at: str
    number: int | None
    missing: int
    text: str


class ChainVerdict(NamedTuple):
    """What a chain's verification found.

    Args:
        ok: whether every hash fits and every mark was met.
        entries: how many entries were looked at, those without a hash included.
        head: the hash of the last entry.
        bad_id: the first entry that doesn't fit; empty when all do, or when only the end is wrong.
        problem: the first finding in words; empty when there is none.
        findings: the first `KEPT`, in the order of the stream.
        wrong: how many there are.
        first: the number of the first entry; None where it isn't known.
        last: the number of the last entry; None where it isn't known.
        first_head: the first entry's hash.
        unchained: entries at the beginning that were written before there was a chain.
        unchecked: marks that lie before the first entry, so that nothing could be compared with them.
    """

    ok: bool
    entries: int
    head: str
    bad_id: str = ""
    problem: str = ""
    findings: tuple[ChainFinding, ...] = ()
    wrong: int = 0
    first: int | None = None
    last: int | None = None
    first_head: str = ""
    unchained: int = 0
    unchecked: int = 0


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def link(previous: str, fields: Iterable[tuple[bytes | str, bytes | str]]) -> str:
    """The hash of an entry that follows `previous`."""
    digest = hashlib.sha1(usedforsecurity=False)
    for value in (previous, *(part for pair in fields for part in pair)):
        raw = _bytes(value)
        digest.update(b"%d:%b" % (len(raw), raw))
    return digest.hexdigest()


def number_of(fields: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The number that an entry holds: the second line of its record `d`, or its field `n`; None where there is none."""
    for name, value in fields:
        if name in (b"d", b"n"):
            text = value.split(b"\n", 2)[1:2] if name == b"d" else [value]
            return int(text[0]) if text and text[0].isdigit() and len(text[0]) < 17 else None
    return None


class _Before(NamedTuple):
    """What the next entry may follow: a hash, and the number of the entry it belongs to."""

    head: str
    number: int | None


class _Hole(NamedTuple):
    """What looks like a hole: the number before it, and which finding it is (None where that was not kept)."""

    base: int
    finding: int | None


class ChainCheck:
    """Verifies a chain entry by entry; hand all in with `take`, then ask for the `verdict`.

    Args:
        after: the hash of the entry before the first (an archive's end); empty from the beginning; None to take the
            first entry's word for it.
        count: the number of the entry before the first; None where it isn't known.
        prefix: whether entries without a hash may stand before the first with one.
        marks: remembered places that have to be in the chain.
    """

    def __init__(
        self, *, after: str | None = "", count: int | None = None, prefix: bool = False, marks: Iterable[Mark] = ()
    ) -> None:
        self.entries = 0
        self.unchained = 0
        self.first: int | None = None
        self.first_head = ""
        self.findings: list[ChainFinding] = []
        self._start = 0 if after == "" and count is None else count
        self._before = [] if after is None else [_Before(after, self._start)]
        self._last = _Before(after or "", self._start)
        self._prefix = prefix
        self._numbered = False
        self._more = 0
        self._pending: _Hole | None = None  # what looks like a hole, while the next entry may deny it
        self._marks: dict[int, set[str]] = {}
        self._missed: list[Mark] = []
        for mark in marks:
            self._marks.setdefault(mark.number, set()).add(mark.head)
        if self._start is not None and after is not None:
            self._meet()

    @property
    def last(self) -> Mark | None:
        """The end so far; None while its number isn't known."""
        return None if self._last.number is None else Mark(self._last.number, self._last.head)

    def take(self, stream_id: bytes | str, fields: Fields) -> None:
        """The next entry: its id, and its fields in order."""
        self.entries += 1
        at = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
        pairs = [(_bytes(name), _bytes(value)) for name, value in fields.items()]
        rest = [pair for pair in pairs if pair[0] != b"h"]
        stated = next((value.decode("ascii", "replace") for name, value in pairs if name == b"h"), "")
        began = self.first_head != "" or self._last.head != ""
        if not stated:
            if self._prefix and not began:
                self.unchained += 1
            else:
                self._without_hash(at, rest)
            return
        number = number_of(rest)
        self._numbered = self._numbered or number is not None
        before = next((one for one in self._before if link(one.head, rest) == stated), None)
        if before is not None:
            self._fits(at, stated, number, before)
        elif self._before:
            self._does_not(at, rest, stated, number)
        else:
            self._go(stated, number)
        if not self.first_head:
            self.first, self.first_head = number if number is not None else self._last.number, stated
        self._meet()

    def _go(self, stated: str, number: int | None) -> None:
        self._last = _Before(stated, number)
        self._before = [self._last]

    def _fits(self, at: str, stated: str, number: int | None, before: _Before) -> None:
        due = _after(before.number)
        if number is None or due is None or number == due:
            others = [one for one in self._before if one is not before]
            if others and before is not self._before[0]:  # entries in another order, or one that was put there
                self._deny_hole()
            self._pending = None
            self._go(stated, number if number is not None else due)
            step = _after if not self._numbered else _same
            self._before += [_Before(one.head, step(one.number)) for one in others]
        elif self._pending is not None and number == self._pending.base + 2:
            self._deny_hole()  # only the number of the entry before had been edited
            self._go(stated, number)
        else:
            self._pending = None
            text = f"entry {at} has the number {number} after {before.number}, and its hash was made to fit"
            self._find(ChainFinding(Finding.REWRITTEN, at, number, 0, text))
            self._go(stated, number)

    def _does_not(self, at: str, rest: list[tuple[bytes, bytes]], stated: str, number: int | None) -> None:
        previous, due = self._last, _after(self._last.number)
        place = due
        pending, self._pending = self._pending, None
        if number is not None and due is not None and number > due:
            missing = number - due
            place = number
            text = f"{_entries(missing)} missing before entry {at}"
            self._pending = _Hole(due - 1, self._find(ChainFinding(Finding.HOLE, at, number, missing, text)))
        else:
            if number is not None and due is not None and number < due and pending is not None:
                self._pending = pending
                self._deny_hole()  # entries stand in another order: none is missing
                place = pending.base + 2
            self._find(
                ChainFinding(Finding.CHANGED, at, place, 0, f"entry {at} does not follow the one before it: changed")
            )
        self._last = _Before(stated, place)
        self._before = [self._last, _Before(link(previous.head, rest), place), previous]

    def _without_hash(self, at: str, rest: list[tuple[bytes, bytes]]) -> None:
        self._find(
            ChainFinding(
                Finding.CHANGED, at, _after(self._last.number), 0, f"entry {at} carries no hash: changed, or put there"
            )
        )
        self._before = [*self._before, *(_Before(link(b.head, rest), _after(b.number)) for b in self._before[:1])]

    def _deny_hole(self) -> None:
        """What looked like a hole is a changed entry."""
        hole, self._pending = self._pending, None
        if hole is not None and hole.finding is not None:
            at = self.findings[hole.finding].at
            text = f"entry {at} does not follow the one before it: changed"
            self.findings[hole.finding] = ChainFinding(Finding.CHANGED, at, hole.base + 1, 0, text)

    def _find(self, finding: ChainFinding) -> int | None:
        if len(self.findings) >= KEPT:
            self._more += 1
            return None
        self.findings.append(finding)
        return len(self.findings) - 1

    def _meet(self) -> None:
        """Compare with the marks of this place."""
        if self._last.number is None or self._last.number not in self._marks:
            return
        here = {one.head for one in self._before}
        self._missed += [Mark(self._last.number, head) for head in self._marks.pop(self._last.number) - here]

    def verdict(self, *, head: str | None = None, count: int | None = None) -> ChainVerdict:
        """What was found, once all entries were taken.

        Args:
            head: the newest hash as it is stated elsewhere; None to leave the end unchecked.
            count: how many entries there are, as it is stated elsewhere.
        """
        at_head = next(
            (one for one in self._before if one.head == head and (count is None or one.number in (None, count))), None
        )
        if at_head is not None and at_head is not self._before[0]:
            self._deny_hole()  # the last of the stream was put there
            self._last = at_head
        last = self._last.number
        if self._pending is not None and count is not None and last is not None and last > count:
            last = self._pending.base + 1
            self._deny_hole()
        ends = not self._before or any(one.head == head for one in self._before)
        if last is None and at_head is not None:
            last = count
        if not self._numbered and self.findings and head is not None and ends and None not in (last, count):
            assert last is not None
            assert count is not None
            if count > last:  # every entry after is there, and some are missing: what does not fit stands after a hole
                self._name_holes(count - last)
                last = count
        reach = max((mark for mark in self._marks if last is not None and mark > last), default=0)
        if self._missed and not self.findings:
            end: ChainFinding | None = _rewritten(self._missed[0].number)
        elif last is not None and reach > max(last, count or 0):
            end = _cut(reach - last, f"a remembered head is that of entry {reach}")
        else:
            end = self._end(head, count, last, ends)
        findings = (*self.findings, *((end,) if end else ()))
        wrong = len(findings) + self._more
        return ChainVerdict(
            not wrong,
            self.entries,
            self._last.head,
            next((one.at for one in findings), ""),
            next((one.text for one in findings), ""),
            findings,
            wrong,
            self.first,
            last,
            self.first_head,
            self.unchained,
            sum(len(heads) for mark, heads in self._marks.items() if last is None or mark <= last),
        )

    def _name_holes(self, missing: int) -> None:
        alone = len(self.findings) == 1
        for index, one in enumerate(self.findings):
            if one.kind is Finding.CHANGED:
                text = f"{_entries(missing)} missing{'' if alone else ' altogether'}, before entry {one.at}"
                self.findings[index] = ChainFinding(Finding.HOLE, one.at, None, missing if alone else 0, text)

    def _end(self, head: str | None, count: int | None, last: int | None, ends: bool) -> ChainFinding | None:
        """What is wrong at the end, held against the head."""
        if count is not None and last is not None and last != count:
            if last < count:
                return _cut(count - last, f"the head is that of entry {count}")
            text = f"there are {last} entries and the head counts {count}: the head was changed, or entries put there"
            return None if self.findings else ChainFinding(Finding.CHANGED, "", last, 0, text)
        if head is None or self.findings or ends or (not self.entries and not self._last.head and not head):
            return None
        if count is None or last is None:
            return ChainFinding(Finding.CUT, "", None, 0, "the newest entries are missing: the head is another")
        return _rewritten(last)


def _after(number: int | None) -> int | None:
    return None if number is None else number + 1


def _same(number: int | None) -> int | None:
    return number


def _entries(missing: int) -> str:
    return "1 entry is" if missing == 1 else f"{missing} entries are"


def _cut(missing: int, why: str) -> ChainFinding:
    return ChainFinding(Finding.CUT, "", None, missing, f"{_entries(missing)} missing at the end: {why}")


def _rewritten(number: int) -> ChainFinding:
    text = f"the chain fits in itself, but entry {number} is not the one that is remembered: written anew"
    return ChainFinding(Finding.REWRITTEN, "", number, 0, text)


def verify_chain(
    entries: Iterable[tuple[bytes | str, Fields]],
    *,
    after: str | None = "",
    head: str | None = None,
    count: int | None = None,
    start: int | None = None,
    prefix: bool = False,
    marks: Iterable[Mark] = (),
) -> ChainVerdict:
    """Whether a run of stream entries is whole and unchanged.

    Args:
        entries: (stream id, fields in order), oldest first.
        after: the hash of the entry before the first (a trimmed stream's archived end); empty from the beginning; None
            to take the first entry's word for it.
        head: the newest hash as the control hash states it; None to leave the end unchecked. A cut tail shows here.
        count: how many entries the control hash counts; None where it isn't known.
        start: the number of the entry before the first; None where it isn't known.
        prefix: whether entries without a hash may stand before the first with one.
        marks: remembered places that have to be in the chain.
    """
    check = ChainCheck(after=after, count=start, prefix=prefix, marks=marks)
    for stream_id, fields in entries:
        check.take(stream_id, fields)
    return check.verdict(head=head, count=count)
