"""Every path the program uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

APP: Final = "agent-console"
DEFAULT_DECISION_LOG: Final = Path("/var/log/agent/decisions.jsonl")
"""Where the contract for plain agents puts the decision log."""


def _platform_dir(kind: str, override: str) -> Path:
    given = os.environ.get(override)
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")(APP, appauthor=False))


def config_dir() -> Path:
    """The user's configuration: `config.toml`, `themes/`. Moved by `AGENT_CONSOLE_CONFIG_DIR`."""
    return _platform_dir("config", "AGENT_CONSOLE_CONFIG_DIR")


def data_dir() -> Path:
    """What must survive: snapshots, the embedded store's data. Moved by `AGENT_CONSOLE_DATA_DIR`."""
    return _platform_dir("data", "AGENT_CONSOLE_DATA_DIR")


def index_dir() -> Path:
    """Indexes of decision logs, which can be thrown away. Moved by `AGENT_CONSOLE_CACHE_DIR`."""
    return _platform_dir("cache", "AGENT_CONSOLE_CACHE_DIR") / "index"


def config_file() -> Path:
    """The configuration file."""
    return config_dir() / "config.toml"


def themes_dir() -> Path:
    """The user's own themes."""
    return config_dir() / "themes"


def store_dir() -> Path:
    """The embedded store's folder."""
    return data_dir() / "store"


def snapshots_dir(agent: str) -> Path:
    """One agent's snapshots."""
    return data_dir() / "snapshots" / agent


def archive_dir(agent: str) -> Path:
    """One agent's archived streams."""
    return data_dir() / "archive" / agent
