"""What stands where in an evidence file, and which names may stand there at all."""

from __future__ import annotations

import re
from typing import Final

FORM: Final = 1
"""Of the file; another one is refused."""
SUMS: Final = "SHA256SUMS"
MANIFEST: Final = "manifest.json"
REPORT: Final = "report.md"
FLAGS: Final = "flags.json"
ALERTS: Final = "store/alerts.json"
STREAMS: Final = {"acts": "store/acts.jsonl", "log": "store/control.jsonl", "audit": "store/audit.jsonl"}
"""The chained streams, an entry a line."""
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/){0,2}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\Z")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._-]+")


def is_sound(name: str) -> bool:
    """Whether a name can do no harm wherever a file is unpacked: no way up, nothing hidden, no control byte."""
    return _NAME.match(name) is not None and ".." not in name


def sound(name: str) -> str:
    """A name from outside as a part of one in the file."""
    return _FOREIGN.sub("-", name).replace("..", ".").strip(".-")[:60] or "unnamed"
