"""Which one a request is about, by a parameter of its path."""

from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from donjon import InvalidArgument, PermissionDenied


def instance_of(request: Request, parameter: str) -> str:
    """Return the parameter as the route gets it, as text.

    Where the route declares it as an `int`, `007` in the path is `7` to both: what is checked is
    what is used. What the route cannot read is denied.
    """
    if parameter not in request.path_params:
        raise InvalidArgument(f"the path of the route has no parameter {parameter}")
    written = request.path_params[parameter]
    readings = {_text(read(written)) for read in _readers(request.scope["endpoint"], parameter)}
    if len(readings) > 1:
        raise PermissionDenied("the route reads the parameter in several ways")
    return readings.pop() if readings else _text(written)


@lru_cache(maxsize=1024)
def _readers(endpoint: Callable[..., Any], parameter: str) -> tuple[Callable[[Any], Any], ...]:
    """How the endpoint and its dependencies read the parameter, found as FastAPI finds it."""
    root = get_dependant(path=f"/{{{parameter}}}", call=endpoint)
    fields = [
        field
        for dependant in _walk(root)
        for field in dependant.path_params
        if field.alias == parameter
    ]

    def reader(field: Any) -> Callable[[Any], Any]:
        def read(written: Any) -> Any:
            value, errors = field.validate(written, {}, loc=("path", parameter))
            if errors:
                raise PermissionDenied("the route cannot read the parameter")
            return value

        return read

    return tuple(reader(field) for field in fields)


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _walk(inner)


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)
