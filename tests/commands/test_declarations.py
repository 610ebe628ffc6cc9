"""A verb is declared once: keys, footer, chart, palette, `:` line, command line and documents read its declaration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.commands import catalogue
from console.commands.base import Command, Query
from console.domain.operator.command import CommandInfo, Confirm, Param, Risk, Waits
from console.domain.seen.observation import Observation
from console.screens.parts.charting import chart_data
from tests import ROOT
from tests.scenarios import observation

EVERY = [command.info for command in catalogue.commands()]
WORDS = frozenset({"switch", "halt", "resume", "checklist", "versions", "approvals", "evidence"})
"""Names that are words of the domain too: a phase, a level, a screen, a list. They count where one is compared with or
started."""


@pytest.mark.parametrize("name", catalogue.names())
def test_a_verb_is_found_under_its_one_name(name: str) -> None:
    command = catalogue.find(name)
    assert command is not None
    assert command.info.name == name
    assert isinstance(command, Query) == command.info.reads


@pytest.mark.parametrize("info", EVERY, ids=lambda info: info.name)
def test_a_declaration_says_all_that_screens_and_documents_need(info: CommandInfo) -> None:
    assert info.title and info.title[0].isupper()
    assert info.summary.endswith((".", ";")) or "." in info.summary
    assert len({param.name for param in info.params}) == len(info.params)
    for param in info.params:
        assert param.help
        assert set(param.meanings) <= set(param.choices)
        assert not param.is_slot or param.choices == ("blue", "green")
        assert param.needed_with is None or param.needed_with[0] in {other.name for other in info.params}
    if info.reads:
        assert (info.risk, info.confirm, info.mark, info.reversible) == (Risk.NONE, Confirm.NONE, "", False)
    if info.while_halted:
        assert info.while_halted in catalogue.names()
    if info.no_row:
        assert info.row, "it can only miss a row that it takes something from"


@pytest.mark.parametrize("info", EVERY, ids=lambda info: info.name)
def test_what_may_change_how_an_agent_earns_has_its_mark_on_the_chart(info: CommandInfo) -> None:
    moves = info.waits is not Waits.NOTHING or info.name.startswith("flag ") or info.name == "snapshot restore"
    assert bool(info.mark) == ((moves and not info.reads) or info.name == "halt")


def test_an_undo_and_an_unset_flag_are_marked_on_the_chart() -> None:
    seen = observation("fenced")
    assert seen.store is not None
    names = ("undo", "flag unset")
    pairs = zip(seen.store.audit, names, strict=False)
    entries = tuple(entry._replace(command=name, at=seen.now) for entry, name in pairs)
    assert len(entries) == 2
    marked: Observation = seen._replace(store=seen.store._replace(audit=entries))
    assert [mark.label for mark in chart_data(marked, EVERY).marks] == ["undo", "flag"]


def test_an_argument_is_needed_where_another_says_so() -> None:
    proof = Param("proof", "Why.", required=False, needed_with=("verdict", "not-executed"))
    assert not proof.needed({"verdict": "executed"})
    assert proof.needed({"verdict": "not-executed"})


def _sources() -> Iterator[Path]:
    for folder in ("console/screens", "console/views"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield from (ROOT / "console/app.py", ROOT / "console/picture.py")


def test_no_screen_and_no_view_knows_a_verb_by_its_name() -> None:
    named = []
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in catalogue.names() and node.value not in WORDS:
                named.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.value!r}")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("start", "run")
            ):
                named += [f"{path.relative_to(ROOT)}:{a.lineno}" for a in node.args if _is_name(a)]
            if isinstance(node, ast.Compare) and any(map(_is_name, (node.left, *node.comparators))):
                named.append(f"{path.relative_to(ROOT)}:{node.lineno} compares with a verb's name")
    events = "console/views/outside.py"  # what stands in the store's own log, under the log's own words
    assert [one for one in named if not one.startswith(events)] == []


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in catalogue.names()


def test_every_verb_of_the_catalogue_is_one_of_the_command_line_under_the_same_words() -> None:
    from click import Context, Group

    from console.cli.main import cli

    for name in catalogue.names():
        first, _, second = name.partition(" ")
        verb = cli.get_command(Context(cli), first)
        assert verb is not None, name
        if second:
            assert isinstance(verb, Group), name
            assert verb.get_command(Context(verb), second) is not None, name


@pytest.mark.parametrize("command", catalogue.commands(), ids=lambda command: command.info.name)
def test_who_changes_something_previews_it_and_who_reads_answers(command: Command | Query) -> None:
    assert hasattr(command, "answer") != hasattr(command, "execute")
