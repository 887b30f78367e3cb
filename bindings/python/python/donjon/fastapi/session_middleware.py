"""The session of each request: `SessionMiddleware`."""

from typing import Protocol

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException, WebSocketException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from donjon.fastapi.session_record import SessionRecord, find_record, keep_record

__all__ = ["Screening", "SessionMiddleware"]

POLICY_VIOLATION = 1008
"""What a WebSocket is closed with, by RFC 6455 (7.4.1)."""


class Screening(Protocol):
    """What a middleware asks: a `SessionAuth`."""

    async def screen(self, scope: Scope) -> SessionRecord | None:
        """Begin the record of a request, `None` where sessions are not for it."""


class SessionMiddleware:
    """Reads each request's session cookie, once, and refuses what another site sent. ASGI only.

    `SessionAuth.install` adds it. Middleware that is added after it is around it: CORS, so that
    refusals have its headers too. An application that is mounted in another shares its record where
    both have the same `SessionAuth`; what its own routes raise is answered where that is installed
    in it too.
    """

    def __init__(self, app: ASGIApp, auth: Screening) -> None:
        self._app = app
        self._auth = auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and set or clear the cookies."""
        is_request = scope["type"] in ("http", "websocket")
        if not is_request or find_record(scope, self._auth) is not None:
            await self._app(scope, receive, send)
            return
        try:
            record = await self._auth.screen(scope)
        except HTTPException as refusal:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status_code)
            await answer(scope, receive, send)
            return
        except WebSocketException as refusal:
            await WebSocketClose(refusal.code)(scope, receive, send)
            return
        if record is None:
            await self._app(scope, receive, send)
            return
        keep_record(scope, self._auth, record)

        async def send_with_cookies(message: Message) -> None:
            await send(record.complete(message))

        await self._app(scope, receive, send_with_cookies)
