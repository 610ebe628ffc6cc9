"""One act has one name and one declaration: binding, palette, `:` line, help, document and command line agree."""

from __future__ import annotations

import re

import pytest

from console.cli.main import cli
from console.commands.catalogue import commands, declarations
from console.domain.operator.command import CommandInfo, usage
from console.screens.command.grammar import find, words_of
from console.screens.command.palette import entries
from console.screens.frame.keys import command_binding_id, global_bindings, key_text, widget_bindings
from tests import ROOT
from tests.generate.tables import leaves
from tests.screens.doubles import CATALOGUE, WIDE, console

DOCUMENT = (ROOT / "docs" / "operators.md").read_text("utf-8")


def documented(mark: str) -> list[str]:
    """The rows of a table of the document."""
    part = DOCUMENT.partition(f"<!-- {mark}:begin -->")[2].partition(f"<!-- {mark}:end -->")[0]
    return [line for line in part.splitlines() if line.startswith("| `")]


async def test_every_command_is_a_palette_entry_and_a_row_of_the_help() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        rows = ["".join(text for text, _ in line) for line in app.screen._lines]  # type: ignore[attr-defined]
        offered = {str(entry.title): str(entry.help) for entry in entries(app)}
    for info in CATALOGUE:
        assert any(row.startswith(f"   {usage(info)[:44]}") and info.summary in row for row in rows), info.name
        title = f"{info.title}{f'  ({info.key})' if info.key else ''}"
        assert offered[title] == f"{info.summary}  :{usage(info)}", info.name


@pytest.mark.parametrize("info", CATALOGUE, ids=lambda info: info.name)
def test_a_command_is_typed_run_and_documented_under_its_one_name(info: CommandInfo) -> None:
    assert find(words_of(info.name), CATALOGUE)[0] == info
    assert info.name in {name for name, _ in leaves(cli, "")}
    rows = [row for row in documented("verbs") if re.match(rf"\| `{re.escape(info.name)}[ `]", row)]
    assert len(rows) >= 1


@pytest.mark.parametrize("info", [info for info in CATALOGUE if info.key], ids=lambda info: info.name)
def test_a_commands_key_is_the_one_that_binding_and_document_name(info: CommandInfo) -> None:
    name = command_binding_id(info.name)
    (binding,) = [one for one in global_bindings(CATALOGUE) if one.id == name]
    assert (binding.key, binding.tooltip) == (info.key, info.summary)
    assert f"| `{key_text(info.key)}` | {info.summary} | `{name}` |" in documented("keys")


def test_every_id_of_a_binding_stands_in_the_document_with_each_of_its_keys() -> None:
    rows = documented("keys")
    bindings = [*global_bindings(CATALOGUE), *(one for own in widget_bindings().values() for one in own)]
    for binding in bindings:
        (row,) = {row for row in rows if f"| `{binding.id}` |" in row}
        assert all(f"`{key_text(key)}`" in row for key in binding.key.split(",")), binding.id
    assert len(rows) == len({binding.id for binding in bindings})


def test_no_two_commands_have_one_name_one_title_or_one_key() -> None:
    for of in ("name", "title", "key"):
        given = [getattr(info, of) for info in declarations() if getattr(info, of)]
        assert len(given) == len(set(given)), of
    assert len(commands()) == len(declarations())
