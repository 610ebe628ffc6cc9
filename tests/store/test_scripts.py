"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "2228a94eb22c6afaa5e28e63db5117cfabd9bc14",
    "settle": "891f437186ecd0fe7e2fe47bd70f492d106ebc00",
    "resolve": "f9fc0d2e037038a23843abad128d4b9da7b5fb8c",
    "switch": "a85600026ac675b773ca2138bf38050165651a72",
    "halt": "e85a587c4c6d74ba97e59a7d88ec44431ad4d645",
    "beat": "4be3c65dc310e7618cc8480d985f79217bf2e67d",
    "trip": "4ac84c01d1c21328a25bcbe7102a4a820a9770e9",
    "limits": "2b05aec339ef65f3d5f298ea614294360ea9b1e3",
    "lease": "77d59e0f2958d4cd6130cf7102c48da61f75538e",
    "flag": "1eb0a0399ae0b28c96f4a7065f3bdb3e351f126e",
    "restrain": "a0a9edf968811222fb99e20e0c994207905a01d9",
    "canary": "befc9ff05bb890587dcb77678f2209694be7ea45",
    "book": "2e22bcd20065fddcd260faa26fff03a6de3b4982",
    "document": "978e51b0091f5ec4ae155bb6f7be39c0c5377438",
    "receipt": "36e1020ef4e41418184de821c9bde42f77bcffc0",
    "owe": "4bd3edcb65490cc091d635cfbcff10c33e1f001b",
    "state": "d4049630b1e8ddecea19846e699b39f4a6eef1ed",
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
