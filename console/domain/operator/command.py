"""What an operator can do, as data: the one declaration from which keys, palette, `:` line, CLI and help come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from console.domain.operator.receipt import Change, Receipt


class Confirm(StrEnum):
    """How a command is confirmed before it is carried out; the default answer is always *no*."""

    NONE = "none"
    YES_NO = "yes_no"
    EVIDENCE = "evidence"
    """A dialog that shows what is, what will be, the gates, and what cannot be undone."""
    TYPED = "typed"
    """The operator types a name."""


class Risk(StrEnum):
    """What a command does to the money at risk. Raising it is gated; reducing it never is."""

    NONE = "none"
    REDUCES = "reduces"
    RAISES = "raises"


@dataclass(frozen=True, slots=True)
class Param:
    """One argument of a command.

    Args:
        name: as in help, and the key in the mapping of arguments.
        help: one sentence.
        required: whether it must be given.
        choices: the only values allowed; empty for any.
        option: given as `--name VALUE` instead of by position.
        flag: an option without a value; its argument is "yes" when given.
        suggests: what a screen completes it with: "flag", "snapshot", "doubt", "alert", "experiment", or "".
    """

    name: str
    help: str
    required: bool = True
    choices: tuple[str, ...] = ()
    option: bool = False
    flag: bool = False
    suggests: str = ""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command's declaration.

    Args:
        name: its one name everywhere, words parted by spaces: "switch", "flag toggle".
        title: as on buttons and in the palette.
        summary: one sentence.
        key: the key that starts it, in the console's own spelling ("s", "R", "space"); empty for none.
        params: its arguments, in order.
        confirm: how it is confirmed.
        risk: what it does to the money at risk.
        reversible: whether `undo` can take it back.
    """

    name: str
    title: str
    summary: str
    key: str = ""
    params: tuple[Param, ...] = ()
    confirm: Confirm = Confirm.NONE
    risk: Risk = Risk.NONE
    reversible: bool = False


def option_text(param: Param) -> str:
    """How an option is written: `--expect-epoch`."""
    return "--" + param.name.replace("_", "-")


def usage(info: CommandInfo) -> str:
    """How a command is written: `flag set NAME VALUE [--new]`."""
    parts = [info.name]
    for param in info.params:
        if param.flag:
            text = option_text(param)
        elif param.option:
            text = f"{option_text(param)} {param.name.upper()}"
        else:
            text = "|".join(param.choices) if param.choices else param.name.upper()
        parts.append(text if param.required else f"[{text}]")
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate with its evidence."""

    name: str
    open: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would do, from a reading taken just now.

    Args:
        title: the question, e.g. "Switch from ■ blue to □ green?".
        changes: what is, what will be.
        warnings: what the operator should know first.
        gates: open and closed.
        irreversible: what cannot be undone.
        typed_name: the text to type, where `confirm` is TYPED.
        arguments: the arguments with what this preview was based on filled in (the epoch seen, the value seen), so that
            carrying it out fails if anything changed in between.
    """

    title: str
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    gates: tuple[GateLine, ...] = ()
    irreversible: tuple[str, ...] = ()
    typed_name: str = ""
    arguments: Mapping[str, str] | None = None


class Operator(Protocol):
    """Carries out commands for a screen."""

    @property
    def catalogue(self) -> Sequence[CommandInfo]:
        """Every command, in the order of help."""
        ...

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        """What the command would do now.

        Raises:
            ConsoleError: it can't be done, or what it depends on can't be read.
        """
        ...

    async def execute(self, name: str, args: Mapping[str, str], *, reason: str = "") -> Receipt:
        """Carry it out. Pass `Preview.arguments` to act only on what the preview was based on.

        Raises:
            ConsoleError: it was refused, or whether it happened is unknown (then the text says so).
        """
        ...

    async def unlock(self, name: str) -> None:
        """Let commands through on a protected profile, until this console is left.

        Args:
            name: the profile's name, as the operator typed it.

        Raises:
            Refused: it is another name, or nothing is locked.
        """
        ...

    async def suggestions(self, kind: str) -> Sequence[tuple[str, str]]:
        """Completions for a parameter's `suggests`: (value, description), best first."""
        ...
