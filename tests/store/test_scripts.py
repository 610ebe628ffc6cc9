"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "4290f91c9256c8a38d84f474a12304ebc9a6cc27",
    "settle": "10ae8f11fbb2b393a986c2bbb3481f28dfdbebde",
    "resolve": "034ae54c682540f59bf6daaaee05bb5ce4706934",
    "switch": "74de4b54644d6a62637b70c6532cab0eec307dd0",
    "halt": "a97ed4040f943ade24ceb74756168273dd734217",
    "beat": "79123f7b183e17a2e5351b6c72e0bcb92eaac7d7",
    "trip": "ad16683f48b6ea9f33fb90a94db9a8114d6c7ce5",
    "limits": "25a92a21f2806bfa50e156bfcbe9fe6f1ed5016c",
    "lease": "a4975a1c2e764807bb4fe359fc3362a5a6a6f7e0",
    "flag": "7adc11b9063fcba668c2040390c5577a24135f86",
    "restrain": "4054a21a1177775f73e870b2ca5ec1e701f3148e",
    "canary": "6aa56259619bd1cc92a02f85c2d1fab76840d9ea",
    "book": "9441d8b2b5f8c590ea570fc5462f3883dba599d4",
    "document": "0cde2cb20208ad2d680d4f469a0816b678592de9",
    "receipt": "a78975a5a3aab7c9cbcc91ac7e39c4cb42e4c2e7",
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
