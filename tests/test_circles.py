"""Whoever reads one file need never read another one first that needs the first: imports go one way."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_no_file_imports_one_that_imports_it_back_not_even_for_its_types() -> None:
    graph = grimp.build_graph("console", "widgets", "themes", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    TopologicalSorter(imports).prepare()  # raises a CycleError that names the circle
