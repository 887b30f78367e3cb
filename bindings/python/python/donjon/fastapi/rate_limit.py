"""One limit of a route, as what FastAPI resolves: `RateLimit`."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial, wraps
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, params
from pydantic.fields import FieldInfo
from starlette.requests import HTTPConnection
from starlette.types import Scope
from starlette.websockets import WebSocket

from donjon import Claims, Limits
from donjon.fastapi.limit_record import Charging, Due, record_of

__all__ = ["RateLimit", "Together", "exempt", "is_exempt", "name_of"]

LimitValue = str | Limits | Callable[..., Any]
Cost = int | Callable[..., Any]
Algorithm = Literal["gcra", "token_bucket", "fixed_window", "sliding_window", "sliding_log"]

PLACE = "`@limiter.limit` stands below the decorator that declares the route"


class RateLimit:
    """Depends: spends of a limit, or answers 429.

        @app.get("/search", dependencies=[Depends(RateLimit("100/hour", key=user))])
        def search() -> str: ...

    `limits` is a text, a `Limits`, or a dependency that yields one of them. `key` is a dependency
    that yields who is counted: a text, an integer, a UUID or the `Claims` of a token; without one,
    and where it yields `None`, it is the client's address. `cost` is an integer or a dependency
    that yields one, and a request for which the dependency `exempt_when` yields true spends
    nothing.

    Every route has a counter of its own, unless `scope` names one: then all that have the same
    scope share it, other processes and languages too. WebSockets are left alone; a dependency that
    is resolved for them as well asks for an `HTTPConnection`, and not for a `Request`.

    The limiter is that of the application, as `Limiter.install` put it there, or `limiter`.
    """

    def __init__(
        self,
        limits: LimitValue,
        *,
        key: Callable[..., Any] | None = None,
        cost: Cost = 1,
        scope: str | None = None,
        exempt_when: Callable[..., Any] | None = None,
        algorithm: Algorithm = "gcra",
        burst: int | None = None,
        limiter: Charging | None = None,
    ) -> None:
        if scope is not None and (not scope or ":" in scope):
            raise ValueError("a scope is a text without colons")
        self._algorithm: Algorithm = algorithm
        self._burst = burst
        self._limits = limits if callable(limits) else self._read(limits)
        self._cost = cost
        self._scope = scope
        self._limiter = limiter
        asked: dict[str, Any] = {"limits": limits, "key": key, "cost": cost, "exempt": exempt_when}
        self.asks = {name: _dependency(call) for name, call in asked.items() if callable(call)}
        self.__signature__ = _signature(self.asks)

    async def __call__(self, connection: HTTPConnection, **found: Any) -> None:
        """Spend what is due, or answer 429."""
        due = self.due(connection.scope, found)
        if due is not None:
            await (self._limiter or record_of(connection.scope).limiter).charge(connection, [due])

    def due(self, scope: Scope, found: Mapping[str, Any]) -> Due | None:
        """Return what a request owes, by what its dependencies found; `None` is nothing."""
        if scope["type"] != "http" or is_exempt(scope.get("endpoint")):
            return None
        counter = self._scope or _own_scope(scope)
        if found.get("exempt"):
            return None
        limits = self._read(found.get("limits", self._limits))
        by = _text(found.get("key"))
        if by is None and "key" in self.asks:
            counter += "/address"  # So that nobody's name is an address.
        return Due(limits, counter, by, found.get("cost", self._cost))

    def _read(self, limits: Any) -> Limits:
        if isinstance(limits, Limits):
            return limits
        return _parsed(limits, self._algorithm, self._burst)


class Together:
    """Depends: spends of several limits, all or nothing."""

    def __init__(self, limiter: Charging, limits: Sequence[RateLimit]) -> None:
        self._limiter = limiter
        self.limits = tuple(limits)
        self.applies: Callable[[Any], bool] = lambda _endpoint: True
        self.replaced = False
        self.declared = False
        asks = {
            f"{name}_{index}": call
            for index, limit in enumerate(limits)
            for name, call in limit.asks.items()
        }
        self._signature = _signature(asks)

    @property
    def __signature__(self) -> inspect.Signature:
        """Return what FastAPI asks for as it takes the limits into a route."""
        self.declared = True
        return self._signature

    def and_also(self, limit: RateLimit) -> "Together":
        """Return what spends of one more, and takes the place of this."""
        self.replaced = True
        return Together(self._limiter, [*self.limits, limit])

    async def __call__(self, connection: HTTPConnection, **found: Any) -> None:
        """Spend all that is due, or answer 429."""
        if self.replaced:
            raise RuntimeError(f"not all limits are asked: {PLACE}")
        if not self.applies(connection.scope.get("endpoint")):
            return
        dues = []
        for index, limit in enumerate(self.limits):
            own = {name: found[f"{name}_{index}"] for name in limit.asks}
            due = limit.due(connection.scope, own)
            if due is not None:
                dues.append(due)
        await self._limiter.charge(connection, dues)


_EXEMPT = "__donjon_exempt__"


def exempt(endpoint: Any) -> None:
    """Mark an endpoint that no limit is for."""
    setattr(endpoint, _EXEMPT, True)


def is_exempt(endpoint: Any) -> bool:
    """Tell whether no limit is for the endpoint."""
    return bool(getattr(endpoint, _EXEMPT, False))


def name_of(call: Any) -> str:
    """Return a name that is the same in every process."""
    call = inspect.unwrap(call)
    while isinstance(call, partial):
        call = call.func
    named = call if hasattr(call, "__qualname__") else type(call)
    return f"{named.__module__}.{named.__qualname__}"


def _signature(asks: Mapping[str, Callable[..., Any]]) -> inspect.Signature:
    """Return what FastAPI goes by: the connection, and what these dependencies find."""
    asked = {name: Annotated[Any, Depends(call)] for name, call in asks.items()}
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in {"connection": HTTPConnection, **asked}.items()
        ]
    )


@lru_cache(maxsize=256)
def _parsed(limits: str, algorithm: Algorithm, burst: int | None) -> Limits:
    return Limits(limits, algorithm=algorithm, burst=burst)


def _own_scope(scope: Scope) -> str:
    """Name a counter that no other limit of the route has, and none of another route.

    By the endpoint's name, for applications that are mounted may have the same paths; by the path,
    for endpoints that a function makes have the same name; and by order. Amounts and periods are
    not in it: the kernel converts what was counted by others, so that a deployment refills nothing.
    """
    # Newer FastAPIs leave a route as it was declared, and keep what including it made of it here.
    context = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(context or scope.get("route"), "path_format", "")
    name = f"{name_of(scope.get('endpoint'))} {path}"
    return record_of(scope).counter(name.replace(":", "%3A"))


def _text(value: Any) -> str | None:
    """Return who is counted, as text."""
    if isinstance(value, Claims):
        value = value.subject
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, UUID)) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"a key is a str, int, UUID or Claims, not a {type(value).__name__}")


def _dependency(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the dependency; a parameter `request` that does not say so is the request.

    As in slowapi's key functions. FastAPI would take it from the query, where clients choose what
    they are counted by, and so it would what has another name: that is refused.
    """
    signature = inspect.signature(call)
    parameters = [_typed(call, parameter) for parameter in signature.parameters.values()]
    if parameters == list(signature.parameters.values()):
        return call

    @wraps(call)
    def asked(**arguments: Any) -> Any:
        if isinstance(arguments["request"], WebSocket):
            return None
        return call(**arguments)

    asked.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return asked


def _typed(call: Callable[..., Any], parameter: inspect.Parameter) -> inspect.Parameter:
    stated = parameter.annotation is not parameter.empty
    asked = isinstance(parameter.default, (params.Depends, FieldInfo))
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    if stated or asked or variadic:
        return parameter
    if parameter.name != "request" or parameter.default is not parameter.empty:
        raise TypeError(f"{name_of(call)} does not say what `{parameter.name}` is")
    return parameter.replace(annotation=HTTPConnection)
