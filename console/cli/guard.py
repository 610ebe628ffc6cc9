"""`guard`: the headless watchdog, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.config import Settings
    from console.logs.options import LogOptions


def log_options(settings: Settings, *, last_lines: int | None) -> LogOptions:
    """How the triggers read decision logs."""
    from console.logs.options import LogOptions

    logs = settings.logs
    return LogOptions(
        last_lines=last_lines, pnl_path=logs.pnl_path, currency_path=logs.currency_path, dry_path=logs.dry_path,
        latency_path=logs.latency_path, slot_path=logs.slot_path, slots=settings.slots, recent=0,
    )  # fmt: skip
