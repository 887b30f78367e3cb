"""Routes for browsers: a log-in that is a cookie. `session_router` has the rest."""

from __future__ import annotations

from typing import Annotated

from donjon import Client
from donjon.sessions import Session
from fastapi import APIRouter, Cookie, Depends, Header, Request
from pydantic import BaseModel

from limits import LOG_IN, address, limiter
from sign_in import Credentials, authenticate
from state import browsers

router = APIRouter(prefix="/web")


class Visitor(BaseModel):
    """Who the browser is logged in as. The same, name by name, in the Go service."""

    service: str = "python"
    subject: str
    network: str | None


@router.post("/login", status_code=204)
@limiter.limit(LOG_IN)
async def login(
    who: Credentials,
    request: Request,
    client: Annotated[Client | None, Depends(address)],
    device: Annotated[str | None, Cookie()] = None,
    user_agent: Annotated[str, Header()] = "",
) -> None:
    """Exchange a password for a session."""
    name = await authenticate(who, client, device)
    await browsers.log_in(request, name, label=user_agent)


@router.get("/me")
async def me(session: Annotated[Session, Depends(browsers.current_session)]) -> Visitor:
    """Tell the browser who it is logged in as."""
    return Visitor(subject=session.subject, network=session.network)
