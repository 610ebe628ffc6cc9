"""Every command, in the order of help. A new verb is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from console.commands.base import Command
from console.commands.doubt_resolve import DoubtResolve
from console.commands.flag_set import FlagSet
from console.commands.flag_toggle import FlagToggle
from console.commands.flag_unset import FlagUnset
from console.commands.halt import Halt
from console.commands.resume import Resume
from console.commands.rollback import Rollback
from console.commands.snapshot_restore import SnapshotRestore
from console.commands.snapshot_take import SnapshotTake
from console.commands.switch import Switch
from console.commands.undo import Undo

COMMANDS: Final[tuple[Command, ...]] = (
    Switch(),
    Rollback(),
    Halt(),
    Resume(),
    FlagSet(),
    FlagToggle(),
    FlagUnset(),
    SnapshotTake(),
    SnapshotRestore(),
    DoubtResolve(),
    Undo(),
)

BY_NAME: Final[Mapping[str, Command]] = {command.info.name: command for command in COMMANDS}
