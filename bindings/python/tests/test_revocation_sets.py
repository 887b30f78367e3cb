"""Sets of what is revoked, fetched from whoever publishes them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from conftest import AUDIENCE, ISSUER, verifier_of
from donjon import (
    Claims,
    ConfigError,
    InvalidArgument,
    Keyring,
    RevocationSetStale,
    TokenIssuer,
    TokenRevoked,
    revocation_sets,
)
from donjon.records import MemoryRecords
from donjon.revocation import Revocations
from donjon.revocation_sets import AsyncRevocationSetClient, RevocationSetClient

pytestmark = pytest.mark.anyio

URL = "https://id.example/.well-known/revocation-set"
KEYRING = Keyring.generate(purposes=["device"])
OFTEN = timedelta(milliseconds=10)


class Publisher(httpx.AsyncBaseTransport):
    """Publishes what is revoked, or answers something else."""

    def __init__(self) -> None:
        self.revocations = Revocations(KEYRING, MemoryRecords())
        self.revocations.keep_alive()
        self.requests: list[httpx.Request] = []
        self.respond: Callable[[], httpx.Response] = self.current

    def current(self) -> httpx.Response:
        return httpx.Response(200, content=self.revocations.publish(KEYRING, 300))

    def claims(self) -> Claims:
        since = self.revocations.issue_since("ann")
        minted = TokenIssuer(KEYRING, issuer=ISSUER, audience=AUDIENCE).access(
            "ann", revoked_since=since
        )
        return verifier_of(KEYRING).verify(minted)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.respond()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    yield Publisher()
    # What is being fetched as a client is closed, is fetched to its end: not within the next test.
    eventually(lambda: all(thread.name != "revocation-set" for thread in threading.enumerate()))


def client(publisher: Publisher, **options: Any) -> RevocationSetClient:
    return RevocationSetClient(URL, KEYRING, transport=publisher, **{"interval": OFTEN, **options})


def eventually(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


def is_revoked(checking: RevocationSetClient, claims: Claims) -> bool:
    try:
        checking.check(claims)
    except TokenRevoked:
        return True
    return False


def test_what_is_revoked_elsewhere_is_refused_soon(publisher: Publisher) -> None:
    one, two = publisher.claims(), publisher.claims()
    with client(publisher) as checking:
        checking.check(one)
        publisher.revocations.revoke(one)
        eventually(lambda: is_revoked(checking, one))
        checking.check(two)
        publisher.revocations.revoke_subject("ann")
        eventually(lambda: is_revoked(checking, two))
    assert publisher.requests[0].headers["accept"] == "application/octet-stream"
    # Once it was told to stop, it fetches no more.
    time.sleep(0.05)
    asked = len(publisher.requests)
    time.sleep(0.05)
    assert len(publisher.requests) == asked


def test_a_client_that_was_closed_before_its_use_lets_nobody_in(publisher: Publisher) -> None:
    checking = client(publisher)
    checking.close()
    with pytest.raises(RevocationSetStale):
        checking.check(publisher.claims())
    assert publisher.requests == []


def test_who_comes_while_the_thread_begins_waits_for_what_it_fetches(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, checking, made = publisher.claims(), client(publisher), revocation_sets._pending
    another = threading.Thread(target=checking.check, args=(claims,), daemon=True)

    def begin_another() -> Any:
        another.start()
        another.join(0.05)  # It is about to wait, for whatever is there.
        return made()

    monkeypatch.setattr(revocation_sets, "_pending", begin_another)
    with checking:
        checking.check(claims)
        another.join(10)
        assert not another.is_alive()


async def test_tasks_wait_for_the_first_set(publisher: Publisher) -> None:
    publisher.revocations.revoke(revoked := publisher.claims())
    async with AsyncRevocationSetClient(URL, lambda: KEYRING, transport=publisher) as checking:
        good = publisher.claims()
        await asyncio.gather(*(checking.check(good) for _ in range(20)))
        with pytest.raises(TokenRevoked):
            await checking.check(revoked)
        assert len(publisher.requests) == 1


async def test_a_task_that_is_cancelled_does_not_take_the_fetch_along(publisher: Publisher) -> None:
    answer, asked = threading.Event(), threading.Event()

    def slowly() -> httpx.Response:
        asked.set()
        answer.wait(10)
        return publisher.current()

    publisher.respond = slowly
    claims = publisher.claims()
    async with AsyncRevocationSetClient(URL, KEYRING, transport=publisher) as checking:
        tasks = [asyncio.create_task(checking.check(claims)) for _ in range(3)]
        await asyncio.to_thread(asked.wait, 10)
        tasks[0].cancel()
        await asyncio.sleep(0.01)
        answer.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [None, None]


@pytest.mark.parametrize("status", [204, 301, 304, 401, 404, 500])
def test_without_a_set_every_token_is_refused(
    publisher: Publisher, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.respond = lambda: httpx.Response(status, headers={"Location": "http://10.0.0.1/"})
    claims = publisher.claims()
    with client(publisher) as checking:
        for _ in range(3):
            with pytest.raises(RevocationSetStale):
                checking.check(claims)
        assert "no revocation set from id.example: the server answered" in caplog.text
        publisher.respond = publisher.current
        eventually(lambda: checking.offline.info is not None)
        checking.check(claims)


def test_what_is_no_set_is_refused_and_the_last_one_is_in_use(publisher: Publisher) -> None:
    revoked, good = publisher.claims(), publisher.claims()
    publisher.revocations.revoke(revoked)
    forged = Keyring.generate(purposes=["device"])
    bad: list[Callable[[], httpx.Response]] = [
        lambda: httpx.Response(200, content=b"no set"),
        lambda: httpx.Response(200, content=publisher.revocations.publish(forged, 300)),
        lambda: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=b"\x1f\x8b"),
        lambda: httpx.Response(200, stream=Endless()),
    ]
    with client(publisher, max_bytes=10_000) as checking:
        assert is_revoked(checking, revoked)
        info = checking.offline.info
        eventually(lambda: checking.offline.info != info)
        for respond in bad:
            publisher.respond = respond
            asked = len(publisher.requests)
            eventually(lambda asked=asked: len(publisher.requests) > asked + 2)  # type: ignore[misc]
            info = checking.offline.info
            assert is_revoked(checking, revoked)
            checking.check(good)
        assert checking.offline.info == info


class Endless(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024


def test_an_older_set_of_another_publisher_changes_nothing(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    revoked = publisher.claims()
    older = publisher.revocations.publish(KEYRING, 300)
    publisher.revocations.revoke(revoked)
    with client(publisher) as checking:
        assert is_revoked(checking, revoked)
        publisher.respond = lambda: httpx.Response(200, content=older)
        asked = len(publisher.requests)
        eventually(lambda: len(publisher.requests) > asked + 3)
        assert is_revoked(checking, revoked)
    assert caplog.text == ""


def test_a_set_that_has_not_changed_is_not_sent_again(publisher: Publisher) -> None:
    document = publisher.revocations.publish(KEYRING, 300)
    claims = publisher.claims()

    def tagged() -> httpx.Response:
        if publisher.requests[-1].headers.get("if-none-match") == '"1"':
            return httpx.Response(304)
        return httpx.Response(200, content=document, headers={"ETag": '"1"'})

    publisher.respond = tagged
    with client(publisher) as checking:
        checking.check(claims)
        eventually(lambda: len(publisher.requests) > 3)
        checking.check(claims)
    assert "if-none-match" not in publisher.requests[0].headers
    assert all(one.headers["if-none-match"] == '"1"' for one in publisher.requests[1:])


def test_a_process_that_was_forked_fetches_for_itself(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = publisher.claims()
    with client(publisher, interval=3600) as checking:
        checking.check(claims)
        checking.check(claims)
        assert len(publisher.requests) == 1
        monkeypatch.setattr(os, "getpid", lambda: -1)
        checking.check(claims)
        assert len(publisher.requests) == 2


@pytest.mark.parametrize("url", ["http://id.example/set", "file:///etc/passwd", "id.example", ""])
def test_https_only(url: str) -> None:
    for make in (RevocationSetClient, AsyncRevocationSetClient):
        with pytest.raises(ConfigError):
            make(url, KEYRING)
    with pytest.raises(InvalidArgument, match="interval"):
        RevocationSetClient(URL, KEYRING, interval=0)


@pytest.fixture
def server(publisher: Publisher) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = publisher.current().content
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/set"
        listening.shutdown()
        thread.join()


def test_a_real_server_is_asked(publisher: Publisher, server: str) -> None:
    revoked = publisher.claims()
    publisher.revocations.revoke(revoked)
    with RevocationSetClient(server, KEYRING, allow_http=True) as checking:
        assert is_revoked(checking, revoked)
        checking.check(publisher.claims())
