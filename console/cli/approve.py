"""`agent-console approve [PLAN]`: list the overrides that somebody proposed, or agree to one."""

from __future__ import annotations

import click

from console.cli.operate import ask, carry_out
from console.cli.options import Session, common
from console.commands.base import Command, Query
from console.commands.catalogue import find


@click.command("approve")
@click.argument("plan", required=False)
@common
def approve(session: Session, plan: str | None) -> int:
    """Agree to an override that somebody else proposed; without PLAN, list them."""
    if plan is None:
        query = find("approvals")
        assert isinstance(query, Query)
        return ask(session, query, {})
    command = find("approve")
    assert isinstance(command, Command)
    return carry_out(session, command, {"plan": plan})
