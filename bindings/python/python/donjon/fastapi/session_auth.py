"""Who is asking, from the session cookie of the request: `SessionAuth`.

    manager = AsyncSessionManager(keyring, AsyncRedisRecords(redis))
    auth = SessionAuth(manager, address=Proxies("x-forwarded-for", trusted=["10.0.0.0/8"]))
    app = FastAPI(lifespan=auth.lifespan)
    auth.install(app)
    app.include_router(session_router(auth))

    async def authenticate(form: Credentials, request: Request) -> str | None:
        ...  # the password: the name of whose it is

    app.include_router(login_router(auth, authenticate))  # or auth.log_in, in a route of your own

    @app.get("/me")
    def me(session: Annotated[Session, Depends(auth.current_session)]) -> str:
        return session.subject

**What a request gets.** The middleware reads the cookie, once, and asks the kernel whether the
request may be what it seems: one that may change something (neither GET, HEAD nor OPTIONS) has to
come from the site itself, by `Sec-Fetch-Site` or `Origin`, also where nobody is logged in, so that
no other site logs somebody in. With a session it has to bring its CSRF token in `X-CSRF-Token`
besides. What does not is a 403. The store is asked when the first dependency wants the session, so
that a route without one costs nothing. One that the kernel refuses is a 401, and its cookie is
cleared; where the store does not answer it is a 503, and nobody is let in.

**What it does not get** is a reason: that is in the log of `donjon.fastapi`. A user who has to
authenticate again, since the address changed and the configuration asks for that, is told so, by
`error="insufficient_user_authentication"` in `WWW-Authenticate` (RFC 9470): the session goes on
once `log_in` or `rotate` was called.

**CSRF tokens** are given out where a session begins, in a cookie that scripts can read
(`__Host-session-csrf`) and in the field `X-CSRF-Token` of that response; later by the dependency
`csrf_token`, for a page's template, and by `GET /csrf` of the router.

**Caches.** A response that depends on the session varies by `Cookie`, and none with a cookie in it
is stored.

**WebSockets** have no CSRF token, as browsers give them no fields of their own: their handshake has
to come from the site itself. They outlive the session that opened them.

**Several** `SessionAuth`s of one process, of an application and of one that is mounted in it, know
nothing of each other's sessions. Each has a cookie of its own name. A request brings one CSRF
token, so whoever has a session of both is refused what changes something, unless the paths of one
are `exempt` from the other: `exempt=["/admin/"]` for what is mounted at `/admin`.

**The store's marker** has to be renewed within the manager's `max_silence`, or every session ends:
where a service may be idle for so long, `lifespan` does it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.types import Scope

from donjon import DonjonError, Proxies, StoreUnavailable
from donjon.errors import (
    CrossSite,
    CsrfFailed,
    InvalidSession,
    SessionError,
    SessionInputRefused,
    SessionLimitReached,
    StepUpRequired,
)
from donjon.fastapi.client_address import ClientAddress
from donjon.fastapi.session_middleware import POLICY_VIOLATION, SessionMiddleware
from donjon.fastapi.session_record import CSRF_HEADER, SessionRecord, field, record_of
from donjon.sessions import AsyncSessionManager, LoggedIn, Session, SessionManager

__all__ = ["SessionAuth", "ask", "refusal"]

_log = logging.getLogger("donjon.fastapi")

_CHALLENGE = {"WWW-Authenticate": "APIKey"}
_STEP_UP = {"WWW-Authenticate": 'APIKey error="insufficient_user_authentication"'}
_DETAILS = {
    400: "Bad Request",
    401: "Not authenticated",
    403: "Forbidden",
    409: "Conflict",
    503: "Service Unavailable",
}


class SessionAuth:
    """The dependencies `current_session`, `optional_session` and `csrf_token`, and who logs in.

    `address` says which address a client has: that of the peer, unless there are `Proxies`. Paths
    that are `exempt` have neither sessions nor checks: those that other sites call, and those that
    only a bearer token opens. One that ends in `/` is all that begin with it, but for `/` itself.
    `scheme_name` is what OpenAPI calls the scheme.
    """

    def __init__(
        self,
        manager: AsyncSessionManager | SessionManager,
        *,
        address: ClientAddress | Proxies | None = None,
        exempt: Collection[str] = (),
        scheme_name: str = "session",
    ) -> None:
        if isinstance(exempt, str):
            raise TypeError("exempt paths are a list of texts, and not one text")
        exempt = tuple(exempt)
        if not all(path.startswith("/") for path in exempt):
            raise ValueError("an exempt path begins with a slash")
        self.manager = manager
        self.address = address if isinstance(address, ClientAddress) else ClientAddress(address)
        self.scheme_name = scheme_name
        self.current_session = CurrentSession(self)
        self.optional_session = OptionalSession(self)
        self.session_to_confirm = SessionToConfirm(self)
        self.any_session = AnySession(self)
        self.csrf_token = CsrfToken(self)
        self._exempt = frozenset(exempt)
        self._exempt_trees = tuple(path for path in exempt if path.endswith("/") and path != "/")

    def install(self, app: FastAPI) -> None:
        """Have the middleware in an application, and refusals that routes raise answered."""
        if app.middleware_stack is not None:
            raise RuntimeError("sessions are installed before the application has started")
        app.add_middleware(SessionMiddleware, auth=self)
        for kind in (SessionError, StoreUnavailable):
            app.add_exception_handler(kind, self._answer)  # type: ignore[arg-type]

    @asynccontextmanager
    async def lifespan(self, _: Any = None) -> AsyncIterator[None]:
        """Keep the store's marker alive while the application runs, for `FastAPI(lifespan=…)`.

        Within a lifespan of one's own: `async with auth.lifespan(): yield`.
        """
        task = asyncio.create_task(self._keep_alive())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def log_in(
        self, connection: HTTPConnection, subject: str, *, label: str = "", data: bytes = b""
    ) -> Session:
        """Begin a session of somebody who was authenticated, and end the one of the cookie.

        Its id is new, whatever id the request brought. `evicted` are those that went because there
        were too many; where none is to go for that, it is a `SessionLimitReached`, and a 409, and
        the one of the cookie has ended all the same. `label` is what the user knows the device by.
        """
        record = self._changeable(connection)
        sign_in = {"label": label, "data": data, "previous": record.id}
        client = self._client(connection.scope)
        try:
            begun: LoggedIn = await ask(self.manager.log_in, subject, **sign_in, **client)
        except SessionLimitReached as error:
            if record.id:
                record.end(error)
            raise
        record.begin(begun.id, begun.session)
        if begun.session.evicted:
            _log.info("sessions evicted: %d", len(begun.session.evicted))
        return begun.session

    async def begin_anonymous(self, connection: HTTPConnection, *, data: bytes = b"") -> Session:
        """Begin a session of a visitor who has not logged in, which `log_in` ends.

        Whoever has a session keeps that.
        """
        record = self._changeable(connection)
        await self._look_up(record)
        if record.refusal is not None and record.id:
            raise record.refusal
        if record.session is not None:
            return record.session
        begun: LoggedIn = await ask(
            self.manager.begin_anonymous, data=data, **self._client(connection.scope)
        )
        record.begin(begun.id, begun.session)
        return begun.session

    async def rotate(self, connection: HTTPConnection, *, data: bytes | None = None) -> Session:
        """Give the session another id: where its privileges change, or its user is authenticated.

        The old id is dead at once, also to requests that are under way with it. One whose user has
        to authenticate again is refused as anywhere else, unless the route has `session_to_confirm`
        and has seen to that. `data` stays what it is, unless there is other: empty is none.

        Let it be the last that a route does: where that fails with what nobody handles, the
        response has no cookie, and the user is logged out.
        """
        record = self._changeable(connection)
        await self._look_up(record)
        if record.session is None and not record.is_to_confirm:
            raise record.refusal or InvalidSession
        client = self._client(connection.scope)
        try:
            rotated: LoggedIn = await ask(self.manager.rotate, record.id, data=data, **client)
        except InvalidSession as error:
            record.end(error)
            raise
        record.begin(rotated.id, rotated.session)
        return rotated.session

    async def log_out(self, connection: HTTPConnection) -> None:
        """End the session of the request, if it has one, and clear its cookies."""
        record = record_of(connection, self)
        if record.id:
            await ask(self.manager.log_out, record.id)
        record.end()

    async def log_out_everywhere(self, connection: HTTPConnection, subject: str) -> None:
        """End all sign-ins of a user, of this device and of all others, and clear the cookies."""
        await ask(self.manager.log_out_everywhere, subject)
        record_of(connection, self).end()

    async def screen(self, scope: Scope) -> SessionRecord | None:
        """Begin the record of a request; `None` on a path that is exempt.

        Raises:
            HTTPException: 403 if the kernel refuses the request, 503 if no verdict could be had.

        """
        if self._is_exempt(scope):
            return None
        sessions = self.manager.sessions
        record = SessionRecord(sessions, scope)
        try:
            # HTTP/2 may have split the field into several (RFC 9113, 8.2.3).
            record.id = sessions.read_cookie(field(scope, "cookie", b"; "))
        except (InvalidSession, SessionInputRefused) as error:
            _log.info("session refused: %s", error.reason)
            record.end(InvalidSession())
        try:
            self._check_request(record)
        except CrossSite as error:
            _log.info("request refused: %s", error.reason)
            raise refusal(error, scope) from None
        except CsrfFailed as error:
            await self._look_up(record)
            if record.id:
                _log.info("request refused: %s", error.reason)
                raise refusal(error, scope) from None
            # The session is dead: there is nothing that the request could misuse.
        return record

    async def session_of(self, connection: HTTPConnection) -> SessionRecord:
        """Return the record of a request, with the session in it or why there is none.

        Raises:
            HTTPException: 503 if no verdict could be had.

        """
        record = record_of(connection, self)
        await self._look_up(record)
        return record

    async def _look_up(self, record: SessionRecord) -> None:
        """Ask whether the session is good, once per request: who asks meanwhile, waits."""
        if record.is_looked_up:
            return
        async with record.looking:
            if record.is_looked_up:
                return
            if record.id:
                await self._check(record)
            record.is_looked_up = True

    async def _check(self, record: SessionRecord) -> None:
        try:
            session = await ask(self.manager.check, record.id, **self._client(record.scope))
        except StepUpRequired as error:
            _log.info("session refused: %s (%s)", error.reason, error.why)
            record.refusal = error
        except InvalidSession as error:
            _log.info("session refused: %s (%s)", error.reason, error.why)
            record.end(error)
        except DonjonError as error:
            _log.warning("no verdict on a session: %s", error)
            raise refusal(error, record.scope) from error
        else:
            record.session = session
            if session.changes:
                _log.info("session accepted in spite of another %s", " and ".join(session.changes))

    def _check_request(self, record: SessionRecord) -> None:
        scope = record.scope
        is_socket = scope["type"] == "websocket"
        self.manager.sessions.check_request(
            "" if is_socket else record.id,
            # What a WebSocket is begun with in HTTP/2 (RFC 8441), and not a safe method.
            method="CONNECT" if is_socket else scope["method"],
            sec_fetch_site=field(scope, "sec-fetch-site"),
            origin=field(scope, "origin"),
            host=field(scope, "host"),
            csrf_token=field(scope, CSRF_HEADER),
        )

    def _client(self, scope: Scope) -> dict[str, Any]:
        client = self.address.of(scope)
        return {
            "address": "" if client is None else client.ip,
            "user_agent": field(scope, "user-agent"),
        }

    def _changeable(self, connection: HTTPConnection) -> SessionRecord:
        record = record_of(connection, self)
        if record.has_begun:
            raise RuntimeError("the response has begun: no cookie can go with it any more")
        return record

    def _is_exempt(self, scope: Scope) -> bool:
        path, root = scope["path"], scope.get("root_path", "")
        if root and path.startswith(f"{root}/"):
            path = path[len(root) :]
        return path in self._exempt or path.startswith(self._exempt_trees)

    async def _answer(self, connection: Request | WebSocket, error: Any) -> JSONResponse | None:
        """Answer what a route raised, as a dependency does."""
        level = logging.WARNING if isinstance(error, StoreUnavailable) else logging.INFO
        _log.log(level, "refused in a route: %s", error.reason)
        if isinstance(connection, WebSocket):
            await connection.close(POLICY_VIOLATION)
            return None
        status, detail, headers = _told(error)
        return JSONResponse({"detail": detail}, status, headers)

    async def _keep_alive(self) -> None:
        # Often enough that one which fails, or is late, is followed by others in time.
        every_s = min(_KEEP_ALIVE_S, self.manager._store.max_silence_s / 4)
        while True:
            try:
                await ask(self.manager.keep_alive)
            except DonjonError as error:
                _log.warning("the store's marker was not renewed: %s", error)
            await asyncio.sleep(every_s)


_KEEP_ALIVE_S = 60.0


# No annotation here is a text: older FastAPIs look for the names in a function's globals, and an
# object that is called has none.
class SessionScheme(SecurityBase):
    """What FastAPI puts into the OpenAPI document, as it does with every `SecurityBase`."""

    def __init__(self, auth: SessionAuth) -> None:
        self.auth = auth
        self.scheme_name = auth.scheme_name
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.cookie,
                "name": auth.manager.sessions.cookie("").partition("=")[0],
                "description": f"What changes something has a CSRF token in `{CSRF_HEADER}` too.",
            }
        )


class CurrentSession(SessionScheme):
    """Depends: the session of a user who is logged in. Without one, 401."""

    async def __call__(self, connection: HTTPConnection) -> Session:
        record = await self.auth.session_of(connection)
        if record.session is None or not record.session.subject:
            raise _unauthorized(record)
        return record.session


class OptionalSession(SessionScheme):
    """Depends: the session of a user who is logged in, `None` without one that is good."""

    async def __call__(self, connection: HTTPConnection) -> Session | None:
        session = (await self.auth.session_of(connection)).session
        return session if session is not None and session.subject else None


class AnySession(SessionScheme):
    """Depends: the session, of a visitor as well, who has no `subject`; `None` without one."""

    async def __call__(self, connection: HTTPConnection) -> Session | None:
        return (await self.auth.session_of(connection)).session


class SessionToConfirm(SessionScheme):
    """Depends: the session, also one whose user has to authenticate again. Without one, 401.

    For the route where that is done, which calls `rotate` then, and for no other.
    """

    async def __call__(self, connection: HTTPConnection) -> Session:
        record = await self.auth.session_of(connection)
        session = record.session
        if isinstance(record.refusal, StepUpRequired):
            session = record.refusal.session
            record.is_to_confirm = session is not None
        if session is None or not session.subject:
            raise _unauthorized(record)
        return session


class CsrfToken:
    """Depends: a CSRF token for the session, for a page to send; empty without a session.

    It is in the response's cookie and field too, and is another one each time.
    """

    def __init__(self, auth: SessionAuth) -> None:
        self._auth = auth

    async def __call__(self, connection: HTTPConnection) -> str:
        return (await self._auth.session_of(connection)).show_csrf_token()


async def ask(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call something to await, or on a thread, so that no other request waits.

    What it returns is awaited too, if it has to be.
    """
    if iscoroutinefunction(call):
        return await call(*arguments, **named)
    result = await run_in_threadpool(call, *arguments, **named)
    return await result if isawaitable(result) else result


def _unauthorized(record: SessionRecord) -> Exception:
    return refusal(record.refusal or InvalidSession(), record.scope)


def refusal(error: DonjonError, scope: Scope) -> HTTPException | WebSocketException:
    """Return what the client is told, as FastAPI takes it."""
    if scope["type"] == "websocket":
        return WebSocketException(POLICY_VIOLATION)
    status, detail, headers = _told(error)
    return HTTPException(status, detail, headers)


def _told(error: DonjonError) -> tuple[int, str | None, dict[str, str] | None]:
    status = error.http_status
    challenge = _STEP_UP if isinstance(error, StepUpRequired) else _CHALLENGE
    return status, _DETAILS.get(status), challenge if status == 401 else None
