"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "4b816ea623f8dfc086f3c019af2f4cce7ef1a345",
    "settle": "2edb8996dba4f5fb6e99b2f446b01b8a3f79a01a",
    "resolve": "f417a9fcfaad5a80a53ba6a1d5f24fa9b97ed6e4",
    "switch": "8c878e8d9ed482dd3f362b0d6d214bed39638b86",
    "halt": "f90b39b91faba02653b76a0aadea82c94421ec52",
    "beat": "6cd0e798f5e3eb9dbad5cebecb9274a81834327e",
    "trip": "469030588e447dc298256df6c671a5dbd3d95754",
    "limits": "8e2adb5127a19ae3122e680f85e06425d58ad59e",
    "lease": "4646f7ec5e15a143dc9519362fa8bbac621e0c15",
    "flag": "95fe9130fe4cdd545028a46f2246d1c0cf5588b6",
    "restrain": "65fb3333be48bb71c0ace78cf76ab8ab0b8fa3b7",
    "canary": "19021f5db41e8e2e002b77a883c0bf94a638434c",
    "book": "dd756385da9839810722acef80f34841fd19825c",
    "document": "71670bbd9dbbe5c0e6e9cc0a22db00cd82babeb8",
    "receipt": "cb3da9b75bc3adc8161922cb37acfd4b3f648e4d",
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
