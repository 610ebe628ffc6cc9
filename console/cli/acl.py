"""`agent-console acl`: the least that a user of the store must be allowed."""

from __future__ import annotations

import json

import click

from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE


@click.command("acl", help="The least that a store's user must be allowed, as an ACL SETUSER line; asks no store.")
@click.argument("role", type=click.Choice(["agent", "operator", "guard", "viewer"]))
@click.option("--all", "every", is_flag=True, help="For every agent of the store (fleet, guard --all).")
@click.option("--user", metavar="NAME", help="The user's name; else the role's, and the agent's.")
@common
def acl(session: Session, role: str, every: bool, user: str | None) -> int:
    """The line, or with --json its parts."""
    from console.domain.errors import UsageError
    from console.store.server.acl import Role, rules

    if every and role == "agent":
        raise UsageError("An agent's user is one agent's.", "Leave --all out; --agent NAME names it.")
    agent = session.settings().agent
    told = rules(Role(role), agent, every=every)
    name = user or (role if every else f"{role}-{agent}")
    if not name.isprintable() or any(letter.isspace() for letter in name):
        raise UsageError(f"{name!r} can't be a user's name.", "Use no blanks.")
    if session.as_json:
        document = {
            "role": role,
            "agent": None if every else agent,
            "user": name,
            "commands": told.commands,
            "writes": told.writes,
            "reads": told.reads,
            "line": told.line(name),
        }
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(told.line(name))
    return EXIT_DONE
