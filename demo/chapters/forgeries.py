"""What an attacker sends, and what is good elsewhere or was good before."""

from __future__ import annotations

import json
import time

from donjon import Keyring, TokenIssuer

from chapters.log_in import log_in
from raw_tokens import claims_of, decode, header_of, hs256, unsigned
from walk import Walk


def tell(walk: Walk) -> None:
    """Walk through it."""
    pair = log_in(walk, "ann")
    token: str = pair["access_token"]
    header, claims = header_of(token), claims_of(token)
    signature = token.split(".")[2]

    def refused(what: str, forged: str, reason: str, note: str = "") -> None:
        walk.expect(what, *walk.both(forged), status=401, reason=reason, note=note)

    none = unsigned({**header, "alg": "none"}, claims)
    refused("forge: alg none, no signature", f"{none}.", "alg_not_allowed")
    refused("forge: alg none, the old signature", f"{none}.{signature}", "alg_not_allowed")

    published = next(
        key for key in walk.get("/.well-known/jwks.json")["keys"] if key["kid"] == header["kid"]
    )
    public_key = decode(published["x"])
    symmetric = unsigned({**header, "alg": "HS256"}, claims)
    refused("forge: HS256 with the public key", hs256(symmetric, public_key), "alg_not_allowed")

    root = unsigned(header, {**claims, "sub": "root"})
    refused("forge: another subject", f"{root}.{signature}", "bad_signature")
    late = unsigned(header, {**claims, "exp": 1})
    note = "forged comes before expired"
    refused("forge: another expiry, in the past", f"{late}.{signature}", "bad_signature", note)

    refused("forge: another key", issuer(Keyring.generate()).access("ann"), "unknown_key")
    impostor = issuer(with_key_id(Keyring.generate(), header["kid"]))
    refused("forge: another key under our key's id", impostor.access("ann"), "bad_signature")

    ours = Keyring.from_master(walk.master)
    half_an_hour_ago = int(time.time()) - 1800
    expired = issuer(ours).access("ann", now=half_an_hour_ago)
    refused("an access token of half an hour ago", expired, "expired")
    elsewhere = issuer(ours, audience="elsewhere").access("ann")
    refused("an access token for another service", elsewhere, "invalid_audience")
    refused("a refresh token for an access token", pair["refresh_token"], "wrong_token_type")
    swapped = walk.post("/refresh", refresh_token=token)
    walk.expect(
        "an access token for a refresh token", swapped, status=401, reason="wrong_token_type"
    )


def issuer(keyring: Keyring, audience: str = "demo") -> TokenIssuer:
    """Issue tokens that look like those of the service."""
    return TokenIssuer(keyring, issuer="https://accounts.demo.example", audience=audience)


def with_key_id(keyring: Keyring, key_id: str) -> Keyring:
    """Give the primary token key another id."""
    jwks = json.loads(keyring.export_secret_jwks())
    for key in jwks["keys"]:
        if key["purpose"] == "token" and key["status"] == "primary":
            key["kid"] = key_id
    return Keyring.from_jwks(jwks)
