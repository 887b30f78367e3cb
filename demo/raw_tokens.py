"""Tokens as an attacker sees them: three texts with dots in between."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any


def encode(part: bytes) -> str:
    """Encode one part."""
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """Decode one part."""
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def header_of(token: str) -> dict[str, Any]:
    """Read the header, believing nothing."""
    header: dict[str, Any] = json.loads(decode(token.split(".")[0]))
    return header


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims, believing nothing."""
    claims: dict[str, Any] = json.loads(decode(token.split(".")[1]))
    return claims


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return what a signature is made over."""
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def hs256(message: str, secret: bytes) -> str:
    """Return the token that HS256 makes of a message."""
    return f"{message}.{encode(hmac.digest(secret, message.encode(), 'sha256'))}"
