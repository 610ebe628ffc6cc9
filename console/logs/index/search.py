"""Rounds that a question asks for, found by the index: stretches that can't hold one are left unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.seen.asking import Ask, Term
from console.domain.seen.decision import Decision
from console.domain.text import clean
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.rows import possible
from console.logs.index.words import Needs, literals_of
from console.logs.lines.careful import as_written
from console.logs.lines.parse import Parser, version_text
from console.logs.lines.shape import Row
from console.logs.newest.present import Sighting
from console.logs.options import LogOptions

_MINUS: Final = "\u2212"
_MINUS_BYTES: Final = _MINUS.encode()
_ESCAPED: Final = b"\\u"
_SMALL_IN_ASCII: Final = ("\u0130".encode(), "\u212a".encode())
"""Letters that are ASCII ones in their small form."""


class Hit(NamedTuple):
    """A round that was found.

    Args:
        path: of its log.
        offset: where in it the record stands, in bytes: where its line begins, but for what a mapping made of one.
        row: what was parsed of it.
        line: all of the record.
        begin, end: of its line in the log, the newline included.
    """

    path: Path
    offset: int
    row: Row
    line: bytes
    begin: int
    end: int

    def decision(self, options: LogOptions, now_s: float) -> Decision:
        """What can be shown of it."""
        source = clean(self.path.name)
        return Sighting(self.row.time_s, self.row, self.line, source, self.offset, 0, now_s).decision(options)


class _Word:
    """A word that is looked for in bytes first, and in a line's text only where those could hold it."""

    def __init__(self, term: Term) -> None:
        word = term.value.replace(_MINUS, "-")
        self.negated = term.negated
        self._either = word == word.lower()
        self._word = word
        self._bytes = word.encode("utf-8", "surrogatepass")
        self._plain = word.isascii()
        self._others = (_MINUS_BYTES,) * ("-" in word) + _SMALL_IN_ASCII * self._either
        """What a line may have in place of it."""

    def possible(self, block: bytes, lowered: Callable[[], bytes]) -> bool:
        """Whether a stretch could hold it."""
        if self.negated:
            return True
        if not self._plain and self._either:
            return True
        data = lowered() if self._either else block
        return self._bytes in data or _ESCAPED in block or any(other in block for other in self._others)

    def holds(self, line: bytes) -> bool:
        """Whether a line does."""
        return self._in(line) is not self.negated

    def _in(self, line: bytes) -> bool:
        text = line.decode("utf-8", "replace").replace(_MINUS, "-")
        if self._word in (text.lower() if self._either else text):
            return True
        if _ESCAPED not in line:
            return False
        text = as_written(line).replace(_MINUS, "-")
        return self._word in (text.lower() if self._either else text)


class _Literal:
    """Letters that every record has which a pattern matches."""

    def __init__(self, letters: bytes) -> None:
        self._letters = letters

    def possible(self, block: bytes, lowered: Callable[[], bytes]) -> bool:
        """Whether a stretch could hold them; in what is not ASCII a pattern finds more than there is."""
        return self._letters in lowered() or _ESCAPED in block or not block.isascii()

    def holds(self, line: bytes) -> bool:
        """Whether a line could."""
        return self.possible(line, line.lower)


class Search:
    """One question over one log.

    Args:
        ask: the question.
        options: whose record is whose.
    """

    def __init__(self, ask: Ask, options: LogOptions) -> None:
        self._options = options
        self._parser = Parser(options)
        self._mapped = options.mapping is not None
        words = [term for term in ask.terms if term.name == "word"]
        self._words: list[_Word | _Literal] = [_Word(term) for term in words]
        self._patterns = [term for term in ask.terms if term.name == "pattern"]
        self._terms = [term for term in ask.terms if term.name not in ("word", "pattern")]
        wanted = [term.value for term in self._patterns if not term.negated]
        self._words += [_Literal(letters) for pattern in wanted for letters in literals_of(pattern)]
        self._needs = Needs([term.value for term in words if not term.negated], wanted)
        self._since = ask.since.timestamp() if ask.since else None
        self._until = ask.until.timestamp() if ask.until else None

    def backwards(self, index: FileIndex, blocks: Sequence[Block]) -> Iterator[tuple[int, Block, bool]]:
        """The blocks of a log from the last to the first: number, block, and whether it could hold such a round."""
        for number, words in possible(index.rows, blocks, self._needs):
            block = blocks[number]
            yield number, block, words and self.could_hold(block)

    def stretches(self, index: FileIndex) -> list[Block]:
        """What of a log could hold such a round, in the order of the file; what is no block yet, too. Rows of words are
        made first where they tell something: that is done once, and is no slower than a look at every line.

        Raises:
            OSError: the log can't be read.
        """
        while self._needs and not index.fill(1.0):
            pass
        blocks = [block for _number, block, could in self.backwards(index, index.blocks) if could]
        return [*reversed(blocks), *(block for block in index.rest() if self.could_hold(block))]

    def could_hold(self, block: Block) -> bool:
        """Whether a stretch could hold such a round, by its index alone."""
        if not block.rows:
            return False
        if self._since is not None and block.last_s < self._since:
            return False
        if self._until is not None and block.first_s >= self._until:
            return False
        return all(self._possible(term, block) for term in self._terms)

    def _possible(self, term: Term, block: Block) -> bool:
        if term.name == "pnl" and term.bound is not None and block.sums is not None and not term.negated:
            return any(term.bound.possible(one.least, one.most) for one in block.sums)
        if term.name == "type" and block.kinds is not None:
            return any((kind == term.value) is not term.negated for kind in block.kinds)
        if term.name in ("slot", "version") and block.who is not None:
            return any(self._who(term, version, slot) is not term.negated for version, slot in block.who)
        return True

    def _who(self, term: Term, version: str, slot: str | None) -> bool:
        if term.name == "version":
            return version == term.value
        return (self._options.slot_of(version, slot) or "none") == term.value

    def hits(self, index: FileIndex, block: Block, start: int = 0) -> Iterator[Hit]:
        """The rounds of a stretch, in the order of the file.

        Args:
            index: of the log.
            block: of it.
            start: where in the log what was not read elsewhere begins.

        Raises:
            OSError: the log can't be read.
        """
        data = index.read(block)
        lowered: list[bytes] = []

        def lower() -> bytes:
            if not lowered:
                lowered.append(data.lower())
            return lowered[0]

        if not self._mapped and not all(word.possible(data, lower) for word in self._words):
            return
        lines = data.split(b"\n")
        offsets, at = [], block.start
        for line in lines:
            offsets.append(at)
            at += len(line) + 1
        wanted = [
            number
            for number, line in enumerate(lines)
            if offsets[number] >= start and (self._mapped or self._worded(line))
        ]
        if not wanted:
            return
        parsed = self._parser.parse(b"\n".join(lines[number] for number in wanted))
        places = wanted if parsed.index is None else [wanted[number] for number in parsed.index]
        parts = parsed.parts or [0] * len(places)
        for number, part, row, line in zip(places, parts, parsed.rows(), parsed.accepted(), strict=True):
            if self._holds(row, line) and (not self._mapped or self._worded(line)):
                begin = offsets[number]
                yield Hit(index.path, begin + part, row, line, begin, begin + len(lines[number]) + 1)

    def _worded(self, line: bytes) -> bool:
        """Whether every word is in it."""
        return all(word.holds(line) for word in self._words)

    def _holds(self, row: Row, line: bytes) -> bool:
        if self._since is not None and row.time_s < self._since:
            return False
        if self._until is not None and row.time_s >= self._until:
            return False
        if not all(self._term(term, row) is not term.negated for term in self._terms):
            return False
        return all(term.test is not None and term.test(as_written(line)) is not term.negated for term in self._patterns)

    def _term(self, term: Term, row: Row) -> bool:
        match term.name:
            case "pnl":
                return term.bound is not None and term.bound.holds(row.amount)
            case "type":
                return row.kind == term.value
            case "currency":
                return (row.currency or "") == term.value
        return self._who(term, version_text(row.version), row.slot)
