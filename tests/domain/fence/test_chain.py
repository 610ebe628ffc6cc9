"""A chain's verification says which of four things is wrong: a hole, a changed entry, a cut tail, or a chain that was
written anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.fence.chain import KEPT, ChainVerdict, Finding, Mark, link, verify_chain

Entry = tuple[str, dict[bytes, bytes]]
Kind = Callable[[int], dict[bytes, bytes]]


def acts(number: int) -> dict[bytes, bytes]:
    """Fields like those of an action: the number is the second line of the record."""
    return {b"d": b"\n".join((b"claim", b"%d" % number, b"1700", b"key-%d" % number, b"text"))}


def log(number: int) -> dict[bytes, bytes]:
    """Fields like those of a control event: the number is a field."""
    return {b"n": b"%d" % number, b"k": b"switched", b"by": b"op %d" % (number % 3)}


def audit(number: int) -> dict[bytes, bytes]:
    """Fields like those of a receipt: no number at all."""
    return {b"id": b"r%d" % number, b"command": b"flag set", b"who": b"op"}


KINDS: tuple[Kind, ...] = (acts, log, audit)
numbered = pytest.mark.parametrize("kind", KINDS[:2])
every = pytest.mark.parametrize("kind", KINDS)


def chain(kind: Kind, length: int, salt: bytes = b"", since: int = 1) -> list[Entry]:
    """A whole chain; from entry `since` on with another content where there is a salt."""
    entries: list[Entry] = []
    head = ""
    for number in range(1, length + 1):
        fields = kind(number) | ({b"salt": salt} if salt and number >= since else {})
        head = link(head, fields.items())
        entries.append((f"{1000 + number}-0", {b"h": head.encode()} | fields))
    return entries


def head_of(entries: list[Entry]) -> str:
    return entries[-1][1][b"h"].decode() if entries else ""


def verify(entries: list[Entry], whole: list[Entry], *marks: Mark) -> ChainVerdict:
    """Against the head of what was written."""
    return verify_chain(entries, head=head_of(whole), count=len(whole), marks=marks)


def kinds(verdict: ChainVerdict) -> list[Finding]:
    return [one.kind for one in verdict.findings]


def mark(entries: list[Entry], number: int) -> Mark:
    return Mark(number, entries[number - 1][1][b"h"].decode())


lengths = st.integers(3, 30)


@every
@given(length=st.integers(0, 30), data=st.data())
def test_a_whole_chain_is_whole_and_meets_every_mark_in_it(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    places = data.draw(st.sets(st.integers(1, length), max_size=3)) if length else set()
    verdict = verify(whole, whole, Mark(0, ""), *(mark(whole, place) for place in places))
    assert (verdict.ok, verdict.entries, verdict.last, verdict.head) == (True, length, length, head_of(whole))
    assert verdict.unchecked == 0


@every
@given(length=lengths, data=st.data())
def test_what_is_taken_out_of_the_middle_is_a_hole_of_that_many(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    first = data.draw(st.integers(0, length - 2))
    last = data.draw(st.integers(first, length - 2))
    verdict = verify(whole[:first] + whole[last + 1 :], whole, mark(whole, length))
    assert kinds(verdict) == [Finding.HOLE]
    assert verdict.findings[0].missing == last - first + 1
    assert verdict.bad_id == whole[last + 1][0]
    assert verdict.last == length


@numbered
@given(length=st.integers(8, 30), data=st.data())
def test_two_holes_are_two(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    first = data.draw(st.integers(0, 3))
    second = data.draw(st.integers(first + 2, length - 2))
    verdict = verify([one for at, one in enumerate(whole) if at not in (first, second)], whole)
    assert [(one.kind, one.missing) for one in verdict.findings] == [(Finding.HOLE, 1)] * 2


@every
@given(length=lengths, data=st.data())
def test_an_edited_field_is_a_change_whatever_it_held(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    place = data.draw(st.integers(0, length - 1))
    at, fields = whole[place]
    name = data.draw(st.sampled_from(sorted(fields)))
    value = data.draw(st.binary(max_size=8) | st.integers(0, 99).map(lambda number: b"%d" % number))
    if value != fields[name]:
        verdict = verify([*whole[:place], (at, fields | {name: value}), *whole[place + 1 :]], whole)
        assert kinds(verdict) == [Finding.CHANGED]
        assert verdict.bad_id == at


@given(length=lengths, data=st.data())
def test_an_edited_number_is_a_change_and_no_hole(length: int, data: st.DataObject) -> None:
    whole = chain(acts, length)
    place, number = data.draw(st.integers(0, length - 1)), data.draw(st.integers(0, 2 * length))
    if number != place + 1:
        edited = [*whole[:place], (whole[place][0], whole[place][1] | acts(number)), *whole[place + 1 :]]
        assert kinds(verify(edited, whole)) == [Finding.CHANGED]


@every
@given(length=lengths, data=st.data())
def test_entries_in_another_order_are_changed_and_none_is_missing(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    one = data.draw(st.integers(0, length - 2))
    other = data.draw(st.integers(one + 1, length - 1))
    swapped = list(whole)
    swapped[one] = (whole[one][0], whole[other][1])
    swapped[other] = (whole[other][0], whole[one][1])
    assert set(kinds(verify(swapped, whole))) == {Finding.CHANGED}


@every
@given(length=lengths, data=st.data())
def test_an_entry_that_was_put_there_is_a_change_and_none_is_missing(
    kind: Kind, length: int, data: st.DataObject
) -> None:
    whole = chain(kind, length)
    place = data.draw(st.integers(0, length))
    fields = kind(data.draw(st.integers(1, 2 * length))) | {b"salt": b"x"}
    if data.draw(st.booleans()):
        fields = {b"h": b"0" * 40} | fields
    verdict = verify([*whole[:place], ("0-1", fields), *whole[place:]], whole)
    assert set(kinds(verdict)) == {Finding.CHANGED}


@every
@given(length=lengths, data=st.data())
def test_a_tail_that_is_missing_is_cut_by_that_many(kind: Kind, length: int, data: st.DataObject) -> None:
    whole = chain(kind, length)
    left = data.draw(st.integers(0, length - 1))
    verdict = verify(whole[:left], whole)
    assert [(one.kind, one.missing) for one in verdict.findings] == [(Finding.CUT, length - left)]
    remembered = verify_chain(  # the head beside the stream was put back too: only what is kept elsewhere tells
        whole[:left], head=head_of(whole[:left]), count=left, marks=[mark(whole, length)]
    )
    assert [(one.kind, one.missing) for one in remembered.findings] == [(Finding.CUT, length - left)]


@every
@given(length=lengths, data=st.data())
def test_a_chain_that_fits_in_itself_and_misses_a_remembered_head_was_written_anew(
    kind: Kind, length: int, data: st.DataObject
) -> None:
    whole = chain(kind, length)
    since = data.draw(st.integers(1, length))
    forged = chain(kind, data.draw(st.integers(since, 2 * length)), b"x", since)
    place = data.draw(st.integers(since, max(since, min(length, len(forged)))))
    verdict = verify(forged, forged, mark(whole, place))
    assert kinds(verdict) == [Finding.REWRITTEN]
    same = chain(kind, length, b"x", since)
    assert kinds(verify(same, whole)) == [Finding.REWRITTEN]


@numbered
def test_hashes_made_to_fit_over_a_hole_are_a_chain_written_anew(kind: Kind) -> None:
    forged: list[Entry] = []
    head = ""
    for number in (1, 2, 4, 5):
        head = link(head, kind(number).items())
        forged.append((f"{number}-0", {b"h": head.encode()} | kind(number)))
    assert kinds(verify_chain(forged, head=head, count=5)) == [Finding.REWRITTEN]


@numbered
def test_a_hole_and_a_cut_tail_are_both_told(kind: Kind) -> None:
    whole = chain(kind, 9)
    verdict = verify([*whole[:2], *whole[4:7]], whole)
    assert [(one.kind, one.missing) for one in verdict.findings] == [(Finding.HOLE, 2), (Finding.CUT, 2)]


@every
def test_a_trimmed_stream_is_verified_from_its_archived_end(kind: Kind) -> None:
    whole = chain(kind, 9)
    before = mark(whole, 4)
    kept = {"after": before.head, "start": 4, "head": head_of(whole), "count": 9}
    verdict = verify_chain(whole[4:], marks=[Mark(4, before.head), mark(whole, 2)], **kept)  # type: ignore[arg-type]
    assert (verdict.ok, verdict.first, verdict.last, verdict.unchecked) == (True, 5, 9, 1)
    assert kinds(verify_chain(whole[5:], **kept)) == [Finding.HOLE]  # type: ignore[arg-type]


def test_a_beginning_taken_at_its_word_still_has_to_go_on() -> None:
    whole = chain(log, 9)
    assert verify_chain(whole[4:], after=None, head=head_of(whole), count=9).first == 5
    assert kinds(verify_chain([*whole[4:6], *whole[7:]], after=None, head=head_of(whole), count=9)) == [Finding.HOLE]


def test_entries_older_than_the_chain_are_counted_and_no_other_may_lack_its_hash() -> None:
    whole = chain(audit, 4)
    old: list[Entry] = [("1-0", audit(1)), ("2-0", audit(2))]
    verdict = verify_chain([*old, *whole], prefix=True, head=head_of(whole), count=4)
    assert (verdict.ok, verdict.unchained, verdict.entries, verdict.last) == (True, 2, 6, 4)
    assert kinds(verify_chain([*old, *whole], head=head_of(whole), count=4)) == [Finding.CHANGED] * 2
    later = [*whole[:2], ("9-9", audit(1)), *whole[2:]]
    assert kinds(verify_chain(later, prefix=True, head=head_of(whole), count=4)) == [Finding.CHANGED]
    assert kinds(verify_chain(old, prefix=True, head=head_of(whole), count=4)) == [Finding.CUT]


def test_a_head_that_counts_less_than_there_is_was_changed() -> None:
    whole = chain(log, 5)
    assert kinds(verify_chain(whole, head=head_of(whole[:3]), count=3)) == [Finding.CHANGED]


def test_a_ruin_is_told_without_growing() -> None:
    whole = chain(log, 3 * KEPT)
    verdict = verify([one for at, one in enumerate(whole) if at % 2], whole)
    assert len(verdict.findings) == KEPT
    assert verdict.wrong == 3 * KEPT // 2
