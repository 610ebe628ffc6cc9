"""Who knows where a thing stands in the code knows where its tests stand: the folders of tests mirror the code's."""

from __future__ import annotations

import ast

from tests import ROOT

TESTS = ROOT / "tests"
MODULES = sorted(TESTS.rglob("test_*.py"))
APART = {"attacks", "cases", "cluster", "faults", "generate", "matrix"}
"""What is tested there is no folder's own: real processes that die, every part on every kind of server, what public
reports tell, and what one file is generated from another."""


def test_every_folder_of_tests_has_the_name_of_the_folder_that_it_tests() -> None:
    assert MODULES
    for folder in {module.parent.relative_to(TESTS) for module in MODULES}:
        if folder.parts and folder.parts[0] not in APART:
            assert any((home / folder).is_dir() for home in (ROOT / "console", ROOT)), f"tests/{folder} mirrors nothing"


def test_every_module_of_tests_begins_with_what_its_users_rely_on() -> None:
    for module in MODULES:
        assert ast.get_docstring(ast.parse(module.read_text("utf-8"))), f"{module.relative_to(ROOT)} does not say"
