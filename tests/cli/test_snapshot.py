"""Snapshots and kept states, as an operator lists, verifies, compares, exports, prunes and restores them."""

from __future__ import annotations

import json
import os
import stat
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import AgentController, Position, Settings, Side, State
from console.cli import snapshot as verbs
from console.domain.state.document import encode
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys, StateKeys
from tests.cli.conftest import Cli
from tests.waiting import until

POSITIONS = [Position("p1", "BTC", Side.LONG, Decimal("0.10"), Decimal("43000.50"), "USD")]
SEVEN = {
    "version",
    "timestamp",
    "escrow_ids",
    "open_positions",
    "last_action_time",
    "rate_limit_tokens",
    "decision_log",
}


def plain(at: float | None = None, **fields: Any) -> str:
    """A plain agent's snapshot as the source describes it."""
    document: dict[str, Any] = dict.fromkeys(sorted(SEVEN)) | {
        "version": "1.9", "timestamp": time.time() if at is None else at, "escrow_ids": ["esc_1"],
        "open_positions": {"BTC": 0.1}, "last_action_time": 1772366399.5, "rate_limit_tokens": {"orders": 12},
        "decision_log": [],
    }  # fmt: skip
    return json.dumps(document | fields)


@pytest.fixture
def kept(store_url: str, valkey_sync: redis.Redis) -> State:
    """Two states that blue kept; the newest of them."""
    Fence(valkey_sync, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    with AgentController(store_url, slot="blue", version="2", settings=Settings(money=False)) as agent:
        until(lambda: agent.active)
        for size in ("0.10", "0.25"):
            state = State(version="2", positions=[Position("p1", "BTC", Side.LONG, Decimal(size), Decimal(5), "USD")])
            before = agent.kept
            agent.keep(state, why=f"size {size}")
            until(lambda before=before: agent.kept is not before)  # type: ignore[misc]
    return state


def test_a_plain_agents_snapshot_is_read_verified_and_shown_and_what_it_lacks_is_named(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "plain.json"
    file.write_text(plain())
    verified = cli("snapshot", "verify", str(file), "--json")
    assert verified.code == 0
    assert (verified.json["kind"], verified.json["ok"], verified.json["version"]) == ("plain", True, "1.9")
    assert {"session_id", "balances", "rounds", "positions (entry prices)"} <= set(verified.json["missing"])
    shown = cli("snapshot", "show", str(file))
    assert set(json.loads(shown.out)) == SEVEN
    assert "lacks balances" in shown.err


@pytest.mark.parametrize(("age_s", "code"), [("299.9", 0), ("300.0", 0), ("300.1", 1), ("-1", 1)])
def test_300_seconds_are_accepted_more_and_the_future_are_not(
    cli: Cli, tmp_path: Path, age_s: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return at + timedelta(milliseconds=int(Decimal(age_s) * 1000))

    monkeypatch.setattr(verbs, "datetime", Clock)
    file = tmp_path / "plain.json"
    file.write_text(plain(at.timestamp()))
    assert cli("snapshot", "verify", str(file)).code == code


def test_a_torn_file_is_refused_with_the_reason_wherever_it_is_cut(cli: Cli, tmp_path: Path) -> None:
    for data in (plain().encode(), encode(State(version="2", timestamp=1, positions=POSITIONS)).rstrip()):
        for end in {0, 1, len(data) // 2, len(data) - 1}:
            (tmp_path / "torn.json").write_bytes(data[:end])
            result = cli("snapshot", "verify", str(tmp_path / "torn.json"))
            assert result.code == 4
            assert "torn.json" in result.err


def test_what_agents_kept_is_listed_shown_and_compared(cli: Cli, kept: State) -> None:
    newest, before = cli("snapshot", "list", "--json").json
    assert (newest["id"], newest["slot"], newest["why"], newest["restorable"]) == ("store:2", "blue", "size 0.25", True)
    assert cli("snapshot", "show", "store:latest", "--json").json["positions"][0]["size"] == "0.25"
    assert cli("snapshot", "verify", f"store:{before['hash'][:8]}", "--json").json["ok"]
    compared = cli("snapshot", "diff", "store:1", "store:2", "--json")
    assert compared.code == 1
    assert {"field": "positions[p1].size", "before": "0.10", "after": "0.25"} in compared.json
    assert cli("snapshot", "diff", "store:2", "store:latest").code == 0
    assert cli("snapshot", "show", "store:9").code == 2


def test_an_export_is_a_plain_agents_file_or_ours(cli: Cli, kept: State, tmp_path: Path) -> None:
    ours, seven = tmp_path / "ours.json", tmp_path / "plain.json"
    assert cli("snapshot", "export", "store:latest", "-o", str(ours)).code == 0
    told = cli("snapshot", "export", "store:latest", "-o", str(seven), "--plain", "--json").json
    assert told["left_out"] == ["positions"]
    assert set(json.loads(seven.read_text())) == SEVEN
    assert json.loads(seven.read_text())["open_positions"][0]["entry_price"] == 5
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600
    assert cli("snapshot", "diff", str(ours), "store:latest").code == 0
    assert cli("snapshot", "verify", str(seven)).code == 0


def test_pruning_keeps_the_newest_and_says_what_goes(cli: Cli, kept: State, tmp_path: Path) -> None:
    for _ in range(3):
        assert cli("snapshot", "take").code == 0
    (tmp_path / "data" / "snapshots" / "agent" / "mine.json").write_text("{}")
    assert cli("snapshot", "prune").code == 2
    assert cli("snapshot", "prune", "--keep", "1").code == 2  # it asks, and there is nobody to ask
    assert len(cli("snapshot", "list", "--json").json) == 6
    assert cli("snapshot", "prune", "--keep", "0", "--days", "1", "--yes", "--json").json["changes"] == []
    changes = cli("snapshot", "prune", "--keep", "1", "--yes", "--json").json["changes"]
    assert len([one for one in changes if one["what"] == "snapshot"]) == 2
    assert [one["what"] for one in changes if one["what"] != "snapshot"] == ["state store:1"]
    assert (tmp_path / "data" / "snapshots" / "agent" / "mine.json").exists()
    assert cli("snapshot", "verify", "store:latest").code == 0


def test_a_state_is_put_back_into_the_store_only_while_halted(cli: Cli, kept: State) -> None:
    refused = cli("snapshot", "restore", "store:1", "--yes")
    assert (refused.code, "only while everything is halted" in refused.err) == (4, True)
    cli("halt", "--reason", "a test", "--yes")
    assert cli("snapshot", "restore", "store:1", "--yes").code == 0
    newest = cli("snapshot", "list", "--json").json[0]
    assert (newest["id"], newest["version"]) == ("store:3", "2")
    assert cli("snapshot", "diff", "store:1", "store:3").code == 0


def test_a_state_file_is_not_put_under_a_side_that_acts_and_keeps_owner_and_mode(cli: Cli, tmp_path: Path) -> None:
    file, snapshot = tmp_path / "state.json", tmp_path / "plain.json"
    file.write_text("{}")
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12_345, 12_346)
    before = file.stat()
    snapshot.write_text(plain())
    restore = ("--state-file", str(file), "snapshot", "restore", str(snapshot), "--yes")
    cli("switch", "blue", "--yes")
    assert cli(*restore).code == 4
    assert cli(*restore, "--into", "blue").code == 4
    assert cli(*restore, "--into", "green").code == 0
    assert file.read_text() == snapshot.read_text()
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    file.write_text("{}")
    cli("halt", "--reason", "a test", "--yes")
    assert cli(*restore).code == 0


def test_what_is_older_than_the_last_executed_action_takes_a_reason(cli: Cli, tmp_path: Path, store_url: str) -> None:
    file, snapshot = tmp_path / "state.json", tmp_path / "plain.json"
    file.write_text("{}")
    snapshot.write_text(plain(time.time() - 1))
    cli("switch", "blue", "--yes")
    with AgentController(store_url, slot="blue", version="2", settings=Settings(money=False)) as agent:
        until(lambda: agent.active)
        with agent.action("bet-1", amount=Decimal(5), currency="USD") as act:
            act.settle("won")
    restore = ("--state-file", str(file), "snapshot", "restore", str(snapshot), "--into", "green", "--yes")
    refused = cli(*restore)
    assert (refused.code, "1 actions were executed since" in refused.err) == (4, True)
    assert cli(*restore, "--reconciled", " ").code == 4
    assert cli(*restore, "--reconciled", "bet-1 is in the file").code == 0


def test_a_hostile_state_neither_commands_the_terminal_nor_is_read_for_ever(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "plain.json"
    file.write_text(plain(version="\x1b[2J\u202e\x9b1m", escrow_ids=["[@click=app.quit]x\x9b"]))
    for words in (("show", str(file)), ("verify", str(file)), ("diff", str(file), str(file))):
        result = cli("snapshot", *words)
        assert not {"\x1b", "\x9b", "\u202e"} & {*result.out, *result.err}, words
    os.mkfifo(tmp_path / "pipe.json")
    for path in ("/dev/zero", str(tmp_path / "pipe.json"), str(tmp_path)):
        assert cli("snapshot", "verify", path if "/" in path else f"./{path}").code == 2, path


def test_files_are_listed_although_the_store_is_away_or_damaged_and_the_exit_code_tells(
    cli: Cli, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    cli("snapshot", "take")
    valkey_sync.rpush(StateKeys.of(Keys.of()).states, "x")
    damaged = cli("snapshot", "list", "--json")
    assert (damaged.code, len(damaged.json)) == (4, 1)
    away = cli("snapshot", "list", "--json", url=f"unix://{tmp_path}/none.sock")
    assert (away.code, len(away.json)) == (3, 1)
    assert cli("snapshot", "list", "--json", url=None).code == 0


def test_an_export_writes_over_nothing(cli: Cli, tmp_path: Path) -> None:
    file, live = tmp_path / "plain.json", tmp_path / "live.json"
    file.write_text(plain())
    live.write_text("{}")
    assert cli("snapshot", "export", str(file), "-o", str(live)).code == 4
    assert live.read_text() == "{}"
    assert cli("snapshot", "export", str(file), "-o", str(live), "--force").code == 0


def test_whoever_takes_over_what_was_put_back_hears_what_was_done_since(cli: Cli, kept: State, store_url: str) -> None:
    with AgentController(store_url, slot="blue", version="2", settings=Settings(money=False)) as agent:
        until(lambda: agent.active)
        with agent.action("bet-1", amount=Decimal(5), currency="USD") as act:
            act.settle("won")
    cli("halt", "--reason", "a test", "--yes")
    assert cli("snapshot", "restore", "store:1", "--yes").code == 4
    assert cli("snapshot", "restore", "store:1", "--reconciled", "it is told", "--yes").code == 0
    cli("resume", "green", "--reason", "a test", "--yes")
    with AgentController(store_url, slot="green", version="3", settings=Settings(money=False)) as green:
        until(lambda: green.active)
        taken = green.take_over()
    assert (taken.state.version, {one.key for one in taken.since}) == ("2", {"bet-1"})


MIGRATIONS = """
from console.agent import migration

@migration(1, 2)
def to_2(state):
    state["extra"]["risk"] = state["extra"].pop("limit")
    return state
"""
BACK = """
@migration(2, 1)
def to_1(state):
    state["extra"]["limit"] = state["extra"].pop("risk")
    return state
"""


def test_migrations_are_tried_on_states_and_what_they_lose_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.domain.state import migration

    monkeypatch.setattr(migration, "_registered", {})
    state, module = tmp_path / "state.json", tmp_path / "moves.py"
    state.write_bytes(encode(State(version="1", timestamp=1, extra={"limit": 5})))
    module.write_text(MIGRATIONS)
    lossy = cli("state", "migrate", "--check", str(module), str(state))
    assert lossy.code == 1
    assert "extra.limit is dropped and has no way back" in lossy.out
    monkeypatch.setattr(migration, "_registered", {})
    module.write_text(MIGRATIONS + BACK)
    whole = cli("state", "migrate", "--check", str(module), str(state), "--json", url=None)
    assert whole.code == 0
    assert [step["round_trip"] for step in whole.json] == [True, True]
    module.write_text("import nothing_of_that_name")
    assert cli("state", "migrate", "--check", str(module), str(state)).code == 2
    assert cli("state", "migrate", "--check", str(tmp_path / "none.py"), str(state)).code == 2
