"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "f5a036fa08e9c93d9e192de8a89a06931bfbcaa9",
    "settle": "5d8c7bcc85df0e8225e7d684bc0f3f938b5ba170",
    "resolve": "1fcecd57c64ff4c4f809702c6e7fc45be26f4480",
    "switch": "0af98c2165aff897615ea26ec8d9f8b8546ea00e",
    "halt": "35faf83afabfcbf9fa03e6a7e967a0dd837822c9",
    "beat": "d3268ae1b8af9d511249e5bde08d11eeeeed53e2",
    "trip": "f9a656464f51409b72662533adff2bea5e9d515b",
    "limits": "3a37c11a5687af7621085c68ba125cbc874a8017",
    "lease": "1b4836ab512a5b77d72f37a3306d92fca3507c40",
    "flag": "7de152e9833662497d614b8124d59a7e97db5473",
    "restrain": "d856ac8618eee44ccff24e684f816d5ab463f26a",
    "canary": "fcedba072ad3cf37a97002bbf18219a0d13df3e4",
    "book": "4d0e11fc422f3b36ca2e55a5426b3e5238e28287",
    "document": "73860daacce6bd81ae1c8e171c3806837c6a1eff",
}
"""A change of a script changes how money is fenced: whoever makes one changes this too, and says why in the commit."""


def test_every_script_is_known_by_its_hash() -> None:
    assert set(GOLDEN) == set(scripts.NAMES)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_script_is_the_one_that_was_tested(name: str) -> None:
    assert scripts.sha1(name) == GOLDEN[name]


def test_every_script_compiles_and_the_library_loads(valkey_sync: Any) -> None:
    for name in scripts.NAMES:
        assert valkey_sync.script_load(scripts.source(name)).lower() == scripts.sha1(name)
    valkey_sync.function_load(scripts.library(), replace=True)


def test_only_claims_are_refused_by_a_full_server() -> None:
    for name in scripts.NAMES:
        assert scripts.source(name).startswith("#!lua flags=allow-oom\n") is (name != "claim")


def test_two_releases_run_their_own_scripts_side_by_side(valkey_sync: Any, keys: Keys) -> None:
    other = scripts.library().replace(scripts.library_name(), "agentconsole_00000000")
    valkey_sync.function_load(other)
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    names = {
        library[b"library_name"] if isinstance(library, dict) else library[1] for library in valkey_sync.function_list()
    }
    assert names >= {b"agentconsole_00000000", scripts.library_name().encode()}


def test_where_no_library_may_be_loaded_scripts_run_by_hash(valkey_sync: Any, keys: Keys) -> None:
    from console.store.server.connect import connect_sync

    valkey_sync.execute_command("ACL", "SETUSER", "meek", "on", ">pw", "~*", "+@all", "-function", "-fcall")
    path = valkey_sync.connection_pool.connection_kwargs["path"]
    try:
        with connect_sync(f"unix://meek:pw@{path}", timeout_s=5) as client:
            assert Fence(client, keys).switch(SwitchRequest("blue", expected_epoch=0, by="op")).active == "blue"
    finally:
        valkey_sync.execute_command("ACL", "DELUSER", "meek")
