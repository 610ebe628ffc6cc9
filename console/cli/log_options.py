"""How decision logs are read, by the settings: for every verb that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from console.config import Settings
    from console.logs.options import LogOptions


BACK_BYTES: Final = 64 * 1024 * 1024
"""How much is read at the start, beyond the last lines, for figures over 24 hours."""


def log_options(settings: Settings) -> LogOptions:
    """What the settings say of decision logs."""
    from console.logs.options import LogOptions

    logs = settings.logs
    return LogOptions(
        last_lines=logs.last_lines,
        pnl_path=logs.pnl_path,
        currency_path=logs.currency_path,
        dry_path=logs.dry_path,
        latency_path=logs.latency_path,
        slot_path=logs.slot_path,
        slots=settings.slots,
        back_bytes=BACK_BYTES,
    )


def rule_options(settings: Settings, *, last_lines: int | None = None) -> LogOptions:
    """The same for rules over rows, of which none is kept to be read: whole files, or from their last lines on."""
    from dataclasses import replace

    return replace(
        log_options(settings), last_lines=last_lines, recent=0, back_bytes=0, stake_path=settings.logs.stake_path
    )
