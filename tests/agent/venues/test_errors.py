"""Each exception of an HTTP client ends an action as what really happened at the venue allows, and never better."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from console.agent import AuthenticationFailure, NotSent, Settings, VenueErrors, venues
from console.agent.fence.ending import ending
from console.domain.fence.claims import Outcome
from tests.agent.venues.clients import CLIENTS, WAIT_S, Send, by_aiohttp_in_all, error_of, httpx_timeout
from tests.agent.venues.venue import Closed, Full, Venue

ABORT, FAIL, UNKNOWN = Outcome.ABORT, Outcome.FAIL, Outcome.UNKNOWN
AUTHENTICATION = "authentication failure"
Client = tuple[Send, Callable[..., VenueErrors]]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as venue:
        yield venue


@pytest.fixture
def closed() -> Iterator[Closed]:
    with Closed() as closed:
        yield closed


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


def end(error: Exception, errors: VenueErrors) -> tuple[Outcome, str]:
    """How an action ends, and its trigger."""
    ended = ending(error, Settings(venue=errors))
    assert type(error).__name__ in ended.text
    return ended.outcome, ended.trigger


def end_of(client: Client, method: str, url: str) -> tuple[Outcome, str]:
    send, ready = client
    return end(error_of(lambda: send(method, url)), ready())


# -- what an exception means ------------------------------------------------------------------------------------------


def test_what_could_not_connect_was_not_sent(client: Client, closed: Closed) -> None:
    assert end_of(client, "POST", f"{closed.url}/order") == (ABORT, "")


def test_what_found_no_host_was_not_sent(client: Client) -> None:
    assert end_of(client, "POST", "http://nowhere.invalid/order") == (ABORT, "")


def test_what_waited_too_long_for_its_connection_was_not_sent(client: Client) -> None:
    with Full() as full:
        assert end_of(client, "POST", f"{full.url}/full") == (ABORT, "")


@pytest.mark.parametrize("status", [400, 402, 404, 410, 418, 422, 451])
def test_a_refusal_is_definitive(client: Client, venue: Venue, status: int) -> None:
    assert end_of(client, "POST", f"{venue.url}/status/{status}") == (FAIL, "")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_a_trigger(client: Client, venue: Venue, status: int) -> None:
    assert end_of(client, "POST", f"{venue.url}/status/{status}") == (FAIL, AUTHENTICATION)


@pytest.mark.parametrize("status", [425, 429])
def test_what_was_turned_away_unread_may_try_again(client: Client, venue: Venue, status: int) -> None:
    assert end_of(client, "POST", f"{venue.url}/status/{status}") == (ABORT, "")


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 524])
def test_what_may_have_been_executed_is_in_doubt(client: Client, venue: Venue, status: int) -> None:
    assert end_of(client, "POST", f"{venue.url}/status/{status}") == (UNKNOWN, "")


@pytest.mark.parametrize("path", ["hang", "close", "garbage", "cut"])
def test_an_answer_that_never_came_or_can_not_be_read_is_in_doubt(client: Client, venue: Venue, path: str) -> None:
    assert end_of(client, "POST", f"{venue.url}/{path}") == (UNKNOWN, "")
    assert venue.received == [("POST", f"/{path}")]


def test_a_time_out_over_all_is_in_doubt(venue: Venue) -> None:
    error = error_of(lambda: by_aiohttp_in_all("POST", f"{venue.url}/hang"))
    assert type(error) is TimeoutError
    assert end(error, venues.aiohttp()) == (UNKNOWN, "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing makes a certificate here")
def test_a_certificate_that_is_not_trusted_ends_it_before_it_is_sent(client: Client, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    made += ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key))
    subprocess.run((*made, "-out", str(certificate)), check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with Venue(tls) as venue:
        assert end_of(client, "POST", f"{venue.url}/status/200") == (ABORT, "")
        assert venue.received == []


def test_what_found_no_room_in_the_pool_was_not_sent(venue: Venue) -> None:
    limits = httpx.Limits(max_connections=1)
    timeout = httpx.Timeout(10, pool=WAIT_S)
    with (
        httpx.Client(limits=limits, timeout=timeout, trust_env=False) as client,
        client.stream("POST", f"{venue.url}/cut"),
    ):
        error = error_of(lambda: client.post(f"{venue.url}/status/200"))
    assert type(error) is httpx.PoolTimeout
    assert end(error, venues.httpx()) == (ABORT, "")
    assert venue.received == [("POST", "/cut")]


async def test_what_found_no_room_in_the_pool_of_aiohttp_was_not_sent(venue: Venue) -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        session.post(f"{venue.url}/cut"),
    ):
        with pytest.raises(aiohttp.ConnectionTimeoutError) as raised:
            await session.post(f"{venue.url}/status/200", timeout=aiohttp.ClientTimeout(connect=WAIT_S))
    assert end(raised.value, venues.aiohttp()) == (ABORT, "")
    assert venue.received == [("POST", "/cut")]


def test_a_proxy_that_passes_nothing_on_sent_nothing(venue: Venue) -> None:
    url = "https://nowhere.invalid/order"

    async def by_aiohttp() -> None:
        async with aiohttp.ClientSession() as session, session.post(url, proxy=venue.url):
            pass

    def by_httpx() -> None:
        with httpx.Client(proxy=venue.url) as client:
            client.post(url)

    def by_requests() -> None:
        requests.post(url, proxies={"https": venue.url}, timeout=30)

    assert end(error_of(lambda: asyncio.run(by_aiohttp())), venues.aiohttp()) == (ABORT, "")
    assert end(error_of(by_httpx), venues.httpx()) == (ABORT, "")
    assert end(error_of(by_requests), venues.requests()) == (UNKNOWN, "")  # its exception doesn't say enough


# -- what proves nothing ----------------------------------------------------------------------------------------------


def test_a_lookup_proves_nothing_of_the_action(client: Client, venue: Venue, closed: Closed) -> None:
    assert end_of(client, "GET", f"{closed.url}/order/1") == (UNKNOWN, "")
    assert end_of(client, "GET", f"{venue.url}/status/404") == (UNKNOWN, "")
    assert end_of(client, "GET", f"{venue.url}/status/429") == (UNKNOWN, "")
    assert end_of(client, "GET", f"{venue.url}/status/401") == (UNKNOWN, AUTHENTICATION)


def test_a_venue_that_acts_by_other_methods_is_told_so(client: Client, closed: Closed) -> None:
    send, ready = client
    error = error_of(lambda: send("GET", f"{closed.url}/buy"))
    assert end(error, ready(acts=("get",))) == (ABORT, "")
    assert end(error, ready()) == (UNKNOWN, "")


def test_where_an_executed_request_leads_to_proves_nothing(client: Client, venue: Venue, closed: Closed) -> None:
    path = f"/moved/303/{closed.port}"
    assert end_of(client, "POST", venue.url + path) == (UNKNOWN, "")
    assert venue.received == [("POST", path)]


def test_a_request_that_is_sent_on_was_not_executed_where_it_was_sent_first(
    client: Client, venue: Venue, closed: Closed
) -> None:
    assert end_of(client, "POST", f"{venue.url}/moved/307/{closed.port}") == (ABORT, "")


def test_an_error_while_a_doubt_was_being_handled_proves_nothing(client: Client, venue: Venue, closed: Closed) -> None:
    send, ready = client

    def again(url: str) -> None:
        try:
            send("POST", f"{venue.url}/hang")
        except Exception:
            send("POST", url)

    assert end(error_of(lambda: again(f"{closed.url}/order")), ready()) == (UNKNOWN, "")
    assert end(error_of(lambda: again(f"{venue.url}/status/422")), ready()) == (UNKNOWN, "")
    assert end(error_of(lambda: again(f"{venue.url}/status/403")), ready()) == (UNKNOWN, AUTHENTICATION)


def test_an_error_while_a_proof_was_being_handled_still_proves(client: Client, closed: Closed) -> None:
    send, ready = client

    def again() -> None:
        try:
            send("POST", f"{closed.url}/order")
        except Exception:
            send("POST", f"{closed.url}/order")

    assert end(error_of(again), ready()) == (ABORT, "")


def test_a_time_out_around_a_request_is_a_doubt_too(venue: Venue, closed: Closed) -> None:
    async def again() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                async with asyncio.timeout(WAIT_S):
                    await client.post(f"{venue.url}/hang")
            except TimeoutError:
                await client.post(f"{closed.url}/order")

    assert end(error_of(lambda: asyncio.run(again())), venues.httpx()) == (UNKNOWN, "")


async def test_what_aiohttp_repeated_by_itself_may_have_been_executed() -> None:
    with Venue() as venue:
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{venue.url}/status/200") as response:
                await response.read()
            with pytest.raises(aiohttp.ClientConnectorError) as raised:
                await session.put(f"{venue.url}/last")
        assert venue.received == [("POST", "/status/200"), ("PUT", "/last")]
    assert end(raised.value, venues.aiohttp()) == (UNKNOWN, "")


async def test_what_aiohttp_did_not_repeat_was_not_sent(closed: Closed) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("PUT", "DELETE", "PATCH", "POST"):
            with pytest.raises(aiohttp.ClientConnectorError) as raised:
                await session.request(method, f"{closed.url}/order")
            assert end(raised.value, venues.aiohttp()) == (ABORT, "")


async def test_what_a_middleware_may_have_repeated_may_have_been_executed() -> None:
    async def stubborn(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        try:
            return await handler(request)
        except aiohttp.ServerDisconnectedError:
            pass
        return await handler(request)

    with Venue() as venue:
        async with aiohttp.ClientSession(middlewares=(stubborn,)) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as raised:
                await session.post(f"{venue.url}/last")
        assert venue.received == [("POST", "/last")]
    assert end(raised.value, venues.aiohttp()) == (UNKNOWN, "")


@pytest.mark.parametrize("path", ["last", "last/503"])
def test_what_requests_was_told_to_repeat_may_have_been_executed(path: str) -> None:
    retry = Retry(total=3, status_forcelist=[503], allowed_methods=None)
    with Venue() as venue, requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        error = error_of(lambda: session.post(f"{venue.url}/{path}", timeout=30))
        assert venue.received == [("POST", f"/{path}")]
    assert "refused" in str(error)
    assert end(error, venues.requests()) == (UNKNOWN, "")


def test_repeating_what_never_connected_proves_as_much_as_doing_it_once(closed: Closed) -> None:
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(connect=2, backoff_factor=0)))
        error = error_of(lambda: session.post(closed.url, timeout=30))
    assert end(error, venues.requests()) == (ABORT, "")


# -- what is raised from it -------------------------------------------------------------------------------------------


class OrderLost(Exception):
    """An author's own."""


def test_an_exception_without_a_meaning_of_its_own_has_that_of_its_cause(
    client: Client, venue: Venue, closed: Closed
) -> None:
    send, ready = client

    def wrapped(url: str) -> None:
        try:
            send("POST", url)
        except Exception as error:
            raise OrderLost("gone") from error

    for url, expected in (
        (f"{venue.url}/hang", (UNKNOWN, "")),
        (f"{venue.url}/status/422", (FAIL, "")),
        (f"{venue.url}/status/401", (FAIL, AUTHENTICATION)),
        (f"{closed.url}/order", (ABORT, "")),
    ):
        error = error_of(lambda url=url: wrapped(url))  # type: ignore[misc]
        assert end(error, ready()) == expected
        direct = ready().ending(error)
        assert direct is not None and direct[:2] == expected


def test_what_was_merely_being_handled_gives_no_meaning(venue: Venue) -> None:
    def broken() -> None:
        try:
            CLIENTS["httpx"][0]("POST", f"{venue.url}/hang")
        except httpx.HTTPError:
            raise OrderLost("a defect in the handling")  # noqa: B904

    assert end(error_of(broken), venues.httpx()) == (UNKNOWN, "unhandled OrderLost")


def test_a_meaning_of_its_own_stands_before_that_of_the_cause(closed: Closed) -> None:
    refused = error_of(lambda: CLIENTS["httpx"][0]("POST", closed.url))

    def raised(error: Exception) -> Exception:
        error.__cause__ = refused
        return error

    settings = Settings(venue=venues.httpx(), doubtful=(OrderLost,), definitive=(KeyError,))
    assert ending(raised(OrderLost()), settings)[:2] == (UNKNOWN, "")
    assert ending(raised(KeyError()), settings)[:2] == (FAIL, "")
    assert ending(raised(AuthenticationFailure()), settings)[:2] == (FAIL, AUTHENTICATION)
    assert ending(raised(NotSent()), settings)[:2] == (ABORT, "")
    assert ending(raised(ValueError()), settings)[:2] == (ABORT, "")


def test_causes_in_a_circle_end() -> None:
    first, second = OrderLost("1"), OrderLost("2")
    first.__cause__, second.__cause__ = second, first
    assert end(first, venues.httpx()) == (UNKNOWN, "unhandled OrderLost")


@pytest.mark.parametrize("path", ["hang", "status/422", "status/401"])
def test_requests_side_by_side_are_in_doubt_together(venue: Venue, path: str) -> None:
    async def both() -> None:
        async with (
            httpx.AsyncClient(timeout=httpx_timeout(f"/{path}"), trust_env=False) as client,
            asyncio.TaskGroup() as tasks,
        ):

            async def send(url: str) -> None:
                (await client.post(url)).raise_for_status()

            tasks.create_task(send(f"{venue.url}/{path}"))

    error = error_of(lambda: asyncio.run(both()))
    assert end(error, venues.httpx()) == (UNKNOWN, AUTHENTICATION if path == "status/401" else "")


def test_a_defect_among_several_is_a_defect(closed: Closed) -> None:
    refused = error_of(lambda: CLIENTS["httpx"][0]("POST", closed.url))
    group = ExceptionGroup("two", [refused, ZeroDivisionError("odds")])
    assert end(group, venues.httpx()) == (UNKNOWN, "unhandled ZeroDivisionError")
    assert end(ExceptionGroup("one", [refused]), venues.httpx()) == (UNKNOWN, "")


# -- what is no weather -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["httpx", "aiohttp", "requests"])
def test_an_address_that_can_not_be_used_is_a_defect(library: str) -> None:
    error = error_of(lambda: CLIENTS[library][0]("POST", "http://[no]/order"))
    assert end(error, CLIENTS[library][1]())[1].startswith("unhandled ")


def test_a_client_means_nothing_by_the_errors_of_another(closed: Closed) -> None:
    by_httpx = error_of(lambda: CLIENTS["httpx"][0]("POST", closed.url))
    assert venues.requests().ending(by_httpx) is None
    assert venues.aiohttp().ending(by_httpx) is None
    assert venues.httpx().ending(ZeroDivisionError()) is None


def test_an_error_made_without_a_request_has_the_meaning_of_its_type() -> None:
    assert end(httpx.ConnectError("refused"), venues.httpx()) == (ABORT, "")
    assert end(requests.ConnectTimeout("late"), venues.requests()) == (ABORT, "")
    assert end(requests.ConnectionError("lost"), venues.requests()) == (UNKNOWN, "")
    assert end(requests.HTTPError("odd"), venues.requests()) == (UNKNOWN, "")
    assert end(aiohttp.ConnectionTimeoutError("late"), venues.aiohttp()) == (UNKNOWN, "")  # nothing tells of what
