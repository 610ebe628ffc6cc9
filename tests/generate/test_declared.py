"""What the console says of its commands before their code is imported is what the commands declare."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console.commands.catalogue import commands, declarations, names
from tests import ROOT
from tests.generate import declared


def test_every_declaration_is_written_down_as_its_command_declares_it() -> None:
    assert declarations() == tuple(command.info for command in commands())
    assert declared.TARGET.read_text("utf-8") == declared.written(), "`make docs` writes it"


def test_declarations_are_read_without_the_code_of_any_command() -> None:
    script = (
        "import sys; from console.commands.catalogue import declarations; declarations();"
        "print([name for name in sys.modules if name.startswith('console.commands.') and name.count('.') > 2])"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_a_command_that_is_not_written_down_yet_is_declared_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.commands import declared as written

    declarations.cache_clear()
    monkeypatch.setattr(written, "DECLARED", written.DECLARED[1:])
    try:
        assert [info.name for info in declarations()] == list(names())
    finally:
        declarations.cache_clear()


def test_what_can_not_be_written_down_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be written down"):
        declared.literal(object())
