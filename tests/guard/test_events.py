"""Whatever a guard says in its log has a weight, by its name alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import console.guard
from console.guard.events import WEIGHTS, Weight, weight_of

HOME = Path(console.guard.__file__).parent
TELLING = {"tell", "_tell", "_tell_once", "_note", "_say", "log"}
OURS = {"time", "level", "event", "guard"}


def said_in(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Calls that say something, each with every event that it may say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in TELLING:
                first = node.args[0]
                ways = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                for way in ways:
                    if isinstance(way, ast.Constant) and way.value and isinstance(way.value, str):
                        yield node, way.value


def test_every_event_is_declared_and_none_that_nobody_says() -> None:
    files = [*HOME.rglob("*.py"), HOME.parent / "cli" / "metrics.py"]
    met = [one for path in files for one in said_in(ast.parse(path.read_text("utf-8")))]
    by_name = {"refused", "store unreachable"}  # `console.guard.loops.Outage` chooses between them
    assert {event for _call, event in met} | by_name == set(WEIGHTS)
    for call, event in met:
        assert not OURS & {keyword.arg for keyword in call.keywords}, event


def test_what_nobody_declared_is_to_be_looked_at() -> None:
    assert weight_of("something new") is Weight.WARNING


def test_weights_are_those_of_syslog() -> None:
    assert [weight.priority for weight in Weight] == [2, 3, 4, 5, 6]
