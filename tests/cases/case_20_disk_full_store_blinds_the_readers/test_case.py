"""A store that can't save refuses writes and still answers reads: so do the verbs that read.

From redis/redis#9913, dokku/dokku-redis#77.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Cli
from tests.servers import Server
from tests.waiting import until


@pytest.fixture
def full(cli: Cli, valkey_server: Callable[..., Server]) -> Server:
    """A store on which green is active, and whose disk took nothing any more after that."""
    server = valkey_server(appendonly="no", save="1 1", enable_protected_configs="yes")
    for side in ("blue", "green"):
        assert cli("switch", side, "--yes", url=server.url).code == 0
    server.command("CONFIG", "SET", "dbfilename", "x" * 300)
    until(lambda: server.command("SET", "a", "b").startswith("MISCONF"), "the store refuses writes", every_s=0.05)
    return server


def test_a_store_that_refuses_writes_is_read_by_every_verb_that_reads(cli: Cli, full: Server) -> None:
    for verb in (["status"], ["status", "--json"], ["flag", "list"], ["doctor"], ["guard", "status"]):
        answer = cli(*verb, url=full.url)
        assert answer.code in (0, 1), verb
        if verb == ["status"]:
            assert "GREEN" in answer.out
        if verb == ["doctor"]:
            assert "MISCONF" in answer.out
            assert "BGSAVE" in answer.out


def test_a_halt_that_the_store_refuses_names_the_door_that_is_left(cli: Cli, full: Server) -> None:
    answer = cli("halt", "--yes", url=full.url)
    assert answer.code not in (0, 1)
    assert "halt_file" in answer.out + answer.err
