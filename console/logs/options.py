"""What a reader of decision logs may be told: where in a record the values lie, how much to read, whose record is
whose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from console.domain.errors import UsageError
from console.logs.mapping.mapping import Mapping as Mapped

SLOTS: Final = ("blue", "green")
_NAMED: Final = re.compile(r"(?P<slot>blue|green)(?=v?[0-9]|[^\w]|_|\Z)")


def check_path(path: str) -> None:
    """Raise UsageError where a text can't be a path into a record; the empty path can."""
    if path and not all(path.split(".")):
        raise UsageError(f"{path!r} is no path into a record.", "Join the names with single dots: output.pnl")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How decision logs are read.

    Args:
        last_lines: complete lines read from the end of a file that is there at the start; None reads it whole.
        pnl_path, currency_path, dry_path, latency_path, slot_path: where in a record the value lies, as names joined by
            dots; an empty path reads nothing.
        stake_path: where what was at risk in a round stands; read for the triggers alone, and not if empty.
        slots: versions of each slot, for records that name none: `{"blue": ("2.4.0",), "green": ("2.5.0",)}`.
        recent: how many of the newest decisions are kept whole.
        built: how many of them one reading may build that no reading before it held; None for all. More than anybody
            can read need not be made readable: while lines come in faster, a reading holds only the newest.
        back_bytes: how much at most is read, over all files, of what `last_lines` left out, so that figures over 24
            hours cover them; of these lines none is kept to be read.
        max_line_bytes: longer lines are skipped and counted as too long.
        mapping: makes plain records of the lines of others, as somebody wrote it; the paths then lead into those. None
            where lines are plain records.

    Raises:
        UsageError: a number is out of range, or a slot or a path can't be understood.
    """

    last_lines: int | None = 1000
    pnl_path: str = "output.pnl"
    currency_path: str = "output.currency"
    dry_path: str = "output.dry"
    latency_path: str = "latency_ms"
    slot_path: str = "slot"
    stake_path: str = ""
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recent: int = 1000
    built: int | None = None
    back_bytes: int = 0
    max_line_bytes: int = 1024 * 1024
    mapping: Mapped | None = None

    def __post_init__(self) -> None:
        if self.last_lines is not None and self.last_lines < 0:
            raise UsageError(
                f"last_lines is {self.last_lines}.", "Give 0 or more, or leave it out to read whole files."
            )
        if self.recent < 0:
            raise UsageError(f"recent is {self.recent}.", "Give 0 or more.")
        if self.built is not None and self.built < 1:
            raise UsageError(f"built is {self.built}.", "Give 1 or more, or leave it out to build all.")
        if self.back_bytes < 0:
            raise UsageError(f"back_bytes is {self.back_bytes}.", "Give 0 or more.")
        if self.max_line_bytes < 1:
            raise UsageError(f"max_line_bytes is {self.max_line_bytes}.", "Give 1 or more.")
        for slot in self.slots:
            if slot not in SLOTS:
                raise UsageError(f"There is no slot {slot!r} to map versions to.", "The slots are blue and green.")
        for path in (*self.paths, self.stake_path):
            check_path(path)

    @property
    def paths(self) -> tuple[str, str, str, str, str]:
        """The five paths: PnL, currency, dry, latency, slot."""
        return self.pnl_path, self.currency_path, self.dry_path, self.latency_path, self.slot_path

    def mapped(self, mapping: Mapped | None) -> LogOptions:
        """The same for logs of others; itself without a mapping.

        Raises:
            UsageError: it can't be understood.
        """
        if mapping is None:
            return self
        plain = LogOptions()
        mapping.whole()
        return replace(
            self,
            mapping=mapping,
            pnl_path=plain.pnl_path,
            currency_path=plain.currency_path,
            dry_path=plain.dry_path,
            latency_path=plain.latency_path,
            slot_path=plain.slot_path,
        )

    def slot_of(self, version: str, stated: str | None) -> str:
        """The slot a record belongs to: "blue", "green", or "".

        What it states itself goes before what its version is mapped to, and that before the slot's name with which its
        version begins, in capitals or not, as a word: `green2.5` and `greenv2`, but not `greenish`. Space around a
        name is none of it.

        Args:
            version: its `agent_version`.
            stated: what it says at `slot_path`, where that is text.
        """
        if stated in SLOTS:
            return stated
        if stated is not None and (told := stated.strip().casefold()) in SLOTS:
            return told
        name = version.strip()
        for slot, versions in self.slots.items():
            if version in versions or name in versions:
                return slot
        named = _NAMED.match(name.casefold())
        return named["slot"] if named else ""
