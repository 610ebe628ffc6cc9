"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "6fff7217b8820e7a116c226001345c4c49f9dc32",
    "settle": "579486da028359ce159eb05dd2fb7e2bdc8ce251",
    "resolve": "e1d262a8b9b18c6869981efcf0d92ebac166f09d",
    "switch": "6c959f38bbfbe4a50bea678365552c342f2d037f",
    "halt": "6e00fd3910e4fb033b0b35acd375d2d873b950d5",
    "beat": "94e77122e9d2b3833438822abc799a5af10e19dc",
    "trip": "5e061e938abc5bc1d34f1e1a29c0aa84131eb98f",
    "limits": "67a55cd3ba3d196e2b710aa342aba70ed7fddfdc",
    "lease": "4c5f83f9c9cc1601b0a93f035b599309f5b86411",
    "flag": "eebc42bf6f76f56762bc292401829a77fa74b886",
    "restrain": "444601ba6d2d1ff3947579991f1327cee44050ee",
    "canary": "d6c7213f75a220380c78a80208c93ecab458553f",
    "book": "d3d262687c7972c7b38ff769338fcfa9956f5a83",
    "document": "117443f50a82e2f4d8b67d73c124c757b25b4a11",
    "receipt": "72612b74da172e8fa570f26126f6c6515a609b14",
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
