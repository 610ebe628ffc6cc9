"""The least that a user of the store must be allowed: an agent's, an operator's, a guard's, or of who only looks.

What scripts call is read from the scripts themselves, since a script runs with its caller's rights; what is asked
beside them stands here, and a test runs everything under these users. Scripts run by the hash of their own text:
whoever may load one can't put another in its place, and nobody is given the right to load a library of functions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from console.store.keys import DEFAULT_AGENT, Keys
from console.store.records.guards import FLEET
from console.store.scripts import calls_in


class Role(StrEnum):
    """What a user of the store is for."""

    AGENT = "agent"
    OPERATOR = "operator"
    GUARD = "guard"
    VIEWER = "viewer"


_EVERYBODY: Final = "acl|whoami client|setname exec hget hgetall hlen hmget info multi ping time type xrevrange"
_RUNS_SCRIPTS: Final = "evalsha script|load"
_READS: Final = (
    "client|id dbsize exists get getrange hscan hstrlen lastsave lrange mget scan scard smembers sscan strlen "
    "xlen xrange zcard zrange zrangebyscore"
)
_ASKED: Final = {
    Role.AGENT: "get lrange hexists hset xadd xrange xread zcard del sadd srem pexpire scard wait",
    Role.OPERATOR: f"{_READS} client|list del hdel hkeys hset set unwatch watch xadd xtrim zadd zrem",
    Role.GUARD: f"{_READS} expire hdel hset hsetnx set xread xtrim zadd zrem",
    Role.VIEWER: _READS,
}
"""Commands that are sent outside scripts, besides everybody's."""
_SCRIPTS: Final = {
    Role.AGENT: ("claim", "settle", "resolve", "beat", "owe", "switch", "halt", "trip", "book", "state", "canary"),
    Role.OPERATOR: (*("switch", "halt", "resolve", "beat", "lease", "flag", "canary", "document", "receipt", "owe"),),
    Role.GUARD: ("beat", "trip", "restrain", "halt", "switch", "lease", "canary", "book", "owe", "receipt", "resolve"),
    Role.VIEWER: (),
}
_OF_AGENT: Final = (
    *("ctl", "open", "infl", "acts", "log", "inst", "audit", "done:*", "sent:*", "owed", "named", "left", "versions"),
    *("manifests", "watch:*", "states", "state-pieces", "state-uses", "canary", "book", "track", "shadows"),
    *("divergences", "experiments", "experiment-reports", "decisions", "*:damaged:*"),
    *("beats", "changed", "revs", "moving", "mend"),
)
"""Keys beside the authority that an agent writes; those of guards, operators and the archive are not among them."""
_READ_BY_AGENT: Final = ("retired", "canary-gates")


_LISTS_ITSELF: Final = "~ac:agents:* +zadd"
"""An agent writes its name into the index of agents, and does nothing else with it."""
_FOUND: Final = ("ac:agents:*", "ac:search:*")
"""The index of agents, and how far the search for others is."""


class Rules(NamedTuple):
    """What a user may do.

    Args:
        role: what it is for.
        commands: in ACL's names, e.g. `script|load`.
        writes: patterns of keys that it reads and writes.
        reads: patterns of keys that it only reads.
        besides: selectors, each of one command on keys that no other reaches.
    """

    role: Role
    commands: tuple[str, ...]
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    besides: tuple[str, ...] = ()

    def line(self, user: str) -> str:
        """The command that makes such a user; its password is left for who sends it."""
        return " ".join(["ACL", "SETUSER", user, "reset", "on", ">PASSWORD", *self.words])

    @property
    def words(self) -> tuple[str, ...]:
        """The rules as `ACL SETUSER` takes them."""
        keys = (*(f"~{one}" for one in self.writes), *(f"%R~{one}" for one in self.reads))
        return (
            "resetchannels",
            *keys,
            "-@all",
            *(f"+{one}" for one in self.commands),
            *(f"({one})" for one in self.besides),
        )


def rules(role: Role, agent: str = DEFAULT_AGENT, *, every: bool = False, cluster: bool = False) -> Rules:
    """The least for a role.

    Args:
        role: what the user is for.
        agent: whose keys.
        every: the keys of every agent of the store; for an agent it says nothing.
        cluster: whether the store is a Cluster, where keys have other names and their nodes are asked for.

    Raises:
        UsageError: the name can't be an agent's.
    """
    keys = Keys.of(agent, cluster=cluster)
    every = every and role is not Role.AGENT
    commands = {*_EVERYBODY.split(), *_ASKED[role].split(), *(("cluster|slots", "hello") if cluster else ())}
    if _SCRIPTS[role]:
        commands |= {*_RUNS_SCRIPTS.split(), *calls_in(_SCRIPTS[role])}
    beside = ("ac:{*",) if every else (keys.beside("*"),)
    active = ("*:active_version",) if every else (keys.active,)
    flags = (Keys.of().flag("*"), "*:flag:*") if every else (keys.flag("*"),)
    match role:
        case Role.AGENT:
            own = tuple(keys.beside(name) for name in _OF_AGENT)
            seen = tuple(keys.beside(name) for name in _READ_BY_AGENT)
            return Rules(role, tuple(sorted(commands)), (keys.active, *own), (*flags, *seen), (_LISTS_ITSELF,))
        case Role.OPERATOR:
            return Rules(role, tuple(sorted(commands)), (*active, *flags, *beside, *_FOUND), (FLEET,))
        case Role.GUARD:
            return Rules(role, tuple(sorted(commands)), (*active, *beside, FLEET, *_FOUND), flags)
        case Role.VIEWER:
            return Rules(role, tuple(sorted(commands)), (), (*active, *flags, *beside, FLEET, *_FOUND))
