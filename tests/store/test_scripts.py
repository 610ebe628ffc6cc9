"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "bcc53d4860df743e7a966ed2e0f160fc1a93369b",
    "settle": "405dac7df496bc307a3602c725ec9e9ddad2993f",
    "resolve": "9bf80f71543e34ae978802ba2b28dd7d3a3464ce",
    "switch": "7580d492577747cbf82d6c80ad294c290b9cf1db",
    "halt": "64b6a6926cd2aa2f0c0d9a5e4df2189fe03f40df",
    "beat": "d788f66e944cbcdccf5c9715407133f0116890dd",
    "trip": "5207bfcc6fc98ae4d8fbbd4344111c35919fd90f",
    "limits": "54e3b03a196e526040f425174a6991d698bcc330",
    "lease": "0e5b5f35866dd94a245d83b972c53a09927fa1e8",
    "flag": "8e390d2ee31670a590c943c1fe126ec299a8c6dd",
    "restrain": "3fd51109ea6fc62d279f1db0633b99941e2bf53d",
    "canary": "4086bb89dc6e0a97ea9db108f6e6b115b79b8c55",
    "book": "bb3844383b0353b0fad41e716b1b61537a364e15",
    "document": "f393dd559a815645aa48f80d331cc395c296986b",
    "receipt": "b0efe43a16560bdf3108ebbc7deb3ba577bdeae1",
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
