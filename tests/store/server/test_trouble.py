"""What a server refuses for certain is told as certain; what it may have done is told as unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.commands.gateway.door import once
from console.domain.errors import EXIT_REFUSED, EXIT_UNREACHABLE, NotCarriedOut, StoreUnreachable, WritesRefused
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.keys import Keys
from console.store.server.connect import connect, connect_sync
from tests.refusing import refusing
from tests.servers import Server

Servers = Callable[..., Server]
CERTAIN = (
    "READONLY You can't write against a read only replica.",
    "NOPERM User ada has no permissions to run the 'evalsha' command",
    "NOPERM No permissions to access a key",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "LOADING Valkey is loading the dataset in memory",
    "CLUSTERDOWN The cluster is down",
    "MOVED 12182 127.0.0.1:7001",
    "ASK 12182 127.0.0.1:7001",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOREPLICAS Not enough good replicas to write.",
    "REDIRECT 127.0.0.1:7001",
    "BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "EXECABORT Transaction discarded because of previous errors.",
    "DENIED Redis is running in protected mode because protected mode is enabled",
    "ERR max number of clients reached",
    "ERR unknown command 'evalsha', with args beginning with: 'a'",
)
STOPPED = (
    "ERR ACL failure in script: User ada has no permissions to run the 'xadd' command script: f1, on @user_script:12.",
    "NOPERM ACL failure in script: No permissions to access a key script: f1, on @user_script:12.",
    "ERR Unknown command called from script script: on @user_script:1.",
    "ERR Unknown Redis command called from script script: f1, on @user_script:12.",
)


def _told(error: BaseException, certain: bool) -> None:
    assert isinstance(error, StoreUnreachable)
    assert isinstance(error, WritesRefused) is certain, error.message
    assert ("is unknown" in str(error)) <= (not certain), error.message
    assert error.hint


@pytest.mark.parametrize("certain", [True, False])
async def test_every_refusal_is_told_as_certain_and_what_stopped_a_script_on_its_way_as_unknown(
    valkey_server: Servers, certain: bool
) -> None:
    server, keys = valkey_server(), Keys.of()
    for line in CERTAIN if certain else STOPPED:
        with refusing(server.socket, line) as port:
            url = f"redis://127.0.0.1:{port}"
            client = await connect(url, timeout_s=5.0)
            with pytest.raises(StoreUnreachable) as caught:
                await AsyncFence(client, keys).halt("me", "a test")
            _told(caught.value, certain)
            with pytest.raises(StoreUnreachable) as caught:
                await once(AsyncFence(client, keys).halt("me", "a test"), "halt")
            assert isinstance(caught.value, NotCarriedOut) is certain
            assert ("halt was not carried out" in caught.value.message) is certain
            assert ("Whether it was carried out is unknown" in caught.value.message) is not certain
            assert caught.value.exit_code == (EXIT_REFUSED if certain else EXIT_UNREACHABLE)
            await client.aclose()
            blocking = connect_sync(url, timeout_s=5.0)
            with pytest.raises(StoreUnreachable) as caught:
                Fence(blocking, keys).halt("me", "a test")
            _told(caught.value, certain)
            blocking.close()
    assert server.command("EXISTS", keys.ctl) == "0"


async def test_a_right_that_a_script_lacks_after_its_first_write_is_told_as_unknown(valkey_server: Servers) -> None:
    server, keys = valkey_server(), Keys.of()
    server.command("ACL", "SETUSER", "ada", "on", "nopass", "~*", "+@all", "-xadd")
    client = await connect(f"unix://ada:x@{server.socket}", timeout_s=5.0)
    with pytest.raises(StoreUnreachable) as caught:
        await AsyncFence(client, keys).halt("me", "a test")
    _told(caught.value, certain=False)
    assert "xadd" in caught.value.message
    await client.aclose()
