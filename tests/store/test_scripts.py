"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "7dee003a1fb418e90746cbdcd4b9c600a6f0aaf0",
    "settle": "c344183e76d10a9f935202d3bb953929aeef907f",
    "resolve": "e0092d86d6502f1446a8951bfc956f4e713f8dde",
    "switch": "ebf476db4da0d8f0e44cdcd35532eb115263c8fd",
    "halt": "e1aeeede23fad4c07c06ddb5964d190d163993fb",
    "beat": "f5312129e3017c78b926e2e9e9ff8f46c8d032db",
    "trip": "fe9d6b1f4cb84bd1fd2985fc50be5520528a4997",
    "limits": "a0b39e7e7c004304baa5325ae9d3111085d426a3",
    "lease": "748a0de0e1cf09adc6b19d809dc9e1e3e317b53d",
    "flag": "30d3e8b8cda9063e04128ef71f33644b5663c04a",
    "restrain": "682b0be3ba9ecdd313d5bc1cba2de62a75bc0351",
    "canary": "950e536d31df721819347bef5442ca517d283bf3",
    "book": "2f23a9d998db347d95ac0fe9315a58c14bdc29d3",
    "document": "c05fd147e8e35893af3a03a2b6f7f86ad8ed76ae",
    "receipt": "3849a194bc8f7a452d52050c90fa12da39eadfca",
    "owe": "8be16794240eef21a6ce83a1136ec744af78754e",
    "state": "e5b12d380b44d01788cf84507d6aba7fff1a2df8",
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
