"""Servers as vendors run them: commands are renamed away; everything works, and what can't be known is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from console.agent import AgentController, Promise, Settings
from console.agent.aio import AgentController as AsyncAgentController
from console.domain.errors import EXIT_DONE, EXIT_NO, EXIT_USAGE, Refused, UsageError
from console.store.keys import Keys
from tests.cli.conftest import Cli
from tests.servers import Server
from tests.waiting import until, until_async

Servers = Callable[..., Server]
AWAY = "CONFIG MONITOR MEMORY FUNCTION FCALL DEBUG CLIENT ACL INFO"
KEPT = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "version": "valkey 8.1"}
FILE = """
[store]
by = "ann, ticket 4711"
promised = { appendonly = "yes", appendfsync = "always", maxmemory-policy = "noeviction", version = "valkey 8.1" }
"""


@pytest.fixture
def managed(valkey_server: Servers) -> Server:
    return valkey_server(rename_command=AWAY)


def test_money_is_refused_with_what_to_write_until_somebody_promises_what_the_server_does_not_tell(
    managed: Server, cli: Cli, home: Path
) -> None:
    unset = cli("--url", managed.url, "doctor", "--json", url=None)
    assert unset.code == EXIT_NO
    assert [unset.json["checks"][name]["verdict"] for name in ("server", "persistence", "eviction")] == ["unknown"] * 3
    for name, wanted in (("persistence", 'appendfsync = "always"'), ("server", 'version = "valkey 8.1"')):
        assert wanted in unset.json["checks"][name]["remedy"]
        assert '[store] by = "YOUR NAME"' in unset.json["checks"][name]["remedy"]
    with pytest.raises(Refused, match="not fit for money"):
        AgentController(managed.url, slot="blue", version="1", settings=Settings(memory_dir=None)).start()
    file = home / "config.toml"
    file.write_text(f'url = "{managed.url}"\n{FILE}')
    told = cli("--config", str(file), "doctor", "--json", url=None)
    assert (told.code, told.json["money_mode"]) == (EXIT_DONE, True)
    persistence = told.json["checks"]["persistence"]
    assert (persistence["verdict"], persistence["promised_by"]) == ("warn", "ann, ticket 4711")
    assert "not measured" in persistence["seen"]
    profile = home / "profile.toml"
    profile.write_text(f'[profiles.p]\nurl = "{managed.url}"\n{FILE.replace("[store]", "[profiles.p.store]")}')
    assert cli("--config", str(profile), "--profile", "p", "doctor", url=None).code == EXIT_DONE
    assert "by ann, ticket 4711" in cli("--config", str(file), "config", "show", url=None).out
    elsewhere = cli("--config", str(file), "--url", managed.url, "doctor", "--json", url=None)
    assert elsewhere.code == EXIT_NO, "a promise holds for the store that it was given with"
    file.write_text(file.read_text().replace("by =", "# by ="))
    nameless = cli("--config", str(file), "status", url=None)
    assert (nameless.code, "names who gives it" in nameless.err) == (EXIT_USAGE, True)


def test_what_is_measured_wins_over_a_promise(valkey_server: Servers, cli: Cli, home: Path) -> None:
    server = valkey_server(appendonly="no", maxmemory_policy="allkeys-lru", rename_command="CONFIG")
    file = home / "config.toml"
    file.write_text(f'url = "{server.url}"\n{FILE}')
    told = cli("--config", str(file), "doctor", "--json", url=None)
    assert [told.json["checks"][name]["verdict"] for name in ("persistence", "eviction")] == ["fail"] * 2
    assert told.code == EXIT_NO
    assert told.json["checks"]["eviction"]["promised_by"] == ""


def test_a_promise_without_a_name_or_of_something_else_is_refused() -> None:
    for settings, by in (({"appendonly": "yes"}, " "), ({"fsync": "always"}, "ann"), ({"appendonly": "x" * 99}, "ann")):
        with pytest.raises(UsageError):
            Promise.of(settings, by)
    assert Promise.of({}, "") is None


def test_a_blocking_agent_and_every_door_of_an_operator_work_on_it(managed: Server, cli: Cli) -> None:
    settings = Settings(promised=Promise.of(KEPT, "ann"), memory_dir=None)
    with AgentController(managed.url, slot="blue", version="2.4.0", settings=settings) as blue:
        told = {}
        for words in (
            *(("switch", "blue", "--yes"), ("flag", "set", "game", "dice", "--new"), ("status",), ("audit",)),
            *(("snapshot", "take"), ("halt", "--yes"), ("resume", "blue", "--yes", "--reason", "x"), ("fleet",)),
            *(("switch", "green", "--yes", "--override", "x", "--confirm", "agent"), ("rollback", "--yes")),
        ):
            told[" ".join(words[:2])] = cli(*words, url=managed.url).code
        assert {verb for verb, code in told.items() if code != EXIT_DONE} <= {"status"}, "no guard runs"
        until(lambda: blue.active, "blue to be active")
        with blue.action("bet-1") as act:
            act.settle("won")
        assert cli("guard", "--once", url=managed.url).code == EXIT_DONE
        assert cli("guard", "--all", "--once", url=managed.url).code == EXIT_DONE
    assert managed.command("HGET", Keys.of().ctl, "act") == "blue"


async def test_an_asyncio_agent_works_on_it(managed: Server) -> None:
    settings = Settings(promised=Promise.of(KEPT, "ann"), memory_dir=None)
    async with AsyncExitStack() as stack:
        green = AsyncAgentController(managed.url, slot="green", version="2.5.0", settings=settings)
        await stack.enter_async_context(green)
        await asyncio.to_thread(managed.command, "SET", Keys.of().active, "green")
        await until_async(lambda: green.active)
        async with green.action("bet-1") as act:
            await act.settle("won")
