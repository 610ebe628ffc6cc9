"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "d49de51c15d30eb121faebecb469380594c09450",
    "settle": "41867bb5dcb29d6187f88188c364d88faffc6ff6",
    "resolve": "5656e01465dfc6ce881a66812ad3594c283dd094",
    "switch": "888ae2cb9ef6f9cbaed9848e380bb5d8efb95f54",
    "halt": "97a2f8f2330e058a51cecf7481747462fe990d85",
    "beat": "b4f637bc84199a6c2547e5a445e1ac6ed4a8ab40",
    "trip": "3444a7eadd3dc12b21d8df2b9cdeba22cc67e2af",
    "limits": "1bd87af4f4af26f640cc8fb1aa10d5814127489d",
    "lease": "0fe9d2450abd34f0d6c5293f9c7e76063fa7c91d",
    "flag": "9cd99d8eb960fc198081b526ea0b0b76b0ac907c",
    "restrain": "6ebea208926ead63310f6143307d915b9c565ac9",
    "canary": "d5664a06a2cf6098786d4dacded4afbe5eca967d",
    "book": "897baf9223944a047ec5202a68e93c17328268de",
    "document": "9b4719f782878aba6a58980198bae623ed23ee81",
    "receipt": "df5d62b95e47f5214ce550ecdfb9185df3ebe2ad",
    "owe": "99787ca0d50d7face76c593828c5e8cd7bf3f676",
    "state": "81a1d13a99f734e67a9974730f2978efcb0f9326",
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
