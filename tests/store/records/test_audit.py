"""The audit stream: what was written is read back the same, and what others wrote into it harms nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from console.domain.operator.receipt import Change, Receipt
from console.domain.text import is_clean
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records import audit

if TYPE_CHECKING:
    from redis.asyncio import Redis

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def receipt(*changes: Change, reversible: bool = True) -> Receipt:
    return Receipt(
        id="r-1",
        at=AT,
        command="flag set",
        agent="agent",
        changes=changes,
        elapsed_ms=1.25,
        who="ann@host",
        why="because",
        epoch=7,
        note="a note",
        reversible=reversible,
    )


async def test_a_receipt_is_read_back_as_it_was_written(valkey: Redis, keys: Keys) -> None:
    written = receipt(Change("flag:game", None, "dice"))
    stream_id = await audit.append(valkey, keys, written, undoes="r-0")
    (entry,) = await audit.recent(valkey, keys, 10)
    assert entry.stream_id == stream_id
    assert (entry.id, entry.at, entry.command, entry.who, entry.why) == ("r-1", AT, "flag set", "ann@host", "because")
    assert entry.changes == written.changes
    assert (entry.elapsed_ms, entry.epoch, entry.note) == (1.25, 7, "a note")
    assert entry.reversible
    assert entry.undoes == "r-0"
    assert not entry.problem


async def test_several_changes_are_read_back_with_what_did_not_exist(valkey: Redis, keys: Keys) -> None:
    changes = (Change("active version", "blue", "green"), Change("flag:a", None, ""), Change("flag:b", "1", None))
    await audit.append(valkey, keys, receipt(*changes))
    (entry,) = await audit.recent(valkey, keys, 10)
    assert entry.changes == changes


async def test_the_entry_that_a_script_writes_is_read_as_a_receipt(valkey: Redis, keys: Keys) -> None:
    fields = audit.request_fields(
        id="r-9", command="switch", agent="agent", who="ann", why="w", what="active version", reversible=True
    )
    await valkey.set(keys.active, "blue")
    reply = await AsyncFence(valkey, keys).switch(
        SwitchRequest("green", expected_epoch=0, mode="now", by="ann", why="w", audit=fields)
    )
    entry = (await audit.recent(valkey, keys, 10))[-1]
    assert entry.stream_id == reply.audit_id
    assert entry.changes == (Change("active version", "blue", "green"),)
    assert (entry.id, entry.command, entry.epoch, entry.reversible) == ("r-9", "switch", reply.epoch, True)


async def test_entries_come_newest_last_and_no_more_than_asked_for(valkey: Redis, keys: Keys) -> None:
    for number in range(5):
        await valkey.xadd(keys.audit, {"id": f"r{number}", "command": "halt"})
    assert [entry.id for entry in await audit.recent(valkey, keys, 3)] == ["r2", "r3", "r4"]


async def test_no_stream_and_another_type_are_no_entries(valkey: Redis, keys: Keys) -> None:
    assert await audit.recent(valkey, keys, 3) == ()
    await valkey.rpush(keys.audit, "a")
    assert await audit.recent(valkey, keys, 3) == ()


def test_what_is_no_receipt_is_shown_with_its_problem() -> None:
    entry = audit.decode_entry(b"1700000000000-0", {b"a": b"b"})
    assert entry.problem == "no receipt of ours"
    assert entry.at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_value_that_cannot_be_put_back_exactly_is_not_reversible() -> None:
    base = {"id": "r", "command": "flag set", "what": "flag:x", "reversible": "1", "ms": "1700000000000"}
    assert audit.decode_entry("1-0", {**base, "before": "plain"}).reversible
    for before in (b"\x1b[31m", b"\xff", b"x" * 5000, b"a\nb"):
        entry = audit.decode_entry("1-0", {**base, "before": before})
        assert not entry.reversible
        assert "can't be put back" in entry.problem
        assert is_clean(str(entry.changes[0].before))


def test_numbers_that_are_none_are_named() -> None:
    entry = audit.decode_entry("x", {"id": "r", "command": "c", "epoch": "e", "ms": "m", "elapsed_ms": "NaN"})
    for part in ("time", "epoch", "milliseconds"):
        assert part in entry.problem
    assert (entry.epoch, entry.elapsed_ms) == (0, None)


NAMES = st.sampled_from(
    [
        "id",
        "command",
        "agent",
        "who",
        "why",
        "note",
        "reversible",
        "undoes",
        "what",
        "before",
        "after",
        "changes",
        "epoch",
        "ms",
        "elapsed_ms",
    ]
).map(str.encode) | st.binary(max_size=10)


@given(st.binary(max_size=40), st.dictionaries(NAMES, st.binary(max_size=80)))
def test_no_entry_whatsoever_breaks_the_reading(stream_id: bytes, fields: dict[bytes, bytes]) -> None:
    entry = audit.decode_entry(stream_id, fields)
    said = [entry.stream_id, entry.id, entry.command, entry.who, entry.why, entry.note, entry.undoes, entry.problem]
    said += [text for change in entry.changes for text in (change.what, change.before, change.after) if text]
    assert all(is_clean(text) for text in said)


@given(st.lists(st.tuples(st.text(), st.none() | st.text(), st.none() | st.text()), max_size=4))
def test_whatever_was_changed_is_either_read_back_exactly_or_not_reversible(
    rows: list[tuple[str, str | None, str | None]],
) -> None:
    written = receipt(*(Change(*row) for row in rows))
    entry = audit.decode_entry("1-0", audit.encode_receipt(written))
    assert entry.changes == written.changes or not entry.reversible
