"""A simulated fleet: any number of fenced agents on one real store, alive and idle, each with a past of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from console.store.agents import listed
from console.store.fence import calls
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.ids import new_id
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.servers import Server

BITE: Final = 200
ALIVE_EVERY_S: Final = 2.0
PAST: Final = 60
"""Settled actions of each agent: half of blue's, half of green's."""

_CHAINED: Final = """
local function append(key, records)
  local ctl = string.gsub(key, 'acts$', 'ctl')
  local head = redis.call('HGET', ctl, 'ah') or ''
  for _, record in ipairs(records) do
    head = redis.sha1hex(#head .. ':' .. head .. '1:d' .. #record .. ':' .. record)
    redis.call('XADD', key, '*', 'h', head, 'd', record)
  end
  redis.call('HSET', ctl, 'ah', head, 'an', (redis.call('HGET', ctl, 'an') or 0) + #records)
end
"""
"""Actions as the scripts keep them: whoever verifies the chain finds it whole."""
_ACTIONS: Final = f"""{_CHAINED}
local ms = tonumber(ARGV[1])
for k = 1, #KEYS do
  local records = {{}}
  for n = 1, tonumber(ARGV[2]) do
    local slot = n <= tonumber(ARGV[2]) / 2 and 'blue' or 'green'
    local at = slot == 'blue' and ms - 600000 + n * 1000 or ms + n
    records[n] = table.concat({{'settle', n, string.format('%.0f', at), 'k' .. n,
      'c' .. n, slot .. '-1', slot, '0', 'ok', tostring((n % 2) * 2000000 - 900000), 'USD', ''}}, '\\n')
  end
  append(KEYS[k], records)
end
"""
_ACTION: Final = f"{_CHAINED} append(KEYS[1], {{ARGV[1]}})"
_BEATS: Final = """
local t = redis.call('TIME')
local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
for k = 1, #KEYS do
  local ep = redis.call('HGET', string.gsub(KEYS[k], 'inst$', 'ctl'), 'ep')
  for _, slot in ipairs({'blue', 'green'}) do
    redis.call('HSET', KEYS[k], slot .. '-1', '{"ms":' .. ms .. ',"epoch":' .. ep .. ',"slot":"' .. slot ..
      '","schema":0,"ready":true}')
  end
end
"""


class FleetSim:
    """Agents `a0`, `a1`, …: blue ran, green is active, both send heartbeats.

    Args:
        server: an empty store.
        count: how many.
        past: settled actions of each.
    """

    def __init__(self, server: Server, count: int, *, past: int = PAST) -> None:
        self.server = server
        self.agents = [f"a{number}" for number in range(count)]
        self.client: Any = connect_sync(server.url, timeout_s=30.0)
        self.fence = Fence(self.client, Keys.of())
        self._stop = threading.Event()
        self._alive = threading.Thread(target=self._keep_alive, daemon=True)
        for slot in ("blue", "green"):
            self.switch(slot, self.agents)
        if past:
            self._for_all("actions", _ACTIONS, int(time.time() * 1000), past)
        self.beat()

    def __enter__(self) -> FleetSim:
        self._alive.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._alive.join()
        self.client.close()

    def switch(self, slot: str, agents: list[str]) -> None:
        """An operator makes a side of each of them active."""
        for start in range(0, len(agents), BITE):
            pipe = self.client.pipeline(transaction=False)
            for agent in agents[start : start + BITE]:
                request = SwitchRequest(
                    slot,
                    expected_epoch="any",
                    mode="now",
                    drain_ms=0,
                    switch_id=f"{agent}{slot}{time.time_ns()}",
                    by="op",
                    why="simulated",
                    resume=True,
                )
                call = calls.switch(Keys.of(agent), request)
                pipe.execute_command(*self.fence.runner.command(call.name, call.keys, (*call.args, new_id())))
                pipe.execute_command(*listed(agent))
            try:
                pipe.execute()
            except Exception:  # the script is not known to the server yet
                self.fence.authority()
                self.fence.switch(
                    SwitchRequest(slot, expected_epoch="any", mode="now", by="op", why="simulated", resume=True)
                )
                self.client.delete(Keys.of().ctl, Keys.of().active, Keys.of().log)
                self.switch(slot, agents[start : start + BITE])

    def active(self, agent: str) -> str:
        """What plain agents read."""
        value = self.client.get(Keys.of(agent).active)
        return value.decode() if value else ""

    def loses(self, agent: str, amount: int) -> None:
        """Green settles a loss: a fact in the stream of actions, from which the guard learns it."""
        record = (
            "settle",
            "0",
            f"{time.time() * 1000:.0f}",
            "k",
            new_id(),
            "green-1",
            "green",
            "0",
            "ok",
            str(-amount * 1_000_000),
            "USD",
            "",
        )
        self.client.eval(_ACTION, 1, Keys.of(agent).actions, "\n".join(record))

    def beat(self) -> None:
        """Both sides of every agent say that they are there; within `with` they do so again and again."""
        self._for_all("instances", _BEATS)

    def _keep_alive(self) -> None:
        with connect_sync(self.server.url, timeout_s=30.0) as client:
            while not self._stop.wait(ALIVE_EVERY_S):
                self._for_all("instances", _BEATS, client=client)

    def _for_all(self, key: str, script: str, *args: object, client: Any = None) -> None:
        run = (client or self.client).register_script(script)
        for start in range(0, len(self.agents), BITE):
            run(keys=[getattr(Keys.of(agent), key) for agent in self.agents[start : start + BITE]], args=list(args))


class GuardProcess:
    """`agent-console guard` as a process of its own.

    Args:
        server: the store.
        folder: for what it says.
        name: the guard's.
        more: further arguments.
        decisions: patterns of logs.
    """

    def __init__(self, server: Server, folder: Path, name: str, *more: str, decisions: tuple[str, ...] = ()) -> None:
        self.log = folder / f"{name}.log"
        logs = [word for pattern in decisions for word in ("--decisions", pattern)]
        with self.log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console", "--url", server.url, *logs, "guard", "--name", name, *more],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={
                    **os.environ,
                    "AGENT_CONSOLE_CONFIG_DIR": str(folder),
                    "AGENT_CONSOLE_DATA_DIR": str(folder / "data"),
                    "XDG_STATE_HOME": str(folder / "state"),  # what it remembers of each of thousands of agents
                },
            )

    def __enter__(self) -> GuardProcess:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(30)

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> list[dict[str, Any]]:
        """What it said."""
        whole = self.log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line]

    def wait(self, holds: Callable[[list[dict[str, Any]]], object], timeout_s: float = 180.0) -> float:
        """Wait until what it said fulfils something; how long that took, in seconds."""
        began = time.monotonic()
        while not holds(self.lines()):
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() - began < timeout_s, self.log.read_text()[-2000:]
            time.sleep(0.1)
        return time.monotonic() - began

    def watches(self, count: int, timeout_s: float = 180.0) -> float:
        """Wait until it watches so many agents; how long that took, in seconds."""
        return self.wait(
            lambda lines: any(one["event"] == "shared out" and one["watching"] == count for one in lines), timeout_s
        )
