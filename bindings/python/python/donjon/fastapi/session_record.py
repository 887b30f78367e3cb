"""What one request has of a session, kept in its ASGI scope: `SessionRecord`."""

import asyncio
from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Message, Scope

from donjon.errors import SessionError
from donjon.sessions import Session, Sessions

__all__ = ["SessionRecord", "field", "find_record", "keep_record", "record_of"]

_KEY = "donjon.sessions"
CSRF_HEADER = "X-CSRF-Token"

# Where a response begins, of each kind that may carry a cookie.
_BEGINS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class SessionRecord:
    """The id that a request brought, what became of it, and so what its response says.

    `id` is empty where there is none, or none that is good. `issued` is the id for the browser to
    have from now on: empty for none, `None` to leave it what it has. `is_to_confirm` where the user
    has to authenticate again, and the route is the one for that.
    """

    def __init__(self, sessions: Sessions, scope: Scope) -> None:
        self.scope = scope
        self.id = ""
        self.session: Session | None = None
        self.refusal: SessionError | None = None
        self.is_looked_up = False
        self.looking = asyncio.Lock()
        self.is_to_confirm = False
        self.issued: str | None = None
        self.csrf_token = ""
        self.has_begun = False
        self._sessions = sessions

    def begin(self, session_id: str, session: Session) -> None:
        """Have a new session, and its id given out."""
        self.id = self.issued = session_id
        self.session, self.refusal, self.is_looked_up = session, None, True
        self.is_to_confirm = False
        self.csrf_token = self._sessions.csrf_token(session_id)

    def end(self, refusal: SessionError | None = None) -> None:
        """Have no session any more, and the cookies cleared."""
        self.id = self.issued = self.csrf_token = ""
        self.session, self.refusal, self.is_looked_up = None, refusal, True
        self.is_to_confirm = False

    def show_csrf_token(self) -> str:
        """Return a CSRF token for the session, and have it given out; empty without a session."""
        if self.id and not self.csrf_token:
            self.csrf_token = self._sessions.csrf_token(self.id)
        return self.csrf_token

    def complete(self, message: Message) -> Message:
        """Put the cookies on a response as it begins, and what keeps caches from sharing them."""
        if message["type"] not in _BEGINS:
            return message
        self.has_begun = True
        if not self.is_looked_up and self.issued is None and not self.csrf_token:
            return message
        headers = MutableHeaders(raw=list(message.get("headers", ())))
        varies = {
            name.strip().lower() for line in headers.getlist("vary") for name in line.split(",")
        }
        if not varies & {"cookie", "*"}:
            headers.add_vary_header("Cookie")
        cookies = list(self._cookies())
        if cookies:
            headers["Cache-Control"] = "no-store"
        for cookie in cookies:
            headers.append("Set-Cookie", cookie)
        if self.csrf_token:
            headers[CSRF_HEADER] = self.csrf_token
        return {**message, "headers": headers.raw}

    def _cookies(self) -> Iterable[str]:
        if self.issued is not None:
            yield self._sessions.cookie(self.issued)
        if self.issued is not None or self.csrf_token:
            yield self._sessions.csrf_cookie(self.csrf_token)


def find_record(scope: Scope, auth: object) -> SessionRecord | None:
    """Return the record that a `SessionAuth` has of a request, never that of another one.

    Who has a session with one is nobody to the others of the process, whose keys and users differ.
    """
    records: Mapping[object, SessionRecord] = scope.get(_KEY, {})
    return records.get(auth)


def keep_record(scope: Scope, auth: object, record: SessionRecord) -> None:
    """Have the record found by this `SessionAuth`."""
    scope[_KEY] = {**scope.get(_KEY, {}), auth: record}


def record_of(connection: HTTPConnection, auth: object) -> SessionRecord:
    """Return the record that a `SessionAuth` has of a request, which its middleware began."""
    record = find_record(connection.scope, auth)
    if record is None:
        raise RuntimeError(
            "no sessions here: SessionAuth.install(app) was not called, or the path is exempt"
        )
    return record


def field(scope: Scope, name: str, separator: bytes = b", ") -> bytes:
    """Return a header field as one value, as it came.

    Several lines are one list, as RFC 9110 (5.3) has it: what may be there once is then none of the
    values that are good.
    """
    wanted = name.lower().encode()
    return separator.join([value for key, value in scope["headers"] if key == wanted])
