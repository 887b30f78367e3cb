"""Routes: telephone numbers, of oneself, and for whoever runs the service."""

from __future__ import annotations

from typing import Literal

from donjon import Erasure
from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field

from contacts import NoSuchContact
from state import User, contacts, gateway, may

router = APIRouter()


class Phone(BaseModel):
    """A telephone number."""

    phone: str = Field(pattern=r"^\+[0-9 -]{5,24}$")


class Known(Phone):
    """One's own, name by name as in the Go service."""

    service: str = "python"


class Erased(BaseModel):
    """What has become of a person's data."""

    erased: bool
    by: Literal["keys_destroyed", "backups_expired"] | None
    alive: tuple[str, ...]

    @classmethod
    def of(cls, erasure: Erasure) -> Erased:
        """Say it."""
        return cls(erased=erasure.erased, by=erasure.by, alive=erasure.alive)


# These wait for the database, so FastAPI runs them on threads of their own: no `async`.


@router.put("/me/phone", status_code=204)
def put(user: User, new: Phone) -> None:
    """Leave a number."""
    contacts.put(user["sub"], new.phone)
    gateway.greet(user["sub"])


@router.get("/me/phone")
def get(user: User) -> Known:
    """Return the caller's number."""
    try:
        return Known(phone=contacts.phone(user["sub"]))
    except NoSuchContact:
        raise HTTPException(404) from None


@router.get("/contacts", dependencies=[Depends(may.require("contact:find"))])
def find(phone: str) -> list[str]:
    """Tell whose number it is."""
    return contacts.find(phone)


@router.delete("/contacts/{name}", dependencies=[Depends(may.require("contact:erase"))])
def erase(name: str) -> Erased:
    """Forget somebody, and tell whether that is possible yet."""
    try:
        return Erased.of(contacts.erase(name))
    except NoSuchContact:
        raise HTTPException(404) from None
