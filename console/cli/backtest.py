"""`backtest`: the guard's rules over recorded decision logs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.options import Session, common

if TYPE_CHECKING:
    from console.guard.replay.replay import Outcome


@click.command("backtest", help="When each rollback trigger would have fired on recorded logs, and the money after it.")
@click.argument("logs", nargs=-1, required=True, metavar="DECISIONS.jsonl...")
@click.option("--triggers", "file", metavar="FILE", help="Thresholds, arming and signals to try, as TOML.")
@click.option("--set", "values", metavar="NAME=VALUE", multiple=True, help="One threshold, like pnl.sigmas=4.")
@click.option("--sweep", "sweeps", metavar="NAME=A,B,…", multiple=True, help="Try each value; repeatable: each pair.")
@common
def backtest(
    session: Session, logs: tuple[str, ...], file: str | None, values: tuple[str, ...], sweeps: tuple[str, ...]
) -> int:
    """Replay, and show a table or JSON."""
    from console.cli.log_options import rule_options
    from console.domain.triggers.settings import changed
    from console.guard.replay.replay import replay
    from console.guard.replay.report import document
    from console.guard.setup import settings as guard_settings

    told = guard_settings.load(Path(file).expanduser() if file else None)
    base = changed(told.triggers, dict(_pair(value) for value in values))
    options = rule_options(session.settings())
    paths = [Path(name).expanduser() for name in logs]
    tried: list[dict[str, Any]] = []
    for combination in _combinations(sweeps):
        outcome = replay(paths, changed(base, combination), options=options, signals=told.signals)
        tried.append({"settings": dict(combination), **document(outcome)})
        if not session.as_json:
            _show(outcome, combination)
    if session.as_json:
        click.echo(json.dumps(tried if sweeps else tried[0], ensure_ascii=False))
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.")
    return name, value


def _combinations(sweeps: tuple[str, ...]) -> Iterator[Mapping[str, object]]:
    pairs = [_pair(sweep) for sweep in sweeps]
    for chosen in itertools.product(*(values.split(",") for _name, values in pairs)):
        yield {name: value for (name, _values), value in zip(pairs, chosen, strict=True)}


def _show(outcome: Outcome, combination: Mapping[str, object]) -> None:
    from console.guard.replay.report import document

    found: Any = document(outcome)
    if combination:
        click.echo("  ".join(f"{name}={value}" for name, value in combination.items()))
    span = f"{found['from']} to {found['to']}" if found["from"] else "no time"
    click.echo(
        f"{outcome.decisions:,} decisions over {outcome.weeks:.2f} weeks ({span}), {outcome.tenures} tenures, "
        f"{outcome.rejected:,} lines refused"
    )
    click.echo(f"{'trigger':<14}{'arming':<8}{'roll backs':>10}{'a week':>9}{'freezes':>9}{'alerts':>8}  saved by then")
    for name, line in found["triggers"].items():
        saved = ", ".join(f"{amount} {currency}".strip() for currency, amount in line["saved"].items()) or "-"
        week = "-" if line["per_week"] is None else f"{line['per_week']:.2f}"
        click.echo(
            f"{name:<14}{line['arming']:<8}{line['rolled_back']:>10}{week:>9}{line['froze']:>9}{line['alerted']:>8}"
            f"  {saved}"
        )
    for firing in found["firings"]:
        click.echo(f"  {firing['at']}  {firing['trigger']}: {firing['version']}: {firing['reason']}")
