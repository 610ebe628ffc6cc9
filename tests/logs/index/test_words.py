"""What a row of words leaves unread holds nothing: every search finds what a look at every line finds."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.cli.runtime import _pattern
from console.domain.errors import UsageError
from console.domain.seen.asking import Ask, parse_ask
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.rows import possible
from console.logs.index.search import Search
from console.logs.index.words import FULL, ODD_PATTERN, ROW_BYTES, SIGNS, Needs, Words, literals_of
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions
from tests.logs.index.test_build import lines, record
from widgets.text.folding import folded

OPTIONS = LogOptions()
NOW = datetime(2026, 10, 2, tzinfo=UTC)
LETTERS = 'abekKAEnul_-.+ 019,:\\"/{}é\u0301\u212a\u0130\u0131\u017f\u2212\u2026ß\u2014\ufb01\uff21\t\x1b\U0001f600'
TEXTS = st.text(st.sampled_from(LETTERS), max_size=14)
NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=True, allow_infinity=True))


def asked(text: str) -> Ask | None:
    try:
        return parse_ask(text, NOW, _pattern)
    except UsageError:
        return None


def needs(ask: Ask) -> Needs:
    terms = [term for term in ask.terms if not term.negated]
    return Needs(
        [term.value for term in terms if term.name == "word"], [term.value for term in terms if term.name == "pattern"]
    )


def grep(path: Path, ask: Ask) -> list[int]:
    """Where the rounds stand that a look at every line by itself finds."""
    index = FileIndex(path, OPTIONS, None)
    search, found, at = Search(ask, OPTIONS), [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        whole = Block(at, at + len(line), 1, 0, 0, float("-inf"), float("inf"), None, None, None)
        found += [hit.offset for hit in search.hits(index, whole)]
        at += len(line)
    index.close()
    return found


def built(path: Path, folder: Path | None) -> FileIndex:
    index = FileIndex(path, OPTIONS, folder)
    while not (index.step(1.0) and index.fill(1.0)):
        pass
    return index


def searched(path: Path, ask: Ask, folder: Path) -> list[int]:
    index = built(path, folder)
    search = Search(ask, OPTIONS)
    found = [hit.offset for block in search.stretches(index) for hit in search.hits(index, block)]
    index.close()
    return found


@given(
    text=TEXTS,
    number=NUMBERS,
    escaped=st.booleans(),
    tight=st.booleans(),
    cut=st.tuples(st.integers(0, 12), st.integers(3, 8)),
    form=st.sampled_from(["{}", "re:{}", "re:{}.*", "re:({})+", "re:(?:{}|zz)?1"]),
    fold=st.booleans(),
)
@example("", float("inf"), False, True, (0, 0), "re:nan", False)
@example("\u212aelly", 1, True, True, (0, 5), "{}", True)
@example("caf\xe9s", 1, True, True, (0, 5), "re:{}", True)
@example("one 1,000two", 1, True, True, (0, 5), "re:one 1000two", True)
@settings(max_examples=120, deadline=None)
def test_no_line_is_left_unread_that_a_look_at_it_finds(
    text: str, number: float, escaped: bool, tight: bool, cut: tuple[int, int], form: str, fold: bool
) -> None:
    value = record(1, reasoning=text, inputs=[number, True, None])
    line = json.dumps(value, ensure_ascii=escaped, separators=(",", ":") if tight else None).encode("utf-8")
    piece = (folded(text, either_case=True) if fold else text)[cut[0] : cut[0] + cut[1]]
    ask = asked(form.format(re.escape(piece) if form.startswith("re:") else piece.replace(" ", "")))
    if ask is None:
        return
    whole = Block(0, len(line) + 1, 1, 0, 0, float("-inf"), float("inf"), None, None, None)

    class Text:
        """A log of one line."""

        path = Path("text")

        def read(self, block: Block) -> bytes:
            return line

    plain = Search(ask, OPTIONS)
    plain._words = [word for word in plain._words if type(word).__name__ == "_Word"]
    if list(plain.hits(Text(), whole)):  # type: ignore[arg-type]
        assert needs(ask).met(Words().row(line))
        assert list(Search(ask, OPTIONS).hits(Text(), whole))  # type: ignore[arg-type]


def texts_of(number: int) -> dict[str, Any]:
    text = {
        700: "the \u212aelly needle",
        701: "one \u2212500",
        1900: "caf\xe9 needle-7",
        2600: "order ord-83412 x",
    }.get(number, f"round {number} of the {'long' if number % 2 else 'short'} evening")
    return record(number, reasoning=text)


QUESTIONS = [
    "needle", "kelly", "NEEDLE", "-500", "caf\xe9", "cafe", "ord-83412", "8341", "!round", "round 299", "type:bet eed",
    "re:needle", "re:k.*needle", "re:cafe", "re:^.*ord-8", "re:(?:needle|ord)", "re:needle|evenin", "!re:evening",
    "re:(evenin)?g 9", "re:x{0}needle", "re:(?!needle)ord", "pnl>3 re:evening", "slot:green caf", "pnl<-5", "absent",
]  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("words")
    raw = folder / "raw.jsonl"
    raw.write_bytes(
        b"".join(json.dumps(texts_of(number), ensure_ascii=number % 2 == 0).encode() + b"\n" for number in range(3000))
    )
    return raw, folder / "cache"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_search_by_rows_finds_what_a_look_at_every_line_finds(logs: tuple[Path, Path], question: str) -> None:
    ask = asked(question)
    assert ask is not None
    assert searched(logs[0], ask, logs[1]) == grep(logs[0], ask)


def read_of(index: FileIndex, question: str) -> list[bool]:
    ask = asked(question)
    assert ask is not None
    return [could for _number, could in possible(index.rows, index.blocks, needs(ask))]


def test_stretches_without_a_word_are_left_unread(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(
        lines(*(record(number, reasoning="needle" if number == 9 else "evening") for number in range(3000)))
    )
    index = built(log, tmp_path / "cache")
    many = len(index.blocks)
    assert many >= 4
    for question, read in (("needle", 1), ("re:n.edle", 1), ("absent", 0), ("re:a.*sent.*", 0), ("evening", many)):
        assert sum(read_of(index, question)) == read, question
    index.close()


def test_a_stretch_with_a_letter_that_may_be_another_is_always_read(logs: tuple[Path, Path]) -> None:
    index = built(*logs)
    assert sum(read_of(index, "absent")) == 1, "of the Kelvin sign"
    assert sum(read_of(index, "re:absent")) == 2, "and of the accent"
    index.close()


@pytest.mark.parametrize("how", ["spoiled", "zeros", "torn", "gone", "a folder"])
def test_a_row_that_is_not_as_it_was_made_tells_nothing(logs: tuple[Path, Path], tmp_path: Path, how: str) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(logs[0].read_bytes())
    built(log, tmp_path / "cache").close()
    (kept,) = (tmp_path / "cache").glob("*.words")
    whole = kept.read_bytes()
    kept.unlink()
    if how == "a folder":
        kept.mkdir()
    elif how != "gone":
        kept.write_bytes({"spoiled": whole[::-1], "zeros": bytes(len(whole)), "torn": whole[: len(whole) // 2]}[how])
    ask = asked("re:needle")
    assert ask is not None
    assert searched(log, ask, tmp_path / "cache") == grep(log, ask) != []
    if how in ("torn", "gone"):
        assert kept.read_bytes() == whole, "it is made anew"


def test_rows_are_right_after_a_log_was_cut_and_grew_and_was_written_anew(tmp_path: Path) -> None:
    log, cache = tmp_path / "d.jsonl", tmp_path / "cache"
    ask = asked("needle")
    assert ask is not None
    text = lines(*(texts_of(number) for number in range(2500)))
    log.write_bytes(text)
    index = built(log, cache)
    for change in (text[: len(text) // 2], text * 2, text.replace(b"evening", b"needles"), b"", text):
        log.write_bytes(change)
        os.utime(log)
        while not index.step(1.0):
            pass
        search = Search(ask, OPTIONS)
        hits = [hit.offset for block in search.stretches(index) for hit in search.hits(index, block)]
        assert hits == grep(log, ask)
    index.close()
    assert searched(log, ask, cache) == grep(log, ask)


def test_the_index_waits_for_no_row_and_rows_are_made_little_by_little_from_the_end(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(lines(*(record(number) for number in range(3000))))
    index = FileIndex(log, OPTIONS, tmp_path / "cache")
    while not index.done:
        index.step(0.0)
    many = len(index.blocks)
    assert many >= 4 and sum(read_of(index, "absent")) >= many - 1, "all is counted, and rows have only begun"
    lacking = [sum(read_of(index, "absent"))]
    while not index.fill(0.0):
        assert read_of(index, "absent") == sorted(read_of(index, "absent")), "the newest have theirs first"
        lacking.append(sum(read_of(index, "absent")))
    assert sum(read_of(index, "absent")) == 0 and lacking == sorted(lacking, reverse=True)
    index.close()


def test_who_reads_beside_a_writer_uses_its_rows_and_changes_none(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(lines(*(record(number) for number in range(3000))))
    built(log, tmp_path / "cache").close()
    writer = built(log, tmp_path / "cache")
    with log.open("ab") as file:
        file.write(lines(*(record(number, reasoning="late needle") for number in range(1000))))
    reader = built(log, tmp_path / "cache")
    assert reader.kept_problem
    assert not any(read_of(reader, "absent")[-len(writer.blocks) :])
    ask = asked("needle")
    assert ask is not None
    search = Search(ask, OPTIONS)
    found = [hit.offset for block in search.stretches(reader) for hit in search.hits(reader, block)]
    assert found == grep(log, ask)
    reader.close()
    while not (writer.step(1.0) and writer.fill(1.0)):
        pass
    assert sum(read_of(writer, "absent")) == 0
    writer.close()


def test_what_a_mapping_makes_of_lines_is_what_is_looked_through(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(
        b"".join(b'{"v":"1","t":%d,"k":"bet","padding":"%s"}\n' % (1_790_000_000 + n, b"x" * 90) for n in range(1500))
    )
    options = OPTIONS.mapped(Mapping(version="v", time="t", time_format="s", type="k"))
    index = FileIndex(log, options, tmp_path / "cache")
    while not (index.step(1.0) and index.fill(1.0)):
        pass
    ask = asked("decision_type")
    assert ask is not None
    assert index.blocks and sum(read_of(index, "decision_type")) == len(index.blocks)
    index.close()


def test_a_stretch_of_too_many_words_is_always_read_and_takes_no_longer() -> None:
    blob = bytes(97 + (number * number * 7919 + number // 13) % 26 for number in range(200_000))
    assert Words().row(blob) == FULL
    assert Words().row(blob[:1000]) != FULL
    assert len(Words().row(b"")) == ROW_BYTES


@pytest.mark.parametrize("text", ["needle", "two words", "re:a.*b"])
def test_what_is_taken_for_no_letter_is_folded_to_none(text: str) -> None:
    for sign in SIGNS:
        for either in (False, True):
            assert not any(char.isascii() and char.isalnum() for char in folded(sign, either_case=either))
        assert not Words().row(f"a{sign}b".encode())[0] >> ODD_PATTERN & 1
    assert Words().row("\u0131".encode())[0] >> ODD_PATTERN & 1


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("needle", [b"needle"]),
        ("NEEdle[0-9]+end", [b"needle", b"end"]),
        ("(ab)+cd", [b"ab", b"cd"]),
        ("(ab)*cd|ef", []),
        ("(ab)?cd", [b"cd"]),
        ("x(ab|cd)yz", [b"yz"]),
        ("caf\xe9s", []),
        ("ab\u0301*cd", []),
        ("(?x) ab cd # efgh", [b"abcd"]),
        ("abcdef{0}", [b"abcde"]),
        (r"a\w+bc\bd", [b"bc"]),
        ("a1000b_cd", [b"cd"]),
        ("null", []),
        ("(?i:AB)(?=cd)(?<!ef)gh", [b"ab", b"gh"]),
        ("(" * 150 + "ab" + ")" * 150, [b"ab"]),
        ("((", []),
    ],
)
def test_only_letters_that_every_match_has_are_asked_for(pattern: str, expected: list[bytes]) -> None:
    assert literals_of(pattern) == expected
