"""The contract's invariants, checked from the outside: the raw streams against the venue's own book.

Written against the contract, not against the scripts: it parses the streams by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from console.domain.fence.chain import verify_chain
from console.store.keys import Keys
from tests.faults.venue import Execution


@dataclass
class Findings:
    """Counts, and every violation in words; a run is good when there are none of the latter."""

    executions: int = 0
    twice: int = 0
    claims: int = 0
    switches: int = 0
    lost_switches: int = 0
    doubts: int = 0
    open_doubts: int = 0
    late: int = 0
    violations: list[str] = field(default_factory=list)


def check(
    client: Any,
    keys: Keys,
    book: list[Execution],
    acknowledged: list[int],
    lost: Sequence[tuple[float, float]] = (),
) -> Findings:
    """Everything that must hold once all agents are dead.

    Args:
        client: a connection to the store.
        keys: the agent's.
        book: what the venue has executed.
        acknowledged: the epochs of switches and halts that an operator was told of.
        lost: from when to when, by the venue's clock, what was executed may have been forgotten by a store that was put
            back; none of it may be executed again all the same.
    """
    findings = Findings(executions=len(book))
    wrong = findings.violations
    ctl = {k.decode(): v.decode() for k, v in client.hgetall(keys.ctl).items()}
    acts, log = client.xrange(keys.actions), client.xrange(keys.log)
    unended = {k.decode(): v.decode().split("\n") for k, v in client.hgetall(keys.open).items()}

    twice = [key for key, count in Counter(e.key for e in book).items() if count > 1]
    findings.twice = len(twice)
    wrong += [f"I1 {key} was executed more than once" for key in twice[:10]]

    for name, entries, head in (("acts", acts, ctl.get("ah", "")), ("log", log, ctl.get("lh", ""))):
        verdict = verify_chain(entries, head=head)
        if not verdict.ok:
            wrong.append(f"I5 chain of {name}: {verdict.problem} {verdict.bad_id}")

    _epochs(acts, log, findings)

    ends: Counter[str] = Counter()
    granted: dict[str, str] = {}
    settled: dict[str, set[str]] = {}
    for _entry, fields in acts:
        line = fields[b"d"].decode().split("\n")
        kind, key, cid = line[0], line[3], line[4]
        if kind == "claim":
            granted[cid] = key
            findings.claims += 1
        elif kind in ("settle", "resolve"):
            ends[cid] += 1
            settled.setdefault(key, set()).add(line[8])
        elif kind == "late":
            findings.late += 1
            settled.setdefault(key, set()).add(line[8])
        elif kind == "doubt":
            findings.doubts += 1
    open_ids = {record[0]: record for record in unended.values()}
    findings.open_doubts = sum(record[6] == "D" for record in unended.values())
    for cid, key in granted.items():
        if ends[cid] + (cid in open_ids) != 1:
            wrong.append(
                f"I3 the claim {cid} on {key} has {ends[cid]} ends and is {'' if cid in open_ids else 'not '}open"
            )
    for execution in book:
        if execution.claim_id not in granted and any(since <= execution.at <= till for since, till in lost):
            continue
        if granted.get(execution.claim_id) != execution.key:
            wrong.append(f"I3 {execution.key} was executed without a claim")
        if execution.key not in unended and not settled.get(execution.key, set()) & {"ok", "executed"}:
            wrong.append(f"I6 {execution.key} was executed and is recorded as {settled.get(execution.key)}")

    seen = {fields[b"ep"].decode() for _entry, fields in log}
    findings.switches = len(acknowledged)
    lost = [epoch for epoch in acknowledged if str(epoch) not in seen]
    findings.lost_switches = len(lost)
    wrong += [f"I4 the acknowledged epoch {epoch} is not in the log" for epoch in lost[:10]]
    del wrong[40:]
    return findings


def _epochs(acts: list[Any], log: list[Any], found: Findings) -> None:
    """I2: each claim lies in the epoch it names. Control events carry the head of the actions, which orders the two."""
    after: dict[str, list[dict[bytes, bytes]]] = {}
    for _entry, fields in log:
        after.setdefault(fields[b"ah"].decode(), []).append(fields)
    now: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    head = ""
    for _entry, fields in [("", None), *acts]:
        if fields is not None:
            head = fields[b"h"].decode()
            line = fields[b"d"].split(b"\n")
            if line[0] == b"claim" and (line[7], line[6], b"RUN") != now:
                found.violations.append(f"I2 {line[3].decode()} was claimed in {line[7:8]} while {now}")
        for event in after.get(head, []):
            if event[b"k"] != b"flag":
                now = (event[b"ep"], event[b"act"], event[b"ph"])
