"""The doctor's checks: pure functions from what was seen to a verdict, a risk and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from console.domain.fence.check import Check, Verdict
from console.domain.fence.promise import Promise
from console.domain.fence.sharded import coverage, is_node
from console.domain.text import clean

OK, WARN, FAIL, UNKNOWN = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN
MAX_SKEW_S: Final = 1.0
SLOW_MS: Final = 50.0
NOT_PERMITTED: Final = "CONFIG GET is not permitted to this user"
WRITE: Final = (
    '[store] by = "YOUR NAME", promised = {{ {} }}; for agents '
    'Settings(promised=Promise.of({{…}}, "YOUR NAME")). Or permit {}.'
)
"""What to write where a server does not tell."""
ASK_DURABLE: Final = WRITE.format('appendonly = "yes", appendfsync = "always"', "CONFIG GET")
ASK_EVICTION: Final = WRITE.format('maxmemory-policy = "noeviction"', "CONFIG GET")
ASK_QUORUM: Final = WRITE.format('min-replicas-to-write = "1"', "CONFIG GET")
ASK_VERSION: Final = WRITE.format('version = "valkey 8.1"', "INFO")
NOT_MEASURED: Final = "Nobody has measured it: if it is not so, the same key can be executed twice."
REMEASURE: Final = "Ask whoever runs the server again after each change of it."


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the checks look at.

    Args:
        info: INFO, all sections.
        settings: CONFIG GET of what money depends on; None where it isn't permitted.
        rules: the ACL rules of our own user; None where they can't be asked for.
        skew_s: the server's clock less ours.
        round_trips_ms: of a PING, sorted.
        types: our keys of a wrong Redis type: name → what it is.
        wait_replicas: how many replicas claims are asked to wait for.
        lost: what only scripts write and is not there, in words; empty where nothing is known to be missing.
        late: reports that came for claims which had been taken for not executed, or were lost.
        functions: whether the scripts run as functions of a library on the server; None where they run by hash.
        foreign: functions under our names that are not this release's, in words; empty where each is.
        unseen: whether functions may be called and not be looked at.
        now: our clock.
        promise: what an operator vouches for, where it can't be measured.
    """

    info: Mapping[str, Any]
    settings: Mapping[str, str] | None
    rules: str | None
    skew_s: float
    round_trips_ms: tuple[float, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    wait_replicas: int = 0
    lost: str = ""
    late: int = 0
    functions: bool | None = None
    foreign: str = ""
    unseen: bool = False
    now: datetime | None = None
    promise: Promise | None = None

    def promised(self, *names: str) -> dict[str, str]:
        """What was promised of these."""
        settings = self.promise.settings if self.promise is not None else {}
        return {name: settings[name] for name in names if name in settings}


def _as_promised(facts: Facts, check: Check) -> Check:
    """A check that went by a promise: what is ok is so by somebody's word."""
    assert facts.promise is not None
    by = facts.promise.by
    told = check._replace(seen=f"{check.seen} (promised by {by}, not measured)", promised_by=by)
    return told if check.verdict is not OK else told._replace(verdict=WARN, risk=NOT_MEASURED, remedy=REMEASURE)


def server(facts: Facts) -> Check:
    """Which server, and whether it knows what the scripts need (Redis 7.0, Valkey 7.2)."""
    told = facts.promised("version").get("version", "")
    known = facts.info.get("valkey_version") or facts.info.get("redis_version")
    if told and not known:
        name, _, number = told.rpartition(" ")
        info = {f"{'valkey' if name.lower() == 'valkey' else 'redis'}_version": number}
        return _as_promised(facts, _server(info))
    return _server(facts.info)


def _server(info: Mapping[str, Any]) -> Check:
    valkey = info.get("valkey_version")
    name = "Valkey" if valkey else "Redis"
    version = clean(valkey or info.get("redis_version") or "", 32)
    seen = f"{name} {version}" if version else "INFO is not permitted"
    if not version:
        return Check("server", UNKNOWN, seen, "Its version is unknown.", ASK_VERSION, required=True)
    if _number(version) < (7, 0):
        risk = "The scripts need Redis 7.0 or Valkey 7.2: results and halts could fail when memory is full."
        return Check("server", FAIL, seen, risk, "Upgrade the server.", required=True)
    return Check("server", OK, seen, required=True)


def role(facts: Facts) -> Check:
    """Whether it is a primary."""
    stated = clean(facts.info.get("role", ""), 16)
    if stated in ("master", "primary"):
        return Check("role", OK, "primary")
    if not stated:
        return Check("role", UNKNOWN, "INFO does not say", "A replica can't be commanded.", "Look at its role.")
    risk = "A replica takes no writes: nothing can be commanded."
    return Check("role", FAIL, stated, risk, "Give the primary's address.")


def persistence(facts: Facts) -> Check:
    """Whether what was acknowledged is on the disk."""
    settings, told = facts.settings, _whole(facts.info.get("aof_enabled"))
    word = facts.promised("appendonly", "appendfsync", "no-appendfsync-on-rewrite")
    if settings is None and told != 0 and "appendfsync" in word and (told or "appendonly" in word):
        return _as_promised(facts, _synced({"appendonly": "yes" if told else "", **word}, told))
    if settings is None and told is None:
        risk = "Acknowledged claims may be lost."
        return Check("persistence", UNKNOWN, NOT_PERMITTED, risk, ASK_DURABLE, required=True)
    if settings is None and told:
        risk = "How it is synced is not known: a power loss may take the last seconds of claims and results with it."
        return Check("persistence", WARN, f"append-only by INFO; {NOT_PERMITTED}", risk, ASK_DURABLE, required=True)
    return _synced(settings or {}, told)


def _synced(settings: Mapping[str, str], told: int | None) -> Check:
    fsync = settings.get("appendfsync", "")
    if settings.get("appendonly") != "yes" or told == 0:
        risk = "After a restart the store has forgotten what was executed: the same key could be executed twice."
        return Check("persistence", FAIL, "append-only file off", risk, "CONFIG SET appendonly yes", required=True)
    if fsync != "always":
        risk = "A power loss can take the last second or two of claims and results with it."
        return Check("persistence", WARN, f"append-only, fsync {fsync}", risk, "CONFIG SET appendfsync always", True)
    if settings.get("no-appendfsync-on-rewrite") == "yes":
        risk = "While the file is rewritten nothing is synced: a power loss then can lose acknowledged claims."
        return Check("persistence", WARN, "no fsync on rewrite", risk, "CONFIG SET no-appendfsync-on-rewrite no", True)
    return Check("persistence", OK, "append-only, fsync always", required=True)


def disk(facts: Facts) -> Check:
    """Whether the last write to the disk worked."""
    saved = clean(facts.info.get("rdb_last_bgsave_status", "") or "", 16)
    if saved not in ("", "ok") and (facts.settings or {}).get("stop-writes-on-bgsave-error") != "no":
        risk = "It refuses every write (MISCONF): agents claim nothing, and nothing can be commanded, not even a halt."
        remedy = (
            "Free its disk, or mend the rights of its folder, and let it save (BGSAVE); CONFIG SET "
            "stop-writes-on-bgsave-error no lets it write without saving. Agents stop by their halt file until then."
        )
        return Check("disk", FAIL, f"MISCONF: last save {saved}", risk, remedy)
    status = clean(facts.info.get("aof_last_write_status", "") or "", 16)
    if not status or status == "ok":
        return Check("disk", OK if status else UNKNOWN, f"last write {status or 'unknown'}")
    risk = "The server may refuse writes, or lose them at a restart."
    return Check("disk", FAIL, f"last write {status}", risk, "Look at its log and its disk.")


def eviction(facts: Facts) -> Check:
    """Whether the server may throw keys away by itself."""
    settings = facts.settings
    policy = (settings or {}).get("maxmemory-policy") or clean(facts.info.get("maxmemory_policy", "") or "", 32)
    if not policy and (word := facts.promised("maxmemory-policy")):
        return _as_promised(facts, _evicting(word["maxmemory-policy"]))
    if not policy:
        risk = "An evicted result is a double execution."
        return Check("eviction", UNKNOWN, NOT_PERMITTED, risk, ASK_EVICTION, required=True)
    return _evicting(policy)


def _evicting(policy: str) -> Check:
    if policy != "noeviction":
        risk = "An evicted result makes its key executable a second time."
        return Check("eviction", FAIL, policy, risk, "CONFIG SET maxmemory-policy noeviction", required=True)
    return Check("eviction", OK, policy, required=True)


def memory(facts: Facts) -> Check:
    """How much room is left."""
    used, limit = _whole(facts.info.get("used_memory")), _whole(facts.info.get("maxmemory"))
    if used is None:
        return Check("memory", UNKNOWN, "INFO does not say", "A full server refuses new claims.", "Permit INFO.")
    seen = f"{used / 2**20:.0f} MiB used" + (f" of {limit / 2**20:.0f} MiB" if limit else ", no limit set")
    if limit and used > 0.9 * limit:
        risk = "New claims will be refused; results, switches and halts still work."
        return Check("memory", WARN, seen, risk, "Raise maxmemory, or archive and trim the streams.")
    return Check("memory", OK, seen)


def replication(facts: Facts) -> Check:
    """Whether there are as many replicas as claims wait for; without waiting, failover loses claims."""
    count, asked = _whole(facts.info.get("connected_slaves")) or 0, facts.wait_replicas
    seen = f"{count} replicas, claims wait for {asked}"
    if asked > count:
        risk = "No claim can be granted: each waits for replicas that are not there."
        return Check("replication", FAIL, seen, risk, f"Bring up {asked - count} more, or wait for fewer.")
    if asked:
        if asked == count:
            risk = "When one replica is away, nobody can act until it is back."
            return Check("replication", WARN, seen, risk, "One replica more than claims wait for.")
        return Check("replication", OK, seen)
    if count:
        risk = "Unprotected against failover: a promoted replica may not know of claims that were executed."
        return Check("replication", FAIL, seen, risk, "Let claims wait: Settings(replicas=1), with two replicas.")
    risk = "While the server is away nobody acts; there is no failover that could lose anything."
    return Check("replication", WARN, seen, risk, "For availability: one primary and two replicas, and replicas=1.")


def quorum(facts: Facts) -> Check:
    """Whether an isolated primary stops by itself."""
    count = _whole(facts.info.get("connected_slaves")) or 0
    if facts.settings is None and (word := facts.promised("min-replicas-to-write")):
        return _as_promised(facts, _quorum(word, count))
    if facts.settings is None:
        return Check("quorum", UNKNOWN, NOT_PERMITTED, "", ASK_QUORUM)
    return _quorum(facts.settings, count)


def _quorum(settings: Mapping[str, str], count: int) -> Check:
    least = _whole(settings.get("min-replicas-to-write")) or 0
    if not count and not least:
        return Check("quorum", OK, "a server of its own: there is nothing to be isolated from")
    if least:
        lag = settings.get("min-replicas-max-lag", "?")
        return Check("quorum", OK, f"min-replicas-to-write {least}, max-lag {lag} s")
    risk = "A primary that is cut off goes on taking writes that will be lost; claims that wait are safe all the same."
    return Check("quorum", WARN, "min-replicas-to-write 0", risk, "CONFIG SET min-replicas-to-write 1")


def clock(facts: Facts) -> Check:
    """Whether the server's clock and ours agree; the protocol uses only the server's, people use both."""
    seen = f"{facts.skew_s:+.3f} s against this host"
    if abs(facts.skew_s) <= MAX_SKEW_S:
        return Check("clock", OK, seen)
    risk = (
        "Epochs carry the server's time: if it was ahead and is set back, switches after data loss could reuse epochs."
    )
    return Check("clock", WARN, seen, risk, "Run NTP on both hosts.")


def latency(facts: Facts) -> Check:
    """How long a round trip takes."""
    trips = facts.round_trips_ms
    if not trips:
        return Check("latency", UNKNOWN, "not measured")
    middle, worst = trips[len(trips) // 2], trips[-1]
    seen = f"p50 {middle:.2f} ms, worst {worst:.1f} ms of {len(trips)}"
    if middle > SLOW_MS:
        risk = "Claims time out and are given up; a roll back takes that much longer."
        return Check("latency", WARN, seen, risk, "Run agents near the store, or raise command_timeout_ms.")
    return Check("latency", OK, seen)


def access(facts: Facts) -> Check:
    """What this user may do that no agent should."""
    rules = facts.rules
    if rules is None:
        return Check("access", UNKNOWN, "ACL is not permitted to this user", "", "")
    if "+@all" in rules and "-" not in rules.replace("-@all", ""):
        risk = "Whoever has this password can flush the store or rewrite the authority; the chains would show it."
        remedy = (
            "Give agents a user of their own: ~ac:{…}:* and the plain key, without FLUSHALL, CONFIG and SCRIPT FLUSH."
        )
        return Check("access", WARN, "this user may do everything", risk, remedy)
    return Check("access", OK, clean(rules, 120))


def key_types(facts: Facts) -> Check:
    """Whether anything else lives under our keys."""
    if not facts.types:
        return Check("keys", OK, "every key is of its own type")
    seen = ", ".join(f"{name} is a {clean(kind, 16)}" for name, kind in facts.types.items())
    verdict = WARN if set(facts.types) <= {"active", "audit"} else FAIL
    return Check(
        "keys", verdict, seen, "The scripts are refused on such keys: nobody can act.", "Move what is there away."
    )


def data(facts: Facts) -> Check:
    """Whether what only scripts write is all there, and no report came too late."""
    if facts.lost:
        risk = "What was in flight or in doubt may be executed a second time."
        return Check("data", FAIL, facts.lost, risk, "Halt; then look at what happened to the store's data.")
    if facts.late:
        risk = "A claim that was taken for not executed was executed after all, perhaps twice."
        return Check(
            "data", WARN, f"{facts.late} late reports", risk, "Reconcile at the venue: the actions name the keys."
        )
    return Check("data", OK, "nothing is missing, no report was late")


def functions(facts: Facts) -> Check:
    """Whether what runs is what this release carries: by hash it is, a library on the server can be replaced."""
    if facts.foreign:
        risk = "Who may replace the scripts may act as anybody: claims, switches and halts can't be trusted."
        remedy = (
            "Halt by the halt file; find out who loaded it (ACL LOG, its log); then FUNCTION DELETE that library, and "
            "give agents a user of `agent-console acl agent`, who can load none."
        )
        return Check("functions", FAIL, facts.foreign, risk, remedy)
    if facts.unseen:
        risk = "This user runs functions that others may load, and can't see whether they are this release's."
        return Check("functions", WARN, "may be called and not be looked at", risk, "Take -fcall, or +function|list.")
    if facts.functions:
        return Check("functions", OK, "this release's, by their text")
    return Check("functions", OK, "not used here: scripts run by the hash of their text")


CHECKS: Final[tuple[Callable[[Facts], Check], ...]] = (
    server,
    role,
    persistence,
    disk,
    eviction,
    memory,
    replication,
    quorum,
    clock,
    latency,
    access,
    key_types,
    data,
    functions,
)


def every_check(facts: Facts) -> tuple[Check, ...]:
    """All of them, in order; one more of a Cluster's node."""
    more = (coverage(facts.settings),) if is_node(facts.info) else ()
    return (*(check(facts) for check in CHECKS), *more)


def _number(version: str) -> tuple[int, int]:
    major, minor, *_rest = [int(part) if part.isdigit() else 0 for part in [*version.split("."), "0", "0"]]
    return major, minor


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
