"""`backtest`: the guard's rules over recorded decision logs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from console.cli.options import Session, common


@click.command("backtest", help="When each rollback trigger would have fired on recorded logs, and the money after it.")
@click.argument("logs", nargs=-1, required=True, metavar="DECISIONS.jsonl...")
@click.option("--triggers", metavar="FILE", help="Thresholds, arming and signals to try, as TOML.")
@click.option("--set", "values", metavar="NAME=VALUE", multiple=True, help="One threshold, like pnl.sigmas=4.")
@click.option("--sweep", "sweeps", metavar="NAME=A,B,…", multiple=True, help="Try each value; repeatable: each pair.")
@common
def backtest(
    session: Session, logs: tuple[str, ...], triggers: str | None, values: tuple[str, ...], sweeps: tuple[str, ...]
) -> int:
    """Replay, and show a table or JSON."""
    from console.cli.log_options import rule_options, text_of
    from console.domain.triggers.settings import changed
    from console.guard.replay.cores import replay_each
    from console.guard.replay.report import BacktestReport
    from console.guard.setup import file as guard_file
    from console.logs.looked import never_there

    file = guard_file.load(Path(triggers).expanduser() if triggers else None)
    base = changed(file.triggers, dict(_pair(value) for value in values))
    options = rule_options(session.settings())
    paths = [text_of(Path(name).expanduser()) for name in logs]
    for note in never_there(paths, options):
        click.echo(note, err=True)
    tried: list[BacktestReport] = []
    combinations = list(_combinations(sweeps))
    settings = [changed(base, combination) for combination in combinations]
    outcomes = replay_each(paths, settings, options=options, signals=file.signals)
    for outcome, combination in zip(outcomes, combinations, strict=True):
        tried.append(BacktestReport.of(outcome, combination))
        if not session.as_json:
            click.echo("\n".join(tried[-1].lines()))
    if session.as_json:
        documents = [report.document() for report in tried]
        click.echo(json.dumps(documents if sweeps else documents[0], ensure_ascii=False))
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.")
    return name, value


def _combinations(sweeps: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    pairs = [_pair(sweep) for sweep in sweeps]
    for chosen in itertools.product(*(values.split(",") for _name, values in pairs)):
        yield {name: value for (name, _values), value in zip(pairs, chosen, strict=True)}
