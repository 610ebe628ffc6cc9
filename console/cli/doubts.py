"""`agent-console doubts …`: actions whose outcome nobody knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from console.cli.group import declaring
from console.cli.options import Session, common
from console.cli.runtime import run_with
from console.commands.context import Context
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.fence.claims import OpenClaim
from console.domain.text import clean


@click.group(
    "doubts",
    cls=declaring("resolve"),
    help="Actions whose outcome nobody knows: list them, resolve them with evidence.",
)
def doubts() -> None:
    """Actions whose outcome nobody knows."""


@doubts.command("list")
@common
def list_doubts(session: Session) -> int:
    """Every action in doubt, oldest first; exit code 1 when there are any."""

    async def work(ctx: Context) -> list[OpenClaim]:
        return await ctx.gateway.doubts()

    found = run_with(session.settings(), work)
    if session.as_json:
        click.echo(json.dumps([_document(claim) for claim in found], ensure_ascii=False))
    elif not found:
        click.echo("Nothing is in doubt.", err=True)
    else:
        for claim in found:
            click.echo(_line(claim))
    return EXIT_NO if found else EXIT_DONE


def _line(claim: OpenClaim) -> str:
    since = datetime.fromtimestamp(claim.claimed_ms / 1000, UTC)
    holder = f"{clean(claim.slot, 8)} {clean(claim.instance, 40)}"
    return (
        f"{clean(claim.key, 60)}  {claim.amount.normalize():f} {clean(claim.currency, 8)} {claim.direction}  {holder}  "
        f"since {since:%Y-%m-%d %H:%M:%S}Z  {clean(claim.action, 80)}"
    )


def _document(claim: OpenClaim) -> dict[str, Any]:
    return {
        "key": clean(claim.key, 200),
        "claim_id": clean(claim.claim_id, 64),
        "instance": clean(claim.instance, 64),
        "slot": clean(claim.slot, 8),
        "epoch": claim.epoch,
        "claimed_ms": claim.claimed_ms,
        "deadline_ms": claim.deadline_ms,
        "amount": f"{claim.amount.normalize():f}",
        "currency": clean(claim.currency, 8),
        "direction": str(claim.direction),
        "action": clean(claim.action, 256),
    }
