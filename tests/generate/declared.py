"""Writes `console/commands/declared.py`: every command's declaration, without the code of any.

    python -m tests.generate.declared            # write it
    python -m tests.generate.declared --check    # 1 where it is not what the commands say

A console shows keys, footer and help from its first frame; the modules behind them take longer to import than all that
it draws with.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from console.commands.catalogue import commands
from tests import ROOT

TARGET: Final = ROOT / "console" / "commands" / "declared.py"
HEADER: Final = '''# Generated, do not edit: `python -m tests.generate.declared` wrote it
# from the commands' own declarations.
# ruff: noqa: E501
"""Every command's declaration, so that keys, footer and help are there before the code behind them is imported."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from console.domain.operator.command import CommandInfo, Confirm, Param, Risk, Waits

DECLARED: Final = (
'''


def written() -> str:
    """What the module has to be."""
    text = HEADER + "".join(f"{literal(command.info)},\n" for command in commands()) + ")\n"
    for command in (("check", "--select", "I,F401", "--fix", "--quiet"), ("format", "--quiet")):
        ruff = (Path(sys.executable).parent / "ruff", *command, "--stdin-filename", TARGET, "-")
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def literal(value: object) -> str:
    """A value as Python writes it; of a record only what differs from its defaults.

    Raises:
        TypeError: it is of no kind that a declaration is made of.
    """
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults = value._field_defaults  # type: ignore[attr-defined]
        given = zip(value._fields, value, strict=True)
        told = (f"{name}={literal(one)}" for name, one in given if name not in defaults or defaults[name] != one)
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Mapping):
        return f"MappingProxyType({dict(value)!r})"
    if value is None or isinstance(value, str | bool | int):
        return repr(value)
    raise TypeError(f"{value!r} can't be written down.")


def main() -> int:
    """Write what differs, or with `--check` only say so; 1 where it did and was not to be written."""
    there = TARGET.read_text("utf-8") if TARGET.exists() else ""
    if there == (text := written()):
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{TARGET.relative_to(ROOT)} is not what the commands declare; `make docs` writes it.")
        return 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
