"""`agent-console serve`: the same console in a browser."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

import click

from console.cli.options import Session, common
from console.cli.runtime import refuse_what_is_no_primary, store_url
from console.domain.errors import EXIT_DONE, UsageError

PORT: Final = 8300


@click.command("serve", help="The same console in a browser: on this machine and only looking, unless told otherwise.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="Where to listen; 0 for any."
)
@click.option("--public-url", metavar="URL", default="", help="Under which browsers come, where TLS stands in front.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Holds the token; else AGENT_CONSOLE_TOKEN does.")
@click.option("--write", is_flag=True, help="Let commands through; needs a token.")
@click.option(
    "--visitors", type=click.IntRange(1, 256), default=8, show_default=True, help="How many consoles at once."
)
@common
def serve(
    session: Session, host: str, port: int, public_url: str, token_file: Path | None, write: bool, visitors: int
) -> int:
    """The same console in a browser: on this machine and only looking, unless told otherwise."""
    try:
        from console.web.server import Serving, WebServer, checked_public_url
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The console in a browser needs {error.name}, which is not installed.",
            "`pip install 'agent-console[web]'` installs it.",
        ) from error
    from console.web.access import need_token, read_token

    if session.as_data:
        raise UsageError("A server has no data to print.", "`agent-console status --json` has.")
    if write and session.given.get("read_only"):
        raise UsageError("--write lets commands through, and --read-only refuses them.", "Leave one of them out.")
    token = read_token(os.environ, token_file.expanduser() if token_file else None)
    need_token(host, token, writes=write, public=bool(public_url))
    if public_url:
        public_url = checked_public_url(public_url)
    elif _is_everywhere(host):
        raise UsageError(f"{host} is no name that a browser can use.", "--public-url says under which one they come.")
    settings = session.settings()
    url = store_url(settings)
    asyncio.run(refuse_what_is_no_primary(url))
    looking = () if write else ("--read-only",)
    program = (sys.executable, "-m", "console", *session.arguments(), *looking)
    environ = {"AGENT_CONSOLE_URL": url}  # it may hold a password, and arguments are seen by everybody
    serving = Serving(program, environ, host, port, public_url, visitors=visitors)
    what = "commands go through" if write else "read-only"
    who = "a token is needed" if token else "everybody on this machine may look"

    def ready(address: str) -> None:
        click.echo(f"{address}  {what}, {who}. ctrl+c ends it.", err=True)

    asyncio.run(WebServer(serving, token, ready).run())
    return EXIT_DONE


def _is_everywhere(host: str) -> bool:
    try:
        return not host or ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
