"""As much of PromQL as our own queries use, read strictly: what is not in here is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

AGGREGATIONS: Final = frozenset({"sum", "min", "max", "count", "avg"})
FUNCTIONS: Final = frozenset(
    {"abs", "absent", "clamp_max", "histogram_quantile", "increase", "min_over_time", "rate", "scalar"}
)
OPERATORS: Final = frozenset({"and", "or", "unless"})
BEFORE_LABELS: Final = frozenset({"by", "without", "on", "ignoring"})
_TOKEN: Final = re.compile(
    r"\s+|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<range>\[\d+[smhd]\])|(?P<offset>offset \d+[smhd])"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-zA-Z_:][\w:]*)|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/<>=(){},])"
)


class Query(NamedTuple):
    """What one query names.

    Args:
        metrics: each with what its labels are held against: label, operator, value.
        labels: by which it groups or matches.
    """

    metrics: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    labels: frozenset[str]


def read(text: str) -> Query:
    """A query's names.

    Raises:
        ValueError: it is none that this can read.
    """
    tokens = list(_tokens(text))
    metrics: list[tuple[str, tuple[tuple[str, str, str], ...]]] = []
    labels: set[str] = set()
    at = depth = 0
    while at < len(tokens):
        kind, token = tokens[at]
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        at += 1
        depth += (token == "(") - (token == ")")
        if kind != "name":
            if token in "{}":
                raise ValueError(f"{text}: {token} without a metric")
        elif token in BEFORE_LABELS:
            names, at = _labels(tokens, at, text)
            labels |= names
        elif (
            (token in AGGREGATIONS and (after == "(" or after in BEFORE_LABELS))
            or (token in FUNCTIONS and after == "(")
            or token in OPERATORS
        ):
            pass
        elif after == "(":
            raise ValueError(f"{text}: {token} is no function")
        else:
            matchers, at = _matchers(tokens, at, text) if after == "{" else ((), at)
            metrics.append((token, matchers))
    if depth or not metrics:
        raise ValueError(f"{text}: no whole query")
    return Query(tuple(metrics), frozenset(labels))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text}: {text[at : at + 10]!r} can't be read")
        if match.lastgroup is not None:
            yield match.lastgroup, match[0]
        at = match.end()


def _labels(tokens: list[tuple[str, str]], at: int, text: str) -> tuple[frozenset[str], int]:
    names: list[str] = []
    if tokens[at][1] != "(":
        raise ValueError(f"{text}: no list of labels")
    at += 1
    while tokens[at][1] != ")":
        kind, token = tokens[at]
        if kind == "name":
            names.append(token)
        elif token != ",":
            raise ValueError(f"{text}: {token} is no label")
        at += 1
    return frozenset(names), at + 1


def _matchers(tokens: list[tuple[str, str]], at: int, text: str) -> tuple[tuple[tuple[str, str, str], ...], int]:
    held: list[tuple[str, str, str]] = []
    at += 1
    while tokens[at][1] != "}":
        (kind, label), (_, operator), (value_kind, value) = tokens[at : at + 3]
        if kind != "name" or operator not in ("=", "!=", "=~", "!~") or value_kind != "text":
            raise ValueError(f"{text}: {label} {operator} {value}")
        held.append((label, operator, value[1:-1]))
        at += 3
        if tokens[at][1] == ",":
            at += 1
    return tuple(held), at + 1
