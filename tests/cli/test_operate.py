"""Every verb that changes something, on a real store."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Cli

ACTIVE = "agent:active_version"


def test_a_switch_writes_the_plain_key_and_gives_a_receipt(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.set(ACTIVE, "blue")
    result = cli("switch", "green", "--yes", "--json", "--reason", "upgrade")
    assert result.code == 0
    assert valkey_sync.get(ACTIVE) == b"green"
    receipt = result.json
    assert receipt["changes"] == [{"what": "active version", "before": "blue", "after": "green"}]
    assert receipt["why"] == "upgrade"
    assert receipt["elapsed_ms"] > 0
    assert receipt["who"]


def test_a_switch_on_an_empty_store_is_the_first_word_of_an_operator(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    assert valkey_sync.get(ACTIVE) == b"blue"


def test_a_switch_to_the_active_side_changes_nothing(cli: Cli) -> None:
    cli("switch", "blue", "--yes")
    result = cli("switch", "blue", "--yes", "--json")
    assert result.code == 0
    assert result.json["changes"] == []
    assert "already" in result.json["note"]


def test_a_roll_back_goes_to_the_side_that_was_active_before(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    cli("switch", "green", "--yes")
    assert cli("rollback").code == 0
    assert valkey_sync.get(ACTIVE) == b"blue"


def test_a_halt_is_latched_until_a_resume_with_a_reason(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    assert cli("halt", "--reason", "smoke").code == 0
    assert valkey_sync.get(ACTIVE) == b"halted"
    assert cli("switch", "green", "--yes").code == 4
    assert cli("rollback").code == 4
    assert cli("resume", "green", "--yes").code == 2
    assert valkey_sync.get(ACTIVE) == b"halted"
    assert cli("resume", "green", "--yes", "--reason", "fixed").code == 0
    assert valkey_sync.get(ACTIVE) == b"green"


def test_of_two_operators_who_switch_at_once_one_wins_and_the_other_is_told(
    cli: Cli, store_url: str, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    epoch = str(cli("status", "--json").json["authority"]["epoch"])
    first = cli("--who", "bob", "switch", "green", "--yes", "--expect-epoch", epoch)
    second = cli("switch", "blue", "--yes", "--expect-epoch", epoch, "--json")
    assert (first.code, second.code) == (0, 4)
    assert second.json["error"]["title"] == "Conflict"
    said = second.json["error"]["message"]
    assert re.fullmatch(r"bob moved it meanwhile \(switch, \d\d:\d\d:\d\dZ\): active is green, epoch 2\.", said)


def test_who_wants_what_somebody_else_did_already_is_told_who_and_when(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    epoch = str(cli("status", "--json").json["authority"]["epoch"])
    cli("--who", "bob", "switch", "green", "--yes")
    again = cli("switch", "green", "--yes", "--expect-epoch", epoch, "--json")
    assert (again.code, again.json["changes"]) == (0, [])
    already = r"bob already did it at \d\d:\d\d:\d\dZ "
    assert re.fullmatch(already + r"\(switch\): active is green, epoch 2", again.json["note"])
    cli("--who", "bob", "rollback")
    again = cli("rollback", "--expect-from", "green", "--json")
    assert (again.code, again.json["changes"]) == (0, [])
    assert re.fullmatch(already + r"\(rollback\): active is blue, epoch 3", again.json["note"])


def test_a_second_halt_says_who_halted(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    cli("--who", "bob", "halt", "--yes")
    again = cli("halt", "--yes", "--json")
    assert again.code == 0
    assert re.fullmatch(
        r"as much was stopped already: bob already did it at \d\d:\d\d:\d\dZ \(halt\)", again.json["note"]
    )


def test_a_race_of_real_operators_has_one_winner(store_url: str, home: Path, valkey_sync: redis.Redis) -> None:
    import asyncio

    from console.commands.base import Call
    from console.commands.catalogue import find
    from console.commands.context import Context
    from console.commands.gateway.gateway import Gateway
    from console.store.keys import Keys
    from console.store.server.connect import connect

    switch = find("switch")
    assert switch is not None
    valkey_sync.set(ACTIVE, "blue")
    barrier = threading.Barrier(6)
    outcomes: list[str] = []

    async def operator(name: str) -> str:
        client = await connect(store_url, timeout_s=10)
        gateway = Gateway(client, Keys.of(), url=store_url, registry={}, who=name)
        ctx = Context(gateway, {}, home)
        preview = await switch.preview(ctx, Call({"slot": "green"}))
        await asyncio.to_thread(barrier.wait)
        try:
            receipt = await switch.execute(ctx, Call(preview.arguments or {}))
        finally:
            await gateway.aclose()
        return "won" if receipt.changes else receipt.note.partition(" at ")[0]

    threads = [threading.Thread(target=lambda n=n: outcomes.append(asyncio.run(operator(f"op-{n}")))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("won") == 1
    others = {outcome for outcome in outcomes if outcome != "won"}
    assert len(others) == 1
    assert re.fullmatch(r"op-\d already did it", others.pop())


def test_flags_are_set_read_toggled_and_unset(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("flag", "set", "crash_target", "2.5").code == 0
    assert valkey_sync.get("flag:crash_target") == b"2.5"
    assert cli("flag", "get", "crash_target").out == "2.5\n"
    assert cli("flag", "set", "accept_escrows", "on").code == 0
    assert valkey_sync.get("flag:accept_escrows") == b"True"
    assert cli("flag", "toggle", "accept_escrows").code == 0
    assert valkey_sync.get("flag:accept_escrows") == b"False"
    assert cli("flag", "unset", "accept_escrows").code == 0
    assert valkey_sync.get("flag:accept_escrows") is None
    assert cli("flag", "get", "accept_escrows").code == 1
    assert cli("flag", "unset", "accept_escrows").code == 4


def test_a_flag_that_is_not_set_is_toggled_from_its_registered_default(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("flag", "toggle", "accept_escrows").code == 0
    assert valkey_sync.get("flag:accept_escrows") == b"False"


def test_a_wrong_type_or_a_typo_is_refused_and_nothing_is_written(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("flag", "set", "crash_target", "two").code == 4
    assert cli("flag", "set", "crash_traget", "2").code == 4
    assert valkey_sync.keys("flag:*") == []


def test_a_flag_whose_key_is_a_list_is_shown_and_not_overwritten(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.rpush("flag:game", "dice")
    assert cli("flag", "list", "--json").json["game"]["problem"] == "the key holds a list, not text"
    assert cli("flag", "set", "game", "dice").code == 4
    assert valkey_sync.lrange("flag:game", 0, -1) == [b"dice"]


def test_another_agent_has_keys_of_its_own(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("--agent", "atlas", "switch", "green", "--yes").code == 0
    assert cli("flag", "set", "game", "dice", "--agent", "atlas").code == 0
    assert valkey_sync.get("atlas:active_version") == b"green"
    assert valkey_sync.get("atlas:flag:game") == b"dice"
    assert valkey_sync.get(ACTIVE) is None
    assert cli("audit", "--json").json == []
    assert len(cli("audit", "--json", "--agent", "atlas").json) == 2


def test_undo_takes_back_the_last_reversible_command(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("flag", "set", "crash_target", "2.0")
    cli("flag", "set", "crash_target", "3.0")
    assert cli("undo").code == 0
    assert valkey_sync.get("flag:crash_target") == b"2.0"
    assert cli("undo").code == 0
    assert valkey_sync.get("flag:crash_target") is None
    assert cli("undo").code == 4


def test_undo_is_refused_if_something_changed_since(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("flag", "set", "crash_target", "2.0")
    cli("flag", "set", "crash_target", "3.0")
    valkey_sync.set("flag:crash_target", "9")
    result = cli("undo", "--json")
    assert result.code == 4
    assert result.json["error"]["title"] == "Conflict"
    assert valkey_sync.get("flag:crash_target") == b"9"


def test_undo_of_a_switch_goes_back_unless_it_was_moved_again(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.client_setname("agent-console-test")  # not an agent, so that no switch waits for it
    cli("switch", "blue", "--yes")
    cli("switch", "green", "--yes")
    assert cli("undo").code == 0
    assert valkey_sync.get(ACTIVE) == b"blue"
    cli("switch", "green", "--yes")
    valkey_sync.set(ACTIVE, "blue")
    assert cli("undo").code == 4


def test_every_change_is_in_the_audit_with_who_and_why(cli: Cli) -> None:
    cli("switch", "blue", "--yes", "--who", "ada", "--reason", "first")
    cli("flag", "set", "game", "dice", "--who", "bob")
    cli("snapshot", "take", "--who", "eve")
    entries = cli("audit", "--json").json
    assert [(e["command"], e["who"], e["why"]) for e in entries] == [
        ("switch", "ada", "first"),
        ("flag set", "bob", ""),
        ("snapshot take", "eve", ""),
    ]
    assert entries[1]["changes"] == [{"what": "flag:game", "before": None, "after": "dice"}]


@pytest.mark.parametrize(
    "verb",
    [
        ("switch", "green", "--yes"),
        ("rollback",),
        ("halt",),
        ("flag", "set", "game", "dice"),
        ("flag", "toggle", "accept_escrows"),
        ("undo",),
        ("snapshot", "restore", "latest", "--yes"),
    ],
    ids=lambda verb: " ".join(verb),
)
def test_a_read_only_console_changes_nothing(cli: Cli, valkey_sync: redis.Redis, verb: tuple[str, ...]) -> None:
    cli("switch", "blue", "--yes")
    cli("flag", "set", "accept_escrows", "True")
    assert cli("snapshot", "take").code == 0
    before = {key: valkey_sync.dump(key) for key in sorted(valkey_sync.keys())}
    assert cli(*verb, "--read-only").code == 4
    assert {key: valkey_sync.dump(key) for key in sorted(valkey_sync.keys())} == before


def test_without_a_terminal_a_switch_needs_yes(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.set(ACTIVE, "blue")
    result = cli("switch", "green")
    assert result.code == 2
    assert "--yes" in result.err
    assert valkey_sync.get(ACTIVE) == b"blue"


def test_a_key_written_from_outside_is_named_and_adopted_by_the_next_command(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    valkey_sync.set(ACTIVE, "green")
    assert cli("status", "--json").json["active_key"]["written_from_outside"]
    result = cli("switch", "blue", "--yes", "--json")
    assert result.json["changes"] == [{"what": "active version", "before": "green", "after": "blue"}]
    assert valkey_sync.get(ACTIVE) == b"blue"


def test_who_decided_before_a_key_was_written_from_outside_is_told(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    epoch = str(cli("status", "--json").json["authority"]["epoch"])
    valkey_sync.set(ACTIVE, "green")
    same = cli("switch", "green", "--yes", "--expect-epoch", epoch, "--json")
    assert (same.code, same.json["changes"]) == (0, [])
    assert same.json["note"].startswith("outside already did it at ")
    other = cli("switch", "blue", "--yes", "--expect-epoch", epoch)
    assert (other.code, valkey_sync.get(ACTIVE)) == (4, b"green")
    assert "outside moved it meanwhile (adopted, " in other.err


def test_a_key_written_from_outside_that_names_no_slot_halts(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    valkey_sync.set(ACTIVE, "purple")
    assert cli("switch", "green", "--yes").code == 4
    assert valkey_sync.get(ACTIVE) == b"halted"


@pytest.mark.parametrize("value", ["purple", "", "\x1b[31m", "BLUE"])
def test_an_unknown_colour_is_shown_as_what_it_is(cli: Cli, valkey_sync: redis.Redis, value: str) -> None:
    valkey_sync.set(ACTIVE, value)
    document = cli("status", "--json").json
    assert document["active_key"]["state"] == "unknown"
    assert document["active"] not in ("blue", "green")
    assert "\x1b" not in cli("status").out


def test_an_active_key_of_another_type_is_shown_and_replaced_by_a_switch(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(ACTIVE, "a", "b")
    assert cli("status", "--json").json["active_key"]["state"] == "wrong type"
    assert cli("switch", "blue", "--yes").code == 0
    assert valkey_sync.get(ACTIVE) == b"blue"


def test_what_changed_without_a_command_stands_beside_the_receipts(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    valkey_sync.set(ACTIVE, "green")
    cli("rollback")
    entries = cli("audit", "--json").json
    assert [(e["command"], e["who"]) for e in entries][1] == ("adopted", "outside")
    assert [e["command"] for e in entries] == ["switch", "adopted", "rollback"]
    assert entries[1]["changes"] == [{"what": "active version", "before": "blue", "after": "green"}]


def test_a_switch_waits_for_plain_agents_and_names_who_read_that_it_is_not_their_turn(
    cli: Cli, store_url: str, valkey_sync: redis.Redis, home: Path
) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text("[switch]\npoll_ms = 50\ndeadline_ms = 20000\n")
    cli("switch", "blue", "--yes")
    stop = threading.Event()

    def plain_agent() -> None:
        with redis.Redis.from_url(store_url, client_name="plain-blue") as store:
            while not stop.wait(0.02):
                store.get(ACTIVE)

    agent = threading.Thread(target=plain_agent)
    agent.start()
    try:
        while not any(c["name"] == "plain-blue" and c["cmd"] == "get" for c in valkey_sync.client_list()):
            pass
        receipt = cli("switch", "green", "--yes", "--json").json
    finally:
        stop.set()
        agent.join()
    assert receipt["acknowledged"] == ["plain-blue"]
    assert receipt["expected_acks"] == ["plain-blue"]
    assert valkey_sync.get(ACTIVE) == b"green"
    assert [e["command"] for e in cli("audit", "--json").json] == ["switch", "switch"], "one row an act"


def test_a_plain_agent_that_never_reads_again_blocks_until_the_deadline_and_is_named(
    cli: Cli, store_url: str, valkey_sync: redis.Redis, home: Path
) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text("[switch]\npoll_ms = 10\ndeadline_ms = 200\n")
    cli("switch", "blue", "--yes")
    with redis.Redis.from_url(store_url, client_name="stuck") as store:
        store.get(ACTIVE)
        result = cli("switch", "green", "--yes")
    assert result.code == 0
    assert "waiting for stuck" in result.out
    assert valkey_sync.get(ACTIVE) == b"green"


def test_a_switch_can_be_told_not_to_wait(cli: Cli, store_url: str, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    with redis.Redis.from_url(store_url, client_name="stuck") as store:
        store.get(ACTIVE)
        receipt = cli("switch", "green", "--yes", "--now", "--json").json
    assert receipt["expected_acks"] == []
    assert valkey_sync.get(ACTIVE) == b"green"
