"""The scripts as they are shipped: known by their hashes, whole, and refusing what they must."""

from __future__ import annotations

from typing import Any

import pytest

from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

GOLDEN = {
    "claim": "e2d96646bed4cdcddb6a23d0125a3519f5d27807",
    "settle": "a962efd6150337ce84cbb97d905811bc1373bb74",
    "resolve": "51d6101d76f01627ea959b10ee4f6e5476a4a187",
    "switch": "79b53c8d7cfc0ad021cf15adec0e3a0b65a24ead",
    "halt": "a6711a0f04259194dfcf243df1e28f063ed143f6",
    "beat": "a466b43f363a418a5f523d5d07fab3501095d471",
    "trip": "61f20a49d067676c23b9a9e5fdbaed287b1de598",
    "limits": "62602c3c27b74a303ed8d52e4a2f6599795a61a3",
    "lease": "7af2527936b937b5f832856f1c08512b050d980e",
    "flag": "130a7743b750b20e215647fc122864c3580e8438",
    "restrain": "f206c1c73e4a60f170efffcbdd13d947bf0ff1ae",
    "canary": "5a675b5937ecbc1aaf52c91402080d36e435fea7",
    "book": "9787db67d7fb976637c972f9d011c7036959c63f",
    "document": "c4f6f710d8ad01efefe01bd999c08cfde0ed9ff2",
    "receipt": "48c09c691096b0156a3e109618599b5229337399",
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
