"""Key sets of other issuers: fetched when the kernel says so, within bounds."""

from __future__ import annotations

import asyncio
import gzip
import http.server
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

import donjon
from conftest import AUDIENCE, ISSUER
from donjon import Keyring, TokenIssuer
from donjon.jwks import MAX_BYTES, AsyncJWKSClient, JWKSClient, KeySetUnavailable

URL = "https://id.example/.well-known/jwks.json"
EXPECTED: Any = {
    "issuer": ISSUER,
    "audience": AUDIENCE,
    "type": "at+jwt",
    "algorithms": ["EdDSA"],
}


class Identity(httpx.AsyncBaseTransport):
    """An identity provider, its keys and the requests that it got."""

    def __init__(self) -> None:
        self.keyring = Keyring.generate()
        self.requests: list[httpx.Request] = []
        self.respond: Callable[[], httpx.Response] = self.key_set
        self.delay = 0.0

    def key_set(self) -> httpx.Response:
        return httpx.Response(200, text=self.keyring.public_jwks())

    def token(self) -> str:
        return TokenIssuer(self.keyring, issuer=ISSUER, audience=AUDIENCE).access("ann")

    def replace_keys(self) -> None:
        self.keyring = Keyring.generate()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(self.delay)
        return self.respond()


@pytest.fixture
def identity() -> Identity:
    return Identity()


def client(identity: Identity, **options: Any) -> JWKSClient:
    return JWKSClient(URL, transport=identity, **{"cooldown": timedelta(hours=1), **options})


def test_a_token_of_another_issuer_verifies(identity: Identity) -> None:
    verifier = client(identity).verifier(**EXPECTED)
    for _ in range(3):
        assert verifier.verify(identity.token()).subject == "ann"
    assert len(identity.requests) == 1
    headers = identity.requests[0].headers
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers


def test_a_new_key_is_fetched_when_a_token_names_it(identity: Identity) -> None:
    verifier = client(identity, cooldown=timedelta(milliseconds=1)).verifier(**EXPECTED)
    verifier.verify(identity.token())
    identity.replace_keys()
    time.sleep(0.01)
    assert verifier.verify(identity.token()).subject == "ann"
    assert len(identity.requests) == 2


def test_ten_thousand_unknown_keys_cause_no_storm(identity: Identity) -> None:
    verifier = client(identity).verifier(**EXPECTED)
    verifier.verify(identity.token())
    forged = Identity().token()
    for _ in range(10_000):
        with pytest.raises(donjon.UnknownKey):
            verifier.verify(forged)
    assert len(identity.requests) <= 2


def test_a_stale_set_is_fetched_again(identity: Identity) -> None:
    keys = client(identity, cooldown=timedelta(milliseconds=1), max_age=timedelta(milliseconds=5))
    first = keys.keyring()
    time.sleep(0.05)
    assert keys.keyring() is not first
    assert len(identity.requests) == 2


def test_a_forged_token_fetches_nothing(identity: Identity) -> None:
    verifier = client(identity).verifier(**EXPECTED)
    token = identity.token()
    verifier.verify(token)
    with pytest.raises(donjon.BadSignature):
        verifier.verify(token[:-4] + "AAAA")
    assert len(identity.requests) == 1


def test_threads_share_one_fetch(identity: Identity) -> None:
    identity.delay = 0.1
    verifier = client(identity).verifier(**EXPECTED)
    token = identity.token()
    with ThreadPoolExecutor(8) as pool:
        subjects = list(pool.map(lambda _: verifier.verify(token).subject, range(8)))
    assert subjects == ["ann"] * 8
    assert len(identity.requests) == 1


def refuse(identity: Identity, response: Callable[[], httpx.Response]) -> None:
    identity.respond = response
    with pytest.raises(KeySetUnavailable):
        client(identity).keyring()


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 404, 500])
def test_only_a_plain_answer_counts(identity: Identity, status: int) -> None:
    refuse(identity, lambda: httpx.Response(status, headers={"Location": "http://10.0.0.1/"}))
    assert len(identity.requests) == 1


@pytest.mark.parametrize("location", ["javascript:1", "http://xn--", "http://[", "//\x80"])
def test_a_redirect_to_nowhere_is_a_failed_fetch(
    identity: Identity, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # httpx reads the address even of a redirect that it does not follow.
    keys = client(identity)
    identity.respond = lambda: httpx.Response(302, headers={"Location": location})
    with pytest.raises(KeySetUnavailable):
        keys.keyring()
    # The kernel was told: the cooldown of an hour is doubled.
    later = time.monotonic_ns() + 90 * 60 * 10**9
    monkeypatch.setattr(time, "monotonic_ns", lambda: later)
    with pytest.raises(KeySetUnavailable):
        keys.keyring()
    assert len(identity.requests) == 1


@pytest.mark.parametrize("body", ["", "{}", "[]", "<html>", '{"keys":[]', '{"keys":1}'])
def test_what_is_no_key_set_is_refused(identity: Identity, body: str) -> None:
    refuse(identity, lambda: httpx.Response(200, text=body))


class Endless(httpx.AsyncByteStream):
    """A body without an end; counts what was taken of it."""

    def __init__(self, pause: float = 0) -> None:
        self.pause = pause
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1
            await asyncio.sleep(self.pause)
            yield b" " * 1024


def test_an_endless_body_is_cut_off(identity: Identity) -> None:
    body = Endless()
    refuse(identity, lambda: httpx.Response(200, stream=body))
    assert body.sent <= MAX_BYTES // 1024 + 1


def test_a_body_that_drips_is_cut_off(identity: Identity) -> None:
    identity.respond = lambda: httpx.Response(200, stream=Endless(pause=0.02))
    started = time.monotonic()
    with pytest.raises(KeySetUnavailable):
        client(identity, timeout=0.2).keyring()
    assert time.monotonic() - started < 2


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def resolve(*_: object, **__: object) -> None:
        answered.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    started = time.monotonic()
    with pytest.raises(KeySetUnavailable):
        JWKSClient("https://id.invalid/jwks", timeout=0.2).keyring()
    assert time.monotonic() - started < 5
    answered.set()


def test_an_empty_set_is_a_set(identity: Identity) -> None:
    identity.respond = lambda: httpx.Response(200, text='{"keys":[]}')
    assert len(client(identity).keyring()) == 0


def test_a_compressed_body_is_not_unpacked(identity: Identity) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    refuse(
        identity, lambda: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb)
    )


def test_a_failed_fetch_leaves_the_last_set_in_use(identity: Identity) -> None:
    keys = client(identity, cooldown=timedelta(milliseconds=1), max_age=timedelta(milliseconds=5))
    verifier = keys.verifier(**EXPECTED)
    token = identity.token()
    verifier.verify(token)
    identity.respond = lambda: httpx.Response(500)
    time.sleep(0.05)
    assert verifier.verify(token).subject == "ann"
    assert len(identity.requests) == 2


def test_a_log_says_what_failed(identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    identity.delay = 1
    with pytest.raises(KeySetUnavailable):
        client(identity, timeout=0.05).keyring()
    assert [record.getMessage() for record in caplog.records] == [
        "no key set from id.example: TimeoutError"
    ]


def test_without_any_set_the_service_is_to_blame(identity: Identity) -> None:
    identity.respond = lambda: httpx.Response(500)
    with pytest.raises(KeySetUnavailable) as caught:
        client(identity).verifier(**EXPECTED).verify(identity.token())
    assert caught.value.http_status == 503
    assert not isinstance(caught.value, donjon.TokenError)


@pytest.mark.parametrize("url", ["http://id.example/jwks", "file:///etc/passwd", "id.example", ""])
def test_https_only(url: str) -> None:
    for make in (JWKSClient, AsyncJWKSClient):
        with pytest.raises(donjon.ConfigError):
            make(url)


def test_bad_expectations_are_refused_before_a_token_comes(identity: Identity) -> None:
    with pytest.raises(donjon.ConfigError):
        client(identity).verifier(**{**EXPECTED, "algorithms": ["none"]})
    with pytest.raises(donjon.InvalidArgument):
        client(identity, cooldown=timedelta(seconds=-1))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_secret_that_is_published_verifies_nothing(identity: Identity, algorithm: str) -> None:
    expected = {**EXPECTED, "algorithms": [algorithm]}
    for keys in (client(identity), AsyncJWKSClient(URL, transport=identity)):
        with pytest.raises(donjon.ConfigError, match="published"):
            keys.verifier(**expected)


@pytest.mark.anyio
async def test_tasks_share_one_fetch(identity: Identity) -> None:
    identity.delay = 0.05
    keys = AsyncJWKSClient(URL, transport=identity, cooldown=timedelta(hours=1))
    verifier = keys.verifier(**EXPECTED)
    token = identity.token()
    claims = await asyncio.gather(*(verifier.verify(token) for _ in range(8)))
    assert [c.subject for c in claims] == ["ann"] * 8
    assert len(identity.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["task", "scope"])
async def test_a_request_that_is_cancelled_does_not_take_the_fetch_along(
    identity: Identity, how: str
) -> None:
    identity.delay = 0.2
    keys = AsyncJWKSClient(URL, transport=identity, cooldown=timedelta(hours=1))
    verifier = keys.verifier(**EXPECTED)
    token = identity.token()
    if how == "task":
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(verifier.verify(token), 0.05)
    else:
        with anyio.move_on_after(0.05) as scope:
            await verifier.verify(token)
        assert scope.cancelled_caught
    assert (await verifier.verify(token)).subject == "ann"
    assert len(identity.requests) == 1


@pytest.mark.anyio
async def test_a_task_gets_a_new_key_and_causes_no_storm(identity: Identity) -> None:
    keys = AsyncJWKSClient(URL, transport=identity, cooldown=timedelta(milliseconds=1))
    verifier = keys.verifier(**EXPECTED)
    await verifier.verify(identity.token())
    identity.replace_keys()
    await asyncio.sleep(0.01)
    assert (await verifier.verify(identity.token())).subject == "ann"
    assert len(identity.requests) == 2

    slow = AsyncJWKSClient(URL, transport=identity, cooldown=timedelta(hours=1)).verifier(
        **EXPECTED
    )
    await slow.verify(identity.token())
    seen = len(identity.requests)
    forged = Identity().token()
    for _ in range(1000):
        with pytest.raises(donjon.UnknownKey):
            await slow.verify(forged)
    assert len(identity.requests) <= seen + 1


@pytest.mark.anyio
async def test_the_synchronous_client_works_inside_an_event_loop(identity: Identity) -> None:
    assert client(identity).verifier(**EXPECTED).verify(identity.token()).subject == "ann"


@pytest.fixture
def server(identity: Identity) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = identity.keyring.public_jwks().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/jwks.json"
        httpd.shutdown()


def test_a_real_server_is_asked(identity: Identity, server: str) -> None:
    verifier = JWKSClient(server, allow_http=True).verifier(**EXPECTED)
    assert verifier.verify(identity.token()).subject == "ann"
