"""The `:` line's grammar, which is the command line's: `switch green`, `flag set crash_target 2.5 --reason "why"`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.domain.errors import UsageError
from console.domain.operator.command import CommandInfo, Param, option_text, usage
from console.domain.text import clean

REASON = Param("reason", "Why; it goes into the receipt.", required=False, option=True)


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed.

    Args:
        info: which one.
        args: its arguments, by name.
        reason: the reason given; empty for none.
    """

    info: CommandInfo
    args: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cursor stands in a line being typed.

    Args:
        before: the line up to the word being typed.
        word: that word, as far as it goes.
        info: the command, once its name is complete.
        param: the argument that the word stands for, where the name is complete.
    """

    before: str
    word: str
    info: CommandInfo | None = None
    param: Param | None = None


def words_of(line: str) -> list[str]:
    """The words of a line, quotes obeyed.

    Raises:
        UsageError: a quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{clean(line, 60)!r} can't be read: {error}.", "Close the quote.") from error


def parse(line: str, catalogue: Sequence[CommandInfo]) -> Typed:
    """The command a line stands for.

    Raises:
        UsageError: the command is unknown, or its arguments are not what it takes.
    """
    words = words_of(line)
    info, rest = find(words, catalogue)
    if info is None:
        known = ", ".join(candidate.name for candidate in catalogue)
        raise UsageError(f"There is no command {clean(line, 60)!r}.", f"The commands are: {known}.")
    args: dict[str, str] = {}
    positional = [param for param in info.params if not param.option and not param.flag]
    options = {option_text(param): param for param in (*info.params, REASON) if param.option or param.flag}
    waiting = iter(rest)
    for word in waiting:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            param = options.get(name)
            if param is None:
                raise UsageError(f"{info.name} has no option {clean(name, 40)}.", usage(info))
            if param.flag:
                args[param.name] = "yes"
                continue
            value = value if equals else next(waiting, "")
            if not value:
                raise UsageError(f"{name} needs a value.", usage(info))
            args[param.name] = value
        elif positional:
            args[positional.pop(0).name] = word
        else:
            raise UsageError(f"{info.name} doesn't take {clean(word, 40)!r}.", usage(info))
    for param in positional:
        if param.required and not param.implied and param.name not in args:
            raise UsageError(f"{info.name} needs {param.name.upper()}.", usage(info))
    for param in info.params:
        given = args.get(param.name)
        if given is not None and param.choices and given not in param.choices:
            raise UsageError(f"{param.name} is one of {', '.join(param.choices)}, not {clean(given, 40)!r}.")
    reason = args.pop("reason", "")
    return Typed(info, args, reason)


def find(words: Sequence[str], catalogue: Sequence[CommandInfo]) -> tuple[CommandInfo | None, list[str]]:
    """The command with the longest name that these words begin with, and the words after it."""
    best: CommandInfo | None = None
    length = 0
    for info in catalogue:
        name = info.name.split(" ")
        if len(name) > length and list(words[: len(name)]) == name:
            best, length = info, len(name)
    return best, list(words[length:])


def place(line: str, catalogue: Sequence[CommandInfo]) -> Place:
    """Where a line being typed stands, for completing its last word."""
    before, blank, word = line.rpartition(" ")
    before += blank
    try:
        words = words_of(before)
    except UsageError:
        return Place(before, word)
    info, rest = find(words, catalogue)
    if info is None:
        return Place(before, word)
    positional = [param for param in info.params if not param.option and not param.flag]
    if word.startswith("--"):
        return Place(before, word, info)
    filled = sum(not given.startswith("--") for given in rest)
    return Place(before, word, info, positional[filled] if filled < len(positional) else None)


def options_of(info: CommandInfo) -> tuple[tuple[str, str], ...]:
    """A command's options with their help, the reason last."""
    return tuple((option_text(param), param.help) for param in (*info.params, REASON) if param.option or param.flag)


def names_after(before: str, word: str, catalogue: Sequence[CommandInfo]) -> tuple[tuple[str, str], ...]:
    """Whole command names that go on with what is typed, with their summaries."""
    typed = before + word
    return tuple((info.name, info.summary) for info in catalogue if info.name.startswith(typed.lstrip()))
