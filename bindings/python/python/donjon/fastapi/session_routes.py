"""What a user does with sign-ins: list them, end one or all. `session_router`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel

from donjon.errors import InvalidSession
from donjon.fastapi.session_auth import SessionAuth, ask
from donjon.sessions import Session

__all__ = ["CsrfAnswer", "SignIn", "SignIns", "answers", "session_router"]


class SignIn(BaseModel):
    """A sign-in of the user, as a list shows it. Nothing of it lets anybody in."""

    model_config = {"from_attributes": True}

    handle: str
    kind: Literal["cookie", "tokens"]
    label: str
    created_ms: int
    seen_ms: int
    expires_ms: int
    network: str | None
    current: bool


class SignIns(BaseModel):
    """The sign-ins of the user."""

    sessions: list[SignIn]


class CsrfAnswer(BaseModel):
    """What requests that change something bring in `X-CSRF-Token`."""

    csrf_token: str


def session_router(auth: SessionAuth) -> APIRouter:
    """Return a router for users to see and end their own sign-ins.

    `GET /sessions`, `DELETE /sessions/{handle}`, `POST /logout`, `POST /logout/others`,
    `POST /logout/everywhere`, and `GET /csrf` for a token. Refresh tokens are sign-ins as well, and
    end with their access tokens.
    """
    router = APIRouter()
    Current = Annotated[Session, Depends(auth.current_session)]  # noqa: N806  a type

    @router.get("/sessions", responses=answers(401))
    async def list_sessions(session: Current, request: Request, response: Response) -> SignIns:
        """List the sign-ins of the user."""
        response.headers["Cache-Control"] = "no-store"
        record = await auth.session_of(request)
        listed = await ask(auth.manager.list, session.subject, current=record.id)
        return SignIns(sessions=[SignIn.model_validate(one) for one in listed])

    @router.delete("/sessions/{handle}", status_code=204, responses=answers(401, 403, 404))
    async def end_session(session: Current, handle: str, request: Request) -> None:
        """End one of the user's sign-ins."""
        if handle == session.handle:
            await auth.log_out(request)
            return
        try:
            ended = await ask(auth.manager.revoke, session.subject, handle)
        except InvalidSession:
            raise HTTPException(404, "Not Found") from None
        # An id names a sign-in as well, and may be that of this cookie.
        if any(one.handle == session.handle for one in ended):
            await auth.log_out(request)

    @router.post("/logout", status_code=204, responses=answers(403))
    async def log_out(request: Request) -> None:
        """End the session."""
        await auth.log_out(request)

    @router.post("/logout/others", status_code=204, responses=answers(401, 403))
    async def log_out_others(session: Current) -> None:
        """End all other sign-ins of the user."""
        await ask(auth.manager.revoke_others, session.subject, session.handle)

    @router.post("/logout/everywhere", status_code=204, responses=answers(401, 403))
    async def log_out_everywhere(session: Current, request: Request) -> None:
        """End all sign-ins of the user."""
        await auth.log_out_everywhere(request, session.subject)

    @router.get("/csrf", responses=answers(401))
    async def csrf_token(_: Current, token: Annotated[str, Depends(auth.csrf_token)]) -> CsrfAnswer:
        """Return a CSRF token."""
        return CsrfAnswer(csrf_token=token)

    return router


_ANSWERS = {
    401: "Nobody is logged in, or has to authenticate again",
    403: "The request does not come from the session's own pages",
    404: "The user has no such sign-in",
    409: "The user has as many sign-ins as may be",
    429: "Too many have failed",
    503: "The store does not answer",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of them."""
    return {status: {"description": _ANSWERS[status]} for status in (*statuses, 503)}
