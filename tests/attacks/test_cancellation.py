"""A task that is cancelled ends, wherever it is; what it had not sent is not sent, and what it had is not lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from console.agent import ActionRefused, AlreadyDone, Evidence
from console.agent.aio import AgentController
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until_async

Start = Callable[..., "asyncio.Future[AgentController]"]


@pytest.fixture
async def agent(scene: Scene) -> AsyncIterator[AgentController]:
    settings = QUICK._replace(lease_ms=3_000)
    async with AgentController(scene.url, slot="blue", version="1", settings=settings) as controller:
        yield controller


async def strike(
    agent: AgentController, moments: random.Random, count: int, longest_s: float, inside_s: float
) -> tuple[Counter[str], Counter[str]]:
    """Cancel actions at random moments: how often each key was sent, and how the tasks ended."""
    sent, ends = Counter[str](), Counter[str]()

    async def act(key: str) -> None:
        async with agent.action(key) as action:
            action.check()
            sent[key] += 1
            await asyncio.sleep(inside_s)
            await action.settle("done")

    for number in range(count):
        key = f"k{number}"
        task = asyncio.ensure_future(act(key))
        await asyncio.sleep(moments.uniform(0, longest_s))
        asked, before = task.cancel(), sent[key]
        await asyncio.wait([task])
        if not asked:
            ends["over before"] += 1
        elif task.cancelled():
            ends["cancelled"] += 1
            assert sent[key] == before, "it was sent after it was cancelled"
        else:
            ends["swallowed"] += 1
    return sent, ends


@pytest.mark.parametrize("inside_s", [0.0, 0.001])
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
async def test_a_cancelled_action_is_never_sent_and_no_cancel_is_swallowed(
    scene: Scene, agent: AgentController, seed: int, inside_s: float
) -> None:
    sent, ends = await strike(agent, random.Random(seed), 300, 0.002 + inside_s, inside_s)
    assert ends["swallowed"] == 0 and ends["cancelled"] > 50, ends
    await until_async(lambda: len(agent.spool) == 0 and all(scene.open().values()), "every end to be told")
    assert not agent.core.acting and max(sent.values(), default=0) <= 1
    in_doubt = set(scene.open())
    assert in_doubt <= {key for key, count in sent.items() if count}, "in doubt, though it was never sent"
    for number in range(0, 300, 7):
        key = f"k{number}"
        try:
            async with agent.action(key) as action:
                assert not sent[key], "sent twice"
                await action.abort("only to see")
        except AlreadyDone:
            assert sent[key]
        except ActionRefused:
            assert key in in_doubt


async def test_a_task_that_is_cancelled_twice_ends_and_loses_nothing(scene: Scene, agent: AgentController) -> None:
    moments = random.Random(3)
    sent = Counter[str]()

    async def act(key: str) -> None:
        async with agent.action(key) as action:
            sent[key] += 1
            await asyncio.sleep(0.0005)
            await action.settle("done")

    for number in range(200):
        key = f"k{number}"
        task = asyncio.ensure_future(act(key))
        if number % 20 == 0:  # on a busy machine the moments alone may all come before anything is sent
            await until_async(lambda key=key, task=task: sent[key] or task.done(), f"{key} to be sent")  # type: ignore[misc]
        for _ in range(3):
            await asyncio.sleep(moments.uniform(0, 0.0015))
            task.cancel()
        await asyncio.wait([task])
    await until_async(lambda: len(agent.spool) == 0 and all(scene.open().values()), "every end to be told")
    assert max(sent.values()) == 1 and not agent.core.acting
    assert set(scene.open()) <= set(sent)


async def test_a_time_out_around_an_action_ends_it(scene: Scene, agent: AgentController) -> None:
    moments, ends = random.Random(4), Counter[str]()
    for number in range(200):
        try:
            async with asyncio.timeout(moments.uniform(0, 0.002)):
                async with agent.action(f"k{number}") as action:
                    await asyncio.sleep(0.0005)
                    await action.settle("done")
            ends["in time"] += 1
        except TimeoutError:
            ends["late"] += 1
        task = asyncio.current_task()
        assert task is not None and not task.cancelling()
    assert ends["late"] > 20, ends
    await until_async(lambda: len(agent.spool) == 0 and all(scene.open().values()), "every end to be told")
    async with agent.action("next") as action:
        await action.settle("done")


async def test_a_task_that_has_taken_note_of_its_cancellation_may_still_reduce(
    scene: Scene, agent: AgentController
) -> None:
    """An author who closes positions in `except CancelledError` or `finally` can claim that."""
    closed: list[str] = []

    async def trade() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            async with agent.action("close", direction="reduce") as action:  # type: ignore[arg-type]
                action.check()
                closed.append("close")
                await action.settle("closed")

    task = asyncio.ensure_future(trade())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and closed == ["close"] and scene.open() == {}


async def test_a_task_that_is_cancelled_before_it_began_sends_nothing(scene: Scene, agent: AgentController) -> None:
    async def act() -> None:
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        async with agent.action("bet") as action:
            action.check()
            pytest.fail("it must not run")

    task = asyncio.ensure_future(act())
    await asyncio.wait([task])
    assert task.cancelled()
    await until_async(lambda: scene.open() == {} and len(agent.spool) == 0, "the claim to be let go of")


async def test_cancelled_siblings_of_a_task_group_are_in_doubt_or_never_sent(
    scene: Scene, agent: AgentController
) -> None:
    moments, sent = random.Random(6), Counter[str]()

    async def act(key: str) -> None:
        async with agent.action(key) as action:
            action.check()
            sent[key] += 1
            await asyncio.sleep(moments.uniform(0, 0.004))
            if key.endswith("-0"):
                raise TimeoutError("the venue did not answer")
            await action.settle("done")

    for number in range(40):
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for sibling in range(4):
                    group.create_task(act(f"g{number}-{sibling}"))
    await until_async(lambda: len(agent.spool) == 0 and all(scene.open().values()), "every end to be told")
    assert max(sent.values()) == 1 and set(scene.open()) <= set(sent) and scene.phase() == "RUN"


async def test_a_resolution_that_is_cancelled_hands_nothing_on(scene: Scene, agent: AgentController) -> None:
    moments = random.Random(7)
    async with agent.action("done") as action:
        await action.settle("first")
    for number in range(60):
        with pytest.raises(TimeoutError):
            async with agent.action(f"k{number}"):
                raise TimeoutError

        async def probe(_claim: object) -> Evidence:
            return Evidence(True, "the venue's list", result="won")

        task = asyncio.ensure_future(agent.resolve(probe))
        await asyncio.sleep(moments.uniform(0, 0.003))
        task.cancel()
        await asyncio.wait([task])
        with pytest.raises(AlreadyDone) as before:
            async with agent.action("done"):
                pytest.fail("it must not run")
        assert before.value.done.result == "first"
    await agent.resolve(probe)
    assert scene.open() == {}
