"""`agent-console acl`: the least that a user of the store must be allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from console.cli.options import Session, common
from console.cli.report import show
from console.domain.document import Report
from console.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class AclReport(Report):
    """What a user of the store must be allowed.

    Args:
        role: what it is for.
        agent: whose keys; empty for those of every agent.
        user: its name.
        commands: as ACL names them.
        writes: patterns of keys that it reads and writes.
        reads: patterns of keys that it only reads.
        besides: selectors: one command each, on keys that no other command reaches.
        line: the command that makes it; its password is to be put in.
    """

    role: str
    agent: str
    user: str
    commands: tuple[str, ...]
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    besides: tuple[str, ...]
    line: str

    def lines(self) -> Iterator[str]:
        yield self.line


@click.command("acl", help="The least that a store's user must be allowed, as an ACL SETUSER line; asks no store.")
@click.argument("role", type=click.Choice(["agent", "operator", "guard", "viewer"]))
@click.option("--all", "every", is_flag=True, help="For every agent of the store (fleet, guard --all).")
@click.option("--cluster", is_flag=True, help="The store is a Cluster.")
@click.option("--user", metavar="NAME", help="The user's name; else the role's, and the agent's.")
@common
def acl(session: Session, role: str, every: bool, cluster: bool, user: str | None) -> int:
    """The line, or with --json its parts."""
    from console.store.acl import Role, rules

    if every and role == "agent":
        raise UsageError("An agent's user is one agent's.", "Leave --all out; --agent NAME names it.")
    agent = session.settings().agent
    told = rules(Role(role), agent, every=every, cluster=cluster)
    name = user or (role if every else f"{role}-{agent}")
    if not name.isprintable() or any(letter.isspace() for letter in name):
        raise UsageError(f"{name!r} can't be a user's name.", "Use no blanks.")
    whose = "" if every else agent
    return show(
        session, AclReport(role, whose, name, told.commands, told.writes, told.reads, told.besides, told.line(name))
    )
