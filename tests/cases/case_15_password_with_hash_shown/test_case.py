"""A password with a raw mark of URLs in it is shown nowhere: the URL is refused, with how to write it.

From cameronmaske/celery-once#135, redis/redis-py#1171.
"""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize("password", [":57#Wc903z", "ops:57/Wc903z", ":pa#Wc903z", "ops:pa?Wc903z"])
def test_a_raw_mark_in_a_password_is_refused_and_the_password_shown_nowhere(cli: Cli, password: str) -> None:
    url = f"redis://{password}@127.0.0.1:6379/0"
    status, config = cli("status", url=url), cli("config", "show", url=url)
    assert status.code == 2
    assert "%23" in status.err
    for answer in (status, config):
        assert "Wc903z" not in answer.out + answer.err
    assert "***@127.0.0.1" in config.out
