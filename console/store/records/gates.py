"""What gates keep in the store: `…:gates`, a hash of small documents, each with its revision.

`tick:ITEM` is a manual item that a named operator ticked; `plan:ID` an override that somebody proposed, with its
approval; `canary:RUN` the version that a canary's side ran when it began, and
the gates that an operator went over in the run; `rehearsal:VERSION` the last rehearsal of a
version. All of it is text from outside when it is
read back: what can't be read counts as if it were not there, which never opens anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.document import record_from
from console.domain.errors import Refused, UsageError
from console.domain.gates.facts import Tick
from console.domain.gates.plan import Approval, Plan, Proposed
from console.domain.rehearsal.evidence import Evidence
from console.domain.text import clean
from console.domain.untrusted import moment, whole
from console.store.fence.calls import Call, audit_pairs, base_keys, checked_words
from console.store.fence.replies import decode_json, text, texts
from console.store.keys import Keys
from console.store.records.experiments import DocumentCode, DocumentReply
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST: Final = 256
MAX_BYTES: Final = 16_384
MAX_TEXT: Final = 1 << 20
KEPT: Final = timedelta(hours=24)
"""A plan that is older is not shown any more; the next one that is proposed takes it out."""
KEPT_CANARIES: Final = 64
KEPT_REHEARSALS: Final = 32
_TICK, _PLAN, _CANARY, _REHEARSAL = "tick:", "plan:", "canary:", "rehearsal:"
_WORDS: Final = ("agent", "command", "act", "target", "step", "content", "reason", "who", "login")


class Kept(NamedTuple):
    """Everything of it.

    Args:
        ticks: item → its newest tick.
        plans: newest first.
        canaries: run → version.
        accepted: run → gates that an operator went over in it.
        rehearsals: version → its last rehearsal.
        revisions: name of a document → its revision.
    """

    ticks: Mapping[str, Tick]
    plans: tuple[Proposed, ...]
    canaries: Mapping[str, str]
    rehearsals: Mapping[str, Evidence]
    revisions: Mapping[str, int]
    accepted: Mapping[str, frozenset[str]]

    def worn(self, now: datetime) -> tuple[str, ...]:
        """Names of documents that nobody needs any more."""
        old = [_PLAN + one.plan.id for one in self.plans if one.plan.proposed_at < now - KEPT]
        runs = sorted(self.canaries)
        rehearsed = sorted(self.rehearsals.values(), key=lambda one: one.at)
        return (
            *old,
            *(_CANARY + run for run in runs[: max(0, len(runs) - KEPT_CANARIES)]),
            *(_REHEARSAL + one.version for one in rehearsed[: max(0, len(rehearsed) - KEPT_REHEARSALS)]),
        )


def key(keys: Keys) -> str:
    """Hash: name → revision and document."""
    return keys.beside("gates")


def put(
    keys: Keys,
    name: str,
    document: Mapping[str, Any],
    expected: int,
    *,
    by: str,
    why: str,
    before: str = "",
    after: str = "",
    audit: Mapping[str, str] | None = None,
) -> Call[DocumentReply]:
    """Write one document, if its revision is the one expected (0: there is none of that name).

    Raises:
        UsageError: it is too large.
    """
    body = json.dumps(document, separators=(",", ":"))
    if len(body) > MAX_BYTES:
        raise UsageError(f"What gates keep of one thing has at most {MAX_BYTES:,} characters.")
    args = (
        name,
        str(expected),
        body,
        checked_words(by, "A name"),
        checked_words(why, "A reason"),
        before,
        after,
        str(MOST),
        *audit_pairs(audit),
    )
    return Call("document", (*base_keys(keys), keys.audit, key(keys)), args, _reply)


def _reply(reply: Any) -> DocumentReply:
    code, revision, ms, audit_id = texts(reply)
    return DocumentReply(DocumentCode(code), int(revision), int(ms), audit_id)


def tick_name(item: str) -> str:
    """The name of an item's tick."""
    return _TICK + item


def plan_name(plan: str) -> str:
    """The name of a plan."""
    return _PLAN + plan


def canary_name(run: str) -> str:
    """The name of a run's version."""
    return _CANARY + run


def rehearsal_name(version: str) -> str:
    """The name of a version's last rehearsal."""
    return _REHEARSAL + version


def tick_document(tick: Tick) -> dict[str, Any]:
    """A tick as plain JSON values."""
    return {**tick._asdict(), "at": tick.at.isoformat()}


def plan_document(plan: Plan, approval: Approval | None) -> dict[str, Any]:
    """A plan and its approval as plain JSON values."""
    return {"plan": plan.document(), "approval": approval.document() if approval else None}


async def read(client: Redis, keys: Keys) -> Kept:
    """Everything of it.

    Raises:
        Refused: the key holds something else.
        StoreUnreachable: there was no answer.
    """
    return kept(await _hash(client, key(keys), "gates' records"))


async def _hash(client: Redis, name: str, what: str) -> Mapping[Any, Any]:
    from redis.exceptions import ResponseError

    with wrap_errors():
        try:
            raw: Mapping[Any, Any] = await client.hgetall(name)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            raise Refused(
                f"The key of the {what}, {name}, is of another Redis type.", "Look at what wrote it."
            ) from error
    return raw


async def forget(client: Redis, keys: Keys, names: tuple[str, ...]) -> None:
    """Take documents out that nobody needs any more.

    Raises:
        StoreUnreachable: there was no answer.
    """
    if names:
        with wrap_errors():
            await client.hdel(key(keys), *names)


async def text_at(client: Redis, name: str) -> bytes | None:
    """A plain key's text; None where there is no such key.

    Raises:
        Refused: it is longer than a megabyte.
        StoreUnreachable: there was no answer, or the key holds something else.
    """
    with wrap_errors():
        length: Any = await client.strlen(name)
        if length > MAX_TEXT:
            raise Refused(f"it holds {length} bytes")
        found: Any = await client.get(name)
    return bytes(found) if found is not None else None


def kept(raw: Mapping[Any, Any]) -> Kept:
    """Everything in the hash; what can't be read is left out."""
    ticks: dict[str, Tick] = {}
    plans: list[Proposed] = []
    canaries: dict[str, str] = {}
    accepted: dict[str, frozenset[str]] = {}
    rehearsals: dict[str, Evidence] = {}
    revisions: dict[str, int] = {}
    for field, value in list(raw.items())[: 2 * MOST]:
        name = text(field)
        head, _, body = text(value)[: 2 * MAX_BYTES].partition("\n")
        if not (head.isascii() and head.isdigit() and len(head) < 16):
            continue
        revisions[name] = int(head)
        document = decode_json(body)
        if not isinstance(document, Mapping):
            continue
        if name.startswith(_TICK):
            tick = _tick(name.removeprefix(_TICK), document)
            if tick is not None:
                ticks[tick.item] = tick
        elif name.startswith(_PLAN):
            proposed = _proposed(document, int(head))
            if proposed is not None and name == _PLAN + proposed.plan.id:
                plans.append(proposed)
        elif name.startswith(_CANARY):
            run, over = name.removeprefix(_CANARY), document.get("accepted")
            canaries[run] = str(clean(document.get("version", ""), 64))
            accepted[run] = (
                frozenset(one for one in over if isinstance(one, str)) if isinstance(over, list) else frozenset()
            )
        elif name.startswith(_REHEARSAL):
            evidence = _evidence(document)
            if evidence is not None and name == _REHEARSAL + evidence.version:
                rehearsals[evidence.version] = evidence
    newest = sorted(plans, key=lambda one: one.plan.proposed_at, reverse=True)
    return Kept(ticks, tuple(newest), canaries, rehearsals, revisions, accepted)


def _tick(item: str, document: Mapping[str, Any]) -> Tick | None:
    at = moment(document.get("at"))
    who, login, why = (str(clean(document.get(name, ""), 200)) for name in ("by", "login", "why"))
    return Tick(item, who, login, at, why, whole(document.get("epoch"))) if at is not None and who else None


def _evidence(document: Mapping[str, Any]) -> Evidence | None:
    try:
        return record_from(Evidence, document)
    except UsageError:
        return None  # it counts as if the version had never been rehearsed


def _proposed(document: Mapping[str, Any], revision: int) -> Proposed | None:
    plan, approval = document.get("plan"), document.get("approval")
    at = moment(plan.get("proposed_at")) if isinstance(plan, Mapping) else None
    if at is None or not isinstance(plan, Mapping):
        return None
    closed, epoch = plan.get("closed"), plan.get("expected_epoch")
    words = {name: plan.get(name) for name in _WORDS}
    gates: list[Any] = closed if isinstance(closed, list) and len(closed) <= MOST else [None]
    if type(epoch) is not int or not all(isinstance(one, str) for one in (*words.values(), *gates)):
        return None
    told: dict[str, str] = {name: str(value) for name, value in words.items()}
    return Proposed(
        Plan(**told, expected_epoch=epoch, closed=tuple(gates), proposed_at=at), _approval(approval), revision
    )


def _approval(document: object) -> Approval | None:
    if not isinstance(document, Mapping):
        return None
    approved, expires = moment(document.get("approved_at")), moment(document.get("expires_at"))
    if approved is None or expires is None:
        return None
    plan, who, login = (str(clean(document.get(name, ""), 200)) for name in ("plan", "who", "login"))
    return Approval(plan, who, login, approved, expires)
