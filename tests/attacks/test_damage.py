"""Whatever is deleted, expired or overwritten in the store: nothing is executed twice or silent, and `halt` works."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from console.agent import Level
from console.domain.fence.chain import verify_chain
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import HaltCode
from console.store.keys import Keys
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until

Do = Callable[[Any, Keys], object]


def named(keys: Keys) -> dict[str, str]:
    return {
        "ctl": keys.ctl,
        "open": keys.open,
        "infl": keys.in_flight,
        "acts": keys.actions,
        "log": keys.log,
        "inst": keys.instances,
        "audit": keys.audit,
        "done": keys.done("paid"),
        "plain": keys.active,
    }


NAMES = tuple(named(Keys.of()))
AUTHORITY = ("ctl", "open", "infl", "acts", "log")
"""What only scripts write, and what they count: any loss of it is damage."""


def wrong(client: Any, key: str, kind: str) -> None:
    """Let a key hold something else than it must, in one step."""
    with client.pipeline() as pipe:
        pipe.delete(key)
        {
            "string": lambda: pipe.set(key, "nonsense"),
            "hash": lambda: pipe.hset(key, "a", "b"),
            "list": lambda: pipe.rpush(key, "a"),
            "set": lambda: pipe.sadd(key, "a"),
            "zset": lambda: pipe.zadd(key, {"a": 1}),
            "stream": lambda: pipe.xadd(key, {"a": "b"}),
        }[kind]()
        pipe.execute()


RIGHT = {"ctl": "hash", "open": "hash", "infl": "zset", "acts": "stream", "log": "stream", "inst": "hash"}
RIGHT |= {"audit": "stream", "done": "string", "plain": "string"}
KINDS = ("string", "hash", "list", "set", "zset", "stream")


def prepared(scene: Scene) -> Any:
    """A controller that has paid once, has one action in doubt and one under way elsewhere."""
    scene.fence.halt("op", "to have an audit entry", level=Level.NO_NEW_ENTRIES, audit={"who": "op"})
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="on", resume=True, audit={"who": "op"}))
    settings = QUICK._replace(lease_ms=20_000)
    controller, other = scene.agent(settings=settings), scene.agent(settings=settings)
    until(lambda: controller.active and other.active, "both to be active")
    assert scene.attempt(controller, "paid") == "ok"
    scene.doubt(controller, "doubtful")
    act = other.action("under way")
    act.__enter__()
    scene.executed["under way"] += 1
    seen = controller.core.beaten_at
    until(lambda: controller.core.beaten_at > seen + 0.1, "a heartbeat that saw it")
    return controller


KEYS = ("paid", "doubtful", "under way")


def assault(scene: Scene, controller: Any) -> None:
    """Try everything again, for some heartbeats, from an agent that remembers, and from ones that do not."""
    for round_number in range(3):
        for key in KEYS:
            scene.attempt(controller, key)
        scene.attempt(controller, f"new{round_number}")
        time.sleep(0.12)
    for slot in ("green", "blue"):
        fresh = scene.agent(slot, settings=QUICK)
        for key in KEYS:
            scene.attempt(fresh, key)
    for key in KEYS:
        scene.attempt(controller, key)


def halts(scene: Scene) -> None:
    """`halt` works, and its receipt is true."""
    client, keys = scene.client, scene.fence.keys
    before = client.hget(keys.ctl, "ph") if client.type(keys.ctl) == b"hash" else None
    reply = scene.fence.halt("op", "an operator's halt", audit={"who": "op", "command": "halt"})
    assert reply.code in (HaltCode.HALTED, HaltCode.AGAIN)
    assert (reply.code is HaltCode.AGAIN) == (before == b"HALT")
    assert str(reply.phase) == "HALT" and reply.level is Level.HALT
    authority = scene.fence.authority()
    assert authority is not None and str(authority.phase) == "HALT" and authority.epoch == reply.epoch
    if reply.code is HaltCode.HALTED:
        assert client.get(keys.active) == b"halted"
        newest_id, newest = client.xrevrange(keys.audit, count=1)[0]
        assert newest_id.decode() == reply.audit_id and newest[b"who"] == b"op"
        assert newest[b"epoch"] == str(reply.epoch).encode()
        why = [event[b"why"] for _id, event in client.xrange(keys.log) if event[b"k"] == b"halt"]
        assert why[-1] == b"an operator's halt"
    for name, key in named(keys).items():
        if name not in ("done", "plain") and client.exists(key):
            assert client.type(key).decode() == RIGHT[name], name


@pytest.mark.parametrize("name", NAMES)
def test_halt_works_where_a_key_is_gone(scene: Scene, name: str) -> None:
    prepared(scene)
    for controller in scene.agents:
        controller.stop()
    scene.client.delete(named(scene.fence.keys)[name])
    halts(scene)


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n in NAMES for k in KINDS if RIGHT[n] != k])
def test_halt_works_where_a_key_holds_another_type(scene: Scene, name: str, kind: str) -> None:
    controller = scene.agent()
    scene.attempt(controller, "paid")
    controller.stop()
    wrong(scene.client, named(scene.fence.keys)[name], kind)
    halts(scene)


@pytest.mark.parametrize("lose", ["flushall", "all of ours", "everything but the plain key"])
def test_halt_works_where_everything_is_gone(scene: Scene, lose: str) -> None:
    scene.attempt(scene.agent(), "paid")
    scene.close()
    if lose == "flushall":
        scene.client.flushall()
    else:
        scene.client.delete(*scene.client.keys("ac:*"))
        if lose == "all of ours":
            scene.client.delete(scene.fence.keys.active)
    halts(scene)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_deleted_under_running_agents_makes_nothing_twice(scene: Scene, name: str) -> None:
    controller = prepared(scene)
    scene.client.delete(named(scene.fence.keys)[name])
    if name == "done":
        scene.attempt(controller, "doubtful")
        assert not scene.twice
        return  # one result that somebody deletes on purpose is as free as one whose retention is over
    assault(scene, controller)
    assert not scene.twice
    if name in AUTHORITY or name == "plain":
        assert noticed(scene, name)
    if name in AUTHORITY:
        assert scene.open().get("doubtful") is True, "a doubt has vanished"
    halts(scene)


def noticed(scene: Scene, name: str) -> bool:
    """Whether everything stands still; or, where a stream was taken away and somebody wrote to it before the next
    heartbeat, its chain tells that entries are missing."""
    if scene.phase() == "HALT":
        return True
    if name not in ("acts", "log"):
        return False
    field = "ah" if name == "acts" else "lh"
    head: Any = scene.client.hget(scene.fence.keys.ctl, field)
    entries: Any = scene.client.xrange(named(scene.fence.keys)[name])
    return not verify_chain(entries, head=head.decode() if isinstance(head, bytes) else head).ok


@pytest.mark.parametrize("how", ["soon", "now"])
@pytest.mark.parametrize("name", AUTHORITY)
def test_a_key_that_is_set_to_expire_is_kept_or_missed(scene: Scene, name: str, how: str) -> None:
    controller = prepared(scene)
    key = named(scene.fence.keys)[name]
    assert scene.client.pexpire(key, 1 if how == "now" else 1_500), "there is no such key"
    time.sleep(0.3)
    kept: Any = [
        fields
        for _id, fields in scene.client.xrange(scene.fence.keys.log)
        if fields.get(b"k", fields.get("k")) in (b"kept", "kept")
    ]
    if how == "now" and kept:
        return  # a heartbeat came within that millisecond
    if how == "soon":
        assert scene.client.ttl(key) == -1, "it will expire"
        assert scene.phase() == "RUN" and scene.attempt(controller, "paid") == "AlreadyDone"
    else:
        assault(scene, controller)
        assert noticed(scene, name)
    assert not scene.twice
    assert scene.open().get("doubtful") is True


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n in NAMES for k in ("string", "list") if RIGHT[n] != k])
def test_a_key_of_another_type_under_running_agents_makes_nothing_twice(scene: Scene, name: str, kind: str) -> None:
    controller = prepared(scene)
    wrong(scene.client, named(scene.fence.keys)[name], kind)
    assault(scene, controller)
    assert not scene.twice
    if name in AUTHORITY or name == "plain":
        assert scene.phase() == "HALT"
    if name in AUTHORITY:
        assert scene.open().get("doubtful") is True, "a doubt has vanished"
    if name == "done":
        assert scene.attempt(controller, "paid") in ("Halted", "StandBy")
    halts(scene)


LOSSES: dict[str, Do] = {
    "FLUSHALL": lambda client, _keys: client.flushall(),
    "all but the plain key": lambda client, _keys: client.delete(*client.keys("ac:*")),
    "ctl and open": lambda client, keys: client.delete(keys.ctl, keys.open),
    "ctl, acts and log": lambda client, keys: client.delete(keys.ctl, keys.actions, keys.log),
    "open and infl": lambda client, keys: client.delete(keys.open, keys.in_flight),
    "one open claim": lambda client, keys: client.hdel(keys.open, "doubtful"),
    "one lease": lambda client, keys: client.zrem(keys.in_flight, "under way"),
    "the newest action": lambda client, keys: client.xdel(keys.actions, client.xrevrange(keys.actions, count=1)[0][0]),
    "the newest event": lambda client, keys: client.xdel(keys.log, client.xrevrange(keys.log, count=1)[0][0]),
    "the epoch": lambda client, keys: client.hdel(keys.ctl, "ep"),
    "an epoch that is none": lambda client, keys: client.hset(keys.ctl, "ep", "abc"),
    "an older epoch": lambda client, keys: client.hset(keys.ctl, "ep", "5"),
    "the lineage": lambda client, keys: client.hset(keys.ctl, "lin", "x"),
    "the actions' number": lambda client, keys: client.hset(keys.ctl, "an", "1"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_a_loss_under_running_agents_halts_and_makes_nothing_twice(scene: Scene, lose: Do) -> None:
    controller = prepared(scene)
    lose(scene.client, scene.fence.keys)
    assault(scene, controller)
    assert not scene.twice
    assert scene.phase() == "HALT"
    halts(scene)


def test_an_open_claim_of_nonsense_is_never_free_and_counts_as_in_doubt(scene: Scene) -> None:
    controller = prepared(scene)
    scene.client.hset(scene.fence.keys.open, "doubtful", "nonsense")
    assault(scene, controller)
    authority = scene.fence.authority()
    assert not scene.twice and authority is not None and authority.in_doubt == 1
    halts(scene)


def test_a_record_that_is_none_is_never_taken_for_a_free_key(scene: Scene) -> None:
    controller = scene.agent()
    scene.attempt(controller, "paid")
    for text in ("nonsense", "", "a\nb\nc", "\n" * 20):
        scene.client.set(scene.fence.keys.done("paid"), text)
        answer = scene.attempt(controller, "paid")
        assert answer in ("Halted", "StandBy", "KeyReused"), (text, answer)
    assert not scene.twice


@pytest.mark.parametrize("state", ["C", "D"])
def test_an_open_claim_that_loses_its_lease_is_never_free(scene: Scene, state: str) -> None:
    controller = prepared(scene)
    key = "under way" if state == "C" else "doubtful"
    for lease in ("0", "x", ""):
        raw = scene.client.hget(scene.fence.keys.open, key).decode().split("\n")
        raw[5] = lease
        scene.client.hset(scene.fence.keys.open, key, "\n".join(raw))
        scene.attempt(controller, key)
        time.sleep(0.12)
    assert not scene.twice


def test_a_fresh_agent_never_begins_anew_what_another_remembers(scene: Scene) -> None:
    """DEL ac:*, with the plain key still there: one fresh agent adopts it, and whoever remembers stops it."""
    controller = scene.agent()
    scene.attempt(controller, "paid")
    scene.close()
    scene.client.delete(*scene.client.keys("ac:*"))
    fresh = scene.agent(settings=QUICK._replace(memory_dir=None))
    again = scene.agent()
    assert scene.phase() == "HALT"
    for one in (fresh, again):
        assert scene.attempt(one, "paid") in ("Halted", "StandBy")
    assert not scene.twice


def test_after_a_loss_only_an_operator_with_a_reason_begins_anew(scene: Scene) -> None:
    controller = scene.agent()
    scene.attempt(controller, "paid")
    scene.client.flushall()
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    plain = SwitchRequest("blue", expected_epoch="any", by="op")
    for request in (plain, plain._replace(expected_epoch=0), plain._replace(resume=True)):
        scene.fence.switch(request)
        assert scene.phase() == "HALT" and scene.attempt(controller, "paid") == "Halted"
    scene.fence.switch(plain._replace(resume=True, why="the loss is known"))
    until(lambda: scene.attempt(controller, "next") == "ok", "the agent to go on", timeout_s=5)
    assert scene.phase() == "RUN"


def test_levels_below_a_halt_work_or_say_that_nothing_was_changed(scene: Scene) -> None:
    for name in AUTHORITY:
        scene.client.flushall()
        scene.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        wrong(scene.client, named(scene.fence.keys)[name], "string")
        reply = scene.fence.halt("op", "why", level=Level.REDUCE_ONLY)
        authority = scene.fence.authority()
        assert (reply.code is HaltCode.LEVEL) == (authority is not None and authority.level is Level.REDUCE_ONLY), name


def test_two_agents_on_one_store_are_damaged_apart(scene: Scene) -> None:
    """What is deleted of one agent halts that one alone."""
    other = Fence(scene.client, Keys.of("other"))
    other.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    controller = scene.agent()
    scene.attempt(controller, "paid")
    scene.client.delete(scene.fence.keys.actions)
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    authority = other.authority()
    assert authority is not None and str(authority.phase) == "RUN"
