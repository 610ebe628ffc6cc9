"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "76beaf7225faae07d4e0156b221689a8fc2e96cc",
    "settle": "f44eb6a36f27b4754ba7c3e4bb93f7d207e42fea",
    "resolve": "0e4ae3b1a9ad7242408aaece3e8fd30850e6baa6",
    "switch": "44d8c38096cc25b2f9aaa63d40bf589c92163475",
    "halt": "31ea645fc08d388c51d8f594df06beb176be852e",
    "beat": "6311c734e4daf511a02e69f90cb3dd6bc89e6bd0",
    "trip": "b55e5ed45d1e7b19747877052cd91b3cb7879c0c",
    "limits": "d3e3dfeb80237825083f13c2cefd645254bf26b9",
    "lease": "3f45512307a0e285fb0b2cd8dad4edd283b3d475",
    "flag": "67e53c50b67c656251bb835296180c8bca25d4a7",
    "restrain": "c38ffcf0a7b3171f3255e2904d2af7d58184dda1",
    "canary": "de49d7859823d0dcd6c8869aa5bc31b4bdb81466",
    "book": "7ae5a635095e6275ff92b516cd4a54f9215f220c",
    "document": "fe0017e00914fce57d247e50ab27a05a72e0e35e",
    "receipt": "6caa5d4580f9ff89850c22e6b54f699033d59460",
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
