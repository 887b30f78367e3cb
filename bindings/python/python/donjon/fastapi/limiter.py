"""Limits of an application's routes: `Limiter`."""

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Route
from starlette.types import Scope

from donjon import Limits, LimitTable, Proxies, RateLimited, StoreUnavailable, Verdict
from donjon.errors import LimitInputRefused
from donjon.fastapi.client_address import ClientAddress
from donjon.fastapi.limit_documents import describe
from donjon.fastapi.limit_middleware import MISPLACED, LimitMiddleware, answering
from donjon.fastapi.limit_record import Due, record_of
from donjon.fastapi.rate_limit import (
    Algorithm,
    Cost,
    LimitValue,
    RateLimit,
    Together,
    exempt,
    is_exempt,
    name_of,
)
from donjon.limits import AsyncLimiter, AsyncLimitStore

__all__ = ["Limiter", "RateLimitExceeded", "get_remote_address"]

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])

_LIMITED = "__donjon_limited__"
_NO_ADDRESS = "unknown"
_TOO_MANY = "Too Many Requests"
_UNAVAILABLE = "Service Unavailable"
_BAD_REQUEST = "Bad Request"


class RateLimitExceeded(HTTPException):
    """The answer 429: a limit is spent. `verdict` is that of `limits`."""

    def __init__(self, limits: Limits, verdict: Verdict) -> None:
        headers = limits.headers(verdict, now_ms=verdict.now_ms)
        super().__init__(429, "Rate limit exceeded", headers=dict(headers))
        self.limits = limits
        self.verdict = verdict


class _Limited(NamedTuple):
    """What an endpoint that is limited is marked with."""

    wrapper: Any
    together: Together
    own: inspect.Signature
    parameter: str
    overrides: bool


class _Decorated:
    """Refuses `Depends(limiter.limit(...))` where it is declared: nothing would be limited."""

    def __get_pydantic_core_schema__(self, *_: object) -> Any:
        raise TypeError("`@limiter.limit(...)` decorates; Depends(RateLimit(...)) is a dependency")


class Limiter:
    """Limits routes, each by itself or several together, and says so in the responses' headers.

        limiter = Limiter(default_limits=["100/minute"])
        limiter.install(app)

        @app.post("/login")
        @limiter.limit("5/minute")
        def login() -> str: ...

    `storage` is a `LimitTable`, an asynchronous store, or an `AsyncLimiter`, which says what is to
    happen when its store fails; by default, a table in this process. `key_func` is a dependency
    that yields who is counted, as `RateLimit` has it; by default it is the client's address, as
    `address` finds it. Each of the `default_limits` is for every route that has no limits of its
    own by `limit`. `code` is the error's in the body of a 429, and with `ietf` responses have the
    fields `RateLimit` and `RateLimit-Policy` too.
    """

    def __init__(
        self,
        key_func: Callable[..., Any] | None = None,
        *,
        default_limits: Sequence[LimitValue] = (),
        storage: AsyncLimiter | AsyncLimitStore | LimitTable | None = None,
        address: ClientAddress | Proxies | None = None,
        code: str = "",
        ietf: bool = False,
        enabled: bool = True,
    ) -> None:
        if isinstance(default_limits, str):
            raise TypeError("default_limits are a list of limits, and not one text")
        if not isinstance(storage, AsyncLimiter):
            storage = AsyncLimiter(LimitTable() if storage is None else storage)
        self.limiter = storage
        self.address = address if isinstance(address, ClientAddress) else ClientAddress(address)
        self.enabled = enabled
        self._key_func = key_func
        self._code = code
        self._ietf = ietf
        self._defaults = Together(self, [self._rate_limit(limit) for limit in default_limits])
        self._defaults.applies = _has_no_own

    def limit(
        self,
        limit_value: LimitValue,
        key_func: Callable[..., Any] | None = None,
        *,
        cost: Cost = 1,
        scope: str | None = None,
        exempt_when: Callable[..., Any] | None = None,
        override_defaults: bool = True,
        algorithm: Algorithm = "gcra",
        burst: int | None = None,
    ) -> Callable[[_Endpoint], _Endpoint]:
        """Limit an endpoint. The arguments are those of `RateLimit`.

        It stands below the decorator that declares the route; one between the two is made with
        `functools.wraps`. Several of them are spent together, all or nothing, the lowest first: the
        narrow limit below the one that many share.

        They are asked before the dependencies among the endpoint's parameters, and *after* those of
        its routers and of the route itself: what `dependencies=[Depends(check_password)]` refuses
        is not counted. Make the check a parameter of the endpoint, or have the limit before it:
        `dependencies=[Depends(RateLimit("5/minute")), Depends(check_password)]`.
        """
        rate_limit = self._rate_limit(
            limit_value,
            key_func,
            cost=cost,
            scope=scope,
            exempt_when=exempt_when,
            algorithm=algorithm,
            burst=burst,
        )

        def limited(endpoint: Annotated[_Endpoint, _Decorated()]) -> _Endpoint:
            return self._limited(endpoint, rate_limit, override_defaults)  # type: ignore[no-any-return]

        return limited

    def shared_limit(
        self,
        limit_value: LimitValue,
        scope: str,
        key_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Callable[[_Endpoint], _Endpoint]:
        """Limit an endpoint together with all others of the same `scope`."""
        return self.limit(limit_value, key_func, scope=scope, **options)

    def exempt(self, endpoint: _Endpoint) -> _Endpoint:
        """Have an endpoint without limits: neither default ones nor those of its routers."""
        if hasattr(endpoint, _LIMITED):
            raise TypeError(f"{name_of(endpoint)} has limits, so it cannot be exempt")
        exempt(endpoint)
        return endpoint

    def install(self, app: FastAPI) -> None:
        """Have an application's limits asked and told.

        Before its routes are declared if there are default limits, since routes take them as they
        are declared. An application that is mounted in another needs it too.
        """
        if app.middleware_stack is not None:
            raise RuntimeError("a limiter is installed before the application has started")
        if self._defaults.limits:
            if any(type(route) not in (Route, Mount) for route in app.router.routes):
                raise RuntimeError("default limits are installed before routes are declared")
            app.router.dependencies.insert(0, Depends(self._defaults))
        app.add_exception_handler(RateLimitExceeded, self._refuse)
        app.add_exception_handler(RateLimited, self._refuse)
        app.add_exception_handler(StoreUnavailable, _unavailable)
        app.add_exception_handler(LimitInputRefused, _bad_request)
        build, document = app.build_middleware_stack, app.openapi

        def build_middleware_stack() -> LimitMiddleware:
            # Around the handler of errors that nobody expected: its 500 has the headers as well.
            return LimitMiddleware(build(), self, ietf=self._ietf)

        def openapi() -> dict[str, Any]:
            described = document()
            describe(described, app)
            return described

        app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]
        app.openapi = openapi  # type: ignore[method-assign]

    async def charge(self, connection: HTTPConnection, dues: Sequence[Due]) -> None:
        """Spend all of it, or answer 429."""
        if not self.enabled or not dues:
            return
        record = record_of(connection.scope)
        address = self.bucket_of(connection.scope)
        try:
            verdicts = await self.limiter.hit_all([due.charge(address) for due in dues])
        except StoreUnavailable as error:
            raise HTTPException(error.http_status, _UNAVAILABLE) from None
        except LimitInputRefused as error:
            raise HTTPException(error.http_status, _BAD_REQUEST) from None
        for due, verdict in zip(dues, verdicts, strict=False):
            record.note(due.limits, verdict)
            if not verdict.allowed:
                raise RateLimitExceeded(due.limits, verdict)

    def bucket_of(self, scope: Scope) -> str:
        """Return what the client is counted by. Those without an address are one."""
        client = self.address.of(scope)
        return _NO_ADDRESS if client is None else client.bucket

    def _rate_limit(
        self, limits: LimitValue, key: Callable[..., Any] | None = None, **options: Any
    ) -> RateLimit:
        key = key or self._key_func
        return RateLimit(
            limits, key=None if key is get_remote_address else key, limiter=self, **options
        )

    def _limited(self, endpoint: Any, rate_limit: RateLimit, overrides: bool) -> Any:
        if is_exempt(endpoint):
            raise TypeError(f"{name_of(endpoint)} is exempt, so it cannot have limits")
        mark = getattr(endpoint, _LIMITED, None)
        if mark is None or mark.wrapper is not endpoint:
            mark = _mark(endpoint, Together(self, []))
        mark = mark._replace(
            together=mark.together.and_also(rate_limit), overrides=mark.overrides or overrides
        )
        setattr(mark.wrapper, _LIMITED, mark)
        mark.wrapper.__signature__ = _with_dependency(mark)
        return mark.wrapper

    async def _refuse(self, request: Request, error: Any) -> JSONResponse:
        limits, verdict = error.limits, error.verdict
        if verdict is None:
            return JSONResponse({"detail": _TOO_MANY}, 429)
        if limits is not None:
            record_of(request.scope).note(limits, verdict)
        body = Limits.refusal(verdict, code=self._code, now_ms=verdict.now_ms)
        return JSONResponse(body, 429)


def get_remote_address(request: HTTPConnection) -> str:
    """Return what the client is counted by: its address, or the network of an IPv6 address."""
    return record_of(request.scope).limiter.bucket_of(request.scope)


async def _unavailable(_: Request, error: Any) -> JSONResponse:
    return JSONResponse({"detail": _UNAVAILABLE}, error.http_status)


async def _bad_request(_: Request, error: Any) -> JSONResponse:
    return JSONResponse({"detail": _BAD_REQUEST}, error.http_status)


def _has_no_own(endpoint: Any) -> bool:
    mark = getattr(endpoint, _LIMITED, None)
    return not (mark is not None and mark.overrides)


def _mark(endpoint: Callable[..., Any], together: Together) -> _Limited:
    """Return an endpoint around this one, with a parameter for the limits to be asked by."""
    own = inspect.signature(endpoint)
    parameter = "donjon_limits"
    while parameter in own.parameters:
        parameter += "_"

    def asked(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if parameter in named:
            del named[parameter]
            return
        # A function that is called as such, perhaps, by a route of its own or a test.
        found = (*arguments, *named.values())
        if any(isinstance(argument, HTTPConnection) for argument in found):
            raise RuntimeError(f"{name_of(endpoint)} is no route of FastAPI, which asks its limits")
        if answering.get() and not getattr(wrapper, _LIMITED).together.declared:
            raise RuntimeError(
                f"no route asks the limits of {name_of(endpoint)}:"
                " a decorator between the two is made with functools.wraps"
            )

    if inspect.iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def wrapper(*arguments: Any, **named: Any) -> Any:
            asked(arguments, named)
            return await endpoint(*arguments, **named)

    else:

        @wraps(endpoint)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            asked(arguments, named)
            return endpoint(*arguments, **named)

    with suppress(AttributeError):  # A method that is bound has none of its own.
        setattr(endpoint, MISPLACED, endpoint)
    return _Limited(wrapper, together, own, parameter, overrides=False)


def _with_dependency(mark: _Limited) -> inspect.Signature:
    """Return the endpoint's signature with the limits first, but for what a method is bound to."""
    parameters = list(mark.own.parameters.values())
    bound = bool(parameters) and parameters[0].name in ("self", "cls")
    dependency = inspect.Parameter(
        mark.parameter,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=Annotated[Any, Depends(mark.together)],
    )
    parameters.insert(int(bound), dependency)
    return mark.own.replace(parameters=parameters)
