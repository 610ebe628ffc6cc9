"""A protected profile starts locked: one looks, and types its name before anything is touched."""

from __future__ import annotations

import pytest
import redis.asyncio

from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.commands.operator import LiveOperator
from console.domain.errors import ReadOnly, Refused
from console.domain.seen.observation import Observation
from console.live.source import Identity, LiveSource, OpenReader
from console.screens.parts.dialogs import ConfirmScreen
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of, status_of

BOTH_SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


@BOTH_SIZES
async def test_the_header_says_that_it_is_locked(size: tuple[int, int]) -> None:
    app = console("protected", protected=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "RW:locked" in drawn(app).splitlines()[0]


async def test_unlocking_takes_the_profiles_name_typed_in_full() -> None:
    app = console("protected", protected=True)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"unlock", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press(*"pro", "enter")
        await pilot.pause()
        assert operator_of(app).unlocked == []
        await pilot.press("backspace", "backspace", "backspace", *"PROD", "enter")
        await pilot.pause()
        assert operator_of(app).unlocked == ["PROD"]
        assert status_of(app) == "Unlocked: commands reach PROD until this console is left."
        assert source_of(app).refreshed == 1


async def test_esc_leaves_it_locked() -> None:
    app = console("protected", protected=True)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"unlock", "enter")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert operator_of(app).unlocked == []
        assert status_of(app) == "It stays locked."


@pytest.mark.parametrize(("typed", "unlocked"), [("unlock PROD", ["PROD"]), ("unlock atlas", [])])
async def test_the_name_may_be_typed_at_once(typed: str, unlocked: list[str]) -> None:
    app = console("protected", protected=True)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *typed, "enter")
        await pilot.pause()
        assert operator_of(app).unlocked == unlocked
        assert unlocked or "is not the profile's name" in status_of(app)


@pytest.mark.parametrize(
    ("scenario", "said"), [("read-only", "was started read-only and stays so"), ("fenced", "Nothing is locked here.")]
)
async def test_what_is_not_locked_can_not_be_unlocked(scenario: str, said: str) -> None:
    app = console(scenario)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"unlock PROD", "enter")
        await pilot.pause()
        assert said in status_of(app)
        assert operator_of(app).unlocked == []


async def test_an_unlocked_console_carries_commands_out_also_after_its_connection_was_made_anew(
    valkey: redis.asyncio.Redis, store_url: str, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    async def open_context() -> Context:
        gateway = Gateway(valkey, Keys.of(), url=store_url, registry={}, who="ann", read_only=True)
        return Context(gateway, {}, tmp_path)

    async def close_context(_ctx: Context) -> None:
        """The client is the test's."""

    operator = LiveOperator(open_context, close_context, locked="PROD")
    with pytest.raises(ReadOnly):
        await operator.execute("flag set", {"name": "game", "value": "dice", "new": "yes"})
    with pytest.raises(Refused):
        await operator.unlock("prod")
    with pytest.raises(ReadOnly):
        await operator.preview("switch", {"slot": "blue"})
    await operator.unlock("PROD")
    await operator.execute("flag set", {"name": "game", "value": "dice", "new": "yes"})
    await operator.aclose()
    await operator.execute("flag set", {"name": "game", "value": "crash"})
    assert await valkey.get("flag:game") == b"crash"


async def test_a_locked_console_carries_out_what_reduces_risk(
    valkey: redis.asyncio.Redis, store_url: str, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    async def open_context() -> Context:
        gateway = Gateway(valkey, Keys.of(), url=store_url, registry={}, who="ann", read_only=True, locked=True)
        return Context(gateway, {}, tmp_path)

    async def close_context(_ctx: Context) -> None:
        """The client is the test's."""

    operator = LiveOperator(open_context, close_context, locked="PROD")
    await operator.preview("halt", {})
    await operator.execute("halt", {})
    assert await valkey.get("agent:active_version") == b"halted"
    with pytest.raises(ReadOnly):
        await operator.execute("resume", {"slot": "blue"}, reason="x")


async def test_the_source_says_so_as_soon_as_it_is_unlocked(valkey: redis.asyncio.Redis, store_url: str) -> None:
    import asyncio

    async def open_reader() -> OpenReader:
        async def close() -> None:
            """The client is the test's."""

        return OpenReader(StoreReader(valkey, Keys.of(), {}), close)

    seen: list[Observation] = []
    source = LiveSource(Identity("agent", store_url, True, "PROD", True, True), open_reader, hz=10)
    task = asyncio.create_task(source.run(seen.append))
    async with asyncio.timeout(30):
        while not (seen and seen[-1].store):
            await asyncio.sleep(0.01)
        assert (seen[-1].read_only, seen[-1].locked) == (True, True)
        source.unlock()
        while seen[-1].read_only:
            await asyncio.sleep(0.01)
    assert not seen[-1].locked
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
