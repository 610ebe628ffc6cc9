"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "cea609918b7badb52459c2c78f14bcc301219074",
    "settle": "e85e2d3f387eb22891a6709951d479de8ea4d4ee",
    "resolve": "db72bc029d3e1a011b774715505907de08cb4f9d",
    "switch": "1849a4b7be4ea10d2ef9d061d4ee9a446bc7b0d1",
    "halt": "a600e508636c0ee758dc845f8e5ed3ca1b3c05ce",
    "beat": "4536b9fd4fee6790b13f3be9751ef852528201a4",
    "trip": "7f164a2a6dcf890a48be7ae02705dacb6487a887",
    "limits": "80aa32b510a6fd3ec9f761fdebdd47dc1f39507a",
    "lease": "1f706bb4873388ff3ba27e1368bbff143c18f957",
    "flag": "de164c019cb0a57dddabbc9df2146e25c67515ff",
    "restrain": "dee1e048356eb269f5ba3881357198f947e93c38",
    "canary": "c60a629432ec8e5b2cf6d1bf075663824d7dff60",
    "book": "d543dce12094fc25f4a3c2f2da349a6f726685e2",
    "document": "9ac44e9f56f4797350b28a48cc25014a84d8fb6f",
    "receipt": "55d361dcc1c98bcbd23214d83b4025d7c9fd3d5c",
    "owe": "4d9b9f643c34f3e16c1f239c1031612ee77914ec",
    "state": "45945580ea832726902fcdf0ee21b2f776e88fb1",
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
