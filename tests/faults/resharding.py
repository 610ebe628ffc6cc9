"""A Cluster under load: the agent's slot is moved from node to node, and the node that has it is killed, again and
again, while two agents act as fast as they may and an operator switches between them."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from console.domain.errors import ConsoleError, Refused
from console.domain.fence.chain import verify_chain
from console.domain.fence.deployment import Phase
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from console.store.keys import Keys
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync
from tests.clusters import Cluster, until
from tests.faults.fleet import Worker
from tests.faults.venue import Client, Venue

QUICK: Final = {"lease_ms": 1000, "margin_ms": 200, "timeout_ms": 300}
FOLLOWED_S: Final = 3.0
"""So soon after its slot is there everything has to be at the new node."""


class Operator:
    """Switches from one side to the other, and back; knows of each switch that a replica has, too.

    Args:
        url: of the Cluster.
        replicas: how many have to have it; 0 where there are none.
        pause_s: between two.
    """

    def __init__(self, url: str, replicas: int, pause_s: float) -> None:
        self._url, self._replicas, self._pause_s = url, replicas, pause_s
        self.acknowledged: list[int] = []
        self.refused = self.unknown = self.resumed = 0
        self.longest_s = 0.0
        """Between two answers to a command."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Switch no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        target, answered, fence = "green", time.monotonic(), None
        while not self._over.wait(self._pause_s):
            try:
                if fence is None:
                    client = connect_sync(self._url, timeout_s=0.5).client()  # type: ignore[no-untyped-call]
                    fence = Fence(client, keys_on(client, "agent"))
                self._switch(fence, target)
                target = {"green": "blue", "blue": "green"}[target]
            except Refused:
                self.refused += 1
            except (ConsoleError, RedisError):
                self.unknown += 1
                if fence is not None:
                    fence.client.close()
                fence = None
                continue
            self.longest_s = max(self.longest_s, time.monotonic() - answered)
            answered = time.monotonic()

    def _switch(self, fence: Fence, target: str) -> None:
        authority = fence.authority()
        halted = authority is not None and authority.phase is Phase.HALT
        request = SwitchRequest(target, expected_epoch="any", mode="now", drain_ms=0, by="op", resume=halted)
        reply = fence.switch(request)
        self.resumed += halted and reply.code is SwitchCode.SWITCHED
        if reply.code is SwitchCode.SWITCHED and self._wait(fence) >= self._replicas:
            self.acknowledged.append(reply.epoch)

    def _wait(self, fence: Fence) -> int:
        """How many replicas have what this connection wrote."""
        pipe: Any = fence.client.pipeline(transaction=False)
        pipe.hget(fence.keys.ctl, "ep")
        pipe.execute_command("WAIT", self._replicas, 1_000)
        return int(pipe.execute()[1]) if self._replicas else 0


def run(
    folder: Path, *, moves: int = 20, deaths: int = 20, replicas: int = 1, program: Path | None = None
) -> dict[str, Any]:
    """Move the slot, kill its node; what was counted.

    Args:
        folder: for everything.
        moves: of the slot: key by key, and as a whole where the server can.
        deaths: of the node that has it.
        replicas: of each primary; claims wait for one.
        program: the server's binary.
    """
    cluster = Cluster(folder, replicas=replicas, program=program)
    venue = Venue(folder)
    workers = [
        Worker(url=cluster.url, venue=str(venue.path), slot=slot, replicas=replicas, unprotected=not replicas, **QUICK)
        for slot in ("blue", "green")
    ]
    operator = None
    try:
        with connect_sync(cluster.url) as client:
            Fence(client, keys_on(client, "agent")).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        for number, worker in enumerate(workers):
            worker.start(number).wait_ready()
        sent = venue.client()
        until(lambda: sent.size() > 30)
        operator = Operator(cluster.url, replicas, 0.2)
        moved_s = [_moved(cluster, sent, number) for number in range(moves)]
        dead_s, promoted_s = list[float](), list[float]()
        for _ in range(deaths):
            promoted, followed = _killed(cluster, sent)
            promoted_s.append(promoted)
            dead_s.append(followed)
        operator.stop()
        for worker in workers:
            worker.kill()
        outcome = _outcome(cluster, sent, operator)
        sent.close()
        slow = [s for s in (*moved_s, *dead_s) if s > FOLLOWED_S]
        if slow:
            outcome["violations"].append(f"{len(slow)} times followed after more than {FOLLOWED_S:g} s")
        return {
            "moves": moves,
            "moved_followed_s_p50": _quantile(moved_s, 0.5),
            "moved_followed_s_p99": _quantile(moved_s, 0.99),
            "deaths": deaths,
            "promoted_after_s_p50": _quantile(promoted_s, 0.5),
            "promoted_followed_s_p50": _quantile(dead_s, 0.5),
            "promoted_followed_s_p99": _quantile(dead_s, 0.99),
            **outcome,
        }
    finally:
        if operator is not None:
            operator.stop()
        for worker in workers:
            worker.kill()
        venue.stop()
        cluster.stop()


def _moved(cluster: Cluster, sent: Client, number: int) -> float:
    """How long after the slot is at another node something is done again."""
    owner = cluster.owner()
    primaries = [node for node in cluster.nodes if "role:master" in node.command("INFO", "replication")]
    to = next(node for node in primaries[number % len(primaries) :] + primaries if node is not owner)
    if number % 2 and "MIGRATESLOTS" in to.command("CLUSTER", "HELP"):
        cluster.move_at_once("agent", to)
    else:
        cluster.move("agent", to, pause_s=0.005)
    return _acts_again(sent)


def _killed(cluster: Cluster, sent: Client) -> tuple[float, float]:
    """How long until a replica has the slot of a node that was killed, and how long after that both agents beat there;
    they act again when that one has a replica, too."""
    owner = cluster.owner()
    owner.kill()
    began = time.monotonic()
    until(lambda: cluster.owner() is not owner)
    promoted_s, new = time.monotonic() - began, cluster.owner()
    with cluster.client(new) as client:
        seconds, micros = client.time()  # type: ignore[misc]
        promoted_ms = int(seconds) * 1000 + int(micros) // 1000

        def both_beat() -> bool:
            beats: Any = client.hvals(Keys.of(cluster=True).instances)
            return sum(json.loads(beat)["ms"] > promoted_ms for beat in beats) >= 2

        until(both_beat)
    followed_s = time.monotonic() - began - promoted_s
    owner.start()
    until(lambda: "state=online" in new.command("INFO", "replication"))
    _acts_again(sent)
    return promoted_s, followed_s


def _acts_again(sent: Client) -> float:
    size, began = sent.size(), time.monotonic()
    until(lambda: sent.size() > size)
    return time.monotonic() - began


def _outcome(cluster: Cluster, sent: Client, operator: Operator) -> dict[str, Any]:
    violations: list[str] = []
    with connect_sync(cluster.url, timeout_s=5.0) as client:
        keys = keys_on(client, "agent")
        fence = Fence(client, keys)
        authority = fence.authority()
        assert authority is not None
        acts: Any = client.xrange(keys.actions)
        log: Any = client.xrange(keys.log)
        for name, entries, head in (("acts", acts, authority.action_head), ("log", log, authority.log_head)):
            if not verify_chain(entries, head=head).ok:
                violations.append(f"the chain {name} is broken")
        epochs = {int(fields.get(b"e", b"0")) for _id, fields in log} | {int(f.get(b"ep", b"0")) for _id, f in log}
        lost = [epoch for epoch in operator.acknowledged if epoch not in epochs]
        history, unended = sent.history(), {claim.key for claim in fence.open_claims()}
        twice = [key for key, count in Counter(one.key for one in history).items() if count > 1]
        unrecorded = [one.key for one in history if one.key not in unended and not client.exists(keys.done(one.key))]
    violations += [f"{key} was executed twice" for key in twice[:5]]
    violations += [f"{key} was executed, and is recorded nowhere" for key in unrecorded[:5]]
    violations += [f"the acknowledged switch to epoch {epoch} is lost" for epoch in lost[:5]]
    return {
        "executions": len(history),
        "twice": len(twice),
        "executed_and_unrecorded": len(unrecorded),
        "in_doubt_or_open": len(unended),
        "switches_acknowledged": len(operator.acknowledged),
        "switches_lost": len(lost),
        "switches_unknown": operator.unknown,
        "halts_resumed": operator.resumed,
        "operator_waited_s_longest": round(operator.longest_s, 2),
        "violations": violations,
    }


def _quantile(values: list[float], share: float) -> float | None:
    ranked = sorted(values)
    return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 2) if ranked else None
