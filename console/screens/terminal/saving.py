"""Writing what is on screen to a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def export_name(now: datetime) -> str:
    """The name of a picture taken with a key."""
    return f"agent-console-{now:%Y%m%dT%H%M%SZ}.svg"


def save_picture(path: str, svg: str) -> str:
    """Write a picture; where it went."""
    target = Path(path).expanduser().resolve()
    target.write_text(svg, encoding="utf-8")
    return str(target)
