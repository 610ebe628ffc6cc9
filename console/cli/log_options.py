"""How decision logs are read, by the settings: for every verb that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

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
    ).mapped(logs.mapping)


def stake_path(settings: Settings) -> str:
    """Where a record, or the plain one that a mapping makes of it, says what was at risk."""
    return settings.logs.stake_path if settings.logs.mapping is None else "stake"


def rule_options(settings: Settings, *, last_lines: int | None = None) -> LogOptions:
    """The same for rules over rows, of which none is kept to be read: whole files, or from their last lines on."""
    from dataclasses import replace

    return replace(
        log_options(settings), last_lines=last_lines, recent=0, back_bytes=0, stake_path=stake_path(settings)
    )


def text_of(path: Path) -> Path:
    """Where a log's lines can be read, packed or not.

    Raises:
        UsageError: it is packed and can't be unpacked.
    """
    from console import paths
    from console.domain.errors import UsageError
    from console.domain.text import clean
    from console.logs.files.openfile import NotAFile
    from console.logs.files.packed import readable

    try:
        return readable(path, paths.index_dir())
    except NotAFile as error:
        raise UsageError(f"{clean(str(path), 120)} can't be read: {error}.") from error
    except OSError as error:
        raise UsageError(f"{clean(str(path), 120)} can't be read: {error.strerror}.") from error
