"""`agent-console demo`: two versions of an agent, a simulated venue, a store of its own, and the console attached."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.options import Session, common

if TYPE_CHECKING:
    from console.demo.stage import Stage
    from console.domain.operator.receipt import Receipt


async def begin_canary(stage: Stage) -> Receipt:
    """Start the demo's canary as an operator would: what follows is the ladder's own business."""
    from console.commands.base import Call
    from console.commands.canary.start import CanaryStart
    from console.commands.context import Context
    from console.commands.gateway.gateway import Gateway
    from console.domain.state.flags import USUAL_FLAGS
    from console.store.keys import Keys
    from console.store.server.connect import connect

    client = await connect(stage.url, name="agent-console-demo", timeout_s=2.0)
    gateway = Gateway(client, Keys.of(), url=stage.url, registry=USUAL_FLAGS, who="demo")
    context = Context(gateway=gateway, registry=USUAL_FLAGS, snapshots=stage.folder / "snapshots")
    try:
        call = Call({"plan": str(stage.plan_file), "run": "green-2.5.0"}, reason="the demo's ladder")
        return await CanaryStart().execute(context, call)
    finally:
        await gateway.aclose()


@click.command("demo", help="Two agent versions, a simulated venue, a store of its own, and the console attached.")
@click.option("--headless", is_flag=True, help="Without a terminal: switch, roll back, say what happened.")
@click.option(
    "--seconds", metavar="N", type=click.FloatRange(3, 3600), default=20.0, show_default=True, help="With --headless."
)
@click.option("--upgrade", is_flag=True, help="Without a terminal: one whole run from blue to green, and its report.")
@click.option("--serve", is_flag=True, help="Without a terminal: until ctrl-c, for the verbs of another terminal.")
@click.option(
    "-o", "--report", type=click.Path(path_type=Path), help="With --upgrade: where the report is written, too."
)
@common
def demo(session: Session, headless: bool, seconds: float, upgrade: bool, serve: bool, report: Path | None) -> int:
    """Two agent versions, a simulated venue, a store of its own, and the console attached."""
    if serve:
        from console.demo.serve import serve as stay

        return stay(out=click.echo)
    if upgrade:
        from console.demo.walk import run_upgrade

        return run_upgrade(report, out=click.echo)
    if headless:
        from console.demo.headless import run_headless

        return asyncio.run(run_headless(seconds, out=click.echo))
    from console.cli.attach import require_terminal, run_console

    require_terminal("`agent-console demo --headless` runs it without one.")
    from console.demo.stage import Stage

    with Stage(guard=True) as stage:
        asyncio.run(begin_canary(stage))
        os.environ["AGENT_CONSOLE_DATA_DIR"] = str(stage.folder)  # its snapshots go when it goes
        session.merge(
            {
                "url": stage.url,
                "agent": "agent",
                "decisions": tuple(str(path) for path in stage.decision_logs),
                "state_file": str(stage.state_files[0]),
                "venue": str(stage.venue_file),
                "slot_map": ("blue=2.4.0", "green=2.5.0"),
            }
        )
        return run_console(session, session.settings(), stage.url, shown_url="demo")
