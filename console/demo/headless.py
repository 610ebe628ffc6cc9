"""The demo without a terminal: the same stage, a switch, a roll back and a halt by an operator's commands, a report."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.halt import Halt
from console.commands.fence.rollback import Rollback
from console.commands.fence.switch import Switch
from console.commands.gateway.gateway import Gateway
from console.demo.stage import Stage
from console.demo.stagehand import ROLES
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.operator.receipt import Receipt
from console.domain.state.flags import USUAL_FLAGS
from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.store.keys import Keys
from console.store.server.connect import connect

PERIOD_S: Final = 0.2
OBEY_TIMEOUT_S: Final = 10.0
WHO: Final = "demo"
_POLL_S: Final = 0.02

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Move:
    """One command of the demo and what came of it.

    Args:
        receipt: the command's.
        to: the slot that became active.
        obeyed_ms: from the change in the store until that slot's first round at the venue; None if none came.
    """

    receipt: Receipt
    to: str
    obeyed_ms: float | None


async def run_headless(seconds: float, *, out: Say) -> int:
    """Run the demo for about that long: blue, a switch to green, a roll back to blue, and at the end a halt.

    Args:
        seconds: in all, set-up and end not counted.
        out: takes each line of the report.

    Returns:
        0 if both commands were carried out and obeyed, 1 if not.

    Raises:
        ConsoleError: the stage could not be set up, or a command was refused.
    """
    with Stage(period_s=PERIOD_S) as stage:
        out(f"stage: store, venue, blue {ROLES[0].version} and green {ROLES[1].version} are running; blue is active")
        client = await connect(stage.url, name="agent-console-demo", timeout_s=2.0)
        gateway = Gateway(client, Keys.of(), url=stage.url, registry=USUAL_FLAGS, who=WHO)
        context = Context(gateway=gateway, registry=USUAL_FLAGS, snapshots=stage.folder / "snapshots")
        try:
            return await _play(seconds, stage, context, out)
        finally:
            await gateway.aclose()


async def _play(seconds: float, stage: Stage, context: Context, out: Say) -> int:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(seconds * 0.4)
    moves = [await _move(stage, context, Switch(), {"slot": "green"}, "green", out)]
    await asyncio.sleep(max(0.0, seconds * 0.75 - (loop.time() - began)))
    moves.append(await _move(stage, context, Rollback(), {}, "blue", out))
    await asyncio.sleep(max(0.0, seconds - (loop.time() - began)))
    halted = await Halt().execute(context, Call({}, reason="the demo is over"))
    out(f"halt: nobody acts, in {halted.elapsed_ms:.1f} ms")
    await asyncio.sleep(5 * PERIOD_S)
    _report(stage, moves, out)
    obeyed = all(move.obeyed_ms is not None for move in moves)
    out("done" if obeyed else f"not obeyed within {OBEY_TIMEOUT_S:g} s")
    return EXIT_DONE if obeyed else EXIT_NO


async def _move(stage: Stage, context: Context, command: Command, args: dict[str, str], to: str, out: Say) -> Move:
    call = Call(args, reason="a demo")
    preview = await command.preview(context, call)
    receipt = await command.execute(context, Call({**args, **(preview.arguments or {})}, reason="a demo"))
    obeyed_ms = await _obeyed(stage.folder / f"{to}.jsonl", receipt.at)
    answer = "never" if obeyed_ms is None else f"after {obeyed_ms:.0f} ms (it polls every {PERIOD_S * 1000:.0f} ms)"
    changed = ", ".join(f"{change.what} {change.before} → {change.after}" for change in receipt.changes)
    out(f"{receipt.command}: {changed} in {receipt.elapsed_ms:.1f} ms, epoch {receipt.epoch}; {to} obeyed {answer}")
    return Move(receipt, to, obeyed_ms)


async def _obeyed(log: Path, since: datetime) -> float | None:
    deadline = asyncio.get_running_loop().time() + OBEY_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        for at in _executed_at(log):
            if at >= since.timestamp():
                return (at - since.timestamp()) * 1000
        await asyncio.sleep(_POLL_S)
    return None


def _executed_at(log: Path) -> Iterator[float]:
    """When each round of a demo agent was played; its log is our own, so nothing but a torn last line is expected."""
    for line in log.read_bytes().splitlines() if log.exists() else ():
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if record["output"].get("executed"):
            yield record["timestamp"]


def _report(stage: Stage, moves: list[Move], out: Say) -> None:
    logs = LogSet([str(path) for path in stage.decision_logs], options=LogOptions(last_lines=None))
    while logs.poll(datetime.now(UTC)):
        pass
    reading = logs.reading(datetime.now(UTC))
    executed = _executions(stage)
    for role in ROLES:
        version = reading.by_version.get(role.version)
        decisions = version.decisions if version else 0
        totals = version.pnl if version else ()
        rounds = sum(total.rounds for total in totals)
        pnl = " ".join(f"{total.total:+} {total.currency}" for total in totals) or "none"
        each = sum((total.total for total in totals), Decimal(0)) / rounds if rounds else Decimal(0)
        out(
            f"{role.slot} {role.version}: {decisions} decisions, {rounds} rounds played, PnL {pnl} "
            f"({each:+.3f} a round); the venue counted {executed.get(role.version, 0)} rounds"
        )
    late = sum(_late(stage, move) for move in moves)
    out(f"late: {late} rounds by the version just switched away from (plain agents poll; fenced agents have none)")
    if reading.rejected:
        out(f"rejected lines: {dict(reading.rejected)}")


def _late(stage: Stage, move: Move) -> int:
    """Rounds that the other side played after it had been switched away from, up to its next poll."""
    other = "blue" if move.to == "green" else "green"
    at = move.receipt.at.timestamp()
    return sum(at < played < at + 2 * PERIOD_S for played in _executed_at(stage.folder / f"{other}.jsonl"))


def _executions(stage: Stage) -> dict[str, int]:
    """The venue's own count, by version."""
    link = http.client.HTTPConnection(stage.venue_url.removeprefix("http://"), timeout=5.0)
    try:
        link.request("GET", "/executions", headers={"Authorization": f"Bearer {stage.venue_key}"})
        counted: dict[str, int] = json.loads(link.getresponse().read())["by_version"]
        return counted
    finally:
        link.close()
