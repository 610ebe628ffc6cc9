"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "bd02be79784d632601da141d8cffe09fdd69d864",
    "settle": "9f94c6b863f0582d2be8cd66da9aa3e386cf826b",
    "resolve": "ac716473b3291e202a582ed477d8031642d299f5",
    "switch": "101d3706ef9f4d390ab69d12a74781659827b32c",
    "halt": "e1e6460d5dababceccd0f8aa9b33d3e9c446dd9e",
    "beat": "ee605d8af5bd5dcb6a0e3bc32162894d87d36a1c",
    "trip": "540f549a10c9c65181c1d950364ea0d9a75917b9",
    "limits": "888862bc09c7abf3320cf6cf40373cec40a74ee5",
    "lease": "5ab56a696c59d71a262f9b9f89628dcf2b91d997",
    "flag": "bbfa5ef9ff988f9ccb09c9b9c13367f3df4ff40d",
    "restrain": "3957de844eb8e8d0f7aaa413158a8ef6c28d57c9",
    "canary": "af50b2400d83aaab2732f620ae4a9fb4715b57c5",
    "book": "abffbe88ad348ce246c5c1d467b30891f021301c",
    "document": "72878588b193075240b2f60c97916f74dec8a5a5",
    "receipt": "47e35a66ad65550fd7d869d2f34995f5ba16de82",
    "owe": "3ec639904c044345d4163f7ad367c55c183dccb8",
    "state": "4909f006a230b6a5d9d1ab6c2913b5e19c38aefc",
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
