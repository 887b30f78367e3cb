"""What OpenAPI says of routes that have limits."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, routing

from donjon.fastapi.rate_limit import RateLimit, Together, is_exempt

__all__ = ["describe"]

_INTEGER = {"schema": {"type": "integer"}}
_HEADERS = {
    "X-RateLimit-Limit": {"description": "How much there is", **_INTEGER},
    "X-RateLimit-Remaining": {"description": "How much is left", **_INTEGER},
    "X-RateLimit-Reset": {"description": "When all is there again, in Unix seconds", **_INTEGER},
    "Retry-After": {"description": "When to try again, in seconds from now", **_INTEGER},
}
_DETAILS = {
    "type": "object",
    "properties": {
        "limit": {"type": "integer"},
        "remaining": {"type": "integer"},
        "reset_time": {"type": "integer"},
        "retry_after": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
}
_ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "details": _DETAILS,
    },
}
_TOO_MANY = {
    "description": "Rate limit exceeded",
    "headers": _HEADERS,
    "content": {
        "application/json": {"schema": {"type": "object", "properties": {"error": _ERROR}}}
    },
}


def describe(document: dict[str, Any], app: FastAPI) -> None:
    """Have the answer 429 in the document, for each operation that may be refused by a limit."""
    paths = document.get("paths", {})
    for route in _routes(app):
        if not _is_limited(route):
            continue
        operations = paths.get(route.path_format, {})
        for method in route.methods or ():
            operation = operations.get(method.lower())
            if operation is not None:
                operation.setdefault("responses", {}).setdefault("429", _TOO_MANY)


def _routes(app: FastAPI) -> Iterator[Any]:
    # Newer FastAPIs leave a route as it was declared, and keep what including it made of it here.
    contexts = getattr(routing, "iter_route_contexts", iter)
    for route in contexts(app.routes):
        if getattr(route, "dependant", None) is not None:
            yield route


def _is_limited(route: Any) -> bool:
    if is_exempt(route.endpoint):
        return False
    return any(_asks(dependant.call, route.endpoint) for dependant in _walk(route.dependant))


def _asks(call: Any, endpoint: Any) -> bool:
    return isinstance(call, RateLimit) or (isinstance(call, Together) and call.applies(endpoint))


def _walk(dependant: Any) -> Iterator[Any]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _walk(inner)
