"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "0451ff79e7369508d109674a1e9c7204d4a2b827",
    "settle": "093fa898958d0fefc86dac3367c6067c7915c707",
    "resolve": "4a1b2b8fa3cf54fcbe6f7ed48eed8bc59adcd03d",
    "switch": "627d382a4c8f04fde70c98965963fed108fa18c7",
    "halt": "67a141f3e91234c023b2967e8aab32419656d577",
    "beat": "1987579f33b91937fd65824b5581dfbf4a29368c",
    "trip": "170cd27e3fbeccbf4f45e31440c4a9469f83d79f",
    "limits": "458858f6e7189250ba81e114284a4e35b5e02cf6",
    "lease": "d64e381d45c20ff5626885200812888bbf47cf5b",
    "flag": "f5f1c355f99ac46ea0a0976e537e2e2fb0711caf",
    "restrain": "96e1729d5e4c7b3c59b388fb067ce74d87f94038",
    "canary": "37dcea0effaf2c7df5bf64034dc305cbd2fce177",
    "book": "4f2d68234ec336387e59163f66bdd83b26d06a6c",
    "document": "ea7532e7a119ab1be35197320ba047c3d808cdeb",
    "receipt": "69d932362ea86a3a8e52159967ccadc4b507b01b",
    "state": "f81cb1cc33dba4f0bd7cda8ccdb8c91e9b02f398",
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
