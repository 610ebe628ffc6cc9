"""What an operator can do, as data: the one declaration from which keys, palette, `:` line, CLI and help come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

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


class Param(NamedTuple):
    """One argument of a command.

    Args:
        name: as in help, and the key in the mapping of arguments.
        help: one sentence.
        required: whether it must be given.
        choices: the only values allowed; empty for any.
        option: given as `--name VALUE` instead of by position.
        flag: an option without a value; its argument is "yes" when given.
        suggests: what a screen completes it with: "flag", "snapshot", "doubt", "alert", "experiment", "plan", or "".
        at_cursor: whether the command's key takes it from the row under the cursor, of the kind that `suggests` names.
        nothing: what to do where there is nothing to choose from.
        question: the whole question, where its name alone would be none.
        meanings: what each choice means, where its name alone would not say.
        needed_with: another argument and the value with which this one can't be done without after all.
        is_slot: whether the choices are the slots; the one that was active before is offered first.
        waits_for: another argument, the doubt whose quarantine is counted down while this one is asked for.
        preset: what stands there already where a screen asks.
        implied: whether, while somebody is active, it is clear which slot is meant where none is named.
    """

    name: str
    help: str
    required: bool = True
    choices: tuple[str, ...] = ()
    option: bool = False
    flag: bool = False
    suggests: str = ""
    at_cursor: bool = False
    nothing: str = ""
    question: str = ""
    meanings: Mapping[str, str] = MappingProxyType({})
    needed_with: tuple[str, str] | None = None
    is_slot: bool = False
    implied: bool = False
    waits_for: str = ""
    preset: str = ""

    def needed(self, args: Mapping[str, str]) -> bool:
        """Whether it can't be done without, beside these arguments."""
        return self.required or (self.needed_with is not None and args.get(self.needed_with[0]) == self.needed_with[1])


class Waits(StrEnum):
    """What a command waits for, beside the store."""

    NOTHING = ""
    INSTANCES = "instances"
    """It moves the active side: those that have to know acknowledge it."""
    PLAIN_AGENTS = "plain agents"
    """The same, and plain agents are watched before until each has read the key."""


class CommandInfo(NamedTuple):
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
        short: its label in the footer; empty for the title.
        mark: its mark on the PnL chart, for what may change how an agent earns; empty for none.
        needs_reason: whether it is refused without a reason, so that one is asked for first.
        asks_protected: whether a protected profile asks even where `confirm` is NONE.
        asks_on_screen: whether a screen asks even where `confirm` is NONE: it is about what the question shows.
        waits: what it waits for.
        while_halted: the command that its key starts instead while nobody acts.
        while_upgrading: whether its key takes the next step of an upgrade instead, while one goes on.
        no_row: what its key says where no row is under the cursor that it could take; empty to ask.
        reads: whether it only reads, and answers instead of changing anything.
        opens: whether enter on a row of its kind shows what it finds there.
        many: whether it may be said to several agents at once, each of which it is carried out on by itself.
    """

    name: str
    title: str
    summary: str
    key: str = ""
    params: tuple[Param, ...] = ()
    confirm: Confirm = Confirm.NONE
    risk: Risk = Risk.NONE
    reversible: bool = False
    short: str = ""
    mark: str = ""
    needs_reason: bool = False
    asks_protected: bool = False
    asks_on_screen: bool = False
    waits: Waits = Waits.NOTHING
    while_halted: str = ""
    while_upgrading: bool = False
    no_row: str = ""
    reads: bool = False
    opens: bool = False
    many: bool = False

    @property
    def row(self) -> str:
        """The kind of row that its key takes an argument from; empty for none."""
        return next((param.suggests for param in self.params if param.at_cursor), "")

    def at(self, key: str) -> dict[str, str]:
        """Its arguments, with the one that is taken from a row filled in."""
        return {param.name: key for param in self.params if key and param.at_cursor}


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
        parts.append(text if param.required and not param.implied else f"[{text}]")
    return " ".join(parts)


class GateLine(NamedTuple):
    """One gate with its evidence."""

    name: str
    open: bool
    evidence: str
    state: str = ""
    """Its state in a word, where open or closed does not say it: unknown, not checked."""


class FactLine(NamedTuple):
    """One thing that is so now, with its name; a line that goes on has none."""

    name: str
    text: str


class Way(NamedTuple):
    """Another thing to do where a question is asked: its key leads to a question of its own, and does nothing else.

    Args:
        key: one lower-case letter.
        label: what it leads to, in a few words.
        command: the verb.
        args: its arguments.
    """

    key: str
    label: str
    command: str
    args: Mapping[str, str] = MappingProxyType({})


class Preview(NamedTuple):
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
        overrides: whether gates forbid it, so that it takes an override: the typed name and a reason.
        facts: what is so now, and what goes over.
        ways: what else could be done instead.
        yes: what the answer does, where the command's title does not say it.
    """

    title: str
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    gates: tuple[GateLine, ...] = ()
    irreversible: tuple[str, ...] = ()
    typed_name: str = ""
    arguments: Mapping[str, str] | None = None
    overrides: bool = False
    facts: tuple[FactLine, ...] = ()
    ways: tuple[Way, ...] = ()
    yes: str = ""


class Answer(NamedTuple):
    """What a command that only reads has found.

    Args:
        document: for `--json`.
        lines: for people.
        notes: said beside them: what is missing or wrong.
        yes: whether the answer is yes (exit code 0), or no (1).
    """

    document: object
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    yes: bool = True


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

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        """What a command that only reads finds.

        Raises:
            ConsoleError: what it asks for can't be read.
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
