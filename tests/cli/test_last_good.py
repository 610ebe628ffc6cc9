"""Roll back leads to a side that is reconciled and can read the state, and says what stays done; else it freezes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from console.agent import AgentController, Commitment, Kind, Settings, State
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.claims import Intent
from console.store.keys import Keys, StateKeys
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.cli.test_canary import PLAN
from tests.cli.test_gates import closed, configure
from tests.waiting import until

ACTIVE = "agent:active_version"
OVER = ("--override", "it is meant", "--confirm", "agent")


def act(store: redis.Redis, slot: str, outcome: Outcome = Outcome.OK) -> str:
    """An action of a side, and how it ended; its key."""
    fence = Fence(store, Keys.of())
    authority = fence.authority()
    assert authority is not None
    key = uuid.uuid4().hex
    intent = Intent(
        key, f"c-{key}", slot, authority.epoch, f"{slot}-x", Decimal(5), "USD", Direction.ENTER, "buy", 60_000,
        authority.epoch,
    )  # fmt: skip
    assert fence.claim(intent).granted
    fence.settle(intent, outcome)
    return key


def level(store: redis.Redis) -> bytes | None:
    value = store.hget(Keys.of().ctl, "lvl")
    assert value is None or isinstance(value, bytes)
    return value


def test_a_roll_back_says_what_stays_done_and_what_goes_along(cli: Cli, two: Two, valkey_sync: redis.Redis) -> None:
    two.blue.commitments.put(Commitment("esc_0", Kind.ESCROW, Decimal(12), "USD"))
    act(valkey_sync, "blue")
    two.to_green()
    for _ in range(3):
        act(valkey_sync, "green")
    two.green.commitments.put(Commitment("esc_1", Kind.ESCROW, Decimal(12), "USD"))
    stays = "3 actions, 1 escrow stay done; 2 commitments go to blue"
    assert stays in cli("rollback", "--json").json["note"]
    until(lambda: two.blue.active, "blue to be active")


def test_a_side_that_left_a_doubt_of_its_own_is_not_rolled_back_to_and_new_risk_is_frozen(
    cli: Cli, two: Two, valkey_sync: redis.Redis
) -> None:
    key = act(valkey_sync, "blue", Outcome.UNKNOWN)
    two.to_green()
    frozen = cli("rollback", "--json")
    assert frozen.code == 0
    assert frozen.json["changes"] == [{"what": "allowed", "before": "everything", "after": "no new entries"}]
    assert f"blue left 1 action in doubt: {key}" in frozen.json["note"]
    assert (valkey_sync.get(ACTIVE), level(valkey_sync)) == (b"green", b"1")
    assert cli("switch", "blue", "--yes", *OVER).code == 0, "who insists goes there"
    until(lambda: two.blue.active, "blue to be active")


def test_a_doubt_of_the_side_that_is_left_is_no_obstacle(cli: Cli, two: Two, valkey_sync: redis.Redis) -> None:
    two.to_green()
    act(valkey_sync, "green", Outcome.UNKNOWN)
    assert cli("rollback").code == 0
    until(lambda: two.blue.active, "blue to be active")


@pytest.fixture
def newer(store_url: str, cli: Cli) -> Iterator[tuple[AgentController, AgentController]]:
    """A blue side that reads schema 1, and an active green one that keeps its state in schema 2."""
    blue = AgentController(store_url, slot="blue", version="2.4.0", settings=Settings(money=False, schema=1))
    green = AgentController(store_url, slot="green", version="2.5.0", settings=Settings(money=False, schema=2))
    with blue, green:
        assert cli("switch", "blue", "--yes").code == 0
        assert cli("switch", "green", "--yes", *OVER).code == 0
        until(lambda: green.active, "green to be active")
        green.keep(State(version="2.5.0", schema=2))
        until(lambda: green.kept is not None or green.state_error, "the state to be kept")
        assert not green.state_error
        yield blue, green


def test_a_state_in_a_schema_that_the_earlier_side_does_not_read_freezes_instead_of_rolling_back(
    cli: Cli, newer: tuple[AgentController, AgentController], valkey_sync: redis.Redis
) -> None:
    newer[1].stop()  # its heartbeat is gone, what it kept is not
    frozen = cli("rollback", "--json")
    assert frozen.code == 0
    assert "the state 1 has schema 2, and blue reads schema 1" in frozen.json["note"]
    assert (valkey_sync.get(ACTIVE), level(valkey_sync)) == (b"green", b"1")


@pytest.mark.parametrize("spoil", ["owed", "states", "type"])
def test_a_roll_back_passes_where_nobody_can_tell_what_stays_done_and_says_so(
    cli: Cli, two: Two, valkey_sync: redis.Redis, spoil: str
) -> None:
    two.to_green()
    where = StateKeys.of(Keys.of()).states
    if spoil == "owed":
        valkey_sync.hset(Keys.of().owed, "esc_x", "torn")
    elif spoil == "states":
        valkey_sync.hset(where, mapping={"n": "1", "s:1": "torn"})
    else:
        valkey_sync.set(where, "text")
    result = cli("rollback", "--json")
    assert result.code == 0
    assert "what stays done is unknown" in result.json["note"]
    assert valkey_sync.get(ACTIVE) != b"green"


def test_a_paused_canary_resumes_through_the_gates(cli: Cli, home: Path, valkey_sync: redis.Redis) -> None:
    (home / "plan.toml").write_text(PLAN)
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("canary", "start", str(home / "plan.toml"), "--run", "r1", "--yes", "--reason", "2.5.0").code == 0
    configure(home, '[volatility]\nkey = "vol"\n')
    assert cli("canary", "pause").code == 0, "reducing is never gated"
    assert "missing" in closed(cli("canary", "resume", "--yes", "--json"))["volatility"]
    assert cli("canary", "resume", "--yes", *OVER).code == 0
    assert "OVERRIDE of volatility" in cli("audit", "--json").json[-1]["why"]
