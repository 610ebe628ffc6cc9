"""Roll back leads to a side that is reconciled and can read the state, and says what stays done; else it freezes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from console.agent import AgentController, Commitment, Kind, Settings, State
from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.rollback import Rollback
from console.commands.gateway.gateway import Gateway
from console.commands.operator import LiveOperator
from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Slot
from console.domain.operator.command import Preview
from console.domain.upgrade.run import UpgradePlan, UpgradeRun
from console.guard.act.actor import Actor, Done
from console.guard.keep.charge import Charge
from console.guard.keep.state import GuardState
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.claims import Intent
from console.store.keys import Keys, StateKeys
from console.store.records.upgrades import put
from console.store.server.connect import connect
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.cli.test_canary import PLAN
from tests.cli.test_gates import closed, configure
from tests.guard.well import well
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


def seen_well(url: str, side: str, *runs: tuple[str, str]) -> None:
    """Somebody saw that a side is healthy and reconciled."""

    async def record() -> None:
        client = await connect(url, name="guard")
        await well(client, Keys.of(), side, *runs)
        await client.aclose()

    asyncio.run(record())


def test_a_roll_back_says_since_when_the_side_was_healthy_and_reconciled(cli: Cli, two: Two, store_url: str) -> None:
    seen_well(store_url, "blue", ("2.4.0", ""))
    two.to_green()
    assert "blue was healthy and reconciled as 2.4.0 from 20" in cli("rollback", "--json").json["note"]
    until(lambda: two.blue.active, "blue to be active")


def test_where_nobody_ever_records_it_a_roll_back_goes_on_and_says_that_it_is_not_checked(cli: Cli, two: Two) -> None:
    two.to_green()
    assert "is not checked: nobody recorded it" in cli("rollback", "--json").json["note"]
    until(lambda: two.blue.active, "blue to be active")


@pytest.mark.parametrize("verb", ["rollback", "undo"])
@pytest.mark.parametrize("version", ["", "2.3.0"])
def test_a_side_that_no_record_speaks_for_takes_a_typed_override_and_is_frozen_without(
    cli: Cli, two: Two, store_url: str, valkey_sync: redis.Redis, version: str, verb: str
) -> None:
    seen_well(store_url, *(("blue", (version, "")) if version else ("green", ("2.5.0", ""))))  # type: ignore[arg-type]
    two.to_green()
    refused = cli(verb, "--override", "it is meant", "--confirm", "atlas")
    assert refused.code == 4 and "the agent's name, typed" in refused.err
    assert (valkey_sync.get(ACTIVE), level(valkey_sync)) == (b"green", b"0"), "what is mistyped changes nothing"
    frozen = cli(verb, "--json")
    assert frozen.code == 0
    told = "blue runs 2.4.0; healthy and reconciled was 2.3.0" if version else "no record says that blue was ever"
    assert f"frozen instead: {told}" in frozen.json["note"] and "--override" in frozen.json["note"]
    assert (valkey_sync.get(ACTIVE), level(valkey_sync)) == (b"green", b"1")
    if verb == "rollback":  # a freeze is a change since: nothing is undone over it
        assert cli(verb, *OVER).code == 0
        until(lambda: two.blue.active, "blue to be active")
        assert "OVERRIDE of last-good: it is meant" in cli("audit", "--json").json[-1]["why"]


def test_in_the_console_a_side_that_no_record_speaks_for_takes_the_agents_name(
    two: Two, store_url: str, tmp_path: Path
) -> None:
    seen_well(store_url, "green", ("2.5.0", ""))
    two.to_green()

    async def asked() -> Preview:
        gateway = Gateway(
            await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="a"
        )
        preview = await Rollback().preview(Context(gateway, {}, tmp_path), Call({}))
        await gateway.aclose()
        return preview

    preview = asyncio.run(asked())
    assert (preview.typed_name, preview.overrides) == ("agent", True)
    assert preview.warnings[0] == "no record says that blue was ever healthy and reconciled"
    assert [(way.command, way.args["level"]) for way in preview.ways] == [("halt", "no-new-entries")]


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


async def by_guard(url: str) -> None:
    """What a guard does about proven harm of whoever acts."""
    client = await connect(url, name="guard")
    fence, state = AsyncFence(client, Keys.of()), GuardState(client, Keys.of())
    await well(client, Keys.of(), "blue", ("2.4.0", ""))
    control = await state.control()
    assert control.tenure is not None
    charge = Charge("g1", fence, state, lambda _event, **_fields: None)
    actor = Actor(charge, window_s=lambda: 3600.0, alive=lambda _slot: "")
    assert (await actor.roll_back(control.tenure, control.epoch, "exception: boom")).done is not Done.ROLLED_BACK
    await client.aclose()


async def by_key(url: str, folder: Path) -> None:
    """`R`, answered with y."""
    gateway = Gateway(await connect(url, name="agent-console"), Keys.of(), url=url, registry={}, who="ada")

    async def opened() -> Context:
        return Context(gateway, {}, folder)

    async def kept_open(_ctx: Context) -> None:
        return None

    operator = LiveOperator(opened, kept_open)
    preview = await operator.preview("rollback", {})
    assert preview.title.startswith("Freeze new risk?")
    await operator.execute("rollback", preview.arguments or {})
    await gateway.aclose()


def by_abort(cli: Cli, store: redis.Redis) -> None:
    """The abort of a run that has switched."""
    fence = Fence(store, Keys.of())
    authority = fence.authority()
    assert authority is not None
    now = datetime.now(UTC)
    run = UpgradeRun(
        "run1", "agent", Slot.BLUE, Slot.GREEN, "2.4.0", "2.5.0", UpgradePlan(), "ada", now, authority.epoch,
        switched_at=now,
    )  # fmt: skip
    fence.call(put(Keys.of(), run, 0, by="ada", before="", after="", audit=None))
    aborted = cli("upgrade", "abort", "--reason", "it is wrong", "--json")
    assert aborted.code == 0, aborted.err
    assert cli("upgrade", "show", "--json").json["run"]["safe_state"] == "GREEN acts, new risk is frozen"


@pytest.mark.parametrize("way", ["verb", "undo", "abort", "key", "guard", "trip-wire"])
def test_after_an_irreversible_migration_every_way_back_freezes_instead(
    cli: Cli,
    newer: tuple[AgentController, AgentController],
    valkey_sync: redis.Redis,
    store_url: str,
    tmp_path: Path,
    way: str,
) -> None:
    if way == "abort":
        by_abort(cli, valkey_sync)
    elif way == "guard":
        asyncio.run(by_guard(store_url))
    elif way == "key":
        asyncio.run(by_key(store_url, tmp_path))
    elif way == "trip-wire":
        newer[1].trip("boom")
    else:
        assert cli("rollback" if way == "verb" else "undo").code == 0
    assert valkey_sync.get(ACTIVE) == (b"halted" if way == "trip-wire" else b"green")
    assert level(valkey_sync) == (b"3" if way == "trip-wire" else b"1")
    told = "blue does not read state schema 2" if way == "trip-wire" else "schema 2, and blue reads schema 1"
    assert any(told.encode() in fields.get(b"why", b"") for _id, fields in valkey_sync.xrange(Keys.of().log))


def test_a_freeze_that_was_there_instead_of_a_roll_back_is_nothing_to_undo(
    cli: Cli, newer: tuple[AgentController, AgentController], valkey_sync: redis.Redis
) -> None:
    assert cli("undo").code == 0
    assert cli("rollback").code == 0
    again = cli("undo", "--json")
    assert again.code == 4 or "frozen instead" in again.json["note"]
    assert valkey_sync.get(ACTIVE) == b"green"


@pytest.mark.parametrize("spoil", ["owed", "states", "number", "type"])
def test_a_roll_back_passes_where_nobody_can_tell_what_stays_done_and_says_so(
    cli: Cli, two: Two, valkey_sync: redis.Redis, spoil: str
) -> None:
    two.to_green()
    where = StateKeys.of(Keys.of()).states
    if spoil == "owed":
        valkey_sync.hset(Keys.of().owed, "esc_x", "torn")
    elif spoil == "states":
        valkey_sync.hset(where, mapping={"n": "1", "s:1": "torn"})
    elif spoil == "number":
        valkey_sync.hset(where, "n", "x")
    else:
        valkey_sync.set(where, "text")
    result = cli("rollback", "--json")
    if spoil == "owed" and result.code == 4:  # an agent found the damage first, and halted: nobody acts
        assert valkey_sync.get(ACTIVE) == b"halted"
        return
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
