"""The names of one agent's keys (the shared contract, both layers)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from console.domain.errors import UsageError

DEFAULT_AGENT: Final = "agent"
_AGENT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


class Keys(NamedTuple):
    """Every key of one agent.

    Args:
        agent: its name.
        active: the plain key that holds the active version.
        flag_prefix: what stands before a flag's name.
        tag: the hash tag of the fenced keys: on Cluster it puts them into the plain key's slot.
    """

    agent: str
    active: str
    flag_prefix: str
    tag: str

    @classmethod
    def of(cls, agent: str = DEFAULT_AGENT, *, cluster: bool = False) -> Keys:
        """The keys of an agent; on a Cluster every one of them carries the hash tag `{name}`.

        Whether there is a Cluster is known from the connection: `console.store.server.cluster.keys_on`.

        Raises:
            UsageError: the name can't be part of a key.
        """
        if not _AGENT_NAME.match(agent):
            raise UsageError(
                f"{agent!r} can't be an agent's name.", "Use letters, digits, _ . and -, at most 64 characters."
            )
        if cluster:
            return cls(agent, f"{{{agent}}}:active_version", f"{{{agent}}}:flag:", agent)
        if agent == DEFAULT_AGENT:
            return cls(agent, "agent:active_version", "flag:", "agent:active_version")
        return cls(agent, f"{agent}:active_version", f"{agent}:flag:", f"{agent}:active_version")

    def flag(self, name: str) -> str:
        """The key of a flag."""
        return self.flag_prefix + name

    def beside(self, name: str) -> str:
        """A key beside the authority, in the same hash slot."""
        return f"ac:{{{self.tag}}}:{name}"

    @property
    def ctl(self) -> str:
        """Hash: the authority."""
        return self.beside("ctl")

    @property
    def open(self) -> str:
        """Hash: idempotency key → claim that has no end yet."""
        return self.beside("open")

    @property
    def in_flight(self) -> str:
        """Sorted set: claims by lease deadline."""
        return self.beside("infl")

    @property
    def actions(self) -> str:
        """Stream: claim, settle, doubt, resolve, late; hash-chained."""
        return self.beside("acts")

    @property
    def log(self) -> str:
        """Stream: control events; hash-chained; agents block-read it."""
        return self.beside("log")

    @property
    def instances(self) -> str:
        """Hash: instance → heartbeat."""
        return self.beside("inst")

    @property
    def beats(self) -> str:
        """Sorted set: instance → when it beat (server milliseconds), of the last minute."""
        return self.beside("beats")

    @property
    def changed(self) -> str:
        """Sorted set: instance → when its heartbeat last told something new (server milliseconds), of the last
        minute."""
        return self.beside("changed")

    @property
    def revisions(self) -> str:
        """Hash: part → a mark that each write of it changes (`console.store.records.revisions`)."""
        return self.beside("revs")

    @property
    def audit(self) -> str:
        """Stream: receipts of every command; hash-chained."""
        return self.beside("audit")

    @property
    def flags(self) -> str:
        """Set: names of the flags that a script wrote; a hint: the flags' own keys are the truth."""
        return self.beside("flags")

    @property
    def owed(self) -> str:
        """Hash: commitment's id → what is owed."""
        return self.beside("owed")

    @property
    def named(self) -> str:
        """Hash: `#KEY` of a claim → the commitment that it names; `=ID` of a commitment → the claim's key."""
        return self.beside("named")

    @property
    def left(self) -> str:
        """Hash: instance that said goodbye while something of its own had no end → its last heartbeat."""
        return self.beside("left")

    @property
    def versions(self) -> str:
        """Hash: version → when it was new (server milliseconds), and its slot; the newest 100."""
        return self.beside("versions")

    @property
    def upgrades(self) -> str:
        """Hash: `current` → the run that goes on, or the last one; a run's id → a run that is over."""
        return self.beside("upgrades")

    @property
    def manifests(self) -> str:
        """Hash: `=VERSION` → the manifest that a version is held to; `~VERSION` → another one that an instance of it
        declared."""
        return self.beside("manifests")

    @property
    def snapshots(self) -> str:
        """Hash: snapshot's id → on which host its file lies, its hash, when it was taken; the newest 50."""
        return self.beside("snapshots")

    @property
    def good(self) -> str:
        """Hash: side → when it was last healthy and reconciled, and as which version."""
        return self.beside("good")

    @property
    def canary_gates(self) -> str:
        """Hash: who asks the gates while nobody attends a canary → what it saw last."""
        return self.beside("canary-gates")

    @property
    def retired(self) -> str:
        """Hash: version → when (server milliseconds) and by whom it was retired."""
        return self.beside("retired")

    def watch(self, instance: str) -> str:
        """Set, expiring: ids of the commitments that an instance says it watches."""
        return self.beside("watch:") + instance

    @property
    def archived(self) -> str:
        """Hash: stream's name → number and hash of the newest entry that was archived and taken off it."""
        return self.beside("archived")

    def done(self, idempotency_key: str) -> str:
        """String: the recorded result of an idempotency key."""
        return self.beside("done:") + idempotency_key

    def sent(self, idempotency_key: str) -> str:
        """String, expiring: when an idempotency key was sent first whose claim was ended by evidence."""
        return self.beside("sent:") + idempotency_key


class ProofKeys(NamedTuple):
    """What proves a new version: the canary, its book and track, shadows, divergences, experiments."""

    run: str
    book: str
    track: str
    shadows: str
    divergences: str
    experiments: str
    reports: str

    @classmethod
    def of(cls, keys: Keys) -> ProofKeys:
        """Of one agent."""
        names = ("canary", "book", "track", "shadows", "divergences", "experiments", "experiment-reports")
        return cls(*(keys.beside(name) for name in names))


class StateKeys(NamedTuple):
    """The states that an agent handed over: their list, their pieces, and in which of them each piece is."""

    states: str
    pieces: str
    uses: str

    @classmethod
    def of(cls, keys: Keys) -> StateKeys:
        """Of one agent."""
        return cls(*(keys.beside(name) for name in ("states", "state-pieces", "state-uses")))


class GuardKeys(NamedTuple):
    """What guards keep of one agent."""

    guards: str
    trips: str
    alerts: str
    sent: str
    baselines: str
    triggers: str

    @classmethod
    def of(cls, keys: Keys) -> GuardKeys:
        """Of one agent."""
        return cls(*(keys.beside(name) for name in ("guards", "trips", "alerts", "sent", "baselines", "triggers")))
