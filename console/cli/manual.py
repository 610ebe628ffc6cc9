"""`agent-console man`: the manual page, made of the declarations that the command line is made of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from console import __version__
from console.cli.options import Session, common, common_names
from console.domain.errors import EXIT_DONE, ConsoleError
from console.store.files.private import write_private

WIDTH: Final = 72
"""Of the page's source; whoever reads it has lines of their own."""
_SIGNS: Final = {"\\": r"\e", "-": r"\-", '"': r"\(dq", "'": r"\(aq", "`": r"\(ga"}
EXIT_CODES: Final = (
    ("0", "Done; also where somebody else did the same already."),
    ("1", "The answer is no: unhealthy, not set, not running; or the output can't be written."),
    ("2", "Usage or configuration."),
    ("3", "The store can't be reached; what it holds is unknown."),
    ("4", "Refused: conflict, stale, read-only, a wrong type; nothing was changed."),
    ("130", "Interrupted."),
)


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with its words, in the order of help."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    ctx = click.Context(command)
    for name in command.list_commands(ctx):
        child = command.get_command(ctx, name)
        if child is not None and not child.hidden:
            yield from leaves(child, (*words, name))


def page(root: click.Group) -> str:
    """The page as roff, for `man -l`."""
    options = [one for one in root.params if isinstance(one, click.Option) and one.name in common_names()]
    parts = [
        f'.TH AGENT-CONSOLE 1 "" "agent-console {_escaped(__version__)}" "User Commands"',
        ".SH NAME",
        r"agent\-console \- operator console for AI agents that hold money",
        ".SH SYNOPSIS",
        r".B agent\-console",
        "[OPTIONS] [VERB] [ARGUMENTS]",
        ".SH DESCRIPTION",
        *_paragraphs(root.help or ""),
        ".SH OPTIONS",
        "Every verb has these, before or behind its name.",
        *(line for option in options for line in _option(option)),
        ".SH VERBS",
        *(line for words, verb in leaves(root, ()) for line in _verb(words, verb)),
        ".SH EXIT STATUS",
        *(line for code, text in EXIT_CODES for line in (".TP", f".B {code}", _escaped(text))),
        ".SH FILES",
        r"\fBagent\-console config path\fR names them.",
    ]
    return "\n".join(parts) + "\n"


def _verb(words: tuple[str, ...], verb: click.Command) -> Iterator[str]:
    ctx = click.Context(verb, info_name=" ".join(words))
    usage = " ".join(piece for piece in verb.collect_usage_pieces(ctx) if piece != "[OPTIONS]")
    yield f'.SS "{_escaped(" ".join((*words, usage)).strip())}"'
    yield from _paragraphs(verb.help or (verb.callback.__doc__ if verb.callback else None) or "")
    for param in verb.params:
        if isinstance(param, click.Option) and param.name not in common_names() and not param.hidden:
            yield from _option(param)


def _option(option: click.Option) -> Iterator[str]:
    record = option.get_help_record(click.Context(click.Command("x")))
    if record is not None:
        yield from (".TP", rf"\fB{_escaped(record[0])}\fR", *_lines(record[1]))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield from _lines(paragraph)


def _lines(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False):
        yield _escaped(line)


def _escaped(text: str) -> str:
    """As roff prints it, whatever stands in it: no line of it is a request."""
    text = "".join(_SIGNS.get(char, char) for char in text)
    return rf"\&{text}" if text.startswith(".") else text


@click.command("man", help="The manual page: `agent-console man | man -l -`, or --install.")
@click.option("--install", is_flag=True, help="Write it where `man agent-console` looks.")
@common
def man(session: Session, install: bool) -> int:
    """The manual page: `agent-console man | man -l -`, or --install."""
    from console.cli.main import cli

    text = page(cli)
    if not install:
        click.echo(text, nl=False)
        return EXIT_DONE
    target = Path.home() / ".local" / "share" / "man" / "man1" / "agent-console.1"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_private(target, text.encode(), mode=0o644)
    except OSError as error:
        raise ConsoleError(f"{target} can't be written: {error.strerror}.") from error
    click.echo(str(target))
    return EXIT_DONE
