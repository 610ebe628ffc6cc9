"""A first run, with nothing configured: what was looked for and where, and the three ways on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console import paths

if TYPE_CHECKING:
    from console.config import Settings

WAYS: Final = (
    ("agent-console demo", "two agents on a simulated venue"),
    ("agent-console --url redis://HOST:6379 --agent NAME", "your agents' own store"),
    ("agent-console --decisions FILE", "a decision log alone"),
)
"""How one goes on from nothing: the command, and what it shows."""


def first_run(settings: Settings) -> tuple[str, ...]:
    """What to say where neither a store nor a log is named and there is no configuration; empty where there is any."""
    file = paths.config_file()
    if settings.url or settings.decisions or file.exists() or os.environ.get("AGENT_CONSOLE_CONFIG"):
        return ()
    return (
        "Nothing is configured yet. Looked for, and not there:",
        f"  a configuration    {_short(str(file))}",
        "  a store            --url, AGENT_CONSOLE_URL",
        "  a decision log     --decisions, AGENT_CONSOLE_DECISIONS",
        "The three ways on:",
        *(f"  {command}   {what}" for command, what in WAYS),
    )


def _short(path: str) -> str:
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(f"{home}{os.sep}") else path
