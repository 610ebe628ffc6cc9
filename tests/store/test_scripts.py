"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "4b81cfcee3bbc069fffa74a742c493409480942c",
    "settle": "3e1459d4ccb6e5acbd2f3a00f64a463e386b3c07",
    "resolve": "49844d27b5b0bfcd02e9cbbc8289dfb553c5a244",
    "switch": "5e36aaa03e69b0e4afa84ec5c4946e3886e86410",
    "halt": "45c7fbe329fde22359fe0365780b7eb5fbbb1417",
    "beat": "0f278ba6411a5c0f68688d4351c5cf3cf84ca972",
    "trip": "eeac63d8687cb7159d8bdb629688579ff4a0a9d4",
    "limits": "f5d1df4451a56c7b06843b2ff68ecb0312d0102b",
    "lease": "478077a22388a2e4049db7ebbec567987f1bf626",
    "flag": "28846ba15e6d4c6ffa697163576718bdd27a6ee6",
    "restrain": "12bed119acf367e8912dcb705a9539f182c7d12a",
    "canary": "8b9b6d870b98b2051ee49b26c2358eefa7292b62",
    "book": "0af0964603dcd15720ee7a012aa5a0fee79c91a8",
    "document": "e99290d3bba02017a658755e9eefde2c8aa6fad9",
    "receipt": "39682bbb9e57473e70d352593baae3e8e6680220",
    "owe": "423837ba05bec7cebdb532ffcf2766d5eb3c2fcc",
    "state": "0a42429c4be9da54411cf9dc45d669a559b1d2da",
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
