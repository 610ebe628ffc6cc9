"""The tests of the scripts have teeth: each check that is taken out is noticed by the test that is named for it."""

from __future__ import annotations

import asyncio
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from console.domain.errors import ConsoleError
from console.store import scripts
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.faults.bound_mutants import BOUND_MUTANTS
from tests.faults.manifest_mutants import MANIFEST_MUTANTS
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.state_mutants import STATE_MUTANTS
from tests.faults.window_mutants import WINDOW_MUTANTS
from tests.store.fence import test_bounds as test_fence_bounds
from tests.store.fence import test_claims as test_fence_claims
from tests.store.fence import test_control as test_fence_control
from tests.store.fence import test_data as test_fence_data
from tests.store.fence import test_manifests as test_fence_manifests
from tests.store.fence import test_owing as test_fence_owing
from tests.store.fence import test_window as test_fence_window
from tests.store.reading import test_revisions
from tests.store.records import test_canary as test_canary_script
from tests.store.records import test_documents as test_document_script
from tests.store.records import test_states as test_state_script

CACHED = (
    scripts._read, scripts.source, scripts.sha1, scripts._bodies, scripts.library_name, scripts.function,
    scripts.library,
)  # fmt: skip

NOTICED = (AssertionError, ConsoleError, RedisError, ValueError, TypeError, AttributeError, IndexError)


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the scripts that may be changed; from here on the library runs those."""
    folder = tmp_path / "lua"
    shutil.copytree(scripts._FOLDER, folder)
    monkeypatch.setattr(scripts, "_FOLDER", folder)
    forget()
    yield folder
    forget()


def forget() -> None:
    for function in CACHED:
        function.cache_clear()


def run_test(name: str, url: str, client: Any) -> None:
    """Run one test of the scripts, with the parameter named in brackets."""
    plain, _bracket, parameter = re.sub(r"\(.*\)", "", name).rstrip("]").partition("[")
    of_the_fence = (test_fence_control, test_fence_claims, test_fence_data, test_fence_owing, test_fence_manifests)
    all_of_them = (
        *of_the_fence,
        test_fence_bounds,
        test_fence_window,
        test_canary_script,
        test_document_script,
        test_state_script,
        test_revisions,
    )
    modules = (test_fence_claims,) if "(claims)" in name else all_of_them
    module = next(module for module in modules if hasattr(module, plain))
    test = getattr(module, plain)
    arguments: dict[str, Any] = {}
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names = (
                [each.strip() for each in mark.args[0].split(",")] if isinstance(mark.args[0], str) else mark.args[0]
            )
            value = next(v for v in mark.args[1] if parameter in str(v) or parameter in getattr(v, "values", ()))
            arguments |= dict(zip(names, value if len(names) > 1 else [value], strict=True))
    client.flushall()
    wanted = inspect.signature(test).parameters
    if inspect.iscoroutinefunction(test):

        async def go() -> None:
            own = await connect(url, timeout_s=10.0)
            try:
                first = own if "valkey" in wanted else AsyncFence(own, Keys.of(), functions=False)
                await test(first, **arguments)
            finally:
                await own.aclose()

        asyncio.run(go())
        return
    fence = Fence(client, Keys.of(), functions=False)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    if "on_green" in wanted:
        fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
        test_fence_claims.healthy(fence, "blue")
        test(fence, **arguments)
    else:
        test(fence, **arguments)


ALL = [*MUTANTS, *STATE_MUTANTS, *MANIFEST_MUTANTS, *WINDOW_MUTANTS, *BOUND_MUTANTS]


@pytest.mark.parametrize("mutant", ALL, ids=lambda m: f"{m.file}-{m.caught_by[:60]}")
def test_a_check_that_is_taken_out_is_noticed(mutant: Mutant, lua: Path, store_url: str, valkey_sync: Any) -> None:
    path = lua / f"{mutant.file}.lua"
    text = path.read_text("utf-8")
    assert text.count(mutant.find) == 1, f"{mutant.find!r} stands {text.count(mutant.find)} times in {mutant.file}.lua"
    path.write_text(text.replace(mutant.find, mutant.put), "utf-8")
    forget()
    with pytest.raises(
        (AssertionError, ConsoleError, RedisError, ValueError, TypeError, AttributeError, IndexError)
    ) as noticed:
        run_test(mutant.caught_by, store_url, valkey_sync)
    assert "error compiling" not in str(noticed.value).lower(), f"the mutant is no Lua: {noticed.value}"


@pytest.mark.parametrize("name", sorted({mutant.caught_by for mutant in ALL}))
def test_the_same_tests_pass_on_the_scripts_as_they_are(name: str, lua: Path, store_url: str, valkey_sync: Any) -> None:
    run_test(name, store_url, valkey_sync)
