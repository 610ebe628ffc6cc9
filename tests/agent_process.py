"""A fenced agent as a program, for `tests.processes`: it says what it does, a line each."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any


def say(line: str) -> None:
    print(line, flush=True)


def controller_of(options: dict[str, Any], kind: Any, **hooks: Any) -> Any:
    from console.agent import Promise, Settings

    settings = options["settings"]
    for name in ("halt_file", "spool_dir"):
        if name in settings:
            settings[name] = Path(settings[name])
    if "promised" in settings:
        settings["promised"] = Promise.of(settings["promised"], "ann")
    given = {name: options[name] for name in ("agent", "instance") if name in options}
    return kind(options["url"], slot=options["slot"], version="1", settings=Settings(**settings), **given, **hooks)


def end_a_child() -> None:
    """A child as an author's pool makes it, told to end."""
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    time.sleep(0.3)
    child.terminate()
    child.join(20)
    say(f"child {child.exitcode}")


def blocking(options: dict[str, Any]) -> None:
    """`run()` on the main thread; the decisions take a while, and so do the executions."""
    from console.agent import AgentController, Proposal

    count = iter(range(options.get("keys", 1_000_000)))

    def decide(_state: object) -> Proposal | None:
        say("deciding")
        time.sleep(options.get("decide_s", 0))
        number = next(count, None)
        return None if number is None else Proposal(f"{options['slot']}-{number}")

    def execute(wanted: Proposal, act: Any) -> None:
        say(f"executing {wanted.key}")
        if options.get("fork"):
            end_a_child()
        time.sleep(options.get("execute_s", 0))
        act.settle("done")
        say(f"settled {wanted.key}")

    controller = controller_of(options, AgentController, decide=decide, execute=execute)
    if "stop_after_s" in options:
        threading.Timer(options["stop_after_s"], controller.stop).start()
    controller.run(interval_s=options.get("interval_s", 0.05))
    say("over")


def aio(options: dict[str, Any]) -> None:
    """The same on a loop."""
    from console.agent import Proposal
    from console.agent.aio import AgentController

    count = iter(range(options.get("keys", 1_000_000)))

    async def decide(_state: object) -> Proposal | None:
        say("deciding")
        await asyncio.sleep(options.get("decide_s", 0))
        number = next(count, None)
        return None if number is None else Proposal(f"{options['slot']}-{number}")

    async def execute(wanted: Proposal, act: Any) -> None:
        say(f"executing {wanted.key}")
        if options.get("fork"):
            end_a_child()
        await asyncio.sleep(options.get("execute_s", 0))
        await act.settle("done")
        say(f"settled {wanted.key}")

    async def one(slot: str) -> None:
        mine = controller_of({**options, "slot": slot}, AgentController, decide=decide, execute=execute)
        if "stop_after_s" in options:
            asyncio.get_running_loop().call_later(
                options["stop_after_s"], lambda: tasks.append(asyncio.ensure_future(mine.stop()))
            )
        await mine.run(interval_s=options.get("interval_s", 0.05))

    tasks: list[Any] = []

    async def every() -> None:
        await asyncio.gather(*(one(slot) for slot in options.get("slots", [options["slot"]])))
        await asyncio.gather(*tasks)

    asyncio.run(every())
    say("over")


def idle(options: dict[str, Any]) -> None:
    """Beats, and does nothing; told to end, it says goodbye."""
    from console.agent import AgentController

    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: told.set())
    with controller_of(options, AgentController) as controller:
        if options.get("ending"):
            controller.core.end()  # alive, and not ready to take over
        say("ready" if controller.core.beaten_at > 0 else "away")
        while not told.wait(0.05):
            pass
    say("over")


def main() -> None:
    options = json.loads(sys.argv[1])
    {"idle": idle, "blocking": blocking, "aio": aio}[options.get("mode", "idle")](options)


if __name__ == "__main__":
    main()
