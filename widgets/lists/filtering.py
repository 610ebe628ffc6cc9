"""What the `/` line means: a plain word, `re:` a pattern, `!` the opposite; never a pattern that hangs the console.

What is looked at are the cells of a row as they are drawn, and both sides are folded (`widgets.text.folding`): whoever
types what stands on the screen finds it, on any keyboard.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from widgets.text.folding import folded, folded_pattern, without_separators
from widgets.text.plain import plain

MAX_PATTERN: Final = 200
MAX_PLAIN_CHARS: Final = 4096
"""The characters of a line in which a plain word is looked for."""

REGEX_CHARS: Final = (4096, 1024, 192, 64)
"""The characters of a line a pattern is tried on, by how many repeats without a bound it has.

A backtracking matcher takes in the order of n^(repeats + 1) steps at worst; these keep it under about a million.
"""

SLOW_S: Final = 0.25
"""A pattern that took longer than this over one batch of rows is given up."""


class PatternError(ValueError):
    """The pattern is wrong, or could take for ever; the text says why."""


class RowFilter(NamedTuple):
    """A filter as it was understood.

    Args:
        text: as it was typed.
        negated: whether rows that match are the ones left out.
        test: whether a line holds what is looked for.
    """

    text: str
    negated: bool
    test: Callable[[str], bool]

    def keeps(self, line: str) -> bool:
        """Whether the line stays."""
        return self.test(line) is not self.negated

    def look(self, cells: Sequence[str], shown: Collection[int] = ()) -> Look:
        """What the filter makes of a row.

        Args:
            cells: the row's, those that there is no room for too.
            shown: which of them are drawn; empty for all.
        """
        drawn = [cell for index, cell in enumerate(cells) if index in shown] if shown else cells
        if self.test(" ".join(drawn)):
            return Look(not self.negated)
        hidden = [index for index in range(len(cells)) if shown and index not in shown]
        if not hidden or not self.test(" ".join(cells)):
            return Look(self.negated)
        by = next((index for index in hidden if self.test(cells[index])), hidden[0])
        return Look(not self.negated, by)


class Look(NamedTuple):
    """What a filter made of a row.

    Args:
        kept: whether the row stays.
        by: the cell that isn't drawn and decided it; None where what is drawn did.
    """

    kept: bool
    by: int | None = None


def parse_filter(text: str) -> RowFilter | None:
    """The filter a text stands for; None for an empty one, which keeps everything.

    A plain word without a capital letter matches in either case; with one, exactly. The same holds for a pattern. Every
    form of a letter, a digit or a minus is one, accents are as good as none, and thousands may be parted or not.

    Raises:
        PatternError: the pattern doesn't compile, or could take for ever on some line.
    """
    rest = text.strip()
    negated = rest.startswith("!")
    rest = rest[1:].lstrip() if negated else rest
    if rest.startswith("re:"):
        return RowFilter(text, negated, _regex(rest[3:]))
    if not rest:
        return None
    return RowFilter(text, negated, _word(rest))


def _word(word: str) -> Callable[[str], bool]:
    either = word == word.lower()
    wanted = folded(word, either_case=either)
    bare = without_separators(wanted)

    def test(line: str) -> bool:
        line = folded(plain(line[:MAX_PLAIN_CHARS]), either_case=either)
        return wanted in line or bare in without_separators(line)

    return test


def _regex(pattern: str) -> Callable[[str], bool]:
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"The pattern is longer than {MAX_PATTERN} characters.")
    repeats = unbounded_repeats(pattern)
    if repeats >= len(REGEX_CHARS):
        raise PatternError(
            f"The pattern has {repeats} repeats without a bound; at most {len(REGEX_CHARS) - 1} are tried."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what `[[` may mean in a later Python is not our concern
            exact = any(char.isupper() for char in _ESCAPED.sub("", pattern))  # `\\D` is no capital letter
            compiled = re.compile(folded_pattern(pattern), 0 if exact else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"The pattern doesn't compile: {error}.") from error
    limit = REGEX_CHARS[repeats]

    def test(line: str) -> bool:
        line = folded(plain(line[:limit]))[:limit]
        bare = without_separators(line)
        return compiled.search(line) is not None or (bare != line and compiled.search(bare) is not None)

    return test


_ESCAPED = re.compile(r"\\.", re.DOTALL)
_PIECE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[a-zA-Z<=!:>\-]*)?|[*+?]\??|\{\d+(?:,\d*)?\}|\{,\d+\}|.", re.DOTALL
)
_SMALL_BOUND: Final = 8
MAX_CHOICES: Final = 8
"""How often a pattern may say `?`, or `|` inside a group: each may double the work."""


def unbounded_repeats(pattern: str) -> int:
    """How many repeats of a pattern have no small bound.

    Raises:
        PatternError: a repeated group holds a repeat or a choice, or there are many choices.
    """
    total = choices = 0
    groups = [False]
    closed_risky = False
    for match in _PIECE.finditer(pattern):
        piece = match.group()
        after_risky_group, closed_risky = closed_risky, False
        if piece.startswith("("):
            groups.append(False)
        elif piece == ")":
            closed_risky = groups.pop() if len(groups) > 1 else False
            groups[-1] = groups[-1] or closed_risky
        elif piece == "|" or piece[0] == "?":
            choices += piece != "|" or len(groups) > 1
            groups[-1] = True
        elif piece[0] in "*+" or (piece[0] == "{" and len(piece) > 2):
            if after_risky_group:
                raise PatternError(
                    "The pattern repeats a group that holds a repeat, `?` or `|`; that can take for ever."
                )
            groups[-1] = True
            total += _is_long(piece)
    if choices > MAX_CHOICES:
        raise PatternError(
            f"The pattern has {choices} choices (`?`, or `|` in a group); at most {MAX_CHOICES} are tried."
        )
    return total


def _is_long(repeat: str) -> bool:
    """Whether a repeat has no bound, or a large one."""
    low, comma, high = repeat.strip("{}").partition(",")
    if repeat[0] in "*+" or (comma and not high):
        return True
    return int(high or low) > _SMALL_BOUND


class Patience:
    """A limit on the time a filter may take over one batch of rows."""

    def __init__(self, limit_s: float = SLOW_S, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._until = clock() + limit_s

    def spent(self) -> bool:
        """Whether it is used up."""
        return self._clock() > self._until
