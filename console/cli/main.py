"""`agent-console`: the command line. Data on stdout, talk on stderr, exit codes as documented.

Each verb's module is imported only when that verb is called, so that `switch` never pays for the screens.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import sys
from typing import Any, Final

import click

from console import __version__
from console.cli.options import Session, common
from console.commands import catalogue
from console.domain.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_NO, EXIT_USAGE, ConsoleError

_UNWRITABLE: Final = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
"""Errors of writing what is shown."""

_WRITTEN: Final[dict[str, str]] = {
    "status": "console.cli.status:status",
    "snapshot": "console.cli.snapshot:snapshot",
    "state": "console.cli.state:state",
    "canary": "console.cli.canary:canary",
    "upgrade": "console.cli.upgrade:upgrade",
    "experiment": "console.cli.experiment:experiment",
    "checklist": "console.cli.checklist:checklist",
    "approve": "console.cli.approve:approve",
    "doctor": "console.cli.doctor:doctor",
    "acl": "console.cli.acl:acl",
    "guard": "console.cli.guard:guard",
    "drill": "console.cli.drill:drill",
    "rehearse": "console.cli.rehearse:rehearse",
    "backtest": "console.cli.backtest:backtest",
    "audit": "console.cli.audit:audit",
    "sql": "console.cli.sql:sql",
    "fleet": "console.cli.fleet:fleet",
    "evidence": "console.cli.evidence:evidence",
    "export": "console.cli.export:export",
    "record": "console.cli.record:record",
    "replay": "console.cli.replay:replay",
    "config": "console.cli.config:config",
    "schema": "console.cli.schema:schema",
    "store": "console.cli.store:store",
    "serve": "console.cli.serve:serve",
    "completion": "console.cli.completion:completion",
    "man": "console.cli.manual:man",
    "demo": "console.cli.demo:demo",
}
"""The verbs and groups that have a module of their own here; all others are the catalogue's."""


def _verbs() -> list[str]:
    """Every first word, in the order of help."""
    declared = [name.partition(" ")[0] for name in catalogue.names()]
    return list(dict.fromkeys(("status", *declared, *_WRITTEN)))


class LazyGroup(click.Group):
    """A group whose verbs are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of help."""
        return _verbs()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        target = _WRITTEN.get(cmd_name)
        if target is None:
            return _declared(cmd_name)
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a nearer hint for a mistyped verb."""
        from difflib import get_close_matches

        if args and args[0] not in _verbs() and not args[0].startswith("-"):
            near = get_close_matches(args[0], _verbs(), n=1)
            ctx.fail(f"There is no verb {args[0]!r}." + (f" Did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)


def _declared(name: str) -> click.Command | None:
    """A verb of the catalogue, or the group of those with this first word."""
    if name in catalogue.names():
        from console.cli.operate import build

        return build(name)
    if catalogue.names_in(name):
        from console.cli.group import declared_group

        return declared_group(name)
    return None


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agent-console", message="%(prog)s %(version)s")
@click.option("--plain", is_flag=True, help="Without a verb: lines for speech and for logs, no boxes; verbs are typed.")
@common
def cli(session: Session, plain: bool) -> None:
    """Watch and command the transitions of AI agents that hold money.

    Without a verb, the console itself opens in this terminal.
    """
    ctx = click.get_current_context()
    ctx.obj = session
    if ctx.invoked_subcommand is None and plain:
        from console.cli.plain import attach_plain

        ctx.exit(attach_plain(session))
    if ctx.invoked_subcommand is None:
        from console.cli.attach import attach

        attach(session)


def main() -> None:
    """The program's entry."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        return _unwritable(error)
    if _reader_is_gone():
        return EXIT_DONE
    return code


def _unwritable(error: OSError) -> int:
    """What was to be shown can't be: whoever reads no more has enough; a full disk is a failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    if error.errno == errno.EPIPE:
        return EXIT_DONE
    with contextlib.suppress(OSError):  # stderr may be as full
        print(f"Failed: the output can't be written: {error.strerror}.", file=sys.stderr, flush=True)
    return EXIT_NO


def _reader_is_gone() -> bool:
    """Whether click has put its wrapper around a pipe that nobody reads any more; it has no public name."""
    return type(sys.stdout).__name__.endswith("PacifyFlushWrapper")


def _run(arguments: list[str]) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="agent-console", standalone_mode=False)
    except ConsoleError as error:
        return tell(error, as_json="--json" in arguments)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except SystemExit:
        if _reader_is_gone():
            return EXIT_DONE
        raise
    return result if isinstance(result, int) else 0


def tell(error: ConsoleError, *, as_json: bool) -> int:
    """Say what went wrong and return its exit code; as JSON it is data, and goes to stdout."""
    if as_json:
        from console.cli.report import Failure, FailureReport

        failure = FailureReport(Failure(error.title, error.message, error.hint, error.exit_code, error.gates))
        click.echo(json.dumps(failure.document(), ensure_ascii=False))
    else:
        click.echo(f"{error.title}: {error.message}", err=True)
        for gate in error.gates:
            click.echo(f"  {gate.state.upper():<12} {gate.name}: {gate.evidence}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
    return error.exit_code
