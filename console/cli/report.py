"""Showing a verb's report: lines for people, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from console.domain.errors import EXIT_DONE, EXIT_NO

if TYPE_CHECKING:
    from console.cli.options import Session
    from console.domain.document import Report


def show(session: Session, report: Report) -> int:
    """Print a report as it is wanted; the exit code, 1 where not all is well."""
    if session.as_json:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
    else:
        for line in report.lines():
            click.echo(line)
    return EXIT_DONE if report.well else EXIT_NO
