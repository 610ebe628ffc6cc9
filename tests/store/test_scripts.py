"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "98c5b05505039b7f14038950dd9d5d6bc2a95b14",
    "settle": "7f734c88cdd02fcfcd463f137a4bdaea22e03d1a",
    "resolve": "4145e92c4d5009ebd3a40553140f6cafa6da636f",
    "switch": "45877f8bd54e00fc9d35cad729e7269b8b81a3fc",
    "halt": "5830d9f0c0f2757fd5d49817ec4e07e70f0b3e08",
    "beat": "7ce6c034b9a1495813c7e9f782a5d2b71d69582c",
    "trip": "02af4699725e0b3921b87397f6da6fe612a48af2",
    "limits": "342deec9f2fb40f768a4b5ef3eb95d2a46683283",
    "lease": "910b73e436c06fd950323aefb5d8920419ab9eb3",
    "flag": "3fc6546b2ea82da41841a329807bdb34c99c3840",
    "restrain": "7e6b5ebe810a9eec3f1430c879ad6b0398cddd4d",
    "canary": "13c5344775d1e52d37b8427d5684321c36de33db",
    "book": "ab096f8e8e1076f7f7a0d69914ec0566f3a2e3f1",
    "document": "97df0b76eaef6f5428e518b9af3fcdae395051cf",
    "receipt": "04996c028b52adebac3ffa828a81b0bcd6548f86",
    "owe": "e58af0e339597190942a52792e3b85a0ff9134a9",
    "state": "b51e99ac6ad6b25ca5896728407c2bb539e0eee2",
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
