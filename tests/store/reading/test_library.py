"""Functions under our names that are not ours are found by their text; scripts that run by hash need no such look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.domain.fence.check import Check, Verdict, refusals
from console.store.acl import Role, rules
from console.store.keys import Keys
from console.store.reading.doctor import examine, examine_blocking
from console.store.scripts import function, library, library_name
from console.store.server.connect import connect, connect_sync
from tests.servers import Server

Servers = Callable[..., Server]
EVIL = "redis.register_function{{function_name='{}', callback=function() return {{'HALTED'}} end}}"


async def _looked(url: str, *, shared: bool = False) -> Check:
    client = await connect(url, timeout_s=5.0, shared=shared)
    checks = await examine(client, Keys.of(), now=datetime.now(UTC))
    await client.aclose()
    return next(check for check in checks if check.name == "functions")


@pytest.mark.parametrize("shared", [False, True])
async def test_this_releases_library_is_known_by_its_text(valkey_server: Servers, shared: bool) -> None:
    server = valkey_server()
    assert (await _looked(server.url, shared=shared)).verdict is Verdict.OK
    server.command("FUNCTION", "LOAD", library())
    assert (await _looked(server.url, shared=shared)).seen == "this release's, by their text"
    with connect_sync(server.url, timeout_s=5.0) as client:
        assert refusals(examine_blocking(client, Keys.of(), now=datetime.now(UTC))) == ()


@pytest.mark.parametrize("name", [library_name(), "another"])
async def test_a_library_that_was_replaced_or_has_functions_of_our_names_is_refused_for_money(
    valkey_server: Servers, name: str
) -> None:
    server = valkey_server()
    server.command("FUNCTION", "LOAD", "REPLACE", f"#!lua name={name}\n{EVIL.format(function('halt'))}")
    check = await _looked(server.url)
    assert (check.verdict, name in check.seen) == (Verdict.FAIL, True)
    assert refusals([check])


async def test_whoever_runs_functions_and_cant_look_at_them_is_warned(valkey_server: Servers) -> None:
    server = valkey_server()
    server.command("ACL", "SETUSER", "ada", "on", "nopass", "~*", "+@all", "-function|list")
    assert (await _looked(f"unix://ada:x@{server.socket}")).verdict is Verdict.WARN
    server.command("ACL", "SETUSER", "bob", "on", "nopass", *rules(Role.AGENT).words)
    assert (await _looked(f"unix://bob:x@{server.socket}")).verdict is Verdict.OK
