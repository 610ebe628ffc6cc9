"""`drill`: exercise the path of a roll back on a running system, and time it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import click

from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE, EXIT_NO, UsageError


@click.command("drill", help="Exercise a trigger on every running guard and time it; --for-real rolls back.")
@click.argument("trigger", type=click.Choice(["exception", "auth", "double-spend", "pnl", "latency", "escrow"]))
@click.option("--for-real", is_flag=True, help="Really give the active side back; asks first.")
@click.option("--timeout", "timeout_s", default=10.0, metavar="SECONDS", help="How long to wait for answers.")
@common
def drill(session: Session, trigger: str, for_real: bool, timeout_s: float) -> int:
    """Order it, collect the answers, show them; exit code 1 where a guard would fail or none answers."""
    from console.cli.guard import require_writable

    require_writable(session, "drill")
    if for_real and not session.yes:
        raise UsageError("A drill for real moves the active side.", "Say --yes if it is meant.")
    found = asyncio.run(_drill(session, trigger, for_real=for_real, timeout_s=timeout_s))
    if session.as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, said in found["answers"].items():
            outcome = said.get("did") or f"would {said.get('would', 'say nothing')}"
            click.echo(f"{name}: {outcome}; seen after {said.get('seen_ms')} ms, took {said.get('took_ms', '-')} ms")
        click.echo(f"{len(found['answers'])} of {found['running']} running guards answered in {found['ms']:.0f} ms")
    good = found["answers"] and len(found["answers"]) >= found["running"]
    failed = any(said.get("problem") for said in found["answers"].values())
    return EXIT_DONE if good and not failed else EXIT_NO


async def _drill(session: Session, trigger: str, *, for_real: bool, timeout_s: float) -> dict[str, Any]:
    from console.cli.runtime import store_url
    from console.domain.triggers.finding import Trigger
    from console.guard.keep.drill import answers, give
    from console.guard.keep.state import GuardState
    from console.guard.report.agent import report
    from console.store.keys import Keys
    from console.store.server.connect import connect

    settings = session.settings()
    keys = Keys.of(settings.agent)
    client = await connect(store_url(settings), name="agent-console")
    try:
        running = int((await report(GuardState(client, keys), client))["running"])
        began = time.perf_counter()
        order = await give(client, keys, Trigger(trigger), settings.who, for_real=for_real)
        said = await answers(client, keys, order, running, timeout_s if running else 0.0)
        return {
            "order": order,
            "trigger": trigger,
            "for_real": for_real,
            "running": running,
            "ms": round((time.perf_counter() - began) * 1000, 1),
            "answers": said,
        }
    finally:
        await client.aclose()
