"""What is written for people decides nothing: no program recognises anything by its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import console

ROOT: Final = Path(console.__file__).parent
PROSE: Final = frozenset({"why", "reason", "message", "detail", "note"})
"""Fields that hold sentences: of control events, audit entries, receipts, alerts, errors."""
READING: Final = frozenset(
    {"startswith", "endswith", "partition", "rpartition", "split", "find", "index", "count", "removeprefix"}
)
MATCHING: Final = frozenset({"match", "search", "fullmatch", "findall", "finditer", "sub"})
ALLOWED: Final = frozenset({"views/guard/alerts.py", "screens/parts/shapes.py"})
"""Where a line is laid out: what it begins with already is left out, and nothing is decided by that."""


def _prose(node: ast.expr) -> bool:
    """Whether an expression is such a field, or one in other letters."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return isinstance(node, ast.Attribute) and node.attr in PROSE


def readings(tree: ast.AST) -> Iterator[int]:
    """The lines on which prose is read for what it says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_text = node.func.attr in READING and _prose(node.func.value)
            by_pattern = node.func.attr in MATCHING and any(_prose(argument) for argument in node.args)
            if of_text or by_pattern:
                yield node.lineno
        elif isinstance(node, ast.Compare):
            for operator, right in zip(node.ops, node.comparators, strict=True):
                text_left = isinstance(node.left, ast.Constant | ast.Name)
                if isinstance(operator, ast.In | ast.NotIn) and text_left and _prose(right):
                    yield node.lineno


def test_nothing_is_recognised_by_its_words() -> None:
    read = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ALLOWED
        for line in readings(ast.parse(path.read_text()))
    ]
    assert read == []


def test_each_way_to_read_words_is_noticed() -> None:
    for text in (
        'event.why.startswith("loss ")',
        'entry.why.lower().partition(":")',
        "RULE.match(alert.reason)",
        '"going back" in event.why',
        "word in reply.detail.lower()",
    ):
        assert list(readings(ast.parse(text))) == [1], text
