"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "0c3e98d9b4d9b0c49fffada9c9ef263e6a9180e3",
    "settle": "e4629386ff1e15de1e8cd21c9d6403315fed4fd1",
    "resolve": "92eef61fdfabf1601fb651ee531a4e1be253a3fc",
    "switch": "c241c6232ec65cb314714ae8df81573cdf52db1b",
    "halt": "2fbd61f0bee695b2725241855268d1bdc225bbb8",
    "beat": "db43ec3cfd139cd3cc475f14aab4d9661574822f",
    "trip": "45539c25e77dc17794bafaa110c94132f0ef3ed8",
    "limits": "b830ac33d54f4a2647562f33db6d527206cf6d17",
    "lease": "32d45adc4647601d183a596d466934ca443e7b02",
    "flag": "bc0c2058fa3482a3d9e48593c2a5d1f9f1fe3097",
    "restrain": "f20dbfa1b5165b99f5545d6f38e0e56da2223e01",
    "canary": "ee84047aeb3c585d060e56cc33ae8e99c16a5320",
    "book": "c01531ff3667880d568fc9e7f6975bc2a176787d",
    "document": "59184ec15811baff290d5a8460b90174d20d44bd",
    "receipt": "1d9d16b8949fafd0e85cfc278aee39734c01000c",
    "owe": "3abf9e013efc52f526756c3dd7aaba9918fdcf47",
    "state": "44b927e7c4e0024f7e61acaf3bda28b53ead9e91",
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
