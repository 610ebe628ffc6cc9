"""A worker of many: 64 tasks, or 64 threads, of one process act at once over what they share, while others of its kind
are killed, frozen and cancelled."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Final

from console.agent import ActionRefused, AgentController, AlreadyDone, Busy, InDoubt, LeaseEnded, NotSent
from console.agent.aio import AgentController as AioController
from tests.faults.venue import Client

AT_ONCE: Final = 64
_OVER: Final = (AlreadyDone, Busy, InDoubt, LeaseEnded, NotSent, TimeoutError)
"""What ends the attempt at a key."""


def keys(told: dict[str, Any]) -> itertools.count[int]:
    """Numbers of keys to try; whoever starts again tries the last ones again, and so does the other side."""
    return itertools.count(max(0, Client(told["venue"], 30.0).size() - 2 * AT_ONCE))


def threads(told: dict[str, Any], controller: AgentController) -> None:
    """Act with threads until killed, or until one of them meets what it must not."""
    numbers = keys(told)
    lock = threading.Lock()

    def work(seed: int) -> None:
        venue, dice = Client(told["venue"], 5.0), random.Random(seed)
        while True:
            with lock:
                key = f"k-{next(numbers)}"
            while not _act(controller, key, venue, dice):
                controller.wait_change(0.05)

    controller.start()
    os.write(1, f"{controller.instance}\n".encode())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = [pool.submit(work, told["seed"] + number) for number in range(AT_ONCE)]
        for one in wait(ended, return_when=FIRST_EXCEPTION).done:
            if error := one.exception():
                print(f"{type(error).__name__}: {error}", flush=True)
                os._exit(70)


def _act(controller: AgentController, key: str, venue: Client, dice: random.Random) -> bool:
    """Try one key; False where it is to be tried again."""
    try:
        with controller.action(key) as act:
            act.check()
            venue.execute(key, act.intent.claim_id, controller.instance, controller.slot)
            if dice.random() < 0.02:
                raise TimeoutError("the answer was lost")
            act.settle("done")
    except _OVER:
        return True
    except ActionRefused:
        return False
    return True


async def tasks(told: dict[str, Any], controller: AioController) -> None:
    """Act with tasks until killed, or until one of them meets what it must not; now and then a dozen is cancelled."""
    numbers, dice = keys(told), random.Random(told["seed"])
    await controller.start()
    os.write(1, f"{controller.instance}\n".encode())
    going: set[asyncio.Task[None]] = set()
    while True:
        while len(going) < AT_ONCE:
            going.add(asyncio.create_task(_task(told, controller, numbers)))
        await asyncio.wait(going, timeout=dice.random() * 0.1, return_when=FIRST_EXCEPTION)
        for task in dice.sample(sorted(going, key=id), 12):
            task.cancel()
        await asyncio.sleep(0)
        for task in [task for task in going if task.done()]:
            going.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error


async def _task(told: dict[str, Any], controller: AioController, numbers: itertools.count[int]) -> None:
    venue = Client(told["venue"], 5.0)
    for number in numbers:
        while not await _act_aio(controller, f"k-{number}", venue):
            await controller.wait_change(0.05)


async def _act_aio(controller: AioController, key: str, venue: Client) -> bool:
    try:
        async with controller.action(key) as act:
            act.check()
            await asyncio.to_thread(venue.execute, key, act.intent.claim_id, controller.instance, controller.slot)
            await act.settle("done")
    except _OVER:
        return True
    except ActionRefused:
        return False
    return True
