"""`agent-console sql`: a question in SQL over decisions, audit and actions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from console import paths
from console.cli.options import Session, common
from console.cli.report import echo_csv
from console.cli.runtime import connected, store_url
from console.commands.clock import utc_now
from console.commands.context import Context
from console.config import Settings
from console.domain.errors import EXIT_DONE, EXIT_NO, StoreUnreachable, UsageError
from console.domain.operator.moment import parse_moment
from console.domain.seen.asking import Ask
from console.domain.text import clean
from console.sql.tables import Answer, Tables, names, opened
from console.store.fence.chains import read_batches
from console.store.records.audit import decode_entry
from console.store.records.states import actions_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST: Final = 1_000
WIDEST: Final = 80


@click.command(
    "sql", help="A question in SQL over the tables decisions, audit and acts; without one it names their columns."
)
@click.argument("question", required=False)
@click.option(
    "--since", metavar="WHEN", help="Only what is not older: how long ago (90s, 15m, 24h, 7d), 14:03, or a time."
)
@click.option("--until", metavar="WHEN", help="Only what is older: the same.")
@click.option(
    "--most", metavar="N", default=MOST, show_default=True, type=click.IntRange(1, 10_000_000), help="Rows shown."
)
@common
def sql(session: Session, question: str | None, since: str | None, until: str | None, most: int) -> int:
    """A question in SQL over the tables decisions, audit and acts; without one it names their columns."""
    if not question:
        for name, columns in names():
            click.echo(f"{name:<10} {columns}")
        return EXIT_DONE
    settings = session.settings()
    now = utc_now()
    ask = Ask((), parse_moment(since, now) if since else None, parse_moment(until, now) if until else None)
    with opened() as tables:
        notes = list(_logs(settings, ask, tables))
        asyncio.run(_store(settings, ask, tables))
        if tables.too_long:
            notes.append(
                f"{tables.too_long} amounts have more digits than a column holds; they are null, and stand in `line`."
            )
        tables.close_doors()
        answer = tables.ask(question, most)
    _show(session, answer)
    for note in notes:
        click.echo(note, err=True)
    if answer.more:
        click.echo(f"There are more than {most:,} rows; --most shows more.", err=True)
    return EXIT_NO if notes else EXIT_DONE


def _logs(settings: Settings, ask: Ask, tables: Tables) -> Iterator[str]:
    """Fill in the decisions; a note for each log that is not in it."""
    if not settings.decisions:
        return
    from console.cli.log_options import log_options
    from console.logs.index.logs import indexed
    from console.logs.looked import never_there

    options = log_options(settings)
    try:
        with indexed(settings.decisions, options, paths.index_dir()) as index:
            tables.add_decisions(index.every(ask), options)
            yield from never_there([one.data for one in index.files], options)
            yield from (f"not read: {clean(str(left.path), 120)}: {left.why}" for left in index.left)
    except OSError as error:
        raise UsageError(f"A decision log can't be read: {error.strerror}.") from error


async def _store(settings: Settings, ask: Ask, tables: Tables) -> None:
    """Fill in audit and actions; where no store is named the logs alone are asked.

    Raises:
        StoreUnreachable: the store that is named does not answer, or there are no logs either.
    """
    try:
        store_url(settings, starts=False)
    except StoreUnreachable:
        if settings.decisions:
            return
        raise
    async with connected(settings, starts=False) as ctx:
        async for batch in _entries(ctx, ctx.gateway.keys.audit, ask):
            tables.add_audit([decode_entry(name, fields) for name, fields in batch])
        async for batch in _entries(ctx, ctx.gateway.keys.actions, ask):
            tables.add_acts(actions_of(batch))


async def _entries(ctx: Context, stream: str, ask: Ask) -> AsyncIterator[list[tuple[str, Any]]]:
    after = f"{int(ask.since.timestamp() * 1000) - 1}-18446744073709551615" if ask.since else ""
    until = f"{int(ask.until.timestamp() * 1000) - 1}" if ask.until else "+"
    async for batch in read_batches(ctx.gateway.client, stream, after=after, until=until):
        yield batch


def _show(session: Session, answer: Answer) -> None:
    rows = [[_value(one) for one in row] for row in answer.rows]
    if session.as_csv:
        echo_csv([dict(zip(answer.names, row, strict=True)) for row in rows])
    elif session.as_json:
        click.echo(json.dumps([dict(zip(answer.names, row, strict=True)) for row in rows], ensure_ascii=False))
    elif answer.names:
        for line in _aligned(answer.names, rows, [_is_number(column) for column in zip(*answer.rows, strict=True)]):
            click.echo(line)


def _is_number(column: tuple[object, ...]) -> bool:
    return all(one is None or isinstance(one, int | Decimal | float) for one in column)


def _aligned(names: Sequence[str], rows: list[list[object]], numbers: Sequence[bool]) -> Iterator[str]:
    """A table for a terminal: numbers end below each other, and are never cut."""
    cells: list[list[str]] = [[clean(name, WIDEST) for name in names], *([_cell(one) for one in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(names))]
    for line in cells:
        parts = [
            cell.rjust(widths[at]) if at < len(numbers) and numbers[at] else cell.ljust(widths[at])
            for at, cell in enumerate(line)
        ]
        yield "  ".join(parts).rstrip()


def _value(value: object) -> object:
    """As JSON has it: money as text, exact; a time in UTC."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
    return str(value)


def _cell(value: object) -> str:
    return "-" if value is None else clean(str(value), WIDEST)
