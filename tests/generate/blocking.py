"""The blocking side, written from the asyncio side: `python -m tests.generate.blocking [--check]`.

Whoever changes how an agent claims, beats or settles changes it once, in asyncio. What really differs (locks, pauses,
threads or tasks) stands in two small pairs of modules written by hand, `waits.py` and `shared_link.py` in
`console/agent/{aio,blocking}`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests import ROOT

WRITTEN: Final = {
    "console/agent/aio/claiming.py": "console/agent/blocking/claiming.py",
    "console/agent/aio/controller.py": "console/agent/blocking/controller.py",
    "console/agent/aio/commitments.py": "console/agent/blocking/commitments.py",
    "console/agent/aio/handover.py": "console/agent/blocking/handover.py",
    "console/agent/aio/link.py": "console/agent/blocking/link.py",
    "console/agent/aio/loop.py": "console/agent/blocking/loop.py",
    "console/agent/aio/service.py": "console/agent/blocking/service.py",
    "console/store/fence/aio.py": "console/store/fence/blocking.py",
    "console/store/fence/aio_runner.py": "console/store/fence/blocking_runner.py",
}
"""Source → what is written from it."""

SUBSTITUTIONS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bconsole\.agent\.aio\b", "console.agent.blocking"),
        (r"\bconsole\.store\.fence\.aio", "console.store.fence.blocking"),
        (r"\bredis\.asyncio\b", "redis"),
        (r"\bawait ", ""),
        (r"\basync (def|with|for)\b", r"\1"),
        (r"\b__a(enter|exit)__\b", r"__\1__"),
        (r"\baclose\b", "close"),
        (r"\bAwaitable\[((?:[^][]|\[[^][]*\])*)\]", r"\1"),
        (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
        (r"\bAsync(Fence|Runner)\b", r"\1"),
        (r"\bimport connect as\b", "import connect_sync as"),
        (r"\bimport examine\b", "import examine_blocking as examine"),
        (r"\bAwaitable, ", ""),
        (r"\basyncio\b", "blocking"),
    )
)
EXPLAINED: Final = frozenset(
    {
        "console/agent/aio/claiming.py",
        "console/agent/aio/commitments.py",
        "console/agent/aio/controller.py",
        "console/agent/aio/handover.py",
        "console/agent/aio/loop.py",
    }
)
"""Sources whose docstrings are written too: authors read them. The others are explained where they are written."""
LEFT: Final = re.compile(r"\b(async|await|asyncio|Awaitable|Async\w+|aio)\b")
"""What may not be left in what is written."""

HEADER: Final = "# Generated, do not edit: `python -m tests.generate.blocking` wrote it\n# from {source}.\n"


def blocking(source: str) -> str:
    """A module of the blocking side.

    Args:
        source: the path of the asyncio module, from the repository's folder.

    Raises:
        ValueError: something of asyncio is left that no substitution knows.
    """
    text = (ROOT / source).read_text("utf-8")
    for pattern, replacement in SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    if left := LEFT.search(text):
        line = text[: left.start()].count("\n") + 1
        raise ValueError(f"{source}: {left.group()!r} is left, in line {line} of what is written from it.")
    if source not in EXPLAINED:
        text = _without_docstrings(text)
    return _laid_out(HEADER.format(source=source) + text, WRITTEN[source])


def _without_docstrings(text: str) -> str:
    """A module without the docstrings of its functions, and of its classes all but the first line."""
    lines = text.splitlines(keepends=True)
    for node in sorted(ast.walk(ast.parse(text)), key=lambda node: -getattr(node, "lineno", 0)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            doc, only = node.body[0], len(node.body) == 1
            if isinstance(node, ast.ClassDef) or only:
                first = (ast.get_docstring(node) or "").partition("\n")[0]
                kept = [f'{" " * doc.col_offset}"""{first}"""\n']
            else:
                kept = []
            lines[doc.lineno - 1 : doc.end_lineno] = kept
    return "".join(lines)


def _laid_out(text: str, path: str) -> str:
    for command in (("check", "--select", "I,F401", "--fix", "--quiet"), ("format", "--quiet")):
        ruff = (Path(sys.executable).parent / "ruff", *command, "--stdin-filename", ROOT / path, "-")
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def stale() -> list[str]:
    """The written modules that are not what their source gives."""
    return [target for source, target in WRITTEN.items() if _present(target) != blocking(source)]


def _present(target: str) -> str:
    path = ROOT / target
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """Write what differs, or with `--check` only say what does; 1 where something did and was not to be written."""
    checking = "--check" in sys.argv[1:]
    outdated = stale()
    for source, target in WRITTEN.items():
        if target in outdated:
            print(f"{target} is not what {source} gives." if checking else f"{target} is written from {source}.")
            if not checking:
                (ROOT / target).write_text(blocking(source), "utf-8")
    return 1 if checking and outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
