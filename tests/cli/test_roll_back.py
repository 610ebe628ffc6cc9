"""Roll back never moves forward, and takes a running canary back with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from console.store.keys import Keys
from console.store.records.canary import read
from tests.cli.conftest import Cli
from tests.cli.test_canary import PLAN

ACTIVE = "agent:active_version"


def active(valkey: redis.Redis) -> str:
    value = valkey.get(ACTIVE)
    assert isinstance(value, bytes)
    return value.decode()


def canary_state(valkey: redis.Redis) -> str:
    reading = read(valkey, Keys.of()).reading
    return reading.run.state.value if reading else "none"


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return str(path)


def both(cli: Cli) -> None:
    for slot in ("blue", "green"):
        assert cli("switch", slot, "--yes", "--now").code == 0


def test_where_no_side_was_active_before_a_roll_back_is_refused(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes", "--who", "ann")
    refused = cli("rollback")
    assert refused.code == 4
    assert "No side was active before blue" in refused.err
    assert "ann" in refused.err
    assert "`halt`" in refused.err
    assert active(valkey_sync) == "blue"


def test_a_key_set_by_hand_has_no_side_before_it(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.set(ACTIVE, "green")
    assert cli("rollback").code == 4
    assert active(valkey_sync) == "green"


def test_after_a_roll_back_another_is_refused_with_who_did_it_and_when(cli: Cli, valkey_sync: redis.Redis) -> None:
    both(cli)
    assert cli("rollback", "--who", "ann", "--reason", "PnL falls").code == 0
    refused = cli("rollback", "--who", "bob")
    assert refused.code == 4
    for words in ("blue has been active since", "a roll back by ann: PnL falls", "`switch green` moves forward"):
        assert words in refused.err
    assert active(valkey_sync) == "blue"


def test_a_halt_and_a_resume_between_make_no_earlier_side_of_one_that_was_rolled_back_from(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    both(cli)
    cli("rollback")
    cli("halt")
    cli("resume", "blue", "--yes", "--reason", "go on")
    assert cli("rollback").code == 4
    assert active(valkey_sync) == "blue"


def test_after_the_undoing_of_a_switch_a_roll_back_is_refused(cli: Cli, valkey_sync: redis.Redis) -> None:
    both(cli)
    assert cli("undo").code == 0
    assert active(valkey_sync) == "blue"
    assert cli("rollback").code == 4
    assert active(valkey_sync) == "blue"


def test_who_switched_forward_again_can_roll_back_again(cli: Cli, valkey_sync: redis.Redis) -> None:
    both(cli)
    cli("rollback")
    cli("switch", "green", "--yes", "--now")
    assert cli("rollback").code == 0
    assert active(valkey_sync) == "blue"


def test_of_two_who_roll_back_at_once_none_moves_forward(
    store_url: str, home: Path, cli: Cli, valkey_sync: redis.Redis
) -> None:
    both(cli)
    program = "import sys; from console.cli.main import run; sys.exit(run(sys.argv[1:]))"
    at_once = [
        subprocess.Popen(
            [sys.executable, "-c", program, "--url", store_url, "--who", who, "rollback", "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for who in ("ann", "bob")
    ]
    # Who looked before the other's roll back finds the wish fulfilled (0), who looked after it is refused (4).
    assert sorted(process.wait(60) for process in at_once) in ([0, 0], [0, 4])
    assert active(valkey_sync) == "blue"
    switches = [event for _, event in valkey_sync.xrange(Keys.of().log) if event[b"k"] == b"switched"]
    assert [event[b"act"] for event in switches] == [b"blue", b"green", b"blue"]


def test_a_canary_on_the_other_side_is_what_is_taken_back(cli: Cli, valkey_sync: redis.Redis, plan: str) -> None:
    cli("switch", "blue", "--yes")
    assert cli("canary", "start", plan, "--run", "r1", "--yes", "--reason", "2.5").code == 0
    result = cli("rollback", "--json")
    assert result.code == 0
    assert [change["what"] for change in result.json["changes"]] == ["canary r1"]
    assert (active(valkey_sync), canary_state(valkey_sync)) == ("blue", "ABORTED")
    assert cli("rollback").code == 4


def test_a_canary_that_was_switched_to_is_aborted_with_the_roll_back(
    cli: Cli, valkey_sync: redis.Redis, plan: str
) -> None:
    cli("switch", "blue", "--yes")
    assert cli("canary", "start", plan, "--run", "r1", "--yes", "--reason", "2.5").code == 0
    assert cli("switch", "green", "--yes", "--now").code == 4
    over = ("--override", "in the middle of it", "--confirm", "agent")
    assert cli("switch", "green", "--yes", "--now", *over).code == 0
    result = cli("rollback", "--json")
    assert result.code == 0
    assert [change["what"] for change in result.json["changes"]] == ["active version", "canary r1"]
    assert (active(valkey_sync), canary_state(valkey_sync)) == ("blue", "ABORTED")


def test_a_freeze_meanwhile_does_not_refuse_the_roll_back_of_who_saw_the_same_side(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    both(cli)
    assert cli("halt", "--level", "no-new-entries").code == 0
    assert cli("rollback", "--expect-from", "green").code == 0
    assert active(valkey_sync) == "blue"


def test_who_saw_another_side_rolls_nothing_back(cli: Cli, valkey_sync: redis.Redis, plan: str) -> None:
    both(cli)
    assert cli("rollback", "--expect-from", "blue").code == 4
    assert cli("rollback", "--expect-from", "canary:r1").code == 4
    assert active(valkey_sync) == "green"
