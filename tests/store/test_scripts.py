"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "589bde497e7aca046cf71928b8d9525cbd1a6cda",
    "settle": "bfc9676c74dec6510ec6ef3f0d2c3c80e5f11817",
    "resolve": "aabbca79b8616d3ab9a4289aad2a4dc54bb8fed8",
    "switch": "8867b16693f84a55a676aaa9c5025c09b2bb4a90",
    "halt": "b8cf17bd7f22933b676971fcfa6cbd173985f38a",
    "beat": "244b4656b98cbe0960eafd61635018509eb2d349",
    "trip": "9c010f1b03887a8b3b7f6b289bccfeb35d4fc5a2",
    "limits": "492bd145070db57b2c30196af4874863bfec0df9",
    "lease": "66cae4e91f4369825da5dc5a1c64e3cdea79955a",
    "flag": "0a25d43ed4d29fa30d943b8b318b5862db680a18",
    "restrain": "dfbdb26bc57366abc3b8d4b10791ee16ff7e0b6f",
    "canary": "596dc8f948f8d5082808aa63773446bbce0297fa",
    "book": "444eb1102e908fb4dfb3d2048fd7930b17e52a80",
    "document": "52ff92e70af3d19ea3b6a1bc30c359ee01471d99",
    "receipt": "1b0cc0312cd5997373e3d8199b87fe513cb90828",
    "owe": "0001bb65d8cde888ca57621643291795936fab19",
    "state": "256412cad6d78586a5b1b3764e41fbc919d9b127",
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
