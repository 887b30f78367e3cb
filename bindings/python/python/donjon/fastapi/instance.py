"""Which one a request is about, by a parameter of its path."""

from collections.abc import Iterator
from enum import Enum
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.models import Dependant

from donjon import InvalidArgument, PermissionDenied


def instance_of(request: Request, parameter: str) -> str:
    """Return the parameter as the route gets it, as text.

    Where the route or what it depends on declares it as an `int`, `007` in the path is `7` to both:
    what is checked is what is used. What the route cannot read is denied. Who takes it out of
    `request.path_params` has the text of the path, and it is that text that is checked. A model of
    several parameters can make anything of this one, so a route that has one is a mistake.
    """
    if parameter not in request.path_params:
        raise InvalidArgument(f"the path of the route has no parameter {parameter}")
    written = request.path_params[parameter]
    readings = {_text(value) for value in _readings(request, parameter, written)}
    if len(readings) > 1:
        raise PermissionDenied("the route reads the parameter in several ways")
    return readings.pop() if readings else _text(written)


def _readings(request: Request, parameter: str, written: Any) -> Iterator[Any]:
    for dependant in _walk(_dependant(request)):
        for field in dependant.path_params:
            # Older FastAPIs look a parameter up by its alias alone.
            name = getattr(field, "validation_alias", None) or field.alias
            if name not in request.path_params:
                raise InvalidArgument(f"a parameter is checked, and read by a model: {name}")
            if name == parameter:
                value, errors = field.validate(written, {}, loc=("path", parameter))
                if errors:
                    raise PermissionDenied("the route cannot read the parameter")
                yield value


def _dependant(request: Request) -> Dependant:
    """All that FastAPI resolves for the request: of the route and of its routers."""
    # Newer FastAPIs leave the route as it was declared, and keep what including it made of it here.
    context = request.scope.get("fastapi", {}).get("effective_route_context")
    dependant: Dependant = (context or request.scope["route"]).dependant
    return dependant


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _walk(inner)


def _text(value: Any) -> str:
    """Return the one text of the value; equal values of other types have many: `7.0`, `7.00`."""
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, bool) or not isinstance(plain, (str, int, UUID)):
        kind = type(value).__name__
        raise InvalidArgument(
            f"a parameter that is checked is a str, int, UUID or Enum, not a {kind}"
        )
    return str(plain)
