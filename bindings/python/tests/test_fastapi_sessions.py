"""FastAPI services: sessions by cookie, what refuses them, and what their users do with them."""

import asyncio
import logging
import re
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from httpx import ASGITransport, AsyncClient, Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conftest import MASTER
from donjon import (
    Busy,
    ConfigError,
    InvalidArgument,
    Keyring,
    LimitTable,
    PasswordMismatch,
    Proxies,
    _clock,
)
from donjon.errors import InvalidSession, SessionLimitReached
from donjon.fastapi import (
    ClientAddress,
    Credentials,
    Limiter,
    SessionAuth,
    login_router,
    session_router,
)
from donjon.limits import AsyncLimiter, AsyncLockout
from donjon.records import MemoryRecords
from donjon.sessions import AsyncSessionManager, Session, SessionManager

pytestmark = pytest.mark.anyio

SITE = "https://app.example"
EVIL = "https://evil.example"
ANN, BOB = "192.0.2.1", "198.51.100.1"
COOKIE = "__Host-session"
CSRF_COOKIE = "__Host-session-csrf"
CLEARED = [
    f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
    f"{CSRF_COOKIE}=; Path=/; Max-Age=0; Secure; SameSite=Lax",
]
ID = re.compile(r"[A-Za-z0-9_-]{64}")
CHALLENGE = "APIKey"
STEP_UP = 'APIKey error="insufficient_user_authentication"'


class DownStore:
    """A store that answers until it is down."""

    def __init__(self) -> None:
        self._records = MemoryRecords()
        self.is_down = False
        self.takes_s = 0.0
        self.reads = 0

    async def get_many(self, keys: Any) -> Any:
        self.reads += 1
        await asyncio.sleep(self.takes_s)
        self._fail()
        return self._records.get_many(keys)

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        self._fail()
        return self._records.replace(key, before, after, keep_ms)

    async def scan(self, part: str) -> Any:
        self._fail()
        for value in self._records.scan(part):
            yield value

    def _fail(self) -> None:
        if self.is_down:
            raise ConnectionError("the store is down")


class Clock:
    """The time, as the managers have it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed_ms = 0
        now_ms = _clock.now_ms
        monkeypatch.setattr(_clock, "now_ms", lambda: now_ms() + self._passed_ms)

    def pass_s(self, seconds: int) -> None:
        self._passed_ms += seconds * 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(scope="module")
def keys() -> Keyring:
    return Keyring.from_master(
        MASTER,
        keys=[
            {"purpose": "device", "alg": "HS256", "epoch": 1},
            {"purpose": "csrf", "alg": "HS256", "epoch": 1},
        ],
    )


class Service:
    """A service with a session cookie."""

    def __init__(
        self,
        keys: Keyring,
        config: dict[str, Any] | None = None,
        *,
        synchronous: bool = False,
        **options: Any,
    ) -> None:
        self.store = DownStore()
        self.manager: AsyncSessionManager | SessionManager
        if synchronous:
            self.manager = SessionManager(keys, MemoryRecords(), config=config)
        else:
            self.manager = AsyncSessionManager(keys, self.store, config=config)
        self.auth = SessionAuth(self.manager, **options)
        self.app = FastAPI()
        self.app.include_router(session_router(self.auth))
        declare(self.app, self.auth)
        self.routes(self.app)
        self.auth.install(self.app)

    def routes(self, app: FastAPI) -> None:
        """Declare more of them."""

    def device(self, peer: str = ANN, agent: str = "Firefox/1.0 (X11)") -> "Device":
        return Device(self.app, peer, agent)


def declare(app: FastAPI, auth: SessionAuth) -> None:  # noqa: C901  a list of routes

    @app.post("/login")
    async def login(name: str, request: Request, label: str = "") -> list[str]:
        session = await auth.log_in(request, name, label=label, data=b"cart")
        return [one.handle for one in session.evicted]

    @app.post("/rotate")
    async def rotate(request: Request, data: str | None = None) -> None:
        await auth.rotate(request, data=None if data is None else data.encode())

    @app.post("/confirm")
    async def confirm(
        session: Annotated[Session, Depends(auth.session_to_confirm)], request: Request
    ) -> str:
        await auth.rotate(request)
        return session.subject

    @app.get("/me")
    def me(session: Annotated[Session, Depends(auth.current_session)]) -> str:
        return session.subject

    @app.get("/data")
    def data(session: Annotated[Session, Depends(auth.current_session)]) -> str:
        return session.data.decode()

    @app.get("/greeting")
    async def greeting(
        session: Annotated[Session | None, Depends(auth.optional_session)],
    ) -> str:
        return f"hello {session.subject if session else 'stranger'}"

    @app.get("/page")
    async def page(token: Annotated[str, Depends(auth.csrf_token)]) -> str:
        return token

    @app.post("/change")
    async def change(
        session: Annotated[Session | None, Depends(auth.optional_session)],
    ) -> str:
        return session.subject if session else "nobody"

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    @app.post("/hooks/{name}")
    def hook(name: str) -> str:
        return name


class Device:
    """A browser: it keeps cookies, says from where a request comes, and sends the CSRF token."""

    def __init__(self, app: ASGIApp, peer: str, agent: str) -> None:
        self.peer = peer
        self.app = app
        self.agent = agent
        self.jar: dict[str, str] = {}
        self.sends_csrf = True

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> Response:
        sent = {"user-agent": self.agent, "sec-fetch-site": "same-origin"}
        if self.jar:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if self.sends_csrf and CSRF_COOKIE in self.jar:
            sent["x-csrf-token"] = self.jar[CSRF_COOKIE]
        lines = [(n, v) for n, v in {**sent, **(headers or {})}.items() if v]
        transport = ASGITransport(self.app, client=(self.peer, 4711))
        async with AsyncClient(transport=transport, base_url=SITE) as client:
            response = await client.request(method, path, headers=lines, **options)
        self._keep(response)
        return response

    async def get(self, path: str, **options: Any) -> Response:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Response:
        return await self.ask("POST", path, **options)

    async def log_in(self, name: str = "ann", **parameters: str) -> Response:
        response = await self.post("/login", params={"name": name, **parameters})
        assert response.status_code == 200, response.text
        return response

    def _keep(self, response: Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value

    @property
    def id(self) -> str:
        return self.jar[COOKIE]


@pytest.fixture
def service(keys: Keyring) -> Service:
    return Service(keys)


def cleared(response: Response) -> None:
    assert response.headers.get_list("set-cookie") == CLEARED
    assert response.headers["cache-control"] == "no-store"
    assert "x-csrf-token" not in response.headers


def refused(response: Response, challenge: str = CHALLENGE) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == challenge
    assert response.json() == {"detail": "Not authenticated"}


def forbidden(response: Response) -> None:
    assert response.status_code == 403
    assert response.json() == {"detail": "Forbidden"}
    assert "set-cookie" not in response.headers


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name == "donjon.fastapi"]


async def test_the_cookies_of_a_log_in_byte_for_byte(service: Service) -> None:
    response = await service.device().log_in()
    session, csrf = response.headers.get_list("set-cookie")
    value = session.split(";")[0].partition("=")[2]
    token = csrf.split(";")[0].partition("=")[2]
    assert ID.fullmatch(value)
    assert ID.fullmatch(token)
    assert session == (
        f"__Host-session={value}; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"
    )
    assert csrf == f"__Host-session-csrf={token}; Path=/; Max-Age=86400; Secure; SameSite=Lax"
    assert response.headers["x-csrf-token"] == token
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["vary"] == "Cookie"


async def test_cookies_as_they_are_configured(keys: Keyring) -> None:
    cookie = {
        "name": "__Secure-id",
        "same_site": "strict",
        "domain": "app.example",
        "path": "/app",
        "persistent": False,
    }
    response = await Service(keys, {"cookie": cookie}).device().log_in()
    session, csrf = response.headers.get_list("set-cookie")
    attributes = "; Path=/app; Domain=app.example; Secure; HttpOnly; SameSite=Strict"
    assert session.startswith("__Secure-id=")
    assert session.endswith(attributes)
    assert len(session) == len("__Secure-id=") + 64 + len(attributes)
    assert csrf.startswith("__Secure-id-csrf=")
    assert csrf.endswith("; Path=/app; Domain=app.example; Secure; SameSite=Strict")


def test_a_cookie_that_browsers_would_not_keep_is_refused(keys: Keyring) -> None:
    with pytest.raises(ConfigError):
        Service(keys, {"cookie": {"name": "__Host-session", "domain": "app.example"}})
    with pytest.raises(ConfigError):
        Service(keys, {"cookie": {"name": "session"}})


async def test_a_session_says_who_is_asking(service: Service) -> None:
    device = service.device()
    refused(await device.get("/me"))
    assert (await device.get("/greeting")).json() == "hello stranger"
    await device.log_in()
    me = await device.get("/me")
    assert me.json() == "ann"
    assert me.headers["vary"] == "Cookie"
    assert "set-cookie" not in me.headers
    assert "cache-control" not in me.headers
    assert (await device.get("/greeting")).json() == "hello ann"
    assert (await device.get("/data")).json() == "cart"


async def test_a_synchronous_manager(keys: Keyring) -> None:
    service = Service(keys, synchronous=True)
    device = service.device()
    await device.log_in()
    assert (await device.get("/me")).json() == "ann"
    assert len((await device.get("/sessions")).json()["sessions"]) == 1
    assert (await device.post("/logout/everywhere")).status_code == 204
    refused(await device.get("/me"))


async def test_a_route_without_a_session_asks_no_store(service: Service) -> None:
    device = service.device()
    await device.log_in()
    reads = service.store.reads
    response = await device.get("/plain")
    assert response.json() == "plain"
    assert "vary" not in response.headers
    assert service.store.reads == reads


async def test_a_request_asks_the_store_once(service: Service) -> None:
    device = service.device()
    await device.log_in()
    auth, seen = service.auth, []

    @service.app.get("/twice")
    async def twice(
        one: Annotated[Session, Depends(auth.current_session)],
        other: Annotated[Session | None, Depends(auth.optional_session)],
        token: Annotated[str, Depends(auth.csrf_token)],
    ) -> bool:
        seen.append((one, other, token))
        return one is other

    reads = service.store.reads
    assert (await device.get("/me")).status_code == 200
    once = service.store.reads - reads
    assert (await device.get("/twice")).json() is True
    assert service.store.reads == reads + 2 * once


async def test_fixation_the_id_before_a_log_in_is_dead(service: Service) -> None:
    attacker, victim = service.device(BOB), service.device()
    await attacker.log_in("eve")
    planted = attacker.id
    victim.jar = dict(attacker.jar)
    await victim.log_in("ann")
    assert victim.id != planted
    refused(await attacker.get("/me"))
    assert (await victim.get("/me")).json() == "ann"


async def test_a_visitor_is_nobody_and_the_id_dies_at_the_log_in(keys: Keyring) -> None:
    class Shop(Service):
        def routes(self, app: FastAPI) -> None:
            @app.get("/basket")
            async def basket(
                session: Annotated[Session | None, Depends(self.auth.any_session)],
            ) -> str:
                return session.data.decode() if session else "none"

            @app.post("/basket")
            async def fill(request: Request, of: str) -> str:
                return (await self.auth.begin_anonymous(request, data=of.encode())).subject

    service = Shop(keys)
    device = service.device()
    assert (await device.get("/basket")).json() == "none"
    assert (await device.post("/basket?of=apples")).json() == ""
    before = dict(device.jar)
    assert (await device.get("/basket")).json() == "apples"
    refused(await device.get("/me"))
    refused(await device.get("/sessions"))
    refused(await device.post("/confirm"))
    assert device.jar == before
    assert (await device.get("/greeting")).json() == "hello stranger"
    # Whoever has a session keeps it.
    assert (await device.post("/basket?of=pears")).json() == ""
    assert (await device.get("/basket")).json() == "apples"
    device.sends_csrf = False
    forbidden(await device.post("/login", params={"name": "ann"}))
    device.sends_csrf = True
    await device.log_in()
    assert device.id != before[COOKIE]
    assert (await device.post("/basket?of=pears")).json() == "ann"
    other = service.device()
    other.jar = before
    assert (await other.get("/basket")).json() == "none"
    assert other.jar == {}


async def test_fixation_an_id_that_an_attacker_made_up_is_never_taken(service: Service) -> None:
    device = service.device()
    device.jar = {COOKIE: "A" * 64}
    await device.log_in()
    assert device.id != "A" * 64
    assert (await device.get("/me")).json() == "ann"


async def test_a_log_in_of_the_same_user_replaces_the_session(service: Service) -> None:
    device = service.device()
    await device.log_in()
    before = dict(device.jar)
    await device.log_in()
    assert len((await device.get("/sessions")).json()["sessions"]) == 1
    device.jar = before
    response = await device.get("/me")
    refused(response)
    cleared(response)


async def test_nobody_cannot_log_in(service: Service) -> None:
    device = service.device()
    with pytest.raises(InvalidArgument):
        await device.post("/login", params={"name": ""})


async def test_rotation_changes_the_id_and_keeps_the_session(service: Service) -> None:
    device = service.device()
    await device.log_in()
    before = dict(device.jar)
    handle = (await device.get("/sessions")).json()["sessions"][0]["handle"]
    response = await device.post("/rotate")
    assert response.status_code == 200
    assert device.id != before[COOKIE]
    assert device.jar[CSRF_COOKIE] != before[CSRF_COOKIE]
    assert (await device.get("/data")).json() == "cart"
    (listed,) = (await device.get("/sessions")).json()["sessions"]
    assert listed["handle"] != handle
    old = service.device()
    old.jar = before
    refused(await old.get("/me"))
    await device.post("/rotate", params={"data": "other"})
    assert (await device.get("/data")).json() == "other"


async def test_a_rotation_without_a_session_is_refused(service: Service) -> None:
    device = service.device()
    response = await device.post("/rotate")
    refused(response)
    device.jar = {COOKIE: "A" * 64}
    response = await device.post("/rotate")
    refused(response)
    cleared(response)


async def test_the_oldest_goes_and_is_named(keys: Keyring) -> None:
    service = Service(keys, {"max_per_user": 2})
    devices = [service.device() for _ in range(3)]
    assert (await devices[0].log_in()).json() == []
    handle = (await devices[0].get("/sessions")).json()["sessions"][0]["handle"]
    assert (await devices[1].log_in()).json() == []
    assert (await devices[2].log_in()).json() == [handle]
    response = await devices[0].get("/me")
    refused(response)
    cleared(response)
    for device in devices[1:]:
        assert (await device.get("/me")).json() == "ann"


async def test_one_too_many_is_refused_where_that_is_configured(keys: Keyring) -> None:
    service = Service(keys, {"max_per_user": 1, "at_limit": "refuse"})
    device, other = service.device(), service.device()
    await device.log_in()
    response = await other.post("/login", params={"name": "ann"})
    assert response.status_code == 409
    assert response.json() == {"detail": "Conflict"}
    assert "set-cookie" not in response.headers
    assert (await device.get("/me")).json() == "ann"
    # The one that a device has makes room for the next.
    await device.log_in()
    assert (await device.get("/me")).json() == "ann"
    # What another user had in this browser has ended by then, and the browser is told.
    await other.log_in("bob")
    response = await other.post("/login", params={"name": "ann"})
    assert response.status_code == 409
    cleared(response)
    assert await ask_list(service, "bob") == []


async def test_a_route_can_answer_one_too_many_itself(keys: Keyring) -> None:
    class Own(Service):
        def routes(self, app: FastAPI) -> None:
            @app.post("/own")
            async def own(request: Request) -> str:
                try:
                    await self.auth.log_in(request, "ann")
                except SessionLimitReached:
                    return "elsewhere"
                return "here"

    service = Own(keys, {"max_per_user": 1, "at_limit": "refuse"})
    assert (await service.device().post("/own")).json() == "here"
    assert (await service.device().post("/own")).json() == "elsewhere"


async def test_a_log_in_after_the_response_has_begun_is_an_error(keys: Keyring) -> None:
    begun = []

    class Late(Service):
        def routes(self, app: FastAPI) -> None:
            @app.post("/late")
            async def late(request: Request) -> StreamingResponse:
                async def body() -> Any:
                    yield b"x"
                    try:
                        await self.auth.log_in(request, "ann")
                    except RuntimeError as error:
                        begun.append(str(error))

                return StreamingResponse(body())

    service = Late(keys)
    response = await service.device().post("/late")
    assert response.content == b"x"
    assert begun == ["the response has begun: no cookie can go with it any more"]
    assert await ask_list(service, "ann") == []


async def ask_list(service: Service, subject: str) -> list[Session]:
    assert isinstance(service.manager, AsyncSessionManager)
    return await service.manager.list(subject)


async def test_a_csrf_token_that_is_missing_or_wrong(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    device, other = service.device(), service.device()
    await device.log_in()
    await other.log_in()
    caplog.set_level(logging.INFO, "donjon.fastapi")
    good = device.jar[CSRF_COOKIE]
    flipped = ("A" if good[0] != "A" else "B") + good[1:]
    for token in ("", "x", flipped, other.jar[CSRF_COOKIE], f"{good}, {good}", device.id):
        device.jar[CSRF_COOKIE] = token
        for method in ("POST", "PUT", "PATCH", "DELETE", "ODD"):
            forbidden(await device.ask(method, "/change"))
    assert set(reasons(caplog)) == {"request refused: csrf_failed"}
    device.jar[CSRF_COOKIE] = good
    assert (await device.post("/change")).json() == "ann"
    assert (await device.get("/me")).json() == "ann"


async def test_the_csrf_cookie_alone_shows_nothing(service: Service) -> None:
    """It is the header that another site cannot send."""
    device = service.device()
    await device.log_in()
    device.sends_csrf = False
    forbidden(await device.post("/change"))


async def test_a_csrf_token_does_not_outlive_its_session(service: Service) -> None:
    device = service.device()
    await device.log_in()
    old = device.jar[CSRF_COOKIE]
    await device.post("/rotate")
    device.jar[CSRF_COOKIE] = old
    forbidden(await device.post("/change"))


async def test_csrf_tokens_are_handed_out(service: Service) -> None:
    device = service.device()
    page = await device.get("/page")
    assert page.json() == ""
    assert "set-cookie" not in page.headers
    refused(await device.get("/csrf"))
    await device.log_in()
    tokens = set()
    for path in ("/page", "/csrf", "/csrf"):
        response = await device.get(path)
        assert response.headers["cache-control"] == "no-store"
        body = response.json()
        token = body if path == "/page" else body["csrf_token"]
        assert response.headers["x-csrf-token"] == token == device.jar[CSRF_COOKIE]
        assert response.headers.get_list("set-cookie") == [
            f"{CSRF_COOKIE}={token}; Path=/; Max-Age=86400; Secure; SameSite=Lax"
        ]
        tokens.add(token)
        assert (await device.post("/change")).json() == "ann"
    assert len(tokens) == 3


async def test_csrf_tokens_can_be_waived(keys: Keyring) -> None:
    service = Service(keys, {"csrf_token": "not_required"})
    device = service.device()
    await device.log_in()
    device.sends_csrf = False
    assert (await device.post("/change")).json() == "ann"
    forbidden(await device.post("/change", headers={"sec-fetch-site": "cross-site"}))


CROSS_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "nonsense"},
    {"sec-fetch-site": "cross-site", "origin": SITE},
    {"sec-fetch-site": "", "origin": EVIL},
    {"sec-fetch-site": "", "origin": "null"},
    {"sec-fetch-site": "", "origin": "https://app.example.evil.example"},
    {"sec-fetch-site": "", "origin": "https://app.example:8443"},
    {"sec-fetch-site": "", "origin": f"{SITE}, {SITE}"},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_what_another_site_sends_is_refused(
    service: Service, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    device = service.device()
    await device.log_in()
    caplog.set_level(logging.INFO, "donjon.fastapi")
    forbidden(await device.post("/change", headers=headers))
    assert reasons(caplog) == ["request refused: cross_site"]
    # A link to the site is no harm.
    assert (await device.get("/me", headers=headers)).json() == "ann"


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_another_site_logs_nobody_in(service: Service, headers: dict[str, str]) -> None:
    device = service.device()
    forbidden(await device.post("/login", params={"name": "eve"}, headers=headers))
    assert device.jar == {}
    assert await ask_list(service, "eve") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "", "origin": ""},
        {"sec-fetch-site": "", "origin": SITE},
        {"sec-fetch-site": "", "origin": "https://APP.example"},
    ],
    ids=str,
)
async def test_what_the_site_itself_sends(service: Service, headers: dict[str, str]) -> None:
    device = service.device()
    response = await device.post("/login", params={"name": "ann"}, headers=headers)
    assert response.status_code == 200
    assert (await device.post("/change", headers=headers)).json() == "ann"
    device.sends_csrf = False
    forbidden(await device.post("/change", headers=headers))


async def test_an_origin_that_is_trusted_brings_its_token(keys: Keyring) -> None:
    service = Service(keys, {"trusted_origins": ["https://www.app.example"]})
    device = service.device()
    await device.log_in()
    trusted = {"sec-fetch-site": "same-site", "origin": "https://www.app.example"}
    assert (await device.post("/change", headers=trusted)).json() == "ann"
    other = {"sec-fetch-site": "same-site", "origin": "https://old.app.example"}
    forbidden(await device.post("/change", headers=other))
    device.sends_csrf = False
    forbidden(await device.post("/change", headers=trusted))


async def test_lines_that_say_two_things_say_nothing_good(service: Service) -> None:
    device = service.device()
    await device.log_in()
    lines = [
        (b"cookie", f"{COOKIE}={device.id}".encode()),
        (b"x-csrf-token", device.jar[CSRF_COOKIE].encode()),
        (b"sec-fetch-site", b"same-origin"),
        (b"sec-fetch-site", b"cross-site"),
    ]
    transport = ASGITransport(service.app, client=(ANN, 4711))
    async with AsyncClient(transport=transport, base_url=SITE) as client:
        forbidden(await client.post("/change", headers=lines))
        assert (await client.post("/change", headers=[*lines[:3], lines[2]])).status_code == 403
        lines[3] = lines[1]
        forbidden(await client.post("/change", headers=lines))


async def test_an_expired_cookie_stops_no_log_in(service: Service) -> None:
    """The session is dead, so there is nothing that a request without a token could misuse."""
    device = service.device()
    await device.log_in()
    await service.device().log_in()
    await service.auth.manager.log_out_everywhere("ann")  # type: ignore[misc]
    device.sends_csrf = False
    response = await device.post("/change")
    assert response.json() == "nobody"
    cleared(response)
    device.jar = {COOKIE: "A" * 64}
    await device.log_in()
    assert (await device.get("/me")).json() == "ann"


@pytest.mark.parametrize(
    "value", ["", "x", "A" * 63, "A" * 65, '"' + "A" * 64 + '"', "é" * 64, "A" * 63 + "="]
)
async def test_a_cookie_that_is_no_id(
    service: Service, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    transport = ASGITransport(service.app, client=(ANN, 4711))
    async with AsyncClient(transport=transport, base_url=SITE) as client:
        headers = [(b"cookie", f"a=b; {COOKIE}={value}".encode())]
        response = await client.get("/me", headers=headers)
        greeting = await client.get("/greeting", headers=headers)
    refused(response)
    cleared(response)
    assert greeting.json() == "hello stranger"
    cleared(greeting)
    assert reasons(caplog) == ["session refused: invalid_session"] * 2
    assert not value or value not in caplog.text


async def test_two_cookies_are_refused(service: Service) -> None:
    one, other = service.device(), service.device()
    await one.log_in("ann")
    await other.log_in("bob")
    pairs = [f"{COOKIE}={one.id}", f"{COOKIE}={other.id}"]
    transport = ASGITransport(service.app, client=(ANN, 4711))
    async with AsyncClient(transport=transport, base_url=SITE) as client:
        for lines in (["; ".join(pairs)], pairs, [pairs[0], pairs[0]]):
            headers = [(b"cookie", line.encode()) for line in lines]
            response = await client.get("/me", headers=headers)
            refused(response)
            cleared(response)
            changed = await client.post("/change", headers=headers)
            assert changed.json() == "nobody"
    assert (await one.get("/me")).json() == "ann"


async def test_cookies_that_http2_has_split(service: Service) -> None:
    device = service.device()
    await device.log_in()
    lines = ["a=b", f"{COOKIE}={device.id}", "c=d; e=f"]
    transport = ASGITransport(service.app, client=(ANN, 4711))
    async with AsyncClient(transport=transport, base_url=SITE) as client:
        headers = [
            (b"user-agent", device.agent.encode()),
            *((b"cookie", line.encode()) for line in lines),
        ]
        assert (await client.get("/me", headers=headers)).json() == "ann"


async def test_a_cookie_of_almost_the_name_is_another(service: Service) -> None:
    device = service.device()
    await device.log_in()
    for name in ("session", "__host-session", "__Host-sessio", "__Host-session2"):
        other = service.device()
        other.jar = {name: device.id}
        response = await other.get("/me")
        refused(response)
        assert "set-cookie" not in response.headers


async def test_too_many_cookies(service: Service) -> None:
    device = service.device()
    await device.log_in()
    device.jar["filler"] = "x" * 20_000
    response = await device.get("/me")
    refused(response)
    cleared(response)


async def test_idle_and_absolute_time_outs(
    keys: Keyring, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    config = {"idle_timeout_s": 600, "absolute_timeout_s": 1500, "touch_interval_s": 60}
    service = Service(keys, config)
    idle, busy = service.device(), service.device()
    await idle.log_in("bob")
    await busy.log_in("ann")
    for _ in range(2):
        clock.pass_s(500)
        assert (await busy.get("/me")).json() == "ann"
    response = await idle.get("/me")
    refused(response)
    cleared(response)
    clock.pass_s(499)
    assert (await busy.get("/me")).json() == "ann"
    clock.pass_s(1)
    refused(await busy.get("/me"))
    assert reasons(caplog) == [
        "session refused: expired (idle)",
        "session refused: expired (absolute)",
    ]


async def test_a_clock_that_goes_back_ends_nothing(service: Service, clock: Clock) -> None:
    device = service.device()
    await device.log_in()
    clock.pass_s(-240)
    assert (await device.get("/me")).json() == "ann"
    clock.pass_s(-3600)  # Too far behind the others' to be believed.
    assert (await device.get("/me")).status_code == 503


async def test_another_address_ends_the_session(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    device = service.device("192.0.2.1")
    await device.log_in()
    device.peer = "192.0.2.200"  # of the same network of 24 bits
    assert (await device.get("/me")).json() == "ann"
    jar = dict(device.jar)
    device.peer = "192.0.3.1"
    response = await device.get("/me")
    refused(response)
    cleared(response)
    device.peer, device.jar = "192.0.2.1", jar
    refused(await device.get("/me"))
    await device.log_in()
    device.peer = "192.0.3.1"
    response = await device.post("/rotate")
    refused(response)
    cleared(response)
    assert reasons(caplog) == [
        "session refused: invalid_session (address)",
        "session refused: invalid_session (unknown)",
        "session refused: invalid_session (address)",
        "refused in a route: invalid_session",
    ]


async def test_the_address_behind_a_trusted_proxy(keys: Keyring) -> None:
    proxies = Proxies("x-forwarded-for", trusted=["10.0.0.0/8"])
    for address in (proxies, ClientAddress(proxies)):
        service = Service(keys, address=address)
        device = service.device("10.0.0.1")
        at_home = {"x-forwarded-for": "192.0.2.1"}
        await device.post("/login", params={"name": "ann"}, headers=at_home)
        # Another proxy, the same client.
        device.peer = "10.0.0.2"
        assert (await device.get("/me", headers=at_home)).json() == "ann"
        forged = {"x-forwarded-for": "192.0.2.1, 203.0.113.9"}
        refused(await device.get("/me", headers=forged))
        # No proxy: what the client says of itself counts for nothing.
        await device.post("/login", params={"name": "ann"}, headers=at_home)
        device.peer = BOB
        refused(await device.get("/me", headers=at_home))


async def test_step_up_and_on(keys: Keyring, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    service = Service(keys, {"address": {"on_change": "step_up"}})
    device = service.device(ANN)
    await device.log_in()
    before = dict(device.jar)
    device.peer = BOB
    response = await device.get("/me")
    refused(response, STEP_UP)
    assert "set-cookie" not in response.headers
    assert (await device.get("/greeting")).json() == "hello stranger"
    # An id that was stolen is not exchanged for another one.
    refused(await device.post("/rotate"), STEP_UP)
    assert device.jar == before
    # The session is alive, so its CSRF token is still asked for.
    device.sends_csrf = False
    forbidden(await device.post("/confirm"))
    device.sends_csrf = True
    assert (await device.post("/confirm")).json() == "ann"
    assert device.id != before[COOKIE]
    assert (await device.get("/me")).json() == "ann"
    device.peer = ANN
    refused(await device.get("/me"), STEP_UP)
    await device.log_in()
    assert (await device.get("/me")).json() == "ann"
    assert "session refused: step_up_required (address)" in reasons(caplog)


async def test_a_session_to_confirm_is_any_that_is_alive(service: Service) -> None:
    device = service.device()
    refused(await device.post("/confirm"))
    await device.log_in()
    assert (await device.post("/confirm")).json() == "ann"


async def test_another_user_agent(keys: Keyring, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    for on_change, status in (("report", 200), ("step_up", 401), ("invalidate", 401)):
        service = Service(keys, {"user_agent": {"on_change": on_change}})
        device = service.device(agent="Firefox/1.0 (X11)")
        await device.log_in()
        device.agent = "Firefox/2.1 (X11)"
        assert (await device.get("/me")).status_code == 200, "an update"
        device.agent = "curl/8"
        response = await device.get("/me")
        assert response.status_code == status
        cookies = response.headers.get_list("set-cookie")
        assert cookies == (CLEARED if on_change == "invalidate" else [])
    assert reasons(caplog) == [
        "session accepted in spite of another user_agent",
        "session refused: step_up_required (user_agent)",
        "session refused: invalid_session (user_agent)",
    ]


async def test_users_list_their_sign_ins(service: Service) -> None:
    phone, laptop, other = service.device(BOB), service.device(), service.device()
    await phone.log_in(label="phone")
    await laptop.log_in(label="laptop")
    await other.log_in("bob")
    response = await laptop.get("/sessions")
    assert response.headers["cache-control"] == "no-store"
    listed = response.json()["sessions"]
    assert [(one["label"], one["current"]) for one in listed] == [
        ("phone", False),
        ("laptop", True),
    ]
    assert listed[0].keys() == {
        "handle",
        "kind",
        "label",
        "created_ms",
        "seen_ms",
        "expires_ms",
        "network",
        "current",
    }
    assert listed[0]["network"] == "198.51.100.0/24"
    assert listed[0]["kind"] == "cookie"
    assert phone.id not in response.text
    assert laptop.id not in response.text
    refused(await service.device().get("/sessions"))


async def test_one_is_revoked_from_another_device(service: Service) -> None:
    phone, laptop = service.device(BOB), service.device()
    await phone.log_in()
    await laptop.log_in()
    handle = next(
        one["handle"]
        for one in (await laptop.get("/sessions")).json()["sessions"]
        if not one["current"]
    )
    stranger = service.device()
    await stranger.log_in("eve")
    for thief, status in ((stranger, 404), (service.device(), 401)):
        response = await thief.ask("DELETE", f"/sessions/{handle}")
        assert response.status_code == status
    assert (await phone.get("/me")).json() == "ann"
    response = await laptop.ask("DELETE", f"/sessions/{handle}")
    assert response.status_code == 204
    assert "set-cookie" not in response.headers
    response = await phone.get("/me")
    refused(response)
    cleared(response)
    response = await laptop.ask("DELETE", f"/sessions/{handle}")
    assert response.status_code == 404
    assert response.json() == {"detail": "Not Found"}
    assert (await laptop.get("/me")).json() == "ann"


async def test_to_revoke_ones_own_is_to_log_out(service: Service) -> None:
    device = service.device()
    await device.log_in()
    handle = (await device.get("/sessions")).json()["sessions"][0]["handle"]
    response = await device.ask("DELETE", f"/sessions/{handle}")
    assert response.status_code == 204
    cleared(response)
    assert await ask_list(service, "ann") == []
    await device.log_in()
    cleared(await device.ask("DELETE", f"/sessions/{device.id}"))
    assert await ask_list(service, "ann") == []


async def test_a_log_out(service: Service) -> None:
    device, other = service.device(), service.device()
    await device.log_in()
    await other.log_in()
    old = dict(device.jar)
    device.sends_csrf = False
    forbidden(await device.post("/logout"))
    device.sends_csrf = True
    response = await device.post("/logout")
    assert response.status_code == 204
    cleared(response)
    assert device.jar == {}
    assert (await device.post("/logout")).status_code == 204
    device.jar = old
    refused(await device.get("/me"))
    assert (await other.get("/me")).json() == "ann"


async def test_a_log_out_of_a_dead_session_clears_its_cookie(service: Service) -> None:
    device = service.device()
    device.jar = {COOKIE: "A" * 64}
    response = await device.post("/logout")
    assert response.status_code == 204
    cleared(response)


async def test_others_are_logged_out(service: Service) -> None:
    devices = [service.device() for _ in range(3)]
    for device in devices:
        await device.log_in()
    assert (await devices[1].post("/logout/others")).status_code == 204
    assert [(await device.get("/me")).status_code for device in devices] == [401, 200, 401]


async def test_everywhere_is_logged_out(service: Service) -> None:
    devices = [service.device() for _ in range(3)]
    other = service.device()
    for device in devices:
        await device.log_in()
    await other.log_in("bob")
    response = await devices[0].post("/logout/everywhere")
    assert response.status_code == 204
    cleared(response)
    assert [(await device.get("/me")).status_code for device in devices] == [401] * 3
    assert (await other.get("/me")).json() == "bob"
    await devices[0].log_in()
    assert (await devices[0].get("/me")).json() == "ann"


async def test_sessions_of_many_requests_at_once(service: Service) -> None:
    devices = [service.device() for _ in range(12)]
    await asyncio.gather(*(device.log_in() for device in devices))
    answers = await asyncio.gather(*(device.get("/me") for device in devices))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [401] * 7


async def test_a_store_that_is_down_lets_nobody_in(service: Service) -> None:
    device, stranger = service.device(), service.device()
    await device.log_in()
    service.store.is_down = True
    jar = dict(device.jar)
    asked = [
        ("GET", "/me"),
        ("GET", "/greeting"),
        ("GET", "/sessions"),
        ("POST", "/change"),
        ("POST", "/logout"),
        ("POST", "/logout/others"),
        ("POST", "/logout/everywhere"),
        ("DELETE", "/sessions/x"),
        ("POST", "/rotate"),
    ]
    for method, path in asked:
        response = await device.ask(method, path)
        assert response.status_code == 503, path
        assert response.json() == {"detail": "Service Unavailable"}
        assert "set-cookie" not in response.headers
    assert (await stranger.post("/login", params={"name": "ann"})).status_code == 503
    # Without its token nothing is known of the session: it is not let through as if it were dead.
    device.sends_csrf = False
    assert (await device.post("/change")).status_code == 503
    device.sends_csrf = True
    # Who has no session needs no store to be told so.
    assert (await stranger.get("/greeting")).json() == "hello stranger"
    assert (await device.get("/plain")).json() == "plain"
    service.store.is_down = False
    assert device.jar == jar
    assert (await device.get("/me")).json() == "ann"


async def test_a_failure_of_the_store_is_no_session_that_is_missing(keys: Keyring) -> None:
    class Twice(Service):
        def routes(self, app: FastAPI) -> None:
            @app.get("/twice")
            async def twice(request: Request) -> list[int]:
                statuses = []
                for _ in range(2):
                    try:
                        await self.auth.session_of(request)
                    except HTTPException as error:
                        statuses.append(error.status_code)
                return statuses

    service = Twice(keys)
    device = service.device()
    await device.log_in()
    assert (await device.get("/twice")).json() == []
    service.store.is_down = True
    assert (await device.get("/twice")).json() == [503, 503]


async def test_the_marker_is_kept_alive_when_that_is_asked_for(service: Service) -> None:
    reads = service.store.reads
    app = FastAPI(lifespan=service.auth.lifespan)
    async with app.router.lifespan_context(app):
        for _ in range(100):
            await asyncio.sleep(0.01)
            if service.store.reads > reads:
                break
    assert service.store.reads > reads
    ended = service.store.reads
    await asyncio.sleep(0.05)
    assert service.store.reads == ended


async def test_a_marker_that_may_not_be_silent_for_long_is_renewed_in_time(keys: Keyring) -> None:
    store = DownStore()
    soon = timedelta(milliseconds=400)
    auth = SessionAuth(AsyncSessionManager(keys, store, max_silence=soon))
    async with auth.lifespan():
        await asyncio.sleep(0.5)
        assert store.reads >= 3


async def test_a_store_that_is_down_does_not_end_the_application(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.store.is_down = True
    async with service.auth.lifespan():
        await asyncio.sleep(0.05)
    assert any("marker was not renewed" in one for one in reasons(caplog))


async def test_exempt_paths(keys: Keyring) -> None:
    service = Service(keys, exempt=["/hooks/", "/change"])
    device = service.device()
    await device.log_in()
    device.sends_csrf = False
    cross = {"sec-fetch-site": "cross-site", "origin": EVIL}
    assert (await device.post("/hooks/paid", headers=cross)).json() == "paid"
    with pytest.raises(RuntimeError, match="exempt"):
        await device.post("/change", headers=cross)
    forbidden(await device.post("/login", params={"name": "ann"}, headers=cross))
    forbidden(await device.post("/hooks", headers=cross))
    with pytest.raises(TypeError):
        SessionAuth(service.manager, exempt="/hooks/")
    with pytest.raises(ValueError, match="slash"):
        SessionAuth(service.manager, exempt=["hooks/"])
    drawn = Service(keys, exempt=iter(["/hooks/"]))  # What can be read once is.
    assert (await drawn.device().post("/hooks/paid", headers=cross)).status_code == 200
    # The first page is not all of them.
    other = Service(keys, exempt=["/"])
    forbidden(await other.device().post("/change", headers=cross))


async def test_exempt_paths_of_an_application_that_is_mounted_are_its_own(keys: Keyring) -> None:
    service = Service(keys, exempt=["/hooks/"])
    outer = FastAPI()
    outer.mount("/api", service.app)
    device = Device(outer, ANN, "")
    cross = {"sec-fetch-site": "cross-site", "origin": EVIL}
    assert (await device.post("/api/hooks/paid", headers=cross)).json() == "paid"
    forbidden(await device.post("/api/change", headers=cross))


async def test_a_dependency_without_its_middleware_fails(keys: Keyring) -> None:
    manager = AsyncSessionManager(keys, MemoryRecords())
    auth = SessionAuth(manager)
    app = FastAPI()

    @app.get("/me")
    def me(session: Annotated[Session, Depends(auth.current_session)]) -> str:
        return session.subject

    with pytest.raises(RuntimeError, match="install"):
        await Device(app, ANN, "").get("/me")


async def test_a_mounted_application_shares_the_session(keys: Keyring) -> None:
    class Outer(Service):
        def routes(self, app: FastAPI) -> None:
            inner = FastAPI()

            @inner.get("/me")
            def me(session: Annotated[Session, Depends(self.auth.current_session)]) -> str:
                return session.subject

            self.auth.install(inner)
            app.mount("/inner", inner)

    service = Outer(keys, exempt=["/inner/open"])
    device = service.device()
    await device.log_in()
    response = await device.get("/inner/me")
    assert response.json() == "ann"
    assert response.headers["vary"] == "Cookie"
    forbidden(await device.post("/inner/me", headers={"sec-fetch-site": "cross-site"}))
    device.jar = {COOKIE: "A" * 64}
    cleared(await device.post("/inner/me"))


ADMIN_CSRF = "__Host-admin-csrf"


class TwoAreas(Service):
    """A service whose customers' sessions are looked up on every path, and its admin area."""

    def __init__(self, keys: Keyring, *, is_mounted: bool, **options: Any) -> None:
        # The same keys: it is not those that keep the two apart.
        config = {"cookie": {"name": "__Host-admin"}}
        self.admin_store = DownStore()
        self.admin = SessionAuth(AsyncSessionManager(keys, self.admin_store, config=config))
        self.is_mounted = is_mounted
        super().__init__(keys, **options)
        if not is_mounted:
            self.admin.install(self.app)

    def routes(self, app: FastAPI) -> None:
        customers = self.auth

        class Noting:
            """Looks up who asks, before anything else, as an access log does."""

            def __init__(self, app: ASGIApp) -> None:
                self.app = app

            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                with suppress(RuntimeError):
                    await customers.session_of(HTTPConnection(scope))
                await self.app(scope, receive, send)

        app.add_middleware(Noting)
        area = FastAPI() if self.is_mounted else APIRouter()

        @area.get("/secret")
        def secret(session: Annotated[Session, Depends(self.admin.current_session)]) -> str:
            return session.subject

        @area.post("/login")
        async def login(request: Request) -> None:
            await self.admin.log_in(request, "root")

        @area.post("/change")
        def change(session: Annotated[Session, Depends(self.admin.current_session)]) -> str:
            return session.subject

        @area.post("/logout")
        async def logout(request: Request) -> None:
            await self.admin.log_out(request)

        if isinstance(area, FastAPI):
            self.admin.install(area)
            app.mount("/admin", area)
        else:
            app.include_router(area, prefix="/admin")


@pytest.mark.parametrize("is_mounted", [True, False])
async def test_a_session_of_one_is_none_of_another(keys: Keyring, is_mounted: bool) -> None:
    service = TwoAreas(keys, is_mounted=is_mounted)
    device = service.device()
    await device.log_in("customer")
    customer = device.id
    response = await device.get("/admin/secret")
    refused(response)
    assert not response.headers.get_list("set-cookie")
    assert (await device.get("/me")).json() == "customer"

    # Not even an id of the one, in the cookie of the other.
    device.jar["__Host-admin"] = customer
    refused(await device.get("/admin/secret"))
    assert device.jar.get(COOKIE) == customer
    assert "__Host-admin" not in device.jar


@pytest.mark.parametrize("is_mounted", [True, False])
async def test_each_logs_in_and_out_by_its_own_cookie(keys: Keyring, is_mounted: bool) -> None:
    service = TwoAreas(keys, is_mounted=is_mounted)
    device = service.device()
    response = await device.post("/admin/login")
    assert response.status_code == 200
    assert set(device.jar) == {"__Host-admin", ADMIN_CSRF}
    assert response.headers["x-csrf-token"] == device.jar[ADMIN_CSRF]
    assert (await device.get("/admin/secret")).json() == "root"
    refused(await device.get("/me"))

    if is_mounted:
        await device.log_in("customer")
    else:
        own = {"x-csrf-token": device.jar[ADMIN_CSRF]}
        await device.post("/login", params={"name": "customer"}, headers=own)
    assert set(device.jar) == {"__Host-admin", ADMIN_CSRF, COOKIE, CSRF_COOKIE}
    assert (await device.get("/admin/secret")).json() == "root"
    assert (await device.get("/me")).json() == "customer"


async def test_one_is_exempt_from_the_checks_of_another(keys: Keyring) -> None:
    closed = TwoAreas(keys, is_mounted=True)
    opened = TwoAreas(keys, is_mounted=True, exempt=["/admin/"])
    for service, status in ((closed, 403), (opened, 200)):
        device = service.device()
        await device.post("/admin/login")
        await device.log_in("customer")
        own = {"x-csrf-token": device.jar[ADMIN_CSRF]}
        assert (await device.post("/admin/change", headers=own)).status_code == status

    forbidden(await device.post("/admin/change"))
    forbidden(await device.post("/admin/change", headers={"x-csrf-token": ""}))
    assert (await device.post("/admin/logout", headers=own)).status_code == 200
    assert set(device.jar) == {COOKIE, CSRF_COOKIE}
    assert (await device.get("/me")).json() == "customer"


async def test_cors_around_it_has_its_fields_on_refusals(service: Service) -> None:
    service.app.add_middleware(CORSMiddleware, allow_origins=[EVIL], allow_credentials=True)
    response = await service.device().post(
        "/change",
        headers={
            "sec-fetch-site": "cross-site",
            "origin": EVIL,
        },
    )
    assert response.status_code == 403
    assert response.headers["access-control-allow-origin"] == EVIL


async def test_fields_of_a_route_are_kept(keys: Keyring) -> None:
    class Own(Service):
        def routes(self, app: FastAPI) -> None:
            @app.post("/own")
            async def own(request: Request) -> Any:
                await self.auth.log_in(request, "ann")
                return StreamingResponse(
                    iter([b"x"]),
                    headers={
                        "vary": "Accept-Encoding, cookie",
                        "cache-control": "public, max-age=60",
                        "set-cookie": "theme=dark",
                    },
                )

    response = await Own(keys).device().post("/own")
    assert response.headers.get_list("vary") == ["Accept-Encoding, cookie"]
    assert response.headers.get_list("cache-control") == ["no-store"]
    names = [line.split("=")[0] for line in response.headers.get_list("set-cookie")]
    assert names == ["theme", COOKIE, CSRF_COOKIE]


async def test_limits_beside_sessions(keys: Keyring) -> None:
    service = Service(keys)
    Limiter(default_limits=[]).install(service.app)
    device = service.device()
    await device.log_in()
    service.store.is_down = True
    assert (await device.post("/logout")).status_code == 503


async def test_it_is_installed_before_the_application_has_started(service: Service) -> None:
    await service.device().get("/plain")
    with pytest.raises(RuntimeError, match="before"):
        service.auth.install(service.app)


class Sockets(Service):
    """A service with a WebSocket that says who is asking."""

    def routes(self, app: FastAPI) -> None:
        @app.websocket("/socket")
        async def socket(
            socket: WebSocket, session: Annotated[Session, Depends(self.auth.current_session)]
        ) -> None:
            await socket.accept()
            await socket.send_text(session.subject)
            await socket.close()

        @app.websocket("/raising")
        async def raising(socket: WebSocket, early: bool = False) -> None:
            if not early:
                await socket.accept()
            raise InvalidSession

    async def open(self, path: str = "/socket", **headers: str) -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        fields = {"host": "app.example", "user-agent": "Firefox/1.0 (X11)", **headers}
        scope = {
            "type": "websocket",
            "path": path.partition("?")[0],
            "client": (ANN, 4711),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()
            ],
            "query_string": path.partition("?")[2].encode(),
        }
        await self.app(scope, receive, send)
        return sent


CLOSED = [{"type": "websocket.close", "code": 1008, "reason": ""}]


async def test_websockets(keys: Keyring) -> None:
    service = Sockets(keys)
    assert await service.open() == CLOSED
    assert await service.open(cookie=f"{COOKIE}={'A' * 64}") == CLOSED
    device = service.device()
    await device.log_in()
    cookie = f"{COOKIE}={device.id}"
    for good in ({}, {"sec_fetch_site": "same-origin"}, {"origin": SITE}):
        accepted, text, _ = await service.open(cookie=cookie, **good)
        assert accepted["type"] == "websocket.accept"
        assert (b"vary", b"Cookie") in accepted["headers"]
        assert text["text"] == "ann"
    for bad in ({"sec_fetch_site": "cross-site"}, {"origin": EVIL}):
        assert await service.open(cookie=cookie, **bad) == CLOSED
    service.store.is_down = True
    assert await service.open(cookie=cookie) == CLOSED


async def test_a_websocket_is_closed_by_what_its_route_raises(keys: Keyring) -> None:
    service = Sockets(keys)
    accepted, *closed = await service.open("/raising")
    assert accepted["type"] == "websocket.accept"
    assert closed == CLOSED
    assert await service.open("/raising?early=true") == CLOSED


class Together(Service):
    """A service whose routes ask for the session more than once, at once."""

    def routes(self, app: FastAPI) -> None:
        @app.get("/together")
        async def together(request: Request) -> list[str]:
            found = await asyncio.gather(*(self.auth.optional_session(request) for _ in range(3)))
            return [session.subject if session else "nobody" for session in found]

        @app.get("/with-a-visitor")
        async def with_a_visitor(request: Request) -> list[str]:
            session, visitor = await asyncio.gather(
                self.auth.optional_session(request), self.auth.begin_anonymous(request)
            )
            return [session.subject if session else "nobody", visitor.subject]

        @app.get("/given-up")
        async def given_up(request: Request) -> str:
            task = asyncio.create_task(self.auth.optional_session(request))
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            session = await self.auth.optional_session(request)
            return session.subject if session else "nobody"


async def test_who_asks_while_a_session_is_looked_up_waits(keys: Keyring) -> None:
    service = Together(keys)
    device = service.device()
    await device.log_in()
    service.store.takes_s = 0.01
    before = service.store.reads
    assert (await device.get("/together")).json() == ["ann", "ann", "ann"]
    assert service.store.reads == before + 1
    assert (await device.get("/with-a-visitor")).json() == ["ann", "ann"]
    assert (await device.get("/given-up")).json() == "ann"
    assert (await device.get("/me")).json() == "ann"


async def test_openapi(service: Service) -> None:
    document = (await service.device().get("/openapi.json")).json()
    scheme = document["components"]["securitySchemes"]["session"]
    assert scheme["type"] == "apiKey"
    assert scheme["in"] == "cookie"
    assert scheme["name"] == COOKIE
    assert "X-CSRF-Token" in scheme["description"]
    paths = document["paths"]
    assert paths["/me"]["get"]["security"] == [{"session": []}]
    assert paths["/greeting"]["get"]["security"] == [{"session": []}]
    answers = {
        ("/sessions", "get"): {"200", "401", "503"},
        ("/sessions/{handle}", "delete"): {"204", "401", "403", "404", "422", "503"},
        ("/logout", "post"): {"204", "403", "503"},
        ("/logout/others", "post"): {"204", "401", "403", "503"},
        ("/logout/everywhere", "post"): {"204", "401", "403", "503"},
        ("/csrf", "get"): {"200", "401", "503"},
    }
    for (path, method), expected in answers.items():
        assert set(paths[path][method]["responses"]) == expected, path
    schema = document["components"]["schemas"]["SignIn"]
    assert set(schema["properties"]).isdisjoint({"data", "subject", "id"})


async def test_a_scheme_has_another_name(keys: Keyring) -> None:
    service = Service(keys, scheme_name="browser")
    document = (await service.device().get("/openapi.json")).json()
    assert document["paths"]["/me"]["get"]["security"] == [{"browser": []}]


async def test_what_a_route_raises_is_answered(keys: Keyring) -> None:
    class Raising(Service):
        def routes(self, app: FastAPI) -> None:
            @app.get("/raises")
            def raises() -> None:
                raise InvalidSession

    service = Raising(keys)
    device = service.device()
    await device.log_in()
    response = await device.get("/raises")
    refused(response)
    # It was not the session of the request that was refused.
    assert "set-cookie" not in response.headers


# ---- a router for log-ins ----


class Doors(Service):
    """A service whose log-in is the router's."""

    authenticate: Any

    def routes(self, app: FastAPI) -> None:
        app.include_router(login_router(self.auth, self.authenticate, path="/sign-in"))


KNOCKS = {"username": "ann", "password": "correct horse", "device": "laptop"}


def doors(keys: Keyring, authenticate: Any, config: dict[str, Any] | None = None) -> Doors:
    made = type("Made", (Doors,), {"authenticate": staticmethod(authenticate)})
    service: Doors = made(keys, config)
    return service


async def knows(form: Credentials, request: Request) -> str | None:
    assert request.url.path == "/sign-in"
    is_right = form.password.get_secret_value() == "correct horse"
    return form.username.casefold() if is_right else None


def knows_on_a_thread(form: Credentials, _: Request) -> str:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    if form.password.get_secret_value() != "correct horse":
        raise PasswordMismatch
    return form.username.casefold()


@pytest.mark.parametrize("authenticate", [knows, knows_on_a_thread])
async def test_a_router_logs_in(
    keys: Keyring, authenticate: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    device = doors(keys, authenticate).device()
    wrong = await device.post("/sign-in", json=KNOCKS | {"password": "wrong"})
    refused(wrong)
    assert "set-cookie" not in wrong.headers
    assert reasons(caplog) == ["log-in refused: password_mismatch"]
    assert "wrong" not in caplog.text
    response = await device.post("/sign-in", json=KNOCKS | {"username": "Ann"})
    assert response.status_code == 204
    assert len(response.headers.get_list("set-cookie")) == 2
    [listed] = (await device.get("/sessions")).json()["sessions"]
    assert (listed["label"], listed["current"]) == ("laptop", True)
    # Who fails keeps what there is, and who does not has another.
    refused(await device.post("/sign-in", json=KNOCKS | {"password": "wrong"}))
    assert (await device.get("/me")).json() == "ann"
    before = device.id
    assert (await device.post("/sign-in", json=KNOCKS)).status_code == 204
    assert device.id != before
    assert len((await device.get("/sessions")).json()["sessions"]) == 1


async def test_a_router_logs_nobody_in_for_another_site(keys: Keyring) -> None:
    asked: list[str] = []

    async def authenticate(form: Credentials, _: Request) -> str:
        asked.append(form.username)
        return form.username

    device = doors(keys, authenticate).device()
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "", "origin": EVIL}):
        forbidden(await device.post("/sign-in", json=KNOCKS, headers=headers))
    bodies: list[Any] = [{}, KNOCKS | {"username": ""}, KNOCKS | {"password": "x" * 4097}, []]
    for bad in bodies:
        assert (await device.post("/sign-in", json=bad)).status_code == 422
    assert asked == []


async def test_a_router_says_what_else_there_is_to_a_log_in(keys: Keyring) -> None:
    lockout = AsyncLockout(keys, AsyncLimiter(LimitTable()))

    async def authenticate(form: Credentials, request: Request) -> str | None:
        if form.username == "busy":
            raise Busy
        client = ClientAddress().of(request.scope)
        attempt = await lockout.reserve(form.username, address=client.bucket if client else None)
        if form.password.get_secret_value() != "correct horse":
            return None
        await attempt.succeeded()
        return form.username

    service = doors(keys, authenticate, {"max_per_user": 1, "at_limit": "refuse"})
    device = service.device()
    assert (await device.post("/sign-in", json=KNOCKS)).status_code == 204
    conflict = await service.device().post("/sign-in", json=KNOCKS)
    assert (conflict.status_code, conflict.json()) == (409, {"detail": "Conflict"})
    busy = await service.device().post("/sign-in", json=KNOCKS | {"username": "busy"})
    assert (busy.status_code, busy.json()) == (503, {"detail": "Service Unavailable"})
    guesser = service.device(BOB)
    for _ in range(5):
        refused(await guesser.post("/sign-in", json=KNOCKS | {"password": "wrong"}))
    limited = await guesser.post("/sign-in", json=KNOCKS)
    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= 900
    service.store.is_down = True
    down = await service.device().post("/sign-in", json=KNOCKS | {"username": "bob"})
    assert (down.status_code, down.json()) == (503, {"detail": "Service Unavailable"})


async def test_openapi_of_a_log_in(keys: Keyring) -> None:
    document = doors(keys, knows).app.openapi()
    route = document["paths"]["/sign-in"]["post"]
    assert set(route["responses"]) == {"204", "401", "403", "409", "422", "429", "503"}
    credentials = document["components"]["schemas"]["Credentials"]
    assert credentials["required"] == ["username", "password"]
    assert credentials["properties"]["password"]["format"] == "password"
