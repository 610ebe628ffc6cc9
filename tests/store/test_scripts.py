"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "2c0352e15f1eb148509ba350411671c8c5875f56",
    "settle": "88f03e72da8407fafeede4fdc8134dddec142858",
    "resolve": "29819e269a3d8a12006921ef59617ae1e119db6b",
    "switch": "560c0e7e3183ccf93c9118d1483f3a06f2304994",
    "halt": "892f463853b22b23854d385946766b3392cb93c1",
    "beat": "9725756de06aceac43e52dcaba52a485de3c2b17",
    "trip": "5fd2040aed228b18363e41c04be2854c36f413cd",
    "limits": "25e995182c060bc255d1430fd377081cd2fda4d5",
    "lease": "3caa1a750e0d17fdf4bfd20838fa3dd9fbfc28c8",
    "flag": "9c244bf141cd4eb6d7cf71ecc4ec1e1000ac4574",
    "restrain": "02be610721cb602a01e7b4f2d001d66ecba3dcb3",
    "canary": "428a5fc28d980c73608310011ddff13b9b3da91c",
    "book": "cc1bce2363a2d01923617b57ba330449a73a884a",
    "document": "fbd0ae67fcdd6e313a8d532d1e909b5e4219d947",
    "receipt": "01c3ad59f25dc196d06f7424d8b518742b1ff763",
    "owe": "51a4cef96658bf6abac1fbba956ba194fc36dd5f",
    "state": "9639a97c8f33d166171936fe0016f3c03b1889c1",
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
