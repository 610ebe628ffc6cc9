"""What is shipped is whole: the source archive holds all that `make test` needs, and the project says its home."""

from __future__ import annotations

import tomllib

from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MADE = {".git", ".venv", "build", "dist", "PKG-INFO", "pyproject.toml"}
"""What stands beside the sources and is none, or comes along by itself."""


def test_the_source_archive_holds_everything_at_the_top() -> None:
    shipped = {path.strip("/") for path in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]}
    there = {path.name for path in ROOT.iterdir()} - MADE
    caches = {name for name in there if name.endswith("_cache") or name in (".hypothesis", "bench.json", "faults.json")}
    assert there - caches <= shipped, "git knows it, the archive does not"
    assert shipped <= there


def test_the_project_says_where_it_is_at_home() -> None:
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= set(PROJECT["project"]["urls"])


def test_versions_are_pinned_by_name_and_number_alone() -> None:
    for line in (ROOT / "constraints.txt").read_text("utf-8").split("\n"):
        assert not line or line.startswith("#") or ("==" in line and "/" not in line and "@" not in line), line
