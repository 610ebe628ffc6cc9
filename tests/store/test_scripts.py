"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "c43c7eaa86b2e37797c8ddd162b299dfea51519b",
    "settle": "971f24a37a5bac4675b1ad84070813379d636e27",
    "resolve": "0579df87d7df7cbff97e1d9cea7a530e0e13bfbf",
    "switch": "394daf62be1b3e20938bb4d61ed23a07ea5bdf04",
    "halt": "d28cfce867c772f33eceafb8ae393585160350d7",
    "beat": "447245af8e960a5aa5272a58361a49d9e272ea34",
    "trip": "d189be9c2f975f6b9ec1320edd1ab953896abc4b",
    "limits": "5a885dc86ef469a729c1c2cef050e7f00725701f",
    "lease": "1a2735c00eda4e111301a7fb6ea5c11614cdf762",
    "flag": "110bc58ed696faa4d67ef6eb91fe90c8ff3d0aae",
    "restrain": "8bb7a70323705b589d44eb495382a4a2300fc67b",
    "canary": "d90d9515b440b2738583d9080f533b633a0b326c",
    "book": "b097097fb00ae81dcacae1a847da5ed850527c57",
    "document": "8a2e112db213804b2e00631cc57041f31793f839",
    "receipt": "121d579ad68f31c3533e4e38fa6f705dbed0d22d",
    "owe": "a54b7657ec0f1df9b0bb62db3fbc243196413153",
    "state": "aff02e957c93f309acae086964be37f2459f0b35",
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
