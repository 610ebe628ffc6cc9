"""Showing a verb's report: lines for people, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from console.domain.document import Record, Report
from console.domain.errors import EXIT_DONE, EXIT_NO, ClosedGate

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
    if session.as_json:
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
    if session.as_json:
        click.echo(json.dumps([report.document() for report in every], ensure_ascii=False))
        return EXIT_DONE
    if not every:
        click.echo(nothing, err=True)
    for report in every:
        _echo(report.lines())
    return EXIT_DONE


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
