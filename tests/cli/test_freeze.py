"""A freeze has a way out of its own: no halt, no downtime; gated, with a reason."""

from __future__ import annotations

import pytest
import redis

from console.store.keys import Keys
from tests.cli.conftest import Cli

ACTIVE = "agent:active_version"


@pytest.fixture
def frozen(cli: Cli, valkey_sync: redis.Redis) -> redis.Redis:
    cli("switch", "blue", "--yes")
    assert cli("halt", "--level", "no-new-entries", "--reason", "drift", "--who", "guard").code == 0
    return valkey_sync


def level(store: redis.Redis) -> bytes | None:
    value = store.hget(Keys.of().ctl, "lvl")
    assert value is None or isinstance(value, bytes)
    return value


@pytest.mark.parametrize("words", [(), ("blue",)], ids=["no slot", "the active slot"])
def test_resume_lifts_a_freeze_and_moves_nobody(cli: Cli, frozen: redis.Redis, words: tuple[str, ...]) -> None:
    result = cli("resume", *words, "--yes", "--reason", "looked into", "--json")
    assert result.code == 0
    assert result.json["changes"] == [{"what": "allowed", "before": "no new entries", "after": "everything"}]
    assert level(frozen) == b"0"
    assert frozen.get(ACTIVE) == b"blue"


def test_lifting_a_freeze_takes_a_reason_and_a_yes(cli: Cli, frozen: redis.Redis) -> None:
    assert cli("resume", "--yes").code == 2
    asked = cli("resume", "--reason", "looked into")
    assert asked.code == 2
    for words in ("Lift the freeze?", "by guard: drift"):
        assert words in asked.err
    assert level(frozen) == b"1"


def test_lifting_a_freeze_never_moves_the_active_side(cli: Cli, frozen: redis.Redis) -> None:
    refused = cli("resume", "green", "--yes", "--reason", "x")
    assert refused.code == 4
    assert "`resume blue`" in refused.err
    assert frozen.get(ACTIVE) == b"blue"


def test_where_nothing_is_halted_or_frozen_there_is_nothing_to_resume(cli: Cli) -> None:
    cli("switch", "blue", "--yes")
    assert cli("resume", "--yes", "--reason", "x").code == 4


def test_a_halt_still_takes_the_side_that_acts_from_now_on(cli: Cli, frozen: redis.Redis) -> None:
    cli("halt")
    assert cli("resume", "--yes", "--reason", "x").code == 2
    assert cli("resume", "blue", "--yes", "--reason", "x").code == 0


def test_the_hint_names_what_works(cli: Cli, frozen: redis.Redis) -> None:
    assert ":resume lifts it" in cli("status").out
