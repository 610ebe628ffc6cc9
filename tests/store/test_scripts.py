"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "8b86b5a27b9b682ba49503635d8f19bb1d288519",
    "settle": "40a73d7e75f444933d0ef9bfe0d03a19af8d400a",
    "resolve": "e28051f3c0e159927bf0b23cdafe72eb28617c19",
    "switch": "98d4da099221baa3a15ab9d28470108e75340725",
    "halt": "f382e876b4f409347f9590d7d8951ba009673f72",
    "beat": "4cfab565281a0a3856ca9a14b6011bb3247648c4",
    "trip": "7f962b4edb904600468cda5c69423c4ea6bfe74a",
    "limits": "8a772b5f519ddeafdc153f90ca308a955c424f46",
    "lease": "2baa376ba0754542697790cba89f22f0959f07e6",
    "flag": "4c90f7dc43868475bccf7e1d52a69598eec8d191",
    "restrain": "521baeed6ff7660a4c2ae8b8825b566e3ea30a0c",
    "canary": "5577fad56ea9750bc88b6725e7951f445efdee83",
    "book": "3bc376b64ed85104fe2e520795b4afa9c856b1dc",
    "document": "945344fc7b3b639a45db13eebc086e8ec0a1d95a",
    "receipt": "e41cc58f73f6f69692020f09862ce47e10a9a98a",
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
