"""What is owed: ten thousand commitments of one agent, and what naming one costs an action."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from console.commands.context import Context
from console.commands.gates.keeper import Rise, ask
from console.commands.gateway.gateway import Gateway
from console.domain.commitments.commitment import Commitment, Kind, Op, superset, to_record
from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Slot
from console.domain.gates.gate import Act
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.owing import Who, batches, put
from console.store.keys import Keys
from console.store.server.connect import connect, connect_sync
from tests.bench.figures import median
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage

MANY = 10_000


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    client = connect_sync(stage.url, timeout_s=30)
    fence = Fence(client, Keys.of())
    for part in (_many, _gates, _naming):
        client.flushall()
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="bench"))
        yield from part(fence, stage)
    client.flushall()
    client.close()


def _many(fence: Fence, _stage: Stage) -> Iterator[Line]:
    who = Who("blue-bench", "blue", "1", 1)
    what = [Commitment(f"esc_{number}", Kind.ESCROW, Decimal(5), "USD") for number in range(MANY)]
    put_s, _none = _took(lambda: [fence.owe(who, batch) for batch in batches(map(put, what))])
    listed_s, owed = _took(fence.owed)
    assert len(owed) == MANY
    over_s, _reply = _took(lambda: fence.switch(SwitchRequest("green", expected_epoch="any", by="bench", mode="now")))
    fence.watch("green-bench", [one.id for one in what], None, 60_000)
    eyes_s, eyes = _took(lambda: fence.watched("green-bench"))
    proof_s, proof = _took(lambda: superset(owed, eyes, Slot.GREEN, target=Slot.GREEN))
    assert proof.proved and proof.owned == MANY
    whole_s = listed_s + over_s + eyes_s + proof_s
    note = f"list {listed_s:.3f} s, hand over {over_s:.4f} s, who watches {eyes_s:.3f} s, proof {proof_s:.4f} s"
    yield at_most("owed: 10,000 listed, handed over, proved watched", whole_s, "s", 1.0, note=note)
    yield beside("owed: 10,000 put", put_s, "s")


def _gates(fence: Fence, stage: Stage) -> Iterator[Line]:
    """All gates of a switch over ten thousand escrows, end to end, beside the reading of their list alone."""
    what = [Commitment(f"esc_{number}", Kind.ESCROW, Decimal(5), "USD", due=_LATER) for number in range(MANY)]
    for batch in batches(map(put, what)):
        fence.owe(Who("blue-bench", "blue", "1", 1), batch)
    fence.watch("green-bench", [one.id for one in what], None, 60_000)
    listed, asked = asyncio.run(_asked(fence, stage))
    beside_s = median(asked) - median(listed)
    note = f"processor time; end to end {1000 * median(asked):.0f} ms, of which the list {1000 * median(listed):.0f} ms"
    yield at_most("owed: gates of a switch over 10,000, beside the list", 1000 * beside_s, "ms", 150.0, note=note)


_LATER: Final = datetime(2100, 1, 1, tzinfo=UTC)


async def _asked(fence: Fence, stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds of processor time for the list alone, and for all gates, in turn."""
    gateway = Gateway(await connect(stage.url, timeout_s=30), Keys.of(), url=stage.url, registry={}, who="bench")
    ctx = Context(gateway, {}, stage.folder / "snapshots")
    listed: list[float] = []
    asked: list[float] = []
    for _ in range(stage.few(15, 5)):
        for slot in ("blue", "green"):
            fence.beat(Heartbeat(f"{slot}-bench", slot, "1"), epoch=1, seen=1)
        reading = await ctx.read()
        began = time.process_time()
        await gateway.owing.left()
        between = time.process_time()
        checked = await ask(ctx, Rise("switch", Act.SWITCH, Slot.GREEN), reading)
        asked.append(time.process_time() - between)
        listed.append(between - began)
        assert not checked.forbidding, checked.forbidding
    await gateway.aclose()
    return listed, asked


def _naming(fence: Fence, stage: Stage) -> Iterator[Line]:
    """An action that opens a commitment beside one that names none, in turn."""
    epoch = fence.authority().epoch  # type: ignore[union-attr]
    plain: list[float] = []
    naming: list[float] = []
    for number in range(stage.few(2_000, 400)):
        what = Commitment(f"bench_{number}", Kind.ROUND, Decimal(5), "USD")
        named = f"{Op.OPEN}\n{what.id}\n1\n{to_record(what)}"
        for into, text in ((plain, ""), (naming, named)):
            intent = Intent(
                uuid.uuid4().hex, uuid.uuid4().hex, "blue", epoch, "b", Decimal(5), "USD", Direction.ENTER, "", 60_000,
                epoch, named=text,
            )  # fmt: skip
            took_s, _reply = _took(lambda intent=intent: (fence.claim(intent), fence.settle(intent, Outcome.OK)))
            into.append(1e6 * took_s)
    yield beside(
        "owed: claim and settle that open one", median(naming), "µs", "naming none", median(plain), "the same run"
    )


def _took(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
