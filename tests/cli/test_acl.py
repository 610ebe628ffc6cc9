"""`agent-console acl`: users with the least rights do everything that their role does, and nothing of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from console.agent import AgentController, Settings
from console.domain.errors import EXIT_DONE, EXIT_REFUSED, EXIT_USAGE
from console.domain.fence.intent import Aim
from console.domain.seen.observation import Observation
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.live.source import Identity, LiveSource, OpenReader
from console.logs.options import LogOptions
from console.store import acl
from console.store.acl import Role
from console.store.keys import GuardKeys, Keys
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect
from console.views.fence.link import header_view
from tests.cli.conftest import Cli
from tests.cli.roles import KEYS, Heard, Roles, agents, guards
from tests.cli.test_json import CALLS, files
from tests.servers import Server

__all__ = ["files"]
Servers = Callable[..., Server]
UNHEARD = frozenset({"client|list", "unwatch", "zrangebyscore"})
"""MONITOR tells of no command that is an administrator's; UNWATCH is sent where two restore one archive at once;
ZRANGEBYSCORE by who looks a second time, as a console does."""
WRITES = frozenset({"evalsha", "script|load", "hset", "hdel", "xadd", "set"})
"""What who only looks is refused where a verb changes something, or asks whether it could."""
ALONE = Settings(memory_dir=None)
OPERATED = (
    ("resume", "blue"),
    ("switch", "green"),
    ("undo",),
    ("rollback",),
    ("doubts", "resolve", "bet-3", "executed", "--evidence", "x"),
    ("commitments", "give", "esc_1", "green"),
    ("guard", "set", "pnl.alpha="),
    ("canary", "start", "PLAN"),
    ("canary", "abort"),
    ("upgrade", "start", "blue", "--detach"),
    ("upgrade", "abort"),
    ("upgrade", "start", "blue", "--detach"),
    ("snapshot", "prune", "--keep", "1"),
    ("archive", "run", "--keep", "1"),
    ("archive", "verify"),
)


def _idle(role: Role, heard: Heard, roles: Roles) -> set[str]:
    """What a role is allowed and has made no use of, besides what scripts call, which is read from their text."""
    given = roles.rules[role]
    in_scripts = acl.calls_in(acl._SCRIPTS[role]) if acl._SCRIPTS[role] else frozenset()
    idle = set(given.commands) - heard.sent - in_scripts - UNHEARD
    return idle | {one for one in (*given.writes, *given.reads) if not heard.touched(one)}


def _everything(roles: Roles, role: Role, paths: dict[str, str]) -> None:
    common = ("--slot", "blue=2.4.0", "--slot", "green=2.5.0", "--decisions", paths["LOG"], "--yes", "--reason", "test")
    for calls in (calls for verb, calls in CALLS.items() if not verb.startswith("store")):
        for words in calls:
            roles.cli(role, *common, "--json", *(paths.get(word, word) for word in words))


@pytest.mark.long
def test_every_role_does_everything_under_its_rights_and_has_use_for_each_of_them(
    valkey_server: Servers, cli: Cli, tmp_path: Path, files: dict[str, str]
) -> None:
    server = valkey_server()
    roles = Roles(server, cli, tmp_path)
    roles.admin.mset({"atlas:active_version": "blue", "atlas:flag:game": "dice"})
    with roles.heard() as operated:
        _everything(roles, Role.OPERATOR, files)
        assert roles.cli(Role.OPERATOR, "--agent", "atlas", "flag", "set", "game", "crash", "--yes") == EXIT_DONE
        assert roles.denied() == set()
    with roles.heard() as acted:
        agents(roles)
        assert roles.denied() == set()
    rare = {"*:damaged:*", "moving", "mend"}  # what is put right after damage, and a drain's deadline over many claims
    assert _idle(Role.AGENT, acted, roles) == {KEYS.beside(name) for name in rare}
    with roles.heard():
        asyncio.run(guards(roles))
        assert roles.denied() == set()
    with roles.heard() as more:
        over = ("--override", "x", "--confirm", "agent")
        for words in OPERATED:
            given = (*(files.get(word, word) for word in words), "--yes", "--reason", "a test")
            if roles.cli(Role.OPERATOR, *given, *over) == EXIT_USAGE:
                roles.cli(Role.OPERATOR, *given)
        with AgentController(roles.url(Role.AGENT), slot="blue", version="2.4.0", settings=ALONE):
            roles.cli(Role.OPERATOR, "commitments", "list")
        folder = next(path.parent for path in (tmp_path / "data").rglob("*acts*"))
        restore = ("archive", "restore", str(folder), "--yes", "--reason", "a test")
        assert roles.cli(Role.OPERATOR, *restore) == EXIT_REFUSED, "there is something"
        roles.admin.flushall()
        assert roles.cli(Role.OPERATOR, *restore) == EXIT_DONE
        assert roles.denied() == set()
    operated.sent |= more.sent
    operated.words |= more.words
    assert _idle(Role.OPERATOR, operated, roles) == set()
    _everything(roles, Role.OPERATOR, {**files, "NEW": str(tmp_path / "o.rec"), "EVIDENCE": str(tmp_path / "o.zip")})
    roles.denied()
    with roles.heard() as lived, AgentController(roles.url(Role.AGENT), slot="blue", version="2.4.0", settings=ALONE):
        roles.cli(Role.VIEWER, "commitments", "list")
    before = {key: roles.admin.dump(key) for key in roles.admin.scan_iter()}
    with roles.heard() as looked:
        roles.cli(Role.VIEWER, "--agent", "atlas", "flag", "get", "game")
        _everything(roles, Role.VIEWER, {**files, "NEW": str(tmp_path / "v.rec"), "EVIDENCE": str(tmp_path / "v.zip")})
    assert {told[2] for told in roles.denied()} <= WRITES
    assert {key: roles.admin.dump(key) for key in roles.admin.scan_iter()} == before
    looked.sent |= lived.sent & {"smembers"}
    assert _idle(Role.VIEWER, looked, roles) == set()


def test_a_line_that_is_printed_is_taken_by_a_server_and_makes_that_user(valkey_server: Servers, cli: Cli) -> None:
    server = valkey_server()
    for words in (("agent",), ("operator",), ("guard", "--all"), ("viewer", "--all"), ("viewer", "--agent", "atlas")):
        line = cli("acl", *words).out
        document = cli("acl", *words, "--json").json
        assert document["line"] == line.strip()
        assert server.command(*line.split()) == "OK"
        told = server.command("ACL", "GETUSER", document["user"])
        assert all(f"~{one}" in told for one in (*document["writes"], *document["reads"]))
    assert cli("acl", "agent", "--all").code == EXIT_USAGE
    assert cli("acl", "viewer", "--user", "a b").code == EXIT_USAGE


def test_an_agents_user_reaches_neither_other_agents_nor_what_is_operators_or_guards(
    valkey_server: Servers, cli: Cli, tmp_path: Path
) -> None:
    roles = Roles(valkey_server(), cli, tmp_path)
    own = redis.Redis(unix_socket_path=str(roles.server.socket), username="agent", password="pw")
    own.hset(KEYS.instances, "blue-1", json.dumps({}))
    guard = GuardKeys.of(KEYS)
    others = (
        *(Keys.of("atlas").ctl, Keys.of("atlas").active, KEYS.flag("game"), KEYS.upgrades, KEYS.snapshots, KEYS.good),
        *(KEYS.retired, KEYS.archived, KEYS.canary_gates, *guard, "ac:guards", KEYS.beside("lease:archive")),
    )
    for key in others:
        with pytest.raises(redis.exceptions.NoPermissionError):
            own.hset(key, "a", "b")
        with pytest.raises(redis.exceptions.NoPermissionError):
            own.evalsha("0" * 40, 1, key)
    for words in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("FUNCTION", "LOAD", "x"), ("SCRIPT", "FLUSH"), ("MONITOR",)):
        with pytest.raises(redis.exceptions.NoPermissionError):
            own.execute_command(*words)
    own.close()


async def _first(url: str) -> Observation:
    """What a console that is attached sees first."""

    async def open_reader() -> OpenReader:
        client = await connect(url, timeout_s=5.0)
        return OpenReader(StoreReader(client, KEYS, {}), client.aclose)

    seen: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()

    def publish(observation: Observation) -> None:
        if observation.store is not None and not seen.done():
            seen.set_result(observation)

    task = asyncio.create_task(LiveSource(Identity("agent", url), open_reader, None, hz=10).run(publish))
    try:
        return await seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_commands_receipt_and_a_guards_say_as_whom_the_store_knew_them(
    valkey_server: Servers, cli: Cli, tmp_path: Path
) -> None:
    roles = Roles(valkey_server(), cli, tmp_path)
    for slot in ("blue", "green"):
        assert await asyncio.to_thread(roles.cli, Role.OPERATOR, "switch", slot, "--yes", "--who", "ann") == EXIT_DONE
    before = roles.admin.info("commandstats")["cmdstat_acl|whoami"]["calls"]
    told = json.loads((await asyncio.to_thread(cli, "audit", "--json", url=roles.url(Role.VIEWER))).out)
    assert [(one["who"], one["login"]) for one in told] == [("ann", "operator")] * 2
    assert roles.admin.info("commandstats")["cmdstat_acl|whoami"]["calls"] == before + 1, "once a connection"
    assert "ann (as operator)" in (await asyncio.to_thread(cli, "audit", url=roles.url(Role.VIEWER))).out
    guard = Guard(GuardOptions(roles.url(Role.GUARD), "agent", (), LogOptions(), name="g1"), lambda *_a, **_k: None)
    await guard.open()
    epoch = int(roles.admin.hget(KEYS.ctl, "ep") or 0)
    await guard.ward.watch.charge.move("roll back", "blue", epoch, "a test", Aim.GO_BACK)
    await guard.aclose()
    newest = json.loads((await asyncio.to_thread(cli, "audit", "--json", url=roles.url(Role.VIEWER))).out)[-1]
    assert (newest["source"], newest["login"]) == ("guard", "guard")


def test_who_may_only_look_is_refused_for_certain_and_changes_nothing(
    valkey_server: Servers, cli: Cli, tmp_path: Path
) -> None:
    roles = Roles(valkey_server(), cli, tmp_path)
    assert roles.cli(Role.OPERATOR, "switch", "blue", "--yes") == EXIT_DONE
    assert roles.cli(Role.OPERATOR, "flag", "set", "game", "dice", "--new") == EXIT_DONE
    assert roles.denied() == set()
    before = {key: roles.admin.dump(key) for key in roles.admin.scan_iter()}
    for words in (("status",), ("audit",), ("flag", "get", "game"), ("checklist",), ("fleet",)):
        assert roles.cli(Role.VIEWER, *words) < EXIT_USAGE, words
    asked = {"evalsha", "set"}  # whether it could change anything is asked so; `fleet` would say how far it has looked
    assert {told[2] for told in roles.denied()} == asked
    for role, mode in ((Role.VIEWER, "RO"), (Role.OPERATOR, "RW")):
        assert header_view(asyncio.run(_first(roles.url(role)))).mode == mode
    for words in (("halt", "--yes"), ("flag", "set", "game", "crash"), ("guard", "set", "pnl.alpha=0.1")):
        assert roles.cli(Role.VIEWER, *words) == EXIT_REFUSED, words
    assert {key: roles.admin.dump(key) for key in roles.admin.scan_iter()} == before
