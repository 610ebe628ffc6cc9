"""What holds a state, torn at every byte: refused with the reason, and never taken for a state in which nothing is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.commands.context import Context
from console.commands.gates.gather import file_state
from console.commands.gates.reading import Lacking
from console.commands.gateway.gateway import Gateway
from console.commands.snapshot.take import take
from console.domain.errors import ConsoleError, Refused
from console.domain.gates.fact import Lack
from console.domain.state import document
from console.domain.state.kept import read_record, record_rest
from console.domain.state.pieces import Cutter, joined
from console.domain.state.state import State
from console.store.files import snapshots, states
from console.store.keys import Keys
from console.store.records.states import packed, unpacked
from console.store.server.connect import connect
from tests.domain.state.test_snapshot import EXAMPLE
from tests.domain.state.test_state import EXAMPLE as STATE

AT = datetime(2026, 3, 1, tzinfo=UTC)
SNAPSHOT = snapshots.encode(EXAMPLE)
OURS = document.encode(STATE)
PLAIN = document.encode_plain(STATE)
CHECKSUM = 6
"""Bytes at the end of a compressed piece that say nothing of its content: its own checksum, and the end's mark."""


def torn(data: bytes) -> Iterator[bytes]:
    """Every beginning that is not all of it; the line's end behind it is no part of it."""
    whole = data.rstrip(b"\n")
    return (whole[:end] for end in range(len(whole)))


def test_a_snapshot_torn_at_any_byte_is_refused_and_the_reason_is_named() -> None:
    for data in torn(SNAPSHOT):
        with pytest.raises(Refused, match=r"x\.json is not a snapshot: .+") as refused:
            snapshots.decode(data, name="x.json")
        assert refused.value.hint == "The file may be cut off or edited."
    assert snapshots.decode(SNAPSHOT.rstrip(b"\n"), name="x.json") == EXAMPLE, "only the line's end is missing"


def test_a_snapshot_with_any_byte_changed_is_refused_or_is_the_very_one() -> None:
    whole = bytearray(SNAPSHOT)
    for place in range(len(whole)):
        whole[place] ^= 1
        try:
            assert snapshots.decode(bytes(whole), name="x.json") == EXAMPLE, place
        except Refused as refused:
            assert refused.message.startswith("x.json")
        whole[place] ^= 1


def test_a_torn_snapshot_is_listed_with_its_problem_and_never_restored(tmp_path: Path) -> None:
    _id, path = snapshots.save(EXAMPLE, tmp_path)
    for data in list(torn(SNAPSHOT))[::17]:
        path.write_bytes(data)
        (stored,) = snapshots.listing(tmp_path)
        assert stored.snapshot is None and "not a snapshot" in stored.problem


@pytest.mark.parametrize("data", [SNAPSHOT, OURS, PLAIN], ids=["a snapshot", "our state", "a plain state"])
def test_a_file_with_a_state_torn_at_any_byte_is_refused_and_the_reason_is_named(data: bytes) -> None:
    for part in torn(data):
        with pytest.raises(Refused, match=r"x\.json is no state: .+") as refused:
            states.opened(part, "x.json")
        assert refused.value.hint == "The file may be cut off or edited."
    assert states.opened(data.rstrip(b"\n"), "x.json").state == states.opened(data, "x.json").state


def test_a_kept_state_with_a_piece_torn_at_any_byte_is_refused_or_is_the_very_one() -> None:
    cut = Cutter().cut(STATE)
    whole = packed(cut, cut.texts)
    names = list(whole)
    refused = 0
    for name in names:
        for end in range(len(whole[name])):
            raw = [whole[one][:end] if one == name else whole[one] for one in names]
            try:
                pieces = unpacked(names, raw, 1 << 20)
                assert joined(cut.pieces, pieces, STATE.timestamp, "The kept state 1") == STATE, "its checksum is torn"
            except Refused as error:
                assert "damaged" in error.message
                refused += 1
    assert refused >= sum(len(data) - CHECKSUM for data in whole.values())


def test_the_record_of_a_kept_state_torn_at_any_byte_is_refused_or_names_the_very_state() -> None:
    cut = Cutter().cut(STATE)
    rest = record_rest(replace(STATE, version="2.4.0"), cut.pieces, 1, "the ordinary")
    record = f"{cut.pieces.root}\n1772366400000\nblue\nblue-1\n7\n41\n{rest}"
    hashes = "".join(cut.pieces.hashes)
    known = read_record(1, record, hashes)
    texts = unpacked(list(cut.texts), list(packed(cut, cut.texts).values()), 1 << 20)
    for end in range(len(record)):
        try:
            kept = read_record(1, record[:end], hashes)
        except Refused as refused:
            assert "state 1 is damaged" in refused.message
        else:
            assert replace(kept, why="", manifest="") == replace(known, why="", manifest="")
    for end in range(len(hashes)):
        with pytest.raises(Refused, match="damaged"):
            joined(read_record(1, record, hashes[:end]).pieces, texts, STATE.timestamp, "The kept state 1")


@pytest.fixture
async def ctx(store_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    """A console beside a plain agent's state file that is not there yet."""
    gateway = Gateway(
        await connect(store_url, name="agent-console", timeout_s=30.0), Keys.of(), url=store_url, registry={}, who="ada"
    )
    yield Context(gateway, {}, tmp_path, state_file=tmp_path / "state.json", clock=lambda: AT)
    await gateway.aclose()


async def test_the_gates_read_a_plain_agent_s_file_torn_at_any_byte_as_an_error(ctx: Context) -> None:
    file = ctx.state_file
    assert file is not None
    whole = document.encode_plain(State(version="2.4.0", timestamp=int(AT.timestamp()), escrows=()))
    for data in torn(whole):
        file.write_bytes(data)
        with pytest.raises(Lacking, match=r"state\.json is not JSON: .+") as lacking:
            file_state(ctx)
        assert lacking.value.lack is Lack.ERROR
    file.write_bytes(whole)
    assert file_state(ctx).escrows == ()


async def test_no_snapshot_is_taken_of_a_state_file_that_is_torn_anywhere_or_holds_no_state(ctx: Context) -> None:
    file = ctx.state_file
    assert file is not None
    whole = b'{"version": "2", "timestamp": 1, "escrow_ids": ["esc_1"]}'
    for data in torn(whole):
        file.write_bytes(data)
        with pytest.raises(ConsoleError, match=r"state\.json is not JSON: .+"):
            await take(ctx, "before the upgrade")
    for empty in (b"null", b"[]", b'"esc_1"', b"1"):
        file.write_bytes(empty)
        with pytest.raises(ConsoleError, match=r"state\.json is no JSON object"):
            await take(ctx, "before the upgrade")
    file.write_bytes(whole)
    assert (await take(ctx, "before the upgrade")).escrow_ids == ["esc_1"]
