"""Where in a text its values stand: parsers of TOML and JSON tell what, not where."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

Path = tuple[str | int, ...]
MOST_LINES: Final = 500
"""A longer TOML text is not searched: no line is better than a long wait."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def lines_in_toml(text: str, paths: Sequence[Path]) -> list[int]:
    """For each path the line, counted from 1, where the deepest part of it that is there begins; 0 where none is.

    The parser itself is asked: where a beginning of the text, cut at a line, first holds a value, the value ends there,
    and it begins after the longest beginning that parses without it.
    """
    lines = text.splitlines(keepends=True)
    deepest = [_depth(tomllib.loads(text), path) for path in paths]
    begins = [0] * len(paths)
    if len(lines) > MOST_LINES:
        return begins
    before = 0
    for count, end in enumerate(accumulate(map(len, lines)), start=1):
        try:
            document = tomllib.loads(text[:end])
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        begin = next((n for n in range(before + 1, count + 1) if lines[n - 1].split("#")[0].strip()), count)
        for at, path in enumerate(paths):
            if not begins[at] and 0 < deepest[at] <= _depth(document, path):
                begins[at] = begin
        before = count
    return begins


def lines_in_json(text: str, paths: Sequence[Path]) -> list[int]:
    """The same in a text of JSON that parses."""
    places: dict[Path, int] = {}
    keys: list[str | int | None] = []  # of what is open: a name, None before one, or a number in a list
    line, last = 1, 0
    for token in _TOKEN.finditer(text):
        line, last = line + text.count("\n", last, token.start()), token.start()
        word = token.group()
        if word == ",":
            top = keys[-1]
            keys[-1] = top + 1 if isinstance(top, int) else None
        elif word in "}]":
            keys.pop()
        elif word != ":":
            if keys and keys[-1] is None:
                keys[-1] = json.loads(word)
            places.setdefault(tuple(key for key in keys if key is not None), line)
            if word in "{[":
                keys.append(None if word == "{" else 0)
    return [next((places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places), 0) for path in paths]


def _depth(document: Any, path: Path) -> int:
    """How much of a path a document holds."""
    for depth, part in enumerate(path):
        known = part in document if isinstance(document, dict) else False
        if isinstance(document, list) and isinstance(part, int):
            known = part < len(document)
        if not known:
            return depth
        document = document[part]
    return len(path)
