"""Streams, however they are asked: what is new is handed on up to what fails, and what is no stream harms no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from console.domain.errors import NotPermitted, Refused
from console.guard.hear.streams import Stream, hand_on, weed
from console.store.server.connect import connect

if TYPE_CHECKING:
    import redis.asyncio

FIELDS = {b"k": b"v"}


def test_what_is_new_is_handed_on_up_to_the_entry_that_can_not_be_taken_and_its_stream_is_told_once() -> None:
    seen: list[str] = []
    told: list[Exception] = []
    dropped: list[str] = []

    def sink(entry: str, _fields: object) -> None:
        if entry == "3-0":
            raise ValueError("a defect")
        seen.append(entry)

    stream = Stream("", sink, told.append)
    assert stream.after == "0-0"
    hand_on(stream, "log", [(b"1-0", FIELDS), (b"2-0", FIELDS), (b"3-0", FIELDS), (b"4-0", FIELDS)], dropped.append)
    assert (seen, stream.after, stream.packed) == (["1-0", "2-0"], b"2-0", b"$3\r\n2-0\r\n")
    assert (dropped, len(told)) == (["log"], 1)


async def test_what_is_no_stream_is_dropped_and_named_and_the_others_stay(valkey: redis.asyncio.Redis) -> None:
    told: dict[str, Exception] = {}
    await valkey.set("text", "x")
    await valkey.xadd("sound", {"k": "v"})
    streams = {
        name: Stream("", lambda *_told: None, lambda error, name=name: told.setdefault(name, error))  # type: ignore[misc]
        for name in ("sound", "text", "missing")
    }
    await weed(valkey, streams, streams.pop)  # type: ignore[arg-type]
    assert set(streams) == {"sound", "missing"}
    assert isinstance(told["text"], Refused) and "text is a string" in str(told["text"])


async def test_a_user_who_may_not_ask_what_a_key_is_is_told_and_nothing_is_dropped(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    await valkey.execute_command("ACL", "SETUSER", "deaf", "on", ">x", "~*", "+@all", "-type")
    path = store_url.removeprefix("unix://").partition("?")[0]
    client = await connect(f"unix://deaf:x@{path}", timeout_s=10.0)
    streams = {"log": Stream("", lambda *_told: None, lambda _error: None)}
    try:
        with pytest.raises(NotPermitted):
            await weed(client, streams, streams.pop)  # type: ignore[arg-type]
    finally:
        await client.aclose()
        await valkey.execute_command("ACL", "DELUSER", "deaf")
    assert set(streams) == {"log"}
