"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "2d2b71df92a74bf78f6767bc477d85a36a8611b9",
    "settle": "de75e42e62dcac18b18a27087eddb87b48b14f68",
    "resolve": "4b0777587d32da53cabec1429ddb5c104d06d0f8",
    "switch": "0ceb762eb92b26bfa27786b27e96dfacecfd91c4",
    "halt": "386cfc21cde78823b64e01e7e23df3e28d38e48b",
    "beat": "ff78ce1684732bf8ef31abb1e6546e4ae34ad06f",
    "trip": "bb70acb8e05c7485ccfdec08e5a04ca9ae4fbd19",
    "limits": "d7d3a46fc1573d78fb1e132ab72044658ef13ec2",
    "lease": "cd76cfb13cad58be54d76b047bff3f13318a9192",
    "flag": "43250f45a67c02602126574ba22135bc4fec6723",
    "restrain": "721cf865dc069943dad576b2c042692558d8f6a2",
    "canary": "2424a9d5c24f9ca42a034868db28a601203b3ecb",
    "book": "acff2b8ddb15fd07c5bd52bd6f3ab7b5e1d522a2",
    "document": "af720da26fa0f963bb2cbbe85433dfbddd2f7aec",
    "receipt": "935e6a4e09e96e52bec4fa0c9dbabe2e6ed71500",
    "owe": "ca8e1354f19daaabc29c9f854c3bb4dcc5d85e2b",
    "state": "6c249fd87f320b956450f32d9066ee121d387813",
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
