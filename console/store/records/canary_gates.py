"""What those report who ask the gates while nobody attends a canary: `…:canary-gates`, a hash by who asked.

Each value is lines: the run, the store's milliseconds when it was begun to ask, the closed gates, and those that let
nothing rise, parted by tabs. Read back, it is text from outside: what can't be read counts as if nobody had asked. The
script `canary` reads it too, before a step that an agent takes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from console.domain.canary.gate_report import GateReport
from console.domain.errors import Refused
from console.domain.text import clean
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.records.revisions import Part, moved
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT: Final = timedelta(minutes=1)
"""A report that is older is taken out by whoever writes the next one."""
MOST: Final = 64
"""Reports that are read, and gates named in each."""
MAX_WORDS: Final = 160


async def keep(client: Redis, keys: Keys, report: GateReport) -> None:
    """Write a report down in place of the last one by the same name, and take out what is old or is none.

    Args:
        client: to the store.
        keys: whose.
        report: what was seen.

    Raises:
        Refused: the key holds something else.
        StoreUnreachable: no answer.
    """
    from redis.exceptions import ResponseError

    name = keys.canary_gates
    with wrap_errors():
        try:
            there: Mapping[Any, Any] = await client.hgetall(name)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            raise Refused(f"{name} is of another Redis type.", "Look at what wrote it.") from error
        worn = [by for by, value in there.items() if _is_worn(_report(by, value), report)]
        async with client.pipeline(transaction=True) as pipe:
            for at in range(0, len(worn), 1_000):
                pipe.hdel(name, *worn[at : at + 1_000])
            pipe.hset(name, str(report.by), _text(report))
            pipe.execute_command(*moved(keys, Part.GATES))
            for reply in (await pipe.execute(raise_on_error=False))[:-1]:  # the mark only helps who reads
                if isinstance(reply, Exception):
                    raise reply


def _is_worn(known: GateReport | None, newest: GateReport) -> bool:
    return known is None or newest.at - known.at > KEPT or known.at - newest.at > KEPT


def _text(report: GateReport) -> str:
    gates = ["\t".join(str(clean(name, MAX_WORDS)) for name in names[:MOST]) for names in (report.closed, report.held)]
    return "\n".join((str(report.run), str(round(report.at.timestamp() * 1000)), *gates))


def reports_from(raw: Any) -> tuple[GateReport, ...]:
    """The reports in a hash, as it was read."""
    if not isinstance(raw, Mapping):
        return ()
    read = (_report(by, value) for by, value in list(raw.items())[:MOST])
    return tuple(report for report in read if report is not None)


def _report(by: Any, value: Any) -> GateReport | None:
    lines = text(value)[: 4 * MOST * MAX_WORDS].split("\n", 4)
    if len(lines) != 4:
        return None
    run, at, *gates = lines
    if not (at.isascii() and at.isdigit() and len(at) < 15):
        return None
    closed, held = (tuple(str(clean(one, MAX_WORDS)) for one in line.split("\t")[:MOST] if one) for line in gates)
    asked_at = datetime.fromtimestamp(int(at) / 1000, UTC)
    return GateReport(clean(text(by), 128), clean(run, 64), asked_at, closed, held)
