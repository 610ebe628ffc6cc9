"""Drills: the whole path, timed, without moving the active side unless it is for real."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.domain.guard.alerts import AlertKind
from console.domain.triggers.finding import Trigger
from console.guard.keep.drill import answers, give, stream_of
from tests.guard.stage import Stage


async def drilled(stage: Stage, *, for_real: bool = False) -> dict[str, dict[str, Any]]:
    order = await give(stage.client, stage.keys, Trigger.PNL, "ann", for_real=for_real)
    for guard in stage.guards:
        guard.ward.wake()
        await guard.step()
    return await answers(stage.client, stage.keys, order, len(stage.guards), 10.0)


async def test_every_guard_answers_what_it_would_do_and_nothing_moves(stage: Stage) -> None:
    await stage.guard("g1")
    await stage.guard("g2")
    before = await stage.state.control()
    answered = await drilled(stage)
    assert {name: one["would"] for name, one in answered.items()} == {
        "g1": "roll back to blue",
        "g2": "roll back to blue",
    }
    assert await stage.state.control() == before
    (alert,) = await stage.alerts()
    assert (alert.kind, "drill of pnl ordered by ann" in alert.reason) == (AlertKind.WARNING, True)


async def test_for_real_one_guard_rolls_back_and_the_others_come_too_late(stage: Stage) -> None:
    one, two = await stage.guard("g1"), await stage.guard("g2")
    order = await give(stage.client, stage.keys, Trigger.PNL, "ann", for_real=True)
    await asyncio.gather(one.ward.drills.carry_out(), two.ward.drills.carry_out())
    answered = await answers(stage.client, stage.keys, order, 2, 10.0)
    assert sorted(answer["did"] for answer in answered.values()) == ["rolled back", "too late"]
    assert await stage.active() == "blue"


async def test_a_trigger_that_is_not_armed_or_a_target_that_is_silent_shows(stage: Stage) -> None:
    await stage.guard("g1", pnl__arming="dry")
    assert (await drilled(stage))["g1"]["would"] == "nothing: pnl is dry"
    await stage.close()
    stage.guards.clear()
    await stage.guard("g2")
    stage.ahead_s = 100.0
    await stage.guards[0].step(force=True)
    assert "halt: blue has written no decision" in (await drilled(stage))["g2"]["would"]


async def test_an_old_order_is_old_news_and_one_that_means_nothing_is_none(stage: Stage) -> None:
    await stage.client.xadd(stream_of(stage.keys), {"trigger": "pnl", "for_real": "1"}, id="1000-0")
    await stage.client.xadd(stream_of(stage.keys), {"trigger": "weather", "for_real": "1"})
    guard = await stage.guard("g1")
    guard.ward.wake()
    await guard.step()
    assert await stage.active() == "green"


async def test_an_order_is_carried_out_once(stage: Stage) -> None:
    guard = await stage.guard("g1")
    await drilled(stage)
    told = stage.events().count("drill")
    guard.ward.wake()
    await guard.step()
    assert (told, stage.events().count("drill")) == (1, 1)


def test_the_verb_needs_yes_to_move_anything_and_says_when_nobody_answers(
    store_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from console.cli.main import run

    assert run(["--url", store_url, "drill", "pnl", "--for-real"]) == 2
    assert run(["--url", store_url, "drill", "pnl"]) == 1
    assert "0 of 0 running guards answered" in capfd.readouterr().out
