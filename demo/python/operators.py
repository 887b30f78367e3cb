"""Routes for operators: who has which role, what the policy says, and why."""

from __future__ import annotations

import logging
from typing import Any, Literal

from donjon import CardinalityExceeded, InvalidPolicy, Policy, SeparationOfDuty, UnknownRole
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from accounts import NoSuchAccount
from state import accounts, may

# What OpenAPI says of a body that is read as it comes.
DOCUMENT = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}

log = logging.getLogger("demo")

router = APIRouter()
reading = APIRouter(dependencies=[Depends(may.require("policy:read"))])


class PolicyInForce(BaseModel):
    """Which policy decides, name by name as in the Go service."""

    service: str = "python"
    digest: str


@router.put(
    "/accounts/{name}/roles/{role}",
    status_code=204,
    dependencies=[Depends(may.require("role:grant"))],
)
async def grant(name: str, role: str) -> None:
    """Give an account a role. It is in the tokens from the next refresh on."""
    try:
        accounts.grant(name, role, may.policy)
    except (NoSuchAccount, UnknownRole):
        raise HTTPException(404) from None
    except (SeparationOfDuty, CardinalityExceeded) as error:
        # An operator may know why.
        log.info("grant refused: %s", error.reason)
        raise HTTPException(409, error.message) from None


@reading.get("/policy")
async def policy() -> PolicyInForce:
    """Tell by which policy this service decides."""
    return PolicyInForce(digest=may.policy.digest.hex())


@reading.get("/policy/matrix", response_class=HTMLResponse)
async def matrix(form: Literal["html", "markdown"] = "html") -> Response:
    """Show who may do what."""
    text = may.policy.matrix(form)
    return HTMLResponse(text) if form == "html" else PlainTextResponse(text)


@reading.get("/policy/explain")
async def explain(name: str, permission: str) -> dict[str, Any]:
    """Tell why an account may do something, or may not."""
    try:
        roles = accounts.roles(name)
    except NoSuchAccount:
        raise HTTPException(404) from None
    return dict(may.policy.subject(roles).explain(permission))


@reading.post("/policy/diff", openapi_extra={"requestBody": DOCUMENT})
async def diff(request: Request) -> dict[str, Any]:
    """Tell what would change if this were the policy."""
    try:
        # The bytes as they came: what another parser makes of them might be another policy.
        return dict(may.policy.diff(Policy(await request.body())))
    except InvalidPolicy as error:
        raise HTTPException(422, str(error)) from None


router.include_router(reading)
