"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "3375df566218645b50e30e3dac5b0fc35a1a338d",
    "settle": "6b273e3aa8dc6a992038bc5dbd31ceb482c871b5",
    "resolve": "b0c43ae56a09e6f9eff79b15599b641b13f5fc50",
    "switch": "c76674445bd0d118dc4ecf48a66fbb535dee37c0",
    "halt": "4e18972a8d3028b16a26b689edb174f3399413ec",
    "beat": "37526d8aff7ea3bff9bfea7a706cb10498aed71d",
    "trip": "b184e789051bff7bfe38f083affc96e228fcf691",
    "limits": "03c735d4e1219912730387e57ba6bca892882608",
    "lease": "4a8756f866d2a9ce461c7d9f4ffc6758570bcccf",
    "flag": "2234326a180b34b66eac09fd376a1d613b8e3dfa",
    "restrain": "7f1532c93601ab386b240b247737b0de145c416e",
    "canary": "1d46c797dfd14ad6f79e8178a421496163679597",
    "book": "db302346c90039eaabafc744a3fa7ef6a70568a2",
    "document": "70d817b3ad7e1517ec42ddd5892ad1fb5c075167",
    "receipt": "1086263b0f931ee62decafac56264d9579d0e77b",
    "owe": "2de1d6d6766674c2b8aec3c8e61df65d8ee0c20c",
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
