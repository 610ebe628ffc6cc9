"""`--ascii` on every verb: readable letters in place of every sign, on the screen and in what is told."""

from __future__ import annotations

import io
import sys

import click

from console.cli.main import cli
from console.cli.signs import AsciiText
from widgets.text.glyphs import to_ascii
from widgets.text.plain import fit


def _verbs(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += _verbs(command, (*path, name)) if isinstance(command, click.Group) else [((*path, name), command)]
    return found


def test_ascii_is_an_option_of_every_verb_that_draws_or_tells() -> None:
    verbs = {
        " ".join(path): {opt for parameter in command.params for opt in parameter.opts} for path, command in _verbs(cli)
    }
    without = [name for name, options in verbs.items() if "--json" in options and "--ascii" not in options]
    assert without == []
    assert {"status", "export", "canary show"} <= {name for name, options in verbs.items() if "--ascii" in options}


def test_what_is_written_is_ascii_whoever_writes_it() -> None:
    raw = io.BytesIO()
    stream = AsciiText(io.TextIOWrapper(raw, encoding="utf-8"))
    stream.write("✔ −0.4σ of −3σ → █ naïve\n")
    stream.flush()
    assert raw.getvalue() == b"v -0.4sd of -3sd > = na?ve\n"
    assert sys.stdout is not stream


def test_a_sigma_is_a_standard_deviation_and_never_the_letter_s() -> None:
    assert to_ascii("−2.1σ") == "-2.1sd"
    assert to_ascii("Δ ≥ ±2") == "diff >= +/-2"


def test_a_cell_is_as_wide_as_what_is_drawn_in_it() -> None:
    from widgets.text.glyphs import set_ascii

    set_ascii(True)
    try:
        assert fit("−3σ", 6) == "-3sd  "
    finally:
        set_ascii(False)
