"""`agent-console demo`: two versions of an agent, a simulated venue, a store of its own, and the console attached."""

from __future__ import annotations

import asyncio
import os

import click

from console.cli.options import Session, common


@click.command("demo", help="Two agent versions, a simulated venue, a store of its own, and the console attached.")
@click.option("--headless", is_flag=True, help="Without a terminal: switch, roll back, say what happened.")
@click.option(
    "--seconds", metavar="N", type=click.FloatRange(3, 3600), default=20.0, show_default=True, help="With --headless."
)
@common
def demo(session: Session, headless: bool, seconds: float) -> int:
    """Two agent versions, a simulated venue, a store of its own, and the console attached."""
    if headless:
        from console.demo.headless import run_headless

        return asyncio.run(run_headless(seconds, out=click.echo))
    from console.cli.attach import require_terminal, run_console

    require_terminal("`agent-console demo --headless` runs it without one.")
    from console.demo.stage import Stage

    with Stage() as stage:
        os.environ["AGENT_CONSOLE_DATA_DIR"] = str(stage.folder)  # its snapshots go when it goes
        session.merge(
            {
                "url": stage.url,
                "agent": "agent",
                "decisions": tuple(str(path) for path in stage.decision_logs),
                "state_file": str(stage.state_files[0]),
                "slot_map": ("blue=2.4.0", "green=2.5.0"),
            }
        )
        return run_console(session.settings(), stage.url, shown_url="demo")
