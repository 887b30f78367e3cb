"""The headers of limits, on every response of a route that has some: `LimitMiddleware`."""

from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from donjon.fastapi.limit_record import Charging, begun
from donjon.fastapi.rate_limit import PLACE, name_of

__all__ = ["LimitMiddleware", "answering"]

MISPLACED = "__donjon_misplaced__"
"""The attribute of a function that is not to be routed to, since what limits it is around it."""

answering: ContextVar[bool] = ContextVar("donjon_answering", default=False)
"""Whether this is within a request that limits are asked for."""


class LimitMiddleware:
    """Puts the headers of limits on responses, whoever makes them. ASGI, and nothing else.

    `Limiter.install` puts it around all of the application, its handlers of errors included.
    """

    def __init__(self, app: ASGIApp, limiter: Charging, *, ietf: bool = False) -> None:
        self._app = app
        self._limiter = limiter
        self._ietf = ietf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and tell what was spent."""
        record = begun(scope, self._limiter)
        if record is None:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _refuse_misplaced(scope.get("endpoint"))
                headers = _with(message.get("headers", ()), record.headers(ietf=self._ietf))
                message = {**message, "headers": headers}
            await send(message)

        token = answering.set(True)
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            answering.reset(token)


def _with(headers: Any, ours: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    replaced = {name for name, _ in ours}
    return [*(header for header in headers if header[0].lower() not in replaced), *ours]


def _refuse_misplaced(endpoint: Any) -> None:
    """Refuse to answer for a route that was declared of a function before that was limited."""
    if endpoint is not None and getattr(endpoint, MISPLACED, None) is endpoint:
        raise RuntimeError(f"the limits of {name_of(endpoint)} are not asked: {PLACE}")
