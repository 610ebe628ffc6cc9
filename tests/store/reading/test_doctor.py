"""The doctor: what is dangerous on a real server is found, named, and refused for money."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from console.domain.errors import StoreUnreachable
from console.domain.fence.check import Check, Verdict, refusals
from console.store.keys import Keys
from console.store.reading.doctor import examine
from console.store.server.connect import connect
from tests.servers import Server, free_port

Examine = Callable[..., Any]


@pytest.fixture
async def look(valkey_server: Callable[..., Server]) -> AsyncIterator[Examine]:
    opened: list[Any] = []

    async def at(wait_replicas: int = 0, url: str = "", **options: str) -> dict[str, Check]:
        server = valkey_server(**options)
        client = await connect(url or server.url, timeout_s=5)
        opened.append(client)
        checks = await examine(client, Keys.of(), wait_replicas=wait_replicas, now=datetime.now(UTC))
        return {check.name: check for check in checks}

    yield at
    for client in opened:
        await client.aclose()


async def test_a_server_as_recommended_is_refused_for_nothing(look: Examine) -> None:
    checks = await look()
    assert refusals(checks.values()) == ()
    assert checks["persistence"].verdict is Verdict.OK
    assert checks["server"].seen.partition(" ")[0] in ("Valkey", "Redis")
    assert checks["clock"].verdict is Verdict.OK and checks["latency"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("options", "name", "verdict"),
    [
        ({"appendonly": "no"}, "persistence", Verdict.FAIL),
        ({"appendfsync": "everysec"}, "persistence", Verdict.WARN),
        ({"no_appendfsync_on_rewrite": "yes"}, "persistence", Verdict.WARN),
        ({"maxmemory_policy": "allkeys-lru"}, "eviction", Verdict.FAIL),
        ({"maxmemory": "1mb"}, "memory", Verdict.WARN),
        ({"min_replicas_to_write": "1"}, "quorum", Verdict.OK),
    ],
)
async def test_what_is_dangerous_is_found_with_its_risk_and_its_remedy(
    look: Examine, options: dict[str, str], name: str, verdict: Verdict
) -> None:
    check = (await look(**options))[name]
    assert check.verdict is verdict
    assert verdict is Verdict.OK or (check.risk and check.remedy)
    assert (verdict is Verdict.FAIL) is bool(refusals([check]))


async def test_claims_that_would_wait_for_replicas_that_are_not_there_are_refused(look: Examine) -> None:
    checks = await look(wait_replicas=1)
    assert checks["replication"].verdict is Verdict.FAIL and refusals(checks.values())


async def test_replicas_without_waiting_are_unprotected_against_failover(valkey_server: Callable[..., Server]) -> None:
    primary = valkey_server(port=str(free_port()), repl_diskless_sync_delay="0")
    replica = valkey_server(port=str(free_port()))
    replica.command("REPLICAOF", "127.0.0.1", str(primary.port))
    while "connected_slaves:1" not in primary.command("INFO", "replication"):
        pass
    client = await connect(primary.url, timeout_s=5)
    checks = {c.name: c for c in await examine(client, Keys.of(), now=datetime.now(UTC))}
    assert "Unprotected against failover" in checks["replication"].risk and refusals(checks.values())
    waiting = {c.name: c for c in await examine(client, Keys.of(), wait_replicas=1, now=datetime.now(UTC))}
    assert waiting["replication"].verdict is Verdict.WARN
    await client.aclose()
    client = await connect(replica.url, timeout_s=5)
    checks = {c.name: c for c in await examine(client, Keys.of(), now=datetime.now(UTC))}
    assert checks["role"].verdict is Verdict.FAIL
    await client.aclose()


@pytest.mark.parametrize("info", [True, False], ids=["INFO", "no INFO"])
async def test_what_is_not_permitted_is_known_by_info_or_unknown_which_is_not_good_enough(
    valkey: Any, info: bool
) -> None:
    rules = ("~*", "+@all", "-config", "-acl", "-function", *(() if info else ("-info",)))
    await valkey.execute_command("ACL", "SETUSER", "meek", "on", ">pw", *rules)
    socket = valkey.connection_pool.connection_kwargs["path"]
    client = await connect(f"unix://meek:pw@{socket}", timeout_s=5)
    try:
        checks = {c.name: c for c in await examine(client, Keys.of(), now=datetime.now(UTC))}
    finally:
        await client.aclose()
        await valkey.execute_command("ACL", "DELUSER", "meek")
    assert checks["persistence"].verdict is (Verdict.WARN if info else Verdict.UNKNOWN)
    refused = [c.name for c in refusals(checks.values())]
    assert refused == ([] if info else ["server", "persistence", "eviction"])
    assert checks["functions"].verdict is Verdict.WARN


async def test_keys_of_another_type_are_named(valkey: Any) -> None:
    await valkey.set(Keys.of().ctl, "x")
    await valkey.rpush(Keys.of().active, "x")
    checks = {c.name: c for c in await examine(valkey, Keys.of(), now=datetime.now(UTC))}
    assert checks["keys"].verdict is Verdict.FAIL
    assert checks["keys"].seen == "ctl is a string, active is a list"


async def test_a_user_that_may_do_everything_is_pointed_out(look: Examine) -> None:
    assert (await look())["access"].verdict is Verdict.WARN


async def test_a_server_that_does_not_answer_is_no_list_of_unknowns(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=0.2)
    server.kill()
    with pytest.raises(StoreUnreachable):
        await examine(client, Keys.of(), now=datetime.now(UTC))
    await client.aclose()
