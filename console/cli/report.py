"""Showing a verb's report: lines for people, or JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from console.domain.document import Record, Report
from console.domain.errors import EXIT_DONE, EXIT_NO, ClosedGate, UsageError

if TYPE_CHECKING:
    from console.cli.options import Session


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong.

    Args:
        title: what kind of thing, in a word or two.
        message: what happened, to what.
        hint: what to do next; may be empty.
        exit_code: of the program.
        gates: the gates that forbid it; empty for every other error.
    """

    title: str
    message: str
    hint: str
    exit_code: int
    gates: tuple[ClosedGate, ...] = ()


@dataclass(frozen=True, slots=True)
class FailureReport(Record):
    """What a verb prints that could not do what was asked.

    Args:
        error: what went wrong.
    """

    error: Failure


def show(session: Session, report: Report, *, ascii_only: bool = False) -> int:
    """Print a report as it is wanted; the exit code, 1 where not all is well.

    Args:
        session: says how it is wanted.
        report: what is shown.
        ascii_only: whether JSON is escaped down to ASCII: a path can hold what is no text in any encoding.
    """
    if session.as_csv:
        echo_csv([report.document()])
    elif session.as_json:
        click.echo(json.dumps(report.document(), ensure_ascii=ascii_only))
    else:
        _echo(report.lines())
    return EXIT_DONE if report.well else EXIT_NO


def show_all(session: Session, reports: Iterable[Report], nothing: str) -> int:
    """Print a list of reports as it is wanted; the exit code of an answer.

    Args:
        session: says how it is wanted.
        reports: in their order.
        nothing: said on stderr where there is none.
    """
    every = list(reports)
    if session.as_csv:
        echo_csv([report.document() for report in every])
        return EXIT_DONE
    if session.as_json:
        click.echo(json.dumps([report.document() for report in every], ensure_ascii=False))
        return EXIT_DONE
    if not every:
        click.echo(nothing, err=True)
    for report in every:
        _echo(report.lines())
    return EXIT_DONE


def echo_csv(document: object) -> None:
    """Print a document as CSV.

    Raises:
        UsageError: it holds no rows.
    """
    click.echo(csv_text(document), nl=False)


def csv_text(document: object) -> str:
    """A document as CSV (RFC 4180), its columns named in the first row.

    What lies deeper is a column of its own, names joined by dots; a list within a row is JSON. A text that a
    spreadsheet would take for a formula begins with an apostrophe.

    Raises:
        UsageError: it holds no rows.
    """
    rows: list[Any] = document if isinstance(document, list) else [document]
    if not all(isinstance(row, dict) for row in rows):
        raise UsageError("This has no rows.", "--json prints it.")
    flat = [dict(_cells(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    if names:
        writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _cells(row: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _cell(value)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _FORMULA and not _NUMBER.fullmatch(value) else value
    return json.dumps(value, ensure_ascii=False)


_FORMULA: Final = frozenset("=+-@\t\r")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
