"""Routes that want a permission. The Go service has the same, under the same policy.

There are no documents: the answers say which one it would have been.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from state import may

router = APIRouter(prefix="/documents/{document_id}")


class Document(BaseModel):
    """A document, name by name as in the Go service."""

    service: str = "python"
    document: str


@router.get("", dependencies=[Depends(may.require("document:read:{document_id}"))])
async def read(document_id: str) -> Document:
    """Read a document."""
    return Document(document=document_id)


@router.put("", dependencies=[Depends(may.require("document:update:{document_id}"))])
async def update(document_id: str) -> Document:
    """Change a document."""
    return Document(document=document_id)


@router.delete(
    "", status_code=204, dependencies=[Depends(may.require("document:delete:{document_id}"))]
)
async def delete(document_id: str) -> None:
    """Delete a document."""
