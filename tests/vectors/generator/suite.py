"""A file of vectors in the making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .jose import jws
from .keys import Key, Secret

NOW = 1_700_000_000
ISSUER = "https://issuer.example"
AUDIENCE = "api"

Case = dict[str, Any]


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that verify at NOW. A change to `...` leaves the claim out."""
    good: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": AUDIENCE,
        "iat": NOW - 60,
        "exp": NOW + 1800,
        "jti": "c2Vzc2lvbi1hbm4tMDAwMQ",
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def header(key: Key, **changes: Any) -> dict[str, Any]:
    """The header of an access token under `key`. A change to `...` leaves the member out."""
    named = {} if key.kid is None else {"kid": key.kid}
    good: dict[str, Any] = {"alg": key.alg, **named, "typ": "at+jwt"}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def token(key: Key, head: dict[str, Any] | None = None, body: dict[str, Any] | None = None, alg: str | None = None) -> str:
    """A token that verifies, but for the changes to its header and claims."""
    return jws(header(key, **(head or {})), claims(**(body or {})), key, alg)


def key_set(*keys: Any) -> dict[str, Any]:
    """The JWK Set of keys or JWKs; of a key pair only the public half."""
    return {"keys": [key if isinstance(key, dict) else key.jwk() for key in keys]}


def refusal(error: str) -> Case:
    """`error` is a status name, or several with `|` between them where the specification allows several."""
    names = error.split("|")
    return {"ok": False, "error": error} if len(names) == 1 else {"ok": False, "error_in": names}


class Suite:
    """`name`.json: a description, its source, and cases in the order in which they were added."""

    def __init__(self, name: str, description: str, source: str) -> None:
        self.name = name
        self.document: Case = {"description": description, "source": source, "cases": []}
        self.names: set[str] = set()

    def add(self, name: str, request: Case, answer: Case, attack: int | None = None, *, golden: bool = False) -> None:
        """A case. What a golden one opens was written once, and later versions have to open it."""
        assert name not in self.names, f"{self.name}: two cases named {name!r}"
        self.names.add(name)
        marks = ({} if attack is None else {"attack": attack}) | ({"golden": True} if golden else {})
        self.document["cases"].append({"name": name, **marks, "request": request, "answer": answer})

    def verify(
        self,
        name: str,
        text: str,
        keys: Any,
        algorithms: Any,
        *,
        error: str | None = None,
        ok: Case | None = None,
        attack: int | None = None,
        **expectations: Any,
    ) -> None:
        """A `token_verify`: refused with `error`, or `ok` with these claims. Expectations set to `...` are absent."""
        request: Case = {
            "op": "token_verify",
            "keys": keys if isinstance(keys, dict) else key_set(*(keys if isinstance(keys, list) else [keys])),
            "algorithms": algorithms,
            "token": text,
            "now_s": NOW,
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "typ": "at+jwt",
            "leeway_s": 0,
            "require": ["sub"],
        }
        request = {member: value for member, value in (request | expectations).items() if value is not ...}
        answer = refusal(error) if error else {"ok": True, "claims": claims() if ok is None else ok}
        self.add(name, request, answer, attack)

    def claim(self, name: str, body: dict[str, Any] | str | bytes, *, key: Key | None = None, **more: Any) -> None:
        """A `token_verify` of a token whose signature holds and whose claims are the point: changes, or the whole text."""
        from .keys import HS256

        signer = key or HS256
        whole = claims(**body) if isinstance(body, dict) else body
        if isinstance(body, dict) and more.get("error") is None:
            more.setdefault("ok", whole)
        self.verify(name, jws(header(signer), whole, signer), signer, [signer.alg], **more)

    def load(self, name: str, keys: Any, *, error: str | None = None, summary: Any = None, attack: int | None = None) -> None:
        """A `jwks_parse`: refused when it is loaded, or loaded with this summary."""
        jwks = keys if isinstance(keys, dict) and "keys" in keys else key_set(*(keys if isinstance(keys, list) else [keys]))
        answer = refusal(error) if error else {"ok": True} | ({} if summary is None else {"keys": summary})
        self.add(name, {"op": "jwks_parse", "jwks": jwks}, answer, attack)

    def write(self, folder: Path) -> int:
        description, source = (json.dumps(self.document[member]) for member in ("description", "source"))
        cases = ",\n".join(_lines(case) for case in self.document["cases"])
        text = f'{{"description": {description},\n"source": {source},\n"cases": [\n{cases}\n]}}\n'
        (folder / f"{self.name}.json").write_text(text, encoding="ascii")
        return len(self.document["cases"])


def _lines(case: Case) -> str:
    """One case on three lines: what it is, what goes in, what comes out."""
    title = {member: case[member] for member in ("name", "attack", "golden") if member in case}
    return f'{json.dumps(title)[:-1]},\n "request": {json.dumps(case["request"])},\n "answer": {json.dumps(case["answer"])}}}'


def secret(kid: str | None, alg: str | None, material: bytes) -> Secret:
    return Secret(kid, alg, material)
