"""The demo for another terminal: fenced agents, a venue, a guard, and what to say so that every verb is about them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.demo.fenced import RELEASE_FILE
from console.demo.stage import Stage
from console.demo.stagehand import ROLES

CONFIG_FILE: Final = "config.toml"
PERIOD_S: Final = 0.2


def settings_text(stage: Stage) -> str:
    """A configuration by which every verb is about this stage."""
    lines = [
        f"url = {json.dumps(stage.url)}",
        f"decisions = {json.dumps([str(path) for path in stage.decision_logs])}",
        f"state_file = {json.dumps(str(stage.state_files[0]))}",
        f"venue = {json.dumps(str(stage.venue_file))}",
        "",
        "[slots]",
        *(f'{role.slot} = ["{role.version}"]' for role in ROLES),
    ]
    return "\n".join([*lines, ""])


def serve(*, out: Callable[[str], None], wait: Callable[[], object] = signal.pause) -> int:
    """Set the stage, say how it is reached, and leave it standing until somebody ends it.

    Args:
        out: takes each line; the first one is for a shell.
        wait: returns, or raises KeyboardInterrupt, once it is to end.

    Returns:
        0.

    Raises:
        ConsoleError: the stage could not be set up.
    """
    with Stage(period_s=PERIOD_S, guard=True, fenced=True) as stage:
        (stage.folder / CONFIG_FILE).write_text(settings_text(stage))
        folder: Path = stage.folder
        out(f"export AGENT_CONSOLE_CONFIG_DIR={folder} AGENT_CONSOLE_DATA_DIR={folder}")
        out(
            f"# in another terminal; `touch {folder / RELEASE_FILE}` is the counterparty's delivery; ctrl-c ends it all"
        )
        try:
            wait()
        except KeyboardInterrupt:
            out("# cleared away")
    return 0
