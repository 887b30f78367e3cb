"""A route at its documented limit. The Go service has the same, and the same limit.

There are no sessions: the answers say whose it would have been.
"""

from __future__ import annotations

from donjon.fastapi import RateLimit
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from limits import SESSION_CREATE
from state import User, auth

router = APIRouter()

# The scope has a name, so that the Go service counts under the same key where they share a store.
per_user = RateLimit(SESSION_CREATE, key=auth.current_user, scope="session_create")


class Session(BaseModel):
    """A session, name by name as in the Go service."""

    service: str = "python"
    owner: str | None


@router.post("/sessions", status_code=201, dependencies=[Depends(per_user)])
async def create(user: User) -> Session:
    """Begin a session."""
    return Session(owner=user.subject)
