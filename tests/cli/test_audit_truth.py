"""The audit tells what happened: one row an act, and what it was before and after is what the store said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import redis

from console.domain.fence.claims import Direction
from console.domain.fence.intent import Aim
from console.store.fence.aio import AsyncFence
from console.store.fence.claims import Intent
from console.store.keys import Keys
from console.store.records.guards import restrain
from console.store.server.connect import connect
from tests.cli.conftest import Cli

KEYS = Keys.of()
LEVELS = {0: "everything", 1: "no new entries", 2: "reduce only", 3: "nothing"}


class Verb(NamedTuple):
    """A changing verb.

    Args:
        words: the command line.
        before: command lines that lead to it.
        thing: what it changes.
    """

    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    thing: str


BLUE = ("switch", "blue", "--yes")
GREEN = ("switch", "green", "--yes")
FREEZE = ("halt", "--level", "no-new-entries", "--reason", "drift", "--who", "bob")

VERBS = {
    "switch, the first": Verb(BLUE, (), "active version"),
    "switch": Verb(GREEN, (BLUE,), "active version"),
    "switch of a hand-written key": Verb(GREEN, (("flag", "set", "x", "1", "--yes"),), "active version"),
    "roll back": Verb(("rollback", "--yes"), (BLUE, GREEN), "active version"),
    "halt": Verb(("halt",), (BLUE,), "active version"),
    "halt on nothing": Verb(("halt",), (), "active version"),
    "freeze": Verb(FREEZE, (BLUE,), "allowed"),
    "freeze further": Verb(("halt", "--level", "reduce-only"), (BLUE, FREEZE), "allowed"),
    "lift": Verb(("resume", "--yes", "--reason", "seen"), (BLUE, FREEZE), "allowed"),
    "resume": Verb(("resume", "green", "--yes", "--reason", "seen"), (BLUE, ("halt",)), "active version"),
    "undo": Verb(("undo", "--yes"), (BLUE, GREEN), "active version"),
    "flag set": Verb(("flag", "set", "game", "dice", "--yes"), (), "flag:game"),
    "flag set again": Verb(
        ("flag", "set", "game", "crash", "--yes"), (("flag", "set", "game", "dice", "--yes"),), "flag:game"
    ),
    "flag unset": Verb(("flag", "unset", "game", "--yes"), (("flag", "set", "game", "dice", "--yes"),), "flag:game"),
    "flag toggle": Verb(("flag", "toggle", "on", "--yes"), (("flag", "set", "on", "true", "--yes"),), "flag:on"),
    "guard set": Verb(("guard", "set", "pnl.sigmas=4", "--yes"), (), "trigger pnl.sigmas"),
}


def stands(store: redis.Redis, thing: str) -> str | None:
    """What the store says of a thing."""
    value: Any
    if thing == "allowed":
        return LEVELS[int(store.hget(KEYS.ctl, "lvl") or 0)]  # type: ignore[arg-type]
    if thing == "active version":
        value = store.get("agent:active_version")
    elif thing.startswith("trigger "):
        value = store.hget("ac:{agent}:guard:triggers", thing.removeprefix("trigger "))
        value = (
            value
            if value is not None
            else next((store.hget(key, thing.removeprefix("trigger ")) for key in store.keys("*triggers")), None)
        )
    else:
        value = store.get(f"agent:{thing}")
        value = value if value is not None else next((store.get(key) for key in store.keys(f"*{thing}")), None)
    return None if value is None else value.decode()


def rows(cli: Cli) -> list[dict[str, Any]]:
    """What the audit shows, oldest first."""
    result = cli("audit", "--json")
    assert result.code == 0, result.err
    shown: list[dict[str, Any]] = result.json
    return shown


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_a_verb_is_one_row_that_says_what_the_store_said_before_and_after(
    cli: Cli, valkey_sync: redis.Redis, verb: Verb
) -> None:
    for words in verb.before:
        assert cli(*words).code == 0, words
    before, seen = stands(valkey_sync, verb.thing), {row["stream_id"] for row in rows(cli)}
    result = cli(*verb.words)
    assert result.code == 0, result.err
    new = [row for row in rows(cli) if row["stream_id"] not in seen]
    assert [row["changes"] for row in new] == [
        [{"what": verb.thing, "before": before, "after": stands(valkey_sync, verb.thing)}]
    ]


def test_a_lift_names_what_it_lifted_on_which_side_and_who_had_frozen_it_when(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    for words in (BLUE, FREEZE, ("resume", "--yes", "--reason", "seen")):
        assert cli(*words).code == 0
    frozen, lifted = rows(cli)[-2:]
    when = frozen["at"][:19].replace("T", " ")
    assert lifted["note"] == f"lifts no new entries on blue, by bob at {when}Z"


def test_what_was_done_in_a_time_and_by_whom_is_asked_for(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("switch", "blue", "--yes", "--who", "ann@ops").code == 0
    assert cli("flag", "set", "game", "dice", "--yes", "--who", "bob@ops").code == 0
    every = rows(cli)
    told = [(one["command"], one["who"]) for one in every]
    assert told == [("switch", "ann@ops"), ("flag set", "bob@ops")]
    assert cli("audit", "--json", "--who", "BOB").json == every[1:]
    assert cli("audit", "--json", "--since", every[1]["at"]).json == every[1:]
    assert cli("audit", "--json", "--until", every[1]["at"]).json == every[:1]
    assert cli("audit", "--json", "--since", "1h", "--last", "1").json == every[1:]
    assert cli("audit", "--json", "--until", "1h").json == []
    assert cli("audit", "--since", "never").code == 2


def guard(store_url: str, act: Callable[[AsyncFence], Any]) -> None:
    async def run() -> None:
        client = await connect(store_url, name="test")
        try:
            await act(AsyncFence(client, KEYS))
        finally:
            await client.aclose()

    asyncio.run(run())


def test_a_guards_freeze_says_what_is_allowed_and_moves_nobody(
    cli: Cli, valkey_sync: redis.Redis, store_url: str
) -> None:
    cli(*GREEN)
    cli(*BLUE)
    epoch = int(valkey_sync.hget(KEYS.ctl, "ep") or 0)  # type: ignore[arg-type]
    call = restrain(KEYS, epoch=epoch, slot="blue", level=1, by="guard g", why="pnl: x", aim=Aim.FREEZE, trigger="pnl")
    guard(store_url, lambda fence: fence.call(call))
    row = rows(cli)[-1]
    assert row["changes"] == [{"what": "allowed", "before": "everything", "after": "no new entries"}]
    assert (row["trigger"], row["source"]) == ("pnl", "guard")


def test_a_key_written_by_hand_and_put_back_says_what_was_written(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli(*BLUE)
    cli("halt")
    valkey_sync.set("agent:active_version", "green")
    assert cli("status", "--repair").code in (0, 1)
    row = rows(cli)[-1]
    assert (row["command"], row["changes"]) == (
        "reasserted",
        [{"what": "active version", "before": "green", "after": "halted"}],
    )


def test_a_switch_that_drains_is_one_row_from_its_beginning_to_its_end(
    cli: Cli, valkey_sync: redis.Redis, store_url: str
) -> None:
    cli(*BLUE)
    epoch = int(valkey_sync.hget(KEYS.ctl, "ep") or 0)  # type: ignore[arg-type]
    wanted = Intent("k", "claim", "blue", epoch, "blue-1", Decimal(1), "USD", Direction.ENTER, "", 300, epoch)
    guard(store_url, lambda fence: fence.claim(wanted))
    seen = {row["stream_id"] for row in rows(cli)}
    assert cli(*GREEN).code == 0
    new = [row for row in rows(cli) if row["stream_id"] not in seen]
    assert [row["changes"] for row in new] == [[{"what": "active version", "before": "blue", "after": "green"}]]
    assert new[0]["note"].startswith("drained")
    assert valkey_sync.get("agent:active_version") == b"green"
