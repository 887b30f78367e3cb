"""FastAPI services: what is limited, what a 429 says, and where the headers are."""

import asyncio
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from httpx import ASGITransport, AsyncClient, Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from donjon import Client, ConfigError, Limits, LimitTable, Proxies, RateLimited, Verdict
from donjon.fastapi import (
    ClientAddress,
    Limiter,
    RateLimit,
    RateLimitExceeded,
    get_remote_address,
)
from donjon.limits import AsyncLimiter

pytestmark = pytest.mark.anyio

HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
ANN, BOB = "192.0.2.1", "192.0.2.2"


def service(limiter: Limiter) -> FastAPI:
    app = FastAPI()
    limiter.install(app)
    return app


async def ask(
    app: ASGIApp,
    path: str,
    peer: str = ANN,
    method: str = "GET",
    *,
    raising: bool = False,
    **options: Any,
) -> Response:
    transport = ASGITransport(app, raise_app_exceptions=raising, client=(peer, 4711))
    async with AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, **options)


async def statuses(app: ASGIApp, path: str, times: int, **options: Any) -> list[int]:
    return [(await ask(app, path, **options)).status_code for _ in range(times)]


def told(response: Response) -> tuple[str, str]:
    """Limit and remaining, as one response tells them, each once."""
    for name in HEADERS:
        assert len(response.headers.get_list(name)) == 1, (name, response.headers)
    return response.headers[HEADERS[0]], response.headers[HEADERS[1]]


def refused(response: Response, limit: int) -> None:
    assert response.status_code == 429
    assert told(response) == (str(limit), "0")
    details = response.json()["error"].pop("details")
    assert response.json()["error"] == {
        "code": "rate_limited",
        "message": "Rate limit exceeded",
        "details": details,
    }
    retry_after = int(response.headers["retry-after"])
    assert details["limit"] == limit
    assert details["remaining"] == 0
    assert details["retry_after"] == retry_after > 0
    assert details["reset_time"] == int(response.headers[HEADERS[2]])
    assert details["reset_time"] >= time.time()


# ---- limits of an endpoint ----


async def test_an_endpoint_needs_neither_request_nor_response() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/async")
    @limiter.limit("2/minute")
    async def asynchronous() -> str:
        return "async"

    @app.get("/sync/{name}")
    @limiter.limit("2/minute")
    def synchronous(name: str, more: int = 1) -> str:
        return f"{name} {more} {threading.current_thread() is threading.main_thread()}"

    assert (await ask(app, "/async")).json() == "async"
    assert told(await ask(app, "/async")) == ("2", "0")
    refused(await ask(app, "/async"), 2)
    # Each endpoint has its own counter, whatever its path's parameters are.
    assert (await ask(app, "/sync/x?more=2")).json() == "x 2 False"
    assert (await ask(app, "/sync/y")).status_code == 200
    refused(await ask(app, "/sync/z"), 2)
    # And each address.
    assert (await ask(app, "/async", BOB)).status_code == 200


async def test_a_limited_endpoint_is_still_a_function() -> None:
    limiter = Limiter()

    @limiter.limit("1/minute")
    def doubled(number: int) -> int:
        """Twice the number."""
        return 2 * number

    @limiter.limit("1/minute")
    async def tripled(number: int) -> int:
        return 3 * number

    assert [doubled(2), doubled(number=3)] == [4, 6]
    assert [await tripled(2), await tripled(number=3)] == [6, 9]
    assert doubled.__doc__ == "Twice the number."
    assert doubled.__name__ == "doubled"


async def test_several_limits_of_an_endpoint_are_spent_all_or_nothing() -> None:
    limiter = Limiter()
    app = service(limiter)

    def user(name: Annotated[str, Header()]) -> str:
        return name

    @app.get("/")
    @limiter.limit("3/minute")
    @limiter.limit("1/minute", user)
    async def endpoint() -> None: ...

    assert told(await ask(app, "/", headers={"name": "ann"})) == ("1", "0")
    for _ in range(5):
        refused(await ask(app, "/", headers={"name": "ann"}), 1)
    # What the address had spent with those was given back.
    assert told(await ask(app, "/", headers={"name": "bob"})) == ("1", "0")
    assert await statuses(app, "/", 2, headers={"name": "eve"}) == [200, 429]
    refused(await ask(app, "/", headers={"name": "joe"}), 3)


async def test_a_list_of_limits_in_one_text() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/")
    @limiter.limit("2/second; 3/hour")
    async def endpoint() -> None: ...

    assert told(await ask(app, "/")) == ("2", "1")
    await asyncio.sleep(1.1)
    assert (await ask(app, "/")).status_code == 200
    assert told(await ask(app, "/")) == ("3", "0")
    refused(await ask(app, "/"), 3)


async def test_a_limit_comes_before_what_the_endpoint_depends_on() -> None:
    """So that a dependency that checks a password is not called any more."""
    limiter = Limiter()
    app = service(limiter)
    checked = []

    def check_password() -> None:
        checked.append(1)
        raise HTTPException(401)

    @app.post("/login")
    @limiter.limit("5/minute")
    async def login(user: Annotated[None, Depends(check_password)]) -> None: ...

    assert await statuses(app, "/login", 8, method="POST") == [401] * 5 + [429] * 3
    assert len(checked) == 5


async def test_what_dependencies_of_the_route_refuse_is_not_counted() -> None:
    """FastAPI asks them first. A limit among them, before the check, counts."""
    limiter = Limiter()
    app = service(limiter)

    def check_password(password: str) -> None:
        if password != "right":
            raise HTTPException(401)

    check = Depends(check_password)

    @app.post("/after", dependencies=[check])
    @limiter.limit("1/minute")
    async def after() -> None: ...

    @app.post("/before", dependencies=[Depends(RateLimit("1/minute")), check])
    async def before() -> None: ...

    @app.post("/parameter")
    @limiter.limit("1/minute")
    async def parameter(_: Annotated[None, check]) -> None: ...

    wrong = functools.partial(statuses, app, method="POST", params={"password": "wrong"})
    right = functools.partial(statuses, app, method="POST", params={"password": "right"})
    assert await wrong("/after", 4) == [401] * 4
    assert await right("/after", 2) == [200, 429]
    assert await wrong("/before", 3) == [401, 429, 429]
    assert await wrong("/parameter", 3) == [401, 429, 429]


async def test_default_limits_come_before_what_a_route_depends_on() -> None:
    app = service(Limiter(default_limits=["1/minute"]))

    def check_password() -> None:
        raise HTTPException(401)

    @app.post("/login", dependencies=[Depends(check_password)])
    async def login() -> None: ...

    assert await statuses(app, "/login", 3, method="POST") == [401, 429, 429]


async def test_what_is_refused_for_its_shape_is_counted() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.post("/")
    @limiter.limit("2/minute")
    async def endpoint(number: Annotated[int, Body()]) -> None: ...

    responses = [await ask(app, "/", method="POST", json="x") for _ in range(3)]
    assert [response.status_code for response in responses] == [422, 422, 429]
    assert told(responses[0]) == ("2", "1")


async def test_costs() -> None:
    limiter = Limiter()
    app = service(limiter)

    def weight(size: int = 1) -> int:
        return size

    @app.get("/fixed")
    @limiter.limit("10/minute", cost=4)
    async def fixed() -> None: ...

    @app.get("/weighed")
    @limiter.limit("10/minute", cost=weight)
    async def weighed(size: int) -> None: ...

    assert await statuses(app, "/fixed", 3) == [200, 200, 429]
    assert told(await ask(app, "/weighed?size=7")) == ("10", "3")
    assert (await ask(app, "/weighed?size=4")).status_code == 429
    assert told(await ask(app, "/weighed?size=3")) == ("10", "0")
    never = await ask(app, "/weighed?size=11")
    assert never.status_code == 429
    assert "retry-after" not in never.headers
    assert never.json()["error"]["details"]["retry_after"] is None
    for size in ("-1", "4294967296", "99999999999999999999"):
        assert (await ask(app, f"/weighed?size={size}", BOB)).status_code >= 400


async def test_limits_that_depend_on_who_asks() -> None:
    limiter = Limiter()
    app = service(limiter)
    large = Limits("100/minute", algorithm="sliding_window")

    def tier(plan: str = "free") -> str | Limits:
        return large if plan == "paid" else "1/minute"

    @app.get("/")
    @limiter.limit(tier, exempt_when=lambda: False)
    async def endpoint() -> None: ...

    assert told(await ask(app, "/", BOB, params={"plan": "paid"})) == ("100", "99")
    assert await statuses(app, "/", 2) == [200, 429]


async def test_exempt_when() -> None:
    limiter = Limiter()
    app = service(limiter)

    def internal(request: Request) -> bool:
        return "x-internal" in request.headers

    @app.get("/")
    @limiter.limit("1/minute", exempt_when=internal)
    async def endpoint() -> None: ...

    assert await statuses(app, "/", 3, headers={"x-internal": "1"}) == [200] * 3
    assert await statuses(app, "/", 2) == [200, 429]


@pytest.mark.parametrize(
    "algorithm", ["gcra", "token_bucket", "fixed_window", "sliding_window", "sliding_log"]
)
async def test_algorithms(algorithm: Any) -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/")
    @limiter.limit("3/minute", algorithm=algorithm)
    async def endpoint() -> None: ...

    assert await statuses(app, "/", 4) == [200, 200, 200, 429]


async def test_bursts_and_profiles() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/burst")
    @limiter.limit("1/minute", burst=3)
    async def burst() -> None: ...

    @app.get("/sessions")
    @limiter.limit(Limits.profile("session-cluster/session_create"))
    async def sessions() -> None: ...

    assert await statuses(app, "/burst", 4) == [200, 200, 200, 429]
    assert told(await ask(app, "/sessions")) == ("10", "9")


@pytest.mark.parametrize("text", ["", "five/minute", "0/minute", "5", "5/fortnight", "5/minute;"])
def test_a_limit_that_is_none_is_refused_where_it_is_written(text: str) -> None:
    with pytest.raises(ConfigError):
        Limiter().limit(text)
    with pytest.raises(ConfigError):
        Limiter(default_limits=["1/minute", text])
    with pytest.raises(ConfigError):
        RateLimit(text)


# ---- who is counted ----


async def test_key_functions_as_slowapi_has_them() -> None:
    limiter = Limiter(key_func=get_remote_address)
    app = service(limiter)

    @app.get("/tenant")
    @limiter.limit("1/minute", key_func=lambda request: request.headers["x-tenant"])
    async def tenant() -> None: ...

    @app.get("/everybody")
    @limiter.limit("1/minute", key_func=lambda: "everybody")
    async def everybody() -> None: ...

    assert await statuses(app, "/tenant", 2, headers={"x-tenant": "a"}) == [200, 429]
    assert await statuses(app, "/tenant", 2, headers={"x-tenant": "b"}) == [200, 429]
    # `request` is the request, also where somebody sends a parameter of that name.
    assert (await ask(app, "/tenant?request=x", headers={"x-tenant": "a"})).status_code == 429
    assert (await ask(app, "/everybody")).status_code == 200
    assert (await ask(app, "/everybody", BOB)).status_code == 429


async def test_the_remote_address_is_what_is_counted_by_default() -> None:
    table = LimitTable()
    for key in (None, get_remote_address):
        limiter = Limiter(key, storage=table)
        app = service(limiter)

        @app.get("/")
        @limiter.limit("2/minute")
        async def endpoint() -> None: ...

        assert (await ask(app, "/")).status_code == 200
    assert (await ask(app, "/")).status_code == 429


@pytest.mark.parametrize(
    "key", [lambda r: r, lambda name="x": name, lambda request=None: request, lambda *, of: of]
)
def test_a_key_function_that_would_read_the_query_is_refused(key: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="does not say what"):
        Limiter().limit("1/minute", key_func=key)


async def test_a_dependency_that_is_a_key_is_resolved_once_and_can_be_overridden() -> None:
    asked = []

    class User:
        async def __call__(self, request: Request) -> str:
            asked.append(1)
            return request.headers["name"]

    user = User()
    limiter = Limiter(user, default_limits=["2/minute"])
    app = service(limiter)

    @app.get("/", dependencies=[Depends(RateLimit("1/minute", key=user))])
    async def endpoint(name: Annotated[str, Depends(user)]) -> str:
        return name

    assert (await ask(app, "/", headers={"name": "ann"})).json() == "ann"
    assert asked == [1]
    assert (await ask(app, "/", headers={"name": "ann"})).status_code == 429
    app.dependency_overrides[user] = lambda: "bob"
    assert (await ask(app, "/", headers={"name": "ann"})).json() == "bob"


async def test_a_key_is_a_dependency() -> None:
    async def caller(request: Request) -> str | None:
        return request.headers.get("name")

    class Caller:
        async def __call__(self, request: Request) -> str | None:
            return request.headers.get("name")

    for key, scope in ((caller, None), (Caller(), "s"), (functools.partial(caller), None)):
        app = service(Limiter())
        limit = RateLimit("1/minute", key=key, scope=scope)

        @app.get("/", dependencies=[Depends(limit)])
        async def endpoint() -> None: ...

        assert await statuses(app, "/", 2, headers={"name": "ann"}) == [200, 429]
        assert await statuses(app, "/", 2, headers={"name": "bob"}) == [200, 429]
        # Nobody is an address, and nobody's name.
        assert await statuses(app, "/", 2) == [200, 429]
        assert await statuses(app, "/", 1, headers={"name": ANN}) == [200]


async def test_limits_of_a_route_and_of_its_router_have_counters_of_their_own() -> None:
    """Also if they count the same, by the same periods, and if one of them is exempt."""
    app = service(Limiter(default_limits=["5/minute"]))

    def internal(request: Request) -> bool:
        return "internal" in request.headers

    router = APIRouter(dependencies=[Depends(RateLimit("4/minute", exempt_when=internal))])

    @router.get("/", dependencies=[Depends(RateLimit("2/minute"))])
    async def endpoint() -> None: ...

    app.include_router(router)
    assert told(await ask(app, "/")) == ("2", "1")
    assert (await ask(app, "/", headers={"internal": "1"})).status_code == 200
    refused(await ask(app, "/"), 2)
    refused(await ask(app, "/", headers={"internal": "1"}), 2)
    refused(await ask(app, "/"), 2)
    refused(await ask(app, "/"), 5)


async def test_keys_of_two_kinds_never_meet() -> None:
    app = service(Limiter())

    def user() -> int:
        return 7

    def tenant() -> int:
        return 7

    limits = [Depends(RateLimit("2/minute", key=key)) for key in (user, tenant)]

    @app.get("/", dependencies=limits)
    async def endpoint() -> None: ...

    assert await statuses(app, "/", 3) == [200, 200, 429]


@pytest.mark.parametrize("key", [1.5, True, b"x", object(), ["x"]])
async def test_a_key_that_is_no_key_is_an_error(key: object) -> None:
    app = service(Limiter())

    @app.get("/", dependencies=[Depends(RateLimit("1/minute", key=lambda: key))])
    async def endpoint() -> None: ...

    assert (await ask(app, "/")).status_code == 500


async def test_a_key_that_is_too_long_is_the_clients_error() -> None:
    app = service(Limiter())

    def named(name: str) -> str:
        return name

    @app.get("/named", dependencies=[Depends(RateLimit("1/minute", key=named))])
    async def by_name() -> None: ...

    assert (await ask(app, f"/named?name={'x' * 2000}")).status_code == 400
    assert (await ask(app, "/named?name=%ED%A0%80")).status_code == 200  # what it decodes to


@pytest.mark.parametrize("header", ["x-forwarded-for", "X-Forwarded-For"])
async def test_addresses_behind_a_proxy(header: Any) -> None:
    address = ClientAddress(Proxies(header, trusted=["10.0.0.0/8"]))
    limiter = Limiter(address=address)
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint(client: Annotated[Client | None, Depends(address)]) -> str | None:
        return client and client.ip

    def via(*lines: str, peer: str = "10.0.0.1") -> dict[str, Any]:
        return {"peer": peer, "headers": [("X-Forwarded-For", line) for line in lines]}

    assert (await ask(app, "/", **via("203.0.113.1"))).json() == "203.0.113.1"
    assert (await ask(app, "/", **via("203.0.113.1"))).status_code == 429
    assert (await ask(app, "/", **via("203.0.113.2"))).status_code == 200
    # What the proxy does not write is the client's.
    response = await ask(
        app,
        "/",
        "10.0.0.1",
        headers=[("X-Forwarded-For", "203.0.113.9"), ("X-Real-IP", "198.51.100.1")],
    )
    assert response.json() == "203.0.113.9"
    # Who is no proxy says nothing about others, and the last line is the proxy's.
    spoofed = [await ask(app, "/", **via(f"198.51.100.{i}", peer=ANN)) for i in range(3)]
    assert [response.status_code for response in spoofed] == [200, 429, 429]
    spoofed = [await ask(app, "/", **via(f"198.51.100.{i}", "203.0.113.3")) for i in range(3)]
    assert [response.status_code for response in spoofed] == [200, 429, 429]


async def test_a_network_of_ipv6_is_one_client() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    for peer, status in (
        ("2001:db8::1", 200),
        ("2001:db8::ffff:ffff:ffff:fffe", 429),
        ("2001:db8:0:1::1", 200),
        ("::ffff:192.0.2.1", 200),
        ("192.0.2.1", 429),
    ):
        assert (await ask(app, "/", peer)).status_code == status


async def test_no_header_is_believed_by_default() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X_FORWARDED_FOR"):
        await ask(app, "/", headers={name: "203.0.113.7"})
        assert (await ask(app, "/", headers={name: "203.0.113.8"})).status_code == 429


async def test_a_peer_without_an_address_is_one_client() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint(request: Request) -> str:
        return get_remote_address(request)

    assert (await ask(app, "/", "testclient")).json() == "unknown"
    assert (await ask(app, "/", "/run/service.sock")).status_code == 429


# ---- dependencies ----


async def test_a_limit_is_a_dependency_of_routes_and_routers() -> None:
    app = service(Limiter())
    router = APIRouter(prefix="/r", dependencies=[Depends(RateLimit("1/minute"))])

    @router.get("/a")
    async def a() -> None: ...

    @router.get("/b")
    async def b() -> None: ...

    inner = APIRouter(dependencies=[Depends(RateLimit("5/hour", scope="inner"))])

    @inner.get("/c")
    async def c() -> None: ...

    @inner.get("/d")
    async def d() -> None: ...

    router.include_router(inner, prefix="/inner")
    app.include_router(router, prefix="/api")
    # Every endpoint has its own counter.
    assert await statuses(app, "/api/r/a", 2) == [200, 429]
    assert await statuses(app, "/api/r/b", 2) == [200, 429]
    assert told(await ask(app, "/api/r/inner/c")) == ("1", "0")
    # But one of a scope.
    assert (await ask(app, "/api/r/inner/d")).status_code == 200
    assert await statuses(app, "/api/r/inner/c", 1, peer=BOB) == [200]


async def test_a_dependency_without_a_limiter_fails() -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(RateLimit("1/minute"))])
    async def endpoint() -> None: ...

    with pytest.raises(RuntimeError, match="install"):
        await ask(app, "/", raising=True)


async def test_a_limiter_that_is_not_installed_fails() -> None:
    app = FastAPI()
    limiter = Limiter()

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    with pytest.raises(RuntimeError, match="install"):
        await ask(app, "/", raising=True)


# ---- default, shared and exempt ----


async def test_default_limits() -> None:
    limiter = Limiter(default_limits=["2/minute"])
    app = service(limiter)
    router = APIRouter()

    @app.get("/a")
    async def a() -> None: ...

    @router.get("/b")
    def b() -> None: ...

    @app.get("/own")
    @limiter.limit("1/minute")
    async def own() -> None: ...

    @app.get("/both")
    @limiter.limit("5/minute", override_defaults=False)
    async def both() -> None: ...

    @app.get("/stacked")
    @limiter.limit("6/minute", override_defaults=False)
    @limiter.limit("4/minute")
    @limiter.limit("5/minute", override_defaults=False)
    async def stacked() -> None: ...

    @app.get("/health")
    @limiter.exempt
    async def health() -> None: ...

    app.include_router(router, prefix="/x")
    assert await statuses(app, "/stacked", 5) == [200] * 4 + [429]
    assert await statuses(app, "/a", 3) == [200, 200, 429]
    assert await statuses(app, "/x/b", 3) == [200, 200, 429]
    assert await statuses(app, "/own", 2) == [200, 429]
    assert await statuses(app, "/both", 3) == [200, 200, 429]
    assert await statuses(app, "/health", 5) == [200] * 5
    assert HEADERS[0] not in (await ask(app, "/health")).headers
    assert await statuses(app, "/nowhere", 5) == [404] * 5


async def test_default_limits_come_before_the_guards_of_routers() -> None:
    limiter = Limiter(default_limits=["2/minute"])
    app = service(limiter)

    def guard() -> None:
        raise HTTPException(401)

    router = APIRouter(dependencies=[Depends(guard)])

    @router.get("/")
    async def endpoint() -> None: ...

    app.include_router(router, prefix="/x")
    assert await statuses(app, "/x/", 3) == [401, 401, 429]

    guarded = FastAPI(dependencies=[Depends(guard)])
    limiter.install(guarded)

    @guarded.get("/")
    async def also_guarded() -> None: ...

    assert await statuses(guarded, "/", 3) == [401, 401, 429]


async def test_exempt_holds_in_a_limited_router() -> None:
    limiter = Limiter()
    app = service(limiter)
    router = APIRouter(dependencies=[Depends(RateLimit("1/minute"))])

    @limiter.exempt
    @router.get("/health")
    async def health() -> None: ...

    app.include_router(router)
    assert await statuses(app, "/health", 3) == [200] * 3


def test_an_endpoint_is_limited_or_exempt() -> None:
    limiter = Limiter()

    def endpoint() -> None: ...

    with pytest.raises(TypeError, match="has limits"):
        limiter.exempt(limiter.limit("1/minute")(endpoint))
    with pytest.raises(TypeError, match="is exempt"):
        limiter.limit("1/minute")(limiter.exempt(endpoint))


async def test_shared_limits() -> None:
    limiter = Limiter()
    app = service(limiter)
    uploads = limiter.shared_limit("2/minute", scope="uploads")

    @app.post("/a")
    @uploads
    async def a() -> None: ...

    @app.post("/b")
    @limiter.shared_limit("2/minute", "uploads")
    async def b() -> None: ...

    assert await statuses(app, "/a", 1, method="POST") == [200]
    assert await statuses(app, "/b", 1, method="POST") == [200]
    refused(await ask(app, "/a", method="POST"), 2)
    refused(await ask(app, "/b", method="POST"), 2)


async def test_a_scope_is_the_same_key_everywhere() -> None:
    table = LimitTable()
    limiter = Limiter(storage=table)
    app = service(limiter)

    @app.get("/")
    @limiter.limit("3/minute", scope="search")
    async def endpoint() -> None: ...

    await ask(app, "/")
    assert table.spend(Limits("3/minute"), f"search:{ANN}", 0).remaining == 2
    for scope in ("", "a:b"):
        with pytest.raises(ValueError, match="scope"):
            limiter.limit("1/minute", scope=scope)


async def test_default_limits_that_come_too_late_are_refused() -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> None: ...

    Limiter().install(app)
    with pytest.raises(RuntimeError, match="before routes"):
        Limiter(default_limits=["1/minute"]).install(app)
    with pytest.raises(TypeError, match="list"):
        Limiter(default_limits="1/minute")
    await ask(app, "/")
    with pytest.raises(RuntimeError, match="started"):
        Limiter().install(app)


async def test_a_limiter_can_be_switched_off() -> None:
    limiter = Limiter(enabled=False)
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    assert await statuses(app, "/", 3) == [200] * 3
    limiter.enabled = True
    assert await statuses(app, "/", 2) == [200, 429]


# ---- kinds of endpoints ----


async def test_methods_of_a_class() -> None:
    limiter = Limiter()
    app = service(limiter)

    class Documents:
        @limiter.limit("1/minute")
        async def read(self, number: int) -> int:
            return number

        @limiter.limit("1/minute")
        def write(self) -> str:
            return "written"

    documents = Documents()
    app.add_api_route("/read", documents.read)
    app.add_api_route("/write", documents.write, methods=["PUT"])
    app.add_api_route("/bound", limiter.limit("1/minute")(Documents().write))
    assert (await ask(app, "/read?number=3")).json() == 3
    assert (await ask(app, "/read?number=3")).status_code == 429
    assert await statuses(app, "/write", 2, method="PUT") == [200, 429]
    assert (await ask(app, "/bound", BOB)).status_code == 200


async def test_objects_that_are_called() -> None:
    limiter = Limiter()
    app = service(limiter)

    class Endpoint:
        def __call__(self, number: int) -> int:
            return number

    async def doubled(factor: int, number: int) -> int:
        return factor * number

    app.add_api_route("/object", limiter.limit("1/minute")(Endpoint()))
    app.add_api_route("/other", limiter.limit("1/minute")(Endpoint()))
    app.add_api_route("/partial", limiter.limit("1/minute")(functools.partial(doubled, 2)))
    for path, answer in (("/object", 3), ("/other", 3), ("/partial", 6)):
        assert (await ask(app, f"{path}?number=3")).json() == answer
        assert (await ask(app, f"{path}?number=3")).status_code == 429


async def test_endpoints_of_one_name_have_counters_of_their_own() -> None:
    table = LimitTable()
    limiter = Limiter(storage=table)
    app = service(limiter)
    router = APIRouter()

    def make(amount: int) -> Callable[..., Any]:
        @limiter.limit(f"{amount}/minute")
        async def endpoint(key: str = "") -> str:
            return key

        return endpoint

    for amount in (1, 2):
        router.add_api_route(f"/{amount}/{{key}}:read", make(amount))
    app.include_router(router, prefix="/a")
    app.include_router(router, prefix="/b")
    for prefix in ("/a", "/b"):
        assert (await ask(app, f"{prefix}/1/x:read")).json() == "x"
        assert (await ask(app, f"{prefix}/1/y:read")).status_code == 429
        assert told(await ask(app, f"{prefix}/2/x:read")) == ("2", "1")
    # The name of a counter is the same in every process.
    name = f"{__name__}.{make.__qualname__}.<locals>.endpoint /a/2/{{key}}%3Aread:{ANN}"
    assert table.spend(Limits("2/minute"), name, 0).remaining == 1


async def test_other_decorators_between() -> None:
    limiter = Limiter()
    app = service(limiter)
    calls = []

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def around(*arguments: Any, **named: Any) -> Any:
            calls.append(1)
            return await function(*arguments, **named)

        return around

    @app.get("/")
    @limiter.limit("3/minute")
    @counted
    @limiter.limit("1/minute", lambda: "all")
    async def endpoint(number: int = 7) -> int:
        return number

    assert (await ask(app, "/")).json() == 7
    assert await statuses(app, "/", 1, peer=BOB) == [429]
    assert calls == [1]


async def test_streams_have_headers() -> None:
    limiter = Limiter()
    app = service(limiter)

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"line\n"

    @app.get("/response")
    @limiter.limit("1/minute")
    async def response() -> StreamingResponse:
        return StreamingResponse(lines())

    streamed = await ask(app, "/response")
    assert streamed.text == "line\n" * 3
    assert told(streamed) == ("1", "0")
    refused(await ask(app, "/response"), 1)


async def test_generators_are_streamed() -> None:
    """Newer FastAPIs stream what an endpoint yields."""
    sse = pytest.importorskip("fastapi.sse")
    limiter = Limiter()
    app = service(limiter)

    @app.get("/async", response_class=sse.EventSourceResponse)
    @limiter.limit("1/minute")
    async def asynchronous() -> AsyncIterator[int]:
        for number in range(2):
            yield number

    @app.get("/sync", response_class=sse.EventSourceResponse)
    @limiter.limit("1/minute")
    def synchronous() -> Iterator[int]:
        yield from range(2)

    for path in ("/async", "/sync"):
        streamed = await ask(app, path)
        assert streamed.text == "data: 0\n\ndata: 1\n\n"
        assert told(streamed) == ("1", "0")
        refused(await ask(app, path), 1)


async def test_errors_have_headers() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.get("/{kind}")
    @limiter.limit("9/minute")
    async def endpoint(kind: str) -> None:
        if kind == "http":
            raise HTTPException(418, headers={"x-ratelimit-limit": "none", "x-tea": "pot"})
        raise ZeroDivisionError

    response = await ask(app, "/http")
    assert response.status_code == 418
    assert response.headers["x-tea"] == "pot"
    assert told(response) == ("9", "8")
    response = await ask(app, "/crash")
    assert response.status_code == 500
    assert told(response) == ("9", "7")


async def test_responses_without_limits_have_no_headers() -> None:
    app = service(Limiter())

    @app.get("/")
    async def endpoint() -> None: ...

    for path in ("/", "/nowhere", "/docs", "/openapi.json"):
        assert HEADERS[0] not in (await ask(app, path)).headers


async def test_heads_options_and_wrong_methods() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.api_route("/", methods=["GET", "HEAD", "OPTIONS"])
    @limiter.limit("3/minute")
    async def endpoint() -> None: ...

    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await ask(app, "/", method=method)).status_code == 200
    refused(await ask(app, "/"), 3)
    head = await ask(app, "/", method="HEAD")
    assert (head.status_code, told(head)) == (429, ("3", "0"))
    assert (await ask(app, "/", method="DELETE")).status_code == 405


async def test_websockets_are_left_alone() -> None:
    def user(connection: HTTPConnection) -> str | None:
        return connection.headers.get("name")

    limiter = Limiter(user, default_limits=["1/minute"])
    app = service(limiter)
    weighed = RateLimit("1/minute", key=lambda request: request.host, cost=lambda: 1, scope="w")

    @app.websocket("/ws", dependencies=[Depends(weighed)])
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    for _ in range(3):
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)  # noqa: B023  called within this round

        scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}
        await app(scope, receive, send)
        assert [m["type"] for m in sent] == [
            "websocket.accept",
            "websocket.send",
            "websocket.close",
        ]


async def test_mounted_applications() -> None:
    limiter = Limiter(default_limits=["2/minute"])
    app, mounted, alien = service(limiter), FastAPI(), FastAPI()
    limiter.install(mounted)

    @mounted.get("/default")
    async def default() -> None: ...

    @mounted.get("/own")
    @limiter.limit("1/minute")
    async def own() -> None: ...

    @alien.get("/own")
    @limiter.limit("1/minute")
    async def alien_own() -> None: ...

    app.mount("/in", mounted)
    app.mount("/alien", alien)
    assert await statuses(app, "/in/default", 3) == [200, 200, 429]
    assert (await ask(app, "/in/own")).status_code == 200
    refused(await ask(app, "/in/own"), 1)
    # Without `install` it is limited as well, and only the body is another.
    assert (await ask(app, "/alien/own")).status_code == 200
    response = await ask(app, "/alien/own")
    assert (response.status_code, told(response)) == (429, ("1", "0"))
    assert int(response.headers["retry-after"]) > 0


async def test_other_middleware_inside_and_outside() -> None:
    limiter = Limiter()
    app = service(limiter)

    class Copying:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def late(message: Message) -> None:
                await send(message)

            await self.app(dict(scope), receive, late)

    app.add_middleware(Copying)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    assert told(await ask(app, "/")) == ("1", "0")
    refused(await ask(app, "/"), 1)


# ---- what would go unlimited unnoticed ----


async def test_a_limit_above_the_route_is_noticed() -> None:
    limiter = Limiter()
    app = service(limiter)

    @limiter.limit("1/minute")
    @app.get("/above")
    async def above() -> None: ...

    @limiter.limit("1/hour")
    @app.get("/between")
    @limiter.limit("1/minute")
    async def between() -> None: ...

    for path in ("/above", "/between"):
        with pytest.raises(RuntimeError, match="below the decorator"):
            await ask(app, path, raising=True)


async def test_a_limit_of_a_plain_route_of_starlette_is_noticed() -> None:
    limiter = Limiter()
    app = service(limiter)

    @limiter.limit("1/minute")
    async def plain(_: Request) -> Any: ...

    app.add_route("/", plain)
    with pytest.raises(RuntimeError, match="no route of FastAPI"):
        await ask(app, "/", raising=True)


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous", "keyword"])
async def test_a_decorator_between_that_hides_the_limit_is_noticed(kind: str) -> None:
    limiter = Limiter()
    app = service(limiter)

    @limiter.limit("1/minute")
    async def asynchronous() -> None: ...

    @limiter.limit("1/minute")
    def synchronous() -> None: ...

    @limiter.limit("1/minute")
    async def keyword(request: Request) -> None: ...

    async def around_asynchronous() -> None:
        await asynchronous()

    def around_synchronous() -> None:
        synchronous()

    async def around_keyword(request: Request) -> None:
        await keyword(request=request)

    app.get("/asynchronous")(around_asynchronous)
    app.get("/synchronous")(around_synchronous)
    app.get("/keyword")(around_keyword)
    wanted = "no route of FastAPI" if kind == "keyword" else r"functools\.wraps"
    with pytest.raises(RuntimeError, match=wanted):
        await ask(app, f"/{kind}", raising=True)
    # Beyond a request they are functions.
    await asynchronous()
    synchronous()


async def test_a_decorator_between_that_wraps() -> None:
    limiter = Limiter(default_limits=["9/minute"])
    app = service(limiter)

    def wrapping(function: Any) -> Any:
        @functools.wraps(function)
        async def inner(*arguments: Any, **named: Any) -> Any:
            return await function(*arguments, **named)

        return inner

    @app.get("/{name}")
    @wrapping
    @limiter.limit("2/minute")
    @wrapping
    @limiter.limit("1/hour")
    @wrapping
    async def endpoint(name: str) -> str:
        return name

    assert (await ask(app, "/ann")).json() == "ann"
    refused(await ask(app, "/ann"), 1)


async def test_a_limited_endpoint_can_be_called_by_another() -> None:
    """Its limits are its route's."""
    limiter = Limiter()
    app = service(limiter)

    @app.get("/one")
    @limiter.limit("1/minute")
    async def one() -> int:
        return 1

    @app.get("/two")
    async def two() -> int:
        return 2 * await one()

    assert await statuses(app, "/two", 2) == [200, 200]
    assert await statuses(app, "/one", 2) == [200, 429]


def test_a_decorator_is_no_dependency() -> None:
    app, limiter = FastAPI(), Limiter()
    with pytest.raises(TypeError, match="decorates"):

        @app.get("/", dependencies=[Depends(limiter.limit("1/minute"))])
        async def endpoint() -> None: ...


async def test_dependencies_can_be_overridden() -> None:
    def user() -> str:
        raise HTTPException(401)

    app = service(Limiter())

    @app.get("/", dependencies=[Depends(RateLimit("1/minute", key=user))])
    async def endpoint() -> None: ...

    assert await statuses(app, "/", 2) == [401, 401]
    app.dependency_overrides[user] = lambda: "ann"
    assert await statuses(app, "/", 2) == [200, 429]


# ---- what is told ----


async def test_the_code_and_the_fields_of_the_ietf() -> None:
    limiter = Limiter(code="LUCID_ERR_3010", ietf=True)
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    response = await ask(app, "/")
    assert {"ratelimit", "ratelimit-policy", *HEADERS} <= set(response.headers)
    response = await ask(app, "/")
    assert response.json()["error"]["code"] == "LUCID_ERR_3010"
    assert {"ratelimit", "ratelimit-policy", "retry-after"} <= set(response.headers)


async def test_the_answer_can_be_ones_own() -> None:
    limiter = Limiter()
    app = service(limiter)

    @app.exception_handler(RateLimitExceeded)
    async def handler(_: Request, error: RateLimitExceeded) -> Any:
        from fastapi.responses import PlainTextResponse

        return PlainTextResponse(f"{error.verdict.limit} {error.limits.algorithm}", 429)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    await ask(app, "/")
    response = await ask(app, "/")
    assert response.text == "1 gcra"
    assert told(response) == ("1", "0")
    assert int(response.headers["retry-after"]) > 0


async def test_a_refusal_from_within_a_route_looks_the_same() -> None:
    app = service(Limiter())
    limits, table = Limits("1/minute"), LimitTable()

    @app.get("/")
    async def endpoint() -> None:
        verdict = table.spend(limits, "x")
        if not verdict.allowed:
            raise RateLimited(verdict=verdict, limits=limits)

    @app.get("/bare")
    async def bare() -> None:
        raise RateLimited

    assert (await ask(app, "/")).status_code == 200
    refused(await ask(app, "/"), 1)
    assert (await ask(app, "/bare")).status_code == 429


async def test_openapi_shows_what_may_be_refused() -> None:
    limiter = Limiter(default_limits=["9/minute"])
    app = service(limiter)
    router = APIRouter(dependencies=[Depends(RateLimit("1/minute", scope="router"))])
    free = FastAPI()
    Limiter().install(free)

    @app.get("/default")
    async def default() -> None: ...

    @app.post("/own/{number:int}", responses={429: {"description": "My own words"}})
    @limiter.limit("1/minute")
    async def own(number: int) -> None: ...

    @app.get("/exempt")
    @limiter.exempt
    async def exempt() -> None: ...

    @router.get("/routed")
    async def routed() -> None: ...

    @router.get("/routed-exempt")
    @limiter.exempt
    async def routed_exempt() -> None: ...

    @free.get("/free")
    async def free_route() -> None: ...

    @free.get("/below/{number:int}")
    @limiter.limit("1/minute")
    async def below() -> None: ...

    app.include_router(router, prefix="/x")
    free.include_router(router, prefix="/x")
    paths = (await ask(app, "/openapi.json")).json()["paths"]
    answers = {path: next(iter(paths[path].values()))["responses"] for path in paths}
    assert "429" not in answers["/exempt"]
    assert "429" not in answers["/x/routed-exempt"]
    assert answers["/own/{number}"]["429"]["description"] == "My own words"
    documented = answers["/default"]["429"]
    assert answers["/x/routed"]["429"] == documented
    assert "Retry-After" in documented["headers"]
    assert "error" in documented["content"]["application/json"]["schema"]["properties"]
    # What stands for the limits is nobody's parameter.
    for path in paths.values():
        for operation in path.values():
            assert [p["name"] for p in operation.get("parameters", [])] in ([], ["number"])
    paths = free.openapi()["paths"]
    assert "429" not in paths["/free"]["get"]["responses"]
    assert "429" in paths["/below/{number}"]["get"]["responses"]
    assert "429" in paths["/x/routed"]["get"]["responses"]


# ---- stores that fail ----


class Broken:
    """A store that fails, or that hangs."""

    def __init__(self, hang: bool = False) -> None:
        self.hang = hang

    async def spend(self, _: Limits, _key: str, _cost: int = 1, /) -> Verdict:
        if self.hang:
            await asyncio.sleep(3600)
        raise ConnectionError("no such host: redis.internal")

    async def give_back(self, _: Limits, _key: str, _at_ms: int, _cost: int = 1, /) -> None:
        raise ConnectionError

    async def forget(self, _: str, /) -> None:
        raise ConnectionError


async def test_what_a_mounted_application_answers_that_is_not_installed() -> None:
    limiter = Limiter(storage=AsyncLimiter(Broken()))
    app, alien = service(limiter), FastAPI()

    def named(name: str = "ann") -> str:
        return name

    @alien.get("/")
    @limiter.limit("1/minute", named)
    async def endpoint() -> None: ...

    app.mount("/alien", alien)
    assert await statuses(app, "/alien/", 1) == [503]
    assert await statuses(app, "/alien/", 1, params={"name": "x" * 2000}) == [400]


@pytest.mark.parametrize("hang", [False, True])
@pytest.mark.parametrize("policy", ["refuse", "allow", "table"])
async def test_a_store_that_is_down(hang: bool, policy: Any) -> None:
    on_failure = LimitTable() if policy == "table" else policy
    limiter = Limiter(
        storage=AsyncLimiter(Broken(hang), on_failure=on_failure, timeout_s=0.05),
        default_limits=["1/minute"],
    )
    app = service(limiter)

    @app.get("/")
    async def endpoint() -> None: ...

    wanted = {"refuse": [503, 503], "allow": [200, 200], "table": [200, 429]}[policy]
    responses = [await ask(app, "/") for _ in range(2)]
    assert [response.status_code for response in responses] == wanted
    assert "redis" not in "".join(response.text for response in responses)
    if policy == "refuse":
        assert responses[0].json() == {"detail": "Service Unavailable"}
    else:
        assert told(responses[0]) == ("1", "0")


async def test_a_slow_store_stops_nobody_else() -> None:
    limiter = Limiter(storage=AsyncLimiter(Broken(hang=True), on_failure="allow", timeout_s=0.3))
    app = service(limiter)

    @app.get("/")
    @limiter.limit("1/minute")
    async def endpoint() -> None: ...

    begun = time.monotonic()
    await asyncio.gather(*(ask(app, "/") for _ in range(20)))
    assert time.monotonic() - begun < 3
