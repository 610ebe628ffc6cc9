"""In the console a closed gate is overridden by typing the agent's name and a reason, and in no other way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import redis
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.switch import Switch
from console.commands.gateway.gateway import Gateway
from console.domain.errors import GatesClosed
from console.domain.gates.rules import GateRules
from console.domain.operator.command import GateLine, Preview
from console.screens.frame.ui_settings import UiSettings
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.cli.test_gates import beat
from tests.scenarios import NOW, observation
from tests.screens.doubles import WIDE, RecordingOperator, ScriptedSource

GATES = (
    GateLine("heartbeats", False, "green is dead: its newest heartbeat is 98 s off, 1 known"),
    GateLine("doubts", True, "none in doubt"),
    GateLine("volatility", False, "no source is configured", "not checked"),
)


class Shut(RecordingOperator):
    """Its previews say that a gate is closed."""

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        seen = await super().preview(name, args)
        return seen._replace(gates=GATES, typed_name="atlas", overrides=True)


def shut_console() -> tuple[ConsoleApp, Shut]:
    operator = Shut()
    return ConsoleApp(ScriptedSource(observation("fenced")), operator, UiSettings(), clock=lambda: NOW), operator


async def typed(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*text, "enter")
    await pilot.pause(0.05)


async def test_a_closed_gate_takes_the_typed_name_and_a_reason() -> None:
    app, operator = shut_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause(0.1)
        await typed(pilot, "atlas")
        assert operator.done == []
        await typed(pilot, "phoned")
        await pilot.pause(0.1)
    (name, args, reason), *more = operator.done
    assert (name, args["override"], args["confirm"], reason, more) == ("switch", "phoned", "atlas", "phoned", [])


@pytest.mark.parametrize("keys", ["y", "atlaX", ""])
async def test_nothing_else_overrides_it(keys: str) -> None:
    app, operator = shut_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause(0.1)
        await pilot.press(*keys, "enter", "enter", "escape")
        await pilot.pause(0.1)
    assert operator.done == []


async def test_an_override_is_of_the_gates_that_were_closed_when_somebody_looked(
    store_url: str, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    client = await connect(store_url, name="agent-console")
    gateway = Gateway(client, Keys.of(), url=store_url, registry={}, who="ada")
    ctx = Context(gateway, {}, tmp_path)
    await Switch().execute(ctx, Call({"slot": "blue"}))
    beat(valkey_sync, "green", 98)
    preview = await Switch().preview(ctx, Call({"slot": "green"}))
    assert preview.overrides
    assert preview.typed_name == "agent"
    assert (preview.gates[0].name, preview.gates[0].open) == ("heartbeats", False)
    args = {**(preview.arguments or {}), "override": "phoned", "confirm": "agent"}
    stricter = Context(gateway, {}, tmp_path, rules=GateRules(require=frozenset({"guard"})))
    with pytest.raises(GatesClosed, match="Since you looked, guard closed too"):
        await Switch().execute(stricter, Call(args))
    assert (await Switch().execute(ctx, Call(args))).changes
    await gateway.aclose()
