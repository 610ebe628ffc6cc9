"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "39d8f20760287c2ad5ed4f5b5f043a0836ca0fa5",
    "settle": "b7b88a140f12b285eda9f923146d2ef3626b4ae2",
    "resolve": "53744e75522d212089e05f22f027136e34b30dd9",
    "switch": "905c0b7fe6edbb7c981d05671060f3a29a95873e",
    "halt": "2220cdff6c29929db207b185bf737439d25c23cb",
    "beat": "6cde75fce0313a9a91c967a0de93ca9882a180c6",
    "trip": "6286530f92f9dcc991cf813687910f0e56f9bf22",
    "limits": "8dc931ae9971ee04159ff448f8a2e6574202462d",
    "lease": "b442803859b47d243713d9976a8bcdb9d9f9e723",
    "flag": "5fd4a05e4c2ebf47b22c9b85a6ad57ce16b2e136",
    "restrain": "6ac3b1c2e57189cb3d50f0ebc36296627554fba6",
    "canary": "0bbef4e3e33a7baeb42f6a904bee16b14e6736e5",
    "book": "3b2fd7da240e9479fedcb8cb5291ac25b838ceba",
    "document": "edb7a2ef286ec844c38948a0e32f15ab8ae80f83",
    "receipt": "1148e4b44e036e92b5e3fd190415e1616cce3ace",
    "owe": "0ac2bbb3f39c7068dbcbc230a153ce6737582aa3",
    "state": "6ed9f961f5f2bace0960445e570b82bbecb5a594",
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
