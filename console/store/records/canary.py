"""A canary's run in the store: changing it, reading it, and the book of the one process that shares its rounds out.

Keys, all in the agent's hash slot: `…:canary` (hash: the run as it is recorded), `…:book` (hash: the ledger, the open
rounds, the last report), `…:track` (list: the interval over time). Only the scripts `canary` and `book` write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.canary.plan import Plan, Position, RunState
from console.domain.canary.run import CanaryReading, CanaryRun
from console.domain.canary.stored import MAX_POINTS, desk_from, run_from, track_from
from console.domain.canary.text import plan_text
from console.domain.errors import Refused, UsageError
from console.domain.fence.intent import Source
from console.domain.text import clean
from console.store.fence.calls import Call, audit_pairs, base_keys, bound, checked_words
from console.store.fence.ids import new_id
from console.store.fence.replies import text, texts
from console.store.keys import Keys, ProofKeys
from console.store.records.audit import request_fields
from console.store.records.canary_gates import reports_from
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

MAX_ROUND_ID: Final = 200
"""Most characters of a round's id."""


class Act(StrEnum):
    """What may be done to a run."""

    START = "start"
    STEP = "step"
    """One step up."""
    LOWER = "lower"
    """To any step below."""
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    FINISH = "finish"


UPGRADE: Final = "upgrade"
"""A conflict's detail: the upgrade's run that starts a canary was changed since it was read."""


class CanaryCode(StrEnum):
    """How a change of a run ended. Only DONE changed anything."""

    DONE = "DONE"
    AGAIN = "AGAIN"
    """It is so already."""
    CONFLICT = "CONFLICT"
    """The run, its step, its revision or its plan is not the one that the caller saw."""
    NONE = "NONE"
    """There is no run."""
    OVER = "OVER"
    ACTIVE = "ACTIVE"
    """Another run goes on."""
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    """No risk may rise now; `detail` says why."""
    BADSTEP = "BADSTEP"
    NOT_LAST = "NOT_LAST"


class CanaryReply(NamedTuple):
    """The run after a change, or as it stands where the change was refused."""

    code: CanaryCode
    run: str
    state: RunState | None
    position: Position
    share: Decimal
    loss_budget: Decimal | None
    since_ms: int
    server_ms: int
    detail: str = ""
    audit_id: str = ""


class BookCode(StrEnum):
    """How an entry in the book ended."""

    OK = "OK"
    TAKEN = "TAKEN"
    """Another process has taken over: this one may give out nothing more."""
    MOVED = "MOVED"
    """The recorded step is another than the entry was made for: nothing was written."""


class BookReply(NamedTuple):
    """The answer to an entry."""

    code: BookCode
    token: str
    server_ms: int


@dataclass(frozen=True, slots=True)
class RunChange:
    """What is to be done to a run.

    Args:
        act: what.
        run: which run is meant.
        expected: the position that the caller saw; None only for an abort whatever the position, and for a start.
        target: the step to go to, for STEP and LOWER.
        plan: of the run, for START, STEP, LOWER and FINISH; shares and budgets come from it.
        slot, currency, capital: of the new run, for START.
        by, why, source: for the control event.
        audit: fields for an entry of `…:audit`.
        basis: what gates were asked about (`console.store.fence.calls.basis`); empty for nothing.
        upgrade: revision of the upgrade's run that starts it: refused where that was changed since; 0 for none.

    Raises:
        UsageError: something that the act needs is missing.
    """

    act: Act
    run: str
    expected: Position | None = None
    _: KW_ONLY
    target: int = 0
    plan: Plan | None = None
    slot: str = ""
    currency: str = ""
    capital: Decimal | None = None
    by: str = ""
    why: str = ""
    audit: Mapping[str, str] | None = None
    source: Source = Source.OPERATOR
    basis: str = ""
    upgrade: int = 0

    def __post_init__(self) -> None:
        if self.expected is None and self.act not in (Act.START, Act.ABORT):
            raise UsageError("A change of a canary says which step and revision it was decided on.")
        if self.plan is None:
            if self.act in (Act.START, Act.STEP, Act.LOWER, Act.FINISH):
                raise UsageError("A change of a canary's capital needs its plan.")
        elif self.act is not Act.START and not 0 <= self.target < len(self.plan.steps):
            raise UsageError(f"The plan has no step {self.target + 1}.")
        if self.act is Act.START:
            real = self.capital is not None and self.capital.is_finite() and self.capital > 0
            if not real or not self.currency or self.slot not in ("blue", "green"):
                raise UsageError("A canary needs a slot, a capital above 0 and its currency.")


def unordered(
    act: Act,
    run: CanaryRun,
    expected: Position | None,
    *,
    agent: str,
    by: str,
    why: str,
    source: Source,
    target: int = 0,
) -> RunChange:
    """A change that no operator ordered: a desk's, a guard's, or that of whoever attends a run; the audit says whose.

    Args:
        act: ABORT, STEP or FINISH.
        run: as it was read.
        expected, target, by, why, source: see `RunChange`.
        agent: whose run.
    """
    verb = "canary abort" if act is Act.ABORT else "canary promote"
    fields = request_fields(
        id=new_id(), command=verb, agent=agent, who=by, why=why, what=f"canary {run.name}", source=source
    )
    return RunChange(
        act, str(run.name), expected, target=target, plan=run.plan, by=by, why=why, audit=fields, source=source
    )


def change(keys: Keys, wanted: RunChange) -> Call[CanaryReply]:
    """The call that changes a run."""
    share, budget, digest, whole, target = "", "", "", "", wanted.target
    if wanted.plan is not None:
        at = wanted.plan.steps[0 if wanted.act is Act.START else target]
        digest = wanted.plan.digest
        share, budget = f"{at.share:f}", f"{at.loss_budget:f}" if at.share else ""
        if wanted.act is Act.START:
            whole, target = plan_text(wanted.plan), len(wanted.plan.steps)
    step, revision = ("", "any") if wanted.expected is None else (wanted.expected.step, wanted.expected.revision)
    bound_to = f"{revision}@{wanted.upgrade}" if wanted.upgrade else revision
    seen = (str(step), bound(bound_to, wanted.basis))
    args = (
        wanted.act.value,
        wanted.run,
        *seen,
        checked_words(wanted.by, "A name"),
        checked_words(wanted.why, "A reason"),
        str(target),
        share,
        budget,
        digest,
        wanted.slot,
        whole,
        wanted.currency,
        "" if wanted.capital is None else f"{wanted.capital:f}",
        wanted.source.value,
        *audit_pairs(wanted.audit),
    )
    return Call("canary", (*base_keys(keys), keys.audit, ProofKeys.of(keys).run), args, _canary_reply)


def _canary_reply(reply: Any) -> CanaryReply:
    code, run, state, step, revision, share, budget, since, ms, detail, audit_id = texts(reply)
    return CanaryReply(
        CanaryCode(code),
        run,
        RunState(state) if state else None,
        Position(int(step), int(revision)),
        Decimal(share),
        Decimal(budget) if budget else None,
        int(since),
        int(ms),
        detail,
        audit_id,
    )


def take(keys: Keys, holder: str) -> Call[BookReply]:
    """Take the book over: from now on whoever had it can write nothing."""
    return _book(keys, "take", holder)


def give(keys: Keys, token: str, run: str, revision: int, round_id: str, record: str, ledger: str) -> Call[BookReply]:
    """Book a round before it is played.

    Args:
        keys: whose.
        token: from `take`.
        run, revision: that the round was shared out under.
        round_id: at most `MAX_ROUND_ID` characters.
        record, ledger: as the router wants to read them again.
    """
    return _book(keys, "give", token, run, str(revision), round_id, record, ledger)


def turn(keys: Keys, token: str, run: str, revision: int, ledger: str) -> Call[BookReply]:
    """Begin a new page: the step is another."""
    return _book(keys, "turn", token, run, str(revision), "", "", ledger)


def end(keys: Keys, token: str, round_id: str, ledger: str) -> Call[BookReply]:
    """Book the end of a round; allowed whatever the step."""
    return _book(keys, "end", token, "", "", round_id, "", ledger)


def report(keys: Keys, token: str, document: str, point: str = "", state: str = "") -> Call[BookReply]:
    """Say how things stand, add a point to the track, and keep what is wanted back after a restart."""
    return _book(keys, "report", token, "", "", document, point, str(MAX_POINTS), state)


def _book(keys: Keys, act: str, *args: str) -> Call[BookReply]:
    return Call("book", ProofKeys.of(keys), (act, *args), _book_reply)


def _book_reply(reply: Any) -> BookReply:
    code, token, ms = texts(reply)
    return BookReply(BookCode(code), token, int(ms))


class Stored(NamedTuple):
    """What the store holds of a canary, read in one step.

    Args:
        reading: for evaluating and showing; None where there never was a run.
        ledger: the router's, as it was booked last; empty where none was.
        open_rounds: round id → record, of rounds that have not ended.
        server_at: the server's clock at the reading.
        closed: why no risk may rise now, by the authority; empty where it may.
        state: what the process that shares the rounds out wants back after a restart.
    """

    reading: CanaryReading | None
    ledger: str
    open_rounds: Mapping[str, str]
    server_at: datetime
    closed: str = ""
    state: str = ""


def commands(keys: Keys) -> tuple[tuple[Any, ...], ...]:
    """The commands whose replies `stored_from` takes."""
    names = ProofKeys.of(keys)
    return (
        ("HGETALL", names.run),
        ("HGETALL", names.book),
        ("LRANGE", names.track, -MAX_POINTS, -1),
        ("TIME",),
        ("HMGET", keys.ctl, "ph", "lvl", "act"),
        ("HGETALL", keys.canary_gates),
    )


def stored_from(replies: Sequence[Any]) -> Stored:
    """What `commands` found.

    Raises:
        Refused: a key is of another Redis type.
    """
    for reply in replies:
        if isinstance(reply, Exception):
            raise Refused(f"A key of the canary can't be read: {clean(str(reply), 120)}.", "Look at its ac:… keys.")
    run_raw, book_raw, track_raw, moment, control, gates = replies
    run, book = _texts_of(run_raw), _texts_of(book_raw)
    seconds, micros = moment
    return Stored(
        reading=reading_from(run, book, track_raw, gates),
        ledger=book.get("ledger", ""),
        open_rounds={name[2:]: value for name, value in book.items() if name.startswith("o:")},
        server_at=datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC),
        closed=_closed(control, run.get("slot", "")),
        state=book.get("state", ""),
    )


def reading_from(
    run: Mapping[str, str], book: Mapping[str, str], track: Any, gates: Any = None
) -> CanaryReading | None:
    """What may be shown and evaluated; None where there never was a run."""
    recorded = run_from(run)
    if recorded is None:
        return None
    desk = desk_from(book["report"], book.get("at")) if "report" in book else None
    points = [text(point) for point in track] if isinstance(track, list) else []
    began_ms = recorded.began_at.timestamp() * 1000
    own = tuple(point for point in track_from(points) if point.at.timestamp() * 1000 >= began_ms)
    return CanaryReading(recorded, desk, own, reports_from(gates))


def _closed(control: Sequence[Any], slot: str) -> str:
    phase, level, active = ("" if value is None else text(value) for value in control)
    if phase != "RUN":
        return {"HALT": "halted", "DRAIN": "a switch drains"}.get(phase, "there is no authority")
    if level not in ("", "0"):
        return "new risk is stopped"
    return f"{slot} is active itself" if active == slot else ""


def _texts_of(raw: Any) -> dict[str, str]:
    return {text(name): text(value) for name, value in raw.items()} if isinstance(raw, Mapping) else {}


def read(client: Redis, keys: Keys) -> Stored:
    """Everything about a canary, on a blocking client.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors(), client.pipeline(transaction=True) as pipe:
        for command in commands(keys):
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        replies = pipe.execute(raise_on_error=False)
    return stored_from(_answered(replies))


async def read_async(client: AsyncRedis, keys: Keys) -> Stored:
    """Everything about a canary, on an asyncio client.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            for command in commands(keys):
                pipe.execute_command(*command)
            replies = await pipe.execute(raise_on_error=False)
    return stored_from(_answered(replies))


def _answered(replies: list[Any]) -> list[Any]:
    """The replies, where the only errors among them are keys of another type."""
    with wrap_errors():
        for reply in replies:
            if isinstance(reply, Exception) and "WRONGTYPE" not in str(reply):
                raise reply
    return replies
