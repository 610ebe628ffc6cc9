"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "a210bb0973c0397af44e3eb85622eab03501390a",
    "settle": "4554008e251fbc1d6a91b6864c4d8f3228009fd8",
    "resolve": "857a96ce847af865b1dd3521cbdd6dc9fd2f0622",
    "switch": "d2f6c873ed71ad6d1acbd1d37ae38848c5869035",
    "halt": "a08212e7d6dd088d94fdec8714230b943f45c59b",
    "beat": "945b53815291d24ef3915a42f9af09c808cda238",
    "trip": "7b03354b13cfeb386b6607e6e60dca3f46b5dbbc",
    "limits": "c94b7c657586f66e34e9cc8374764d17faea68bf",
    "lease": "c896bfe899d9421f6cd72ab547801633a4ac23b6",
    "flag": "4e18a91b7c7a5656dbb93c64e4b8269dc0d0dc0a",
    "restrain": "1020ba2bab111d7d02422fe5d128e0a3e4ef6039",
    "canary": "53cc7ae0c45b1761d680da8fdd8a43f8567fb7e9",
    "book": "2fda28dd82df9c35ebbdeca6b30ff2631fea5aa3",
    "document": "9489e3daa39075ca4de4e6403e64a31a08dbc588",
    "receipt": "a4ccc7d7e46c964fd75b17d8039e83fe99b1acf3",
    "owe": "bca9555dd5a1ec1ed1845d907abd035f406aeb29",
    "state": "576ace180092f0e29275810bbf77cc148193b7e7",
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
