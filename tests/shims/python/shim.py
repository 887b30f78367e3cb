"""The conformance shim for Python: one JSON request per line in, one JSON answer per line out.

It goes through the package's public API and adds no logic of its own. Keys and claims reach the
kernel as the text that they are in the request, so that duplicate members and spellings of numbers
do too. It wants a donjon built with the feature `test-entropy`, which lets `entropy_hex` in.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

import donjon
from donjon import _donjon, chunked, fernet, refresh, revocation, settings
from donjon.envelope import ENVELOPE_PREFIX_MAX, Envelope, SealedReader
from donjon.sessions import Session, Sessions, SessionVerdict

Answer = dict[str, Any]


class BadRequest(Exception):
    """The request is not one, or lacks a member."""


class Raw(str):
    """JSON text that goes into the answer as it is."""

    __slots__ = ()


def _not_json(name: str) -> NoReturn:
    raise BadRequest(name)


# Numbers are only ever taken as text, see `Request.integer`: here they need no value, of any length.
_DECODER = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_not_json)
_SPACE = re.compile(r"[ \t\n\r]*")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


def _members(line: str) -> Iterator[tuple[str, str]]:
    """The members of the object that `line` is, each value as its text."""
    at = _skip(line, 0)
    if line[at : at + 1] != "{":
        raise BadRequest
    at = _skip(line, at + 1)
    closed = line[at : at + 1] == "}"
    while not closed:
        name, at = _value(line, at)
        at = _skip(line, at)
        if not isinstance(name, str) or line[at : at + 1] != ":":
            raise BadRequest
        start = _skip(line, at + 1)
        _, end = _value(line, start)
        yield name, line[start:end]
        at = _skip(line, end)
        closed = line[at : at + 1] == "}"
        if not closed and line[at : at + 1] != ",":
            raise BadRequest
        at = at if closed else _skip(line, at + 1)
    if _skip(line, at + 1) != len(line):
        raise BadRequest


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        raise BadRequest from None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match
    return match.end()


def _unhex(text: str) -> bytes:
    if not re.fullmatch(r"([0-9a-f]{2})*", text):
        raise BadRequest
    return bytes.fromhex(text)


def _refuse() -> NoReturn:
    raise BadRequest


def _fits_64_bits(digits: str) -> bool:
    return len(digits) <= len("-9223372036854775808") and -(2**63) <= int(digits) < 2**63


class Request:
    """A request's members: typed where the operation says so, raw where the kernel reads them."""

    def __init__(self, line: str) -> None:
        self._raw = dict(_members(line))

    def raw(self, name: str) -> str:
        """The member's JSON text."""
        try:
            return self._raw[name]
        except KeyError:
            raise BadRequest from None

    def optional_raw(self, name: str) -> str:
        """The member's JSON text; none if it is not there."""
        return self._raw.get(name, "")

    def text(self, name: str) -> str:
        """The member, which is a string that UTF-8 can hold."""
        value, _ = _value(self.raw(name), 0)
        if not isinstance(value, str):
            raise BadRequest
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequest from None
        return value

    def optional_text(self, name: str) -> str | None:
        """The member, which is a string, null or not there."""
        return self.text(name) if self._raw.get(name, "null") != "null" else None

    def hex(self, name: str) -> bytes:
        """The member, which is bytes in lower-case hex."""
        return _unhex(self.text(name))

    def optional_hex(self, name: str) -> bytes:
        """The member, which is bytes in lower-case hex; null and not there are none."""
        return self.hex(name) if self._raw.get(name, "null") != "null" else b""

    def hexes(self, name: str) -> list[bytes]:
        """The member, which is a list of bytes in lower-case hex."""
        return [_unhex(text) for text in self.texts(name)]

    def state(self, name: str) -> bytes | None:
        """The member, which is bytes in hex, or null for no state yet."""
        return self.hex(name) if self.raw(name) != "null" else None

    def integer(self, name: str, default: int | None = None) -> int:
        """The member, which is a plain integer of 64 bits; with a default, it may be null."""
        if default is not None and self._raw.get(name, "null") == "null":
            return default
        raw = self.raw(name)
        if not _INTEGER.fullmatch(raw) or not _fits_64_bits(raw):
            raise BadRequest
        return int(raw)

    def size(self, name: str, most: int = 2**63 - 1) -> int:
        """The member, which is an integer from 0."""
        value = self.integer(name)
        if not 0 <= value <= most:
            raise BadRequest
        return value

    def u32(self, name: str) -> int:
        """The member, which is an integer from 0 that 32 bits hold."""
        return self.size(name, 2**32 - 1)

    def count(self, name: str) -> int:
        """The member, which is an integer from 1 that 32 bits hold."""
        return self.u32(name) or _refuse()

    def texts(self, name: str) -> list[str]:
        """The member, which is a list of strings that UTF-8 can hold."""
        values, _ = _value(self.raw(name), 0)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadRequest
        try:
            "".join(values).encode()
        except UnicodeEncodeError:
            raise BadRequest from None
        return values

    def optional_texts(self, name: str) -> list[str] | None:
        """The member, which is a list of strings, null or not there."""
        return self.texts(name) if self._raw.get(name, "null") != "null" else None

    def moment(self, name: str) -> int | None:
        """The member, which is an integer, or null for never."""
        return self.integer(name) if self.raw(name) != "null" else None

    def boolean(self, name: str) -> bool:
        """The member, which is true or false."""
        raw = self.raw(name)
        if raw not in {"true", "false"}:
            raise BadRequest
        return raw == "true"

    def config(self, names: dict[str, str]) -> str:
        """A configuration of the members that are there, under the kernel's names for them."""
        members = (f'"{to}":{self._raw[name]}' for name, to in names.items() if name in self._raw)
        return "{" + ",".join(members) + "}"


@contextmanager
def drawing(entropy: bytes) -> Iterator[None]:
    """Draw these bytes instead of the operating system's."""
    _donjon.test_entropy(entropy)
    try:
        yield
    finally:
        _donjon.test_entropy(None)


def jws_verify(request: Request) -> Answer:
    keys, jws = request.raw("keys"), request.text("jws")
    algorithms = request.optional_raw("algorithms")
    now = request.integer("now_s", 0)
    keyring = donjon.Keyring.from_jwks(keys)
    verified = _donjon.verify_jws_of_config(keyring, jws, algorithms, now=now)
    return {
        "payload_hex": verified.payload.hex(),
        "alg": verified.algorithm,
        "kid": verified.key_id,
    }


_VERIFIER_MEMBERS = {
    "issuer": "issuer",
    "audience": "audience",
    "typ": "type",
    "algorithms": "algorithms",
    "leeway_s": "leeway_s",
    "require": "require",
    "legacy_type_claim": "legacy_type_claim",
}


def token_verify(request: Request) -> Answer:
    keys, token, now = request.raw("keys"), request.text("token"), request.integer("now_s")
    config = request.config(_VERIFIER_MEMBERS)
    verifier = donjon.TokenVerifier.from_config(donjon.Keyring.from_jwks(keys), config)
    return {"claims": Raw(verifier.verify(token, now=now).json)}


def token_sign(request: Request) -> Answer:
    keys, claims = request.raw("keys"), request.raw("claims")
    kid, typ = request.optional_text("kid"), request.optional_text("typ")
    request.integer("now_s", 0)
    keyring = donjon.Keyring.from_jwks(keys)
    return {"token": donjon.sign_token(keyring, claims, key_id=kid, type=typ)}


def jwks_parse(request: Request) -> Answer:
    keys: list[Any] = list(donjon.Keyring.from_jwks(request.raw("jwks")).summary())
    names = ("kid", "kty", "alg", "thumbprint")
    return {"keys": [{name: key[name] for name in names} for key in keys]}


def purpose_mint(request: Request) -> Answer:
    keys, entropy = request.raw("keyring"), request.hex("entropy_hex")
    purpose, subject = request.text("purpose"), request.text("subject")
    state, ttl, now = request.text("state"), request.integer("ttl_s"), request.integer("now_s")
    tokens = donjon.PurposeTokens(donjon.Keyring.from_jwks(keys))
    with drawing(entropy):
        return {"token": tokens.mint(purpose, subject, state=state, ttl=ttl, now=now)}


def purpose_check(request: Request) -> Answer:
    keys, token = request.raw("keyring"), request.text("token")
    purpose, subject = request.text("purpose"), request.text("subject")
    state, now = request.text("state"), request.integer("now_s")
    tokens = donjon.PurposeTokens(donjon.Keyring.from_jwks(keys))
    tokens.check(token, purpose, subject, state=state, now=now)
    return {}


def refresh_rotate(request: Request) -> Answer:
    verdict = refresh.rotate(
        request.state("state_hex"),
        request.text("family"),
        request.integer("generation"),
        now_ms=request.integer("now_ms"),
        grace_ms=request.integer("grace_ms"),
    )
    return {
        "status": verdict.status,
        "changed": verdict.changed,
        "state_hex": verdict.state.hex(),
    }


def revocation_check(request: Request) -> Answer:
    donjon.check_revocation(
        request.moment("issued_at_s"),
        subject_since=request.moment("subject_since_s"),
        store_since=request.moment("store_since_s"),
        skew=request.integer("skew_s"),
        token_revoked=request.boolean("token_revoked"),
        family_revoked=request.boolean("family_revoked"),
        key_revoked=request.boolean("key_revoked"),
    )
    return {}


def jwks_refresh(request: Request) -> Answer:
    event = request.text("event")
    if event not in {"unknown_key", "periodic", "fetched", "failed"}:
        raise BadRequest
    verdict = _donjon.jwks_refresh(
        request.state("state_hex"),
        event,  # type: ignore[arg-type]
        now_ms=request.integer("now_ms"),
        cooldown_ms=request.integer("cooldown_ms"),
        max_age_ms=request.integer("max_age_ms"),
    )
    return {
        "fetch": verdict.fetch,
        "retry_after_ms": verdict.retry_after_ms,
        "state_hex": verdict.state.hex(),
    }


class HasherFields:
    """What makes a hasher, and when it is asked."""

    def __init__(self, request: Request, config: str) -> None:
        self.config = request.optional_raw("config") or config
        self.keyring = request.optional_raw("keyring")
        self.now = request.integer("now_s", 0)

    def hasher(self) -> donjon.PasswordHasher:
        given = self.keyring not in {"", "null"}
        pepper = donjon.Keyring.from_jwks(self.keyring) if given else None
        return donjon.PasswordHasher.from_config(self.config, pepper=pepper)


_LEGACY = '["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]'


def _verifying(request: Request) -> HasherFields:
    """The default parameters, with room for every hash that is read."""
    legacy = f',"legacy":{_LEGACY}' if request.boolean("legacy") else ""
    return HasherFields(request, f'{{"memory_budget_kib":2097152{legacy}}}')


def password_hash(request: Request) -> Answer:
    password, salt = request.hex("password_hex"), request.hex("salt_hex")
    config = {
        "memory_kib": request.integer("m_kib"),
        "time_cost": request.integer("t"),
        "parallelism": request.integer("p"),
        "salt_len": len(salt),
        "memory_budget_kib": 2097152,
        "allow_weak": True,
    }
    fields = HasherFields(request, json.dumps(config))
    with fields.hasher() as hasher, drawing(salt):
        return {"hash": hasher.hash(password, now=fields.now)}


def password_verify(request: Request) -> Answer:
    password, stored = request.hex("password_hex"), request.text("hash")
    fields = _verifying(request)
    with fields.hasher() as hasher:
        try:
            verified = hasher.verify(stored, password, now=fields.now)
        except donjon.PasswordMismatch:
            return {"match": False, "needs_rehash": False, "truncated": False}
    return {
        "match": True,
        "needs_rehash": verified.needs_rehash,
        "truncated": verified.truncated,
    }


def password_unknown_user(request: Request) -> Answer:
    password, fields = request.hex("password_hex"), _verifying(request)
    with fields.hasher() as hasher:
        hasher.verify(None, password, now=fields.now)
    return {}


def password_needs_rehash(request: Request) -> Answer:
    stored, fields = request.text("hash"), _verifying(request)
    with fields.hasher() as hasher:
        return {"needs_rehash": hasher.check_needs_rehash(stored, now=fields.now)}


def password_strength(request: Request) -> Answer:
    password, inputs = request.text("password"), request.optional_texts("user_inputs") or []
    profile: Any = request.optional_text("profile") or ""
    strength = donjon.check_strength(password, inputs, profile)
    return {
        "valid": strength.valid,
        "score": Raw(repr(strength.score).removesuffix(".0")),
        "checks": dict(strength.checks),
        "feedback": strength.feedback,
    }


def breach_prefix(request: Request) -> Answer:
    return {"prefix": donjon.breach_prefix(request.hex("password_hex"))}


def breach_count(request: Request) -> Answer:
    password, found = request.hex("password_hex"), request.text("range")
    return {"count": donjon.breach_count(password, found)}


def permission_implies(request: Request) -> Answer:
    granted, required = request.text("granted"), request.text("required")
    return {"implies": donjon.permission_implies(granted, required)}


class SubjectFields:
    """Who asks. As in the C ABI, an empty tenant is none."""

    def __init__(self, request: Request) -> None:
        self.policy, self.roles = request.raw("policy"), request.texts("roles")
        self.tenant = request.optional_text("tenant") or None
        self.token = request.optional_texts("token_permissions")

    def subject(self) -> donjon.Subject:
        policy = donjon.Policy(self.policy)
        return policy.subject(self.roles, tenant=self.tenant, permissions=self.token)


class Question:
    """What is asked. As in the C ABI, an empty instance is none."""

    def __init__(self, request: Request) -> None:
        self.mode = request.text("mode")
        if self.mode not in {"one", "any", "all"}:
            raise BadRequest
        self.permissions = request.texts("permissions")
        self.instance = request.optional_text("instance") or None

    def decide(self, subject: donjon.Subject) -> bool:
        if self.mode == "any":
            return subject.has_any(self.permissions, self.instance)
        if self.mode == "all":
            return subject.has_all(self.permissions, self.instance)
        if len(self.permissions) != 1:
            raise donjon.InvalidArgument
        return subject.has(self.permissions[0], self.instance)

    def explain(self, subject: donjon.Subject) -> Any:
        mode: Any = "any" if self.mode == "any" else "all"
        return subject.explain(self.permissions, self.instance, mode=mode)


def rbac_check(request: Request) -> Answer:
    fields, question = SubjectFields(request), Question(request)
    subject = fields.subject()
    allowed = question.decide(subject)
    return {"allowed": allowed, "reason": question.explain(subject)["reason"]}


def rbac_explain(request: Request) -> Answer:
    fields, question = SubjectFields(request), Question(request)
    return {"explanation": question.explain(fields.subject())}


def what_can(request: Request) -> Answer:
    return {"permissions": SubjectFields(request).subject().permissions()}


def has_role(request: Request) -> Answer:
    fields, role = SubjectFields(request), request.text("role")
    return {"has": fields.subject().has_role(role)}


def who_can(request: Request) -> Answer:
    document, permission = request.raw("policy"), request.text("permission")
    return {"roles": donjon.Policy(document).who_can(permission)}


def check_permission(request: Request) -> Answer:
    document, permission = request.raw("policy"), request.text("permission")
    donjon.Policy(document).check_permission(permission)
    return {}


def check_role(request: Request) -> Answer:
    document, role = request.raw("policy"), request.text("role")
    donjon.Policy(document).check_role(role)
    return {}


def policy_assign(request: Request) -> Answer:
    document, held = request.raw("policy"), request.texts("roles")
    role, members = request.text("role"), request.integer("members")
    if members < 0:
        raise BadRequest
    donjon.Policy(document).assign(held, role, members=members)
    return {}


def _whole(policy: donjon.Policy) -> Answer:
    return {"document": policy.document, "digest_hex": policy.digest.hex()}


def policy_document(request: Request) -> Answer:
    return _whole(donjon.Policy(request.raw("policy")))


def policy_shipped(request: Request) -> Answer:
    name: Any = request.text("name")
    return _whole(donjon.Policy.shipped(name))


def policy_diagnose(request: Request) -> Answer:
    document = request.text("document")
    try:
        donjon.Policy(document)
    except donjon.InvalidPolicy as error:
        assert error.diagnosis
        message = error.diagnosis["message"]
        return {"status": error.reason, "path": error.path, "message": message}
    return {"status": "ok", "path": None, "message": None}


def policy_diff(request: Request) -> Answer:
    before, after = request.raw("before"), request.raw("after")
    return {"diff": donjon.Policy(before).diff(donjon.Policy(after))}


def policy_lint(request: Request) -> Answer:
    found = donjon.Policy(request.raw("policy")).lint()
    return {
        "findings": [{"kind": each["kind"], "path": each["path"]} for each in found],
        "messages": [each["message"] for each in found],
    }


def policy_matrix(request: Request) -> Answer:
    document = request.raw("policy")
    format: Any = request.text("format")
    if format not in {"json", "markdown", "html"}:
        raise BadRequest
    return {"matrix": donjon.Policy(document).matrix(format)}


def casbin_import(request: Request) -> Answer:
    policy, assignments = donjon.Policy.from_casbin(request.text("csv"))
    return {"imported": {"policy": json.loads(policy.document), "assignments": assignments}}


def chunked_seal(request: Request) -> Answer:
    key, context = request.hex("key_hex"), request.hex("context_hex")
    salt, plaintext = request.hex("salt_hex"), request.hex("plaintext_hex")
    with drawing(salt):
        return {"message_hex": chunked.seal(key, plaintext, context=context).hex()}


def chunked_open(request: Request) -> Answer:
    key, context = request.hex("key_hex"), request.hex("context_hex")
    message = request.hex("message_hex")
    return {"plaintext_hex": chunked.open(key, message, context=context).hex()}


class SealerFields:
    """A keyring's sealer, and when it is asked."""

    def __init__(self, request: Request) -> None:
        self.keyring, self.now = request.raw("keyring"), request.integer("now_s", 0)

    def sealer(self) -> Envelope:
        return Envelope(donjon.Keyring.from_jwks(self.keyring))


def envelope_seal(request: Request) -> Answer:
    fields, context = SealerFields(request), request.texts("context")
    plaintext, entropy = request.hex("plaintext_hex"), request.hex("entropy_hex")
    sealer = fields.sealer()
    with drawing(entropy):
        envelope = sealer.seal(plaintext, context=context, now=fields.now)
    return {"envelope_hex": envelope.hex(), "kid": sealer.key_id}


def envelope_open(request: Request) -> Answer:
    fields, context = SealerFields(request), request.texts("context")
    envelope = request.hex("envelope_hex")
    plaintext = fields.sealer().open(envelope, context=context, now=fields.now)
    return {"plaintext_hex": plaintext.hex()}


def envelope_rewrap(request: Request) -> Answer:
    fields, envelope = SealerFields(request), request.hex("envelope_hex")
    entropy, sealer = request.hex("entropy_hex"), fields.sealer()
    with drawing(entropy):
        return {"envelope_hex": sealer.rewrap(envelope, now=fields.now).hex()}


def envelope_needs_rewrap(request: Request) -> Answer:
    fields, envelope = SealerFields(request), request.hex("envelope_hex")
    return {"needs_rewrap": fields.sealer().needs_rewrap(envelope)}


def envelope_inspect(request: Request) -> Answer:
    return {"inspection": _donjon.envelope_inspect(request.hex("envelope_hex"))}


def passphrase_seal(request: Request) -> Answer:
    passphrase, context = request.hex("passphrase_hex"), request.texts("context")
    plaintext, entropy = request.hex("plaintext_hex"), request.hex("entropy_hex")
    sealer = Envelope.from_passphrase(
        passphrase,
        memory_kib=request.count("memory_kib"),
        time_cost=request.count("time_cost"),
        parallelism=request.count("parallelism"),
    )
    with drawing(entropy):
        return {"envelope_hex": sealer.seal(plaintext, context=context, now=0).hex()}


def passphrase_open(request: Request) -> Answer:
    passphrase, context = request.hex("passphrase_hex"), request.texts("context")
    envelope = request.hex("envelope_hex")
    sealer = Envelope.from_passphrase(passphrase)
    return {"plaintext_hex": sealer.open(envelope, context=context, now=0).hex()}


class ExternalFields:
    """What makes the sealer of a data key that a KMS wrapped."""

    def __init__(self, request: Request) -> None:
        self.data_key, self.key_id = request.hex("data_key_hex"), request.text("key_id")
        self.wrapped_key = request.hex("wrapped_key_hex")

    def sealer(self) -> Envelope:
        return Envelope.from_external(
            self.data_key, key_id=self.key_id, wrapped_key=self.wrapped_key
        )


def external_seal(request: Request) -> Answer:
    fields, context = ExternalFields(request), request.texts("context")
    plaintext, entropy = request.hex("plaintext_hex"), request.hex("entropy_hex")
    sealer = fields.sealer()
    with drawing(entropy):
        return {"envelope_hex": sealer.seal(plaintext, context=context, now=0).hex()}


def external_open(request: Request) -> Answer:
    fields, context = ExternalFields(request), request.texts("context")
    envelope = request.hex("envelope_hex")
    return {"plaintext_hex": fields.sealer().open(envelope, context=context, now=0).hex()}


def data_key_new(request: Request) -> Answer:
    fields, scope = SealerFields(request), request.text("scope")
    entropy, sealer = request.hex("entropy_hex"), fields.sealer()
    with drawing(entropy):
        key, wrapped = sealer.new_data_key(scope, now=fields.now)
    return {"data_key_hex": wrapped.hex(), "key_id": key.key_id}


def data_key_rewrap(request: Request) -> Answer:
    fields, scope = SealerFields(request), request.text("scope")
    wrapped, entropy = request.hex("data_key_hex"), request.hex("entropy_hex")
    sealer = fields.sealer()
    with drawing(entropy):
        return {"data_key_hex": sealer.rewrap_data_key(wrapped, scope, now=fields.now).hex()}


class StoredFields:
    """A stored data key, and what unwraps it."""

    def __init__(self, request: Request) -> None:
        self.fields, self.scope = SealerFields(request), request.text("scope")
        self.wrapped = request.hex("data_key_hex")
        self.now = self.fields.now

    def data_key(self) -> donjon.DataKey:
        return self.fields.sealer().open_data_key(self.wrapped, self.scope, now=self.now)


def cell_seal(request: Request) -> Answer:
    fields, context = StoredFields(request), request.texts("context")
    plaintext, entropy = request.hex("plaintext_hex"), request.hex("entropy_hex")
    key = fields.data_key()
    with drawing(entropy):
        return {"cell_hex": key.seal(plaintext, context=context, now=fields.now).hex()}


def cell_open(request: Request) -> Answer:
    fields, context = StoredFields(request), request.texts("context")
    cell = request.hex("cell_hex")
    return {"plaintext_hex": fields.data_key().open(cell, context=context, now=fields.now).hex()}


def stream_seal(request: Request) -> Answer:
    fields, context = SealerFields(request), request.texts("context")
    pieces, entropy = request.hexes("pieces_hex"), request.hex("entropy_hex")
    sealer = fields.sealer()
    with drawing(entropy):
        encryptor = sealer.encryptor(context=context, now=fields.now)
    sealed = [encryptor.prefix, *map(encryptor.push, pieces), encryptor.finish()]
    return {"envelope_hex": b"".join(sealed).hex()}


def stream_open(request: Request) -> Answer:
    fields, context = SealerFields(request), request.texts("context")
    pieces, gathered = iter(request.hexes("pieces_hex")), b""
    for piece in pieces:
        gathered += piece
        if len(gathered) >= ENVELOPE_PREFIX_MAX:
            break
    prefix = gathered[:ENVELOPE_PREFIX_MAX]
    decryptor = fields.sealer().decryptor(prefix, context=context, now=fields.now)
    opened = [decryptor.push(gathered[decryptor.consumed :]), *map(decryptor.push, pieces)]
    return {"plaintext_hex": b"".join([*opened, decryptor.finish()]).hex()}


def reader_read(request: Request) -> Answer:
    fields, context = SealerFields(request), request.texts("context")
    envelope = io.BytesIO(request.hex("envelope_hex"))
    offset, length = request.size("offset"), request.size("length", 2**24)
    with SealedReader(fields.sealer(), envelope, context=context, now=fields.now) as reader:
        reader.seek(offset)
        return {"plaintext_hex": reader.read(length).hex(), "size": reader.size}


def blind_index(request: Request) -> Answer:
    keys, bits, now = request.raw("keyring"), request.u32("bits"), request.integer("now_s", 0)
    tenant, table = request.text("tenant"), request.text("table")
    column, value = request.text("column"), request.hex("value_hex")
    keyring = donjon.Keyring.from_jwks(keys)
    index = donjon.BlindIndex(keyring, tenant=tenant, table=table, column=column, bits=bits)
    stored, candidates = index.value(value, now=now), index.candidates(value, now=now)
    return {"index_hex": stored.hex(), "candidates_hex": [each.hex() for each in candidates]}


def setting_seal(request: Request) -> Answer:
    keys, name, value = request.raw("keyring"), request.text("name"), request.text("value")
    entropy, now = request.hex("entropy_hex"), request.integer("now_s", 0)
    keyring = donjon.Keyring.from_jwks(keys)
    with drawing(entropy):
        return {"text": settings.seal_setting(keyring, name, value, now=now)}


def setting_open(request: Request) -> Answer:
    keys, name, text = request.raw("keyring"), request.text("name"), request.text("text")
    now = request.integer("now_s", 0)
    return {"value": settings.open_setting(donjon.Keyring.from_jwks(keys), name, text, now=now)}


def erasure(request: Request) -> Answer:
    keys, ids = request.raw("keyring"), request.texts("key_ids")
    backups, now = request.moment("backups_expire_s"), request.integer("now_s")
    keyring = donjon.Keyring.from_jwks(keys)
    verdict = donjon.erasure(keyring, ids, backups_expire=backups, now=now)
    return {
        "erased": verdict.erased,
        "by": verdict.by,
        "alive": list(verdict.alive),
        "backups_expire_s": verdict.backups_expire,
    }


def _fernet(keys: str) -> fernet.Fernet:
    return fernet.Fernet(keys.split(","))


def fernet_encrypt(request: Request) -> Answer:
    keys, now = request.text("key"), request.integer("now_s")
    iv, plaintext = request.hex("iv_hex"), request.hex("plaintext_hex")
    made = _fernet(keys)
    with drawing(iv):
        return {"token": made.encrypt(plaintext, now=now).decode()}


def fernet_decrypt(request: Request) -> Answer:
    keys, token = request.text("key"), request.text("token")
    now, ttl = request.integer("now_s"), request.moment("ttl_s")
    return {"plaintext_hex": _fernet(keys).decrypt(token, ttl=ttl, now=now).hex()}


def fernet_rotate(request: Request) -> Answer:
    keys, token, iv = request.text("key"), request.text("token"), request.hex("iv_hex")
    made = _fernet(keys)
    with drawing(iv):
        return {"token": made.rotate(token).decode()}


def fernet_timestamp(request: Request) -> Answer:
    keys, token = request.text("key"), request.text("token")
    return {"timestamp_s": _fernet(keys).timestamp(token)}


def fernet_derive_key(request: Request) -> Answer:
    password, salt = request.hex("password_hex"), request.hex("salt_hex")
    return {"key": fernet.derive_key(password, salt, request.u32("iterations"))}


def aes_engine_open(request: Request) -> Answer:
    secret, text = request.hex("secret_hex"), request.text("text")
    padding: Any = request.text("padding")
    if padding not in {"pkcs5", "naive", "oneandzeroes", "zeroes"}:
        raise BadRequest
    opened = fernet.open_aes_engine(secret, text, padding=padding)
    return {"plaintext_hex": opened.encode().hex()}


def limit_parse(request: Request) -> Answer:
    items = donjon.Limits(request.text("spec")).items
    return {"limits": [{"amount": item.amount, "period_s": item.period_s} for item in items]}


class Spending:
    """What is spent, and of what."""

    def __init__(self, request: Request) -> None:
        self.state = request.state("state_hex")
        self.now_ms, self.cost = request.integer("now_ms"), request.u32("cost")

    def of(self, limits: donjon.Limits) -> tuple[donjon.Verdict, bytes]:
        return limits.spend(self.state, self.cost, now_ms=self.now_ms)


_TOLD = (
    "allowed",
    "never_allowed",
    "limit",
    "remaining",
    "index",
    "reset_after_ms",
    "retry_after_ms",
    "keep_ms",
)


def limit_apply(request: Request) -> Answer:
    algorithm, spending = request.text("algorithm"), Spending(request)
    amount, period_s = request.integer("amount"), request.integer("period_s")
    config = {"limits": f"{amount} per {period_s} second", "algorithm": algorithm}
    if request.optional_raw("burst") not in {"", "null"}:
        config |= {"burst": request.integer("burst")}
    verdict, state = spending.of(donjon.Limits.from_config(json.dumps(config)))
    told = {name: getattr(verdict, name) for name in _TOLD if name not in {"index", "keep_ms"}}
    return {**told, "state_hex": state.hex()}


def limits_describe(request: Request) -> Answer:
    limits = donjon.Limits.from_config(request.raw("config"))
    rows = [item._asdict() for item in limits.items]
    return {"description": {"algorithm": limits.algorithm, "limits": rows}}


def limits_diagnose(request: Request) -> Answer:
    config = request.text("config")
    try:
        donjon.Limits.from_config(config)
    except donjon.ConfigError as error:
        assert error.diagnosis
        message = error.diagnosis["message"]
        return {"status": error.reason, "path": error.path, "message": message}
    return {"status": "ok", "path": None, "message": None}


def limits_spend(request: Request) -> Answer:
    config, spending = request.raw("config"), Spending(request)
    verdict, state = spending.of(donjon.Limits.from_config(config))
    return {**{name: getattr(verdict, name) for name in _TOLD}, "state_hex": state.hex()}


def limits_give_back(request: Request) -> Answer:
    config, spending = request.raw("config"), Spending(request)
    spent_at_ms, limits = request.integer("spent_at_ms"), donjon.Limits.from_config(config)
    state, cost, now_ms = spending.state, spending.cost, spending.now_ms
    return {"state_hex": limits.give_back(state, spent_at_ms, cost, now_ms=now_ms).hex()}


def limits_headers(request: Request) -> Answer:
    config, spending = request.raw("config"), Spending(request)
    ietf, limits = request.boolean("ietf"), donjon.Limits.from_config(config)
    verdict, _ = spending.of(limits)
    return {"headers": limits.headers(verdict, now_ms=spending.now_ms, ietf=ietf)}


def limits_refusal(request: Request) -> Answer:
    config, spending = request.raw("config"), Spending(request)
    code, limits = request.optional_text("code") or "", donjon.Limits.from_config(config)
    verdict, _ = spending.of(limits)
    return {"body": limits.refusal(verdict, code=code, now_ms=spending.now_ms)}


def limits_script(request: Request) -> Answer:
    return {"script": donjon.Limits.from_config(request.raw("config")).script}


def limits_script_args(request: Request) -> Answer:
    config, cost, now_ms = request.raw("config"), request.u32("cost"), request.moment("now_ms")
    return {"args": donjon.Limits.from_config(config).script_args(cost, now_ms=now_ms)}


def compare_and_set_script(_: Request) -> Answer:
    return {"script": _donjon.compare_and_set_script()}


def limit_profiles(_: Request) -> Answer:
    return {"profiles": _donjon.profiles()}


def lockout_counters(request: Request) -> Answer:
    keys, now = request.raw("keyring"), request.integer("now_s")
    account, address = request.text("account"), request.text("address")
    subject, state = request.text("subject"), request.text("state")
    device = request.text("device")
    lockout = donjon.LockoutKeys(donjon.Keyring.from_jwks(keys))
    return {
        "counters": lockout.counters(
            account, address=address, device=device, subject=subject, state=state, now=now
        )
    }


def lockout_device_token(request: Request) -> Answer:
    keys, subject, state = request.raw("keyring"), request.text("subject"), request.text("state")
    ttl, now = request.integer("ttl_s"), request.integer("now_s")
    entropy = request.hex("entropy_hex")
    lockout = donjon.LockoutKeys(donjon.Keyring.from_jwks(keys))
    with drawing(entropy):
        return {"token": lockout.device_token(subject, state=state, ttl=ttl, now=now)}


_PROXIES_MEMBERS = {name: name for name in ("header", "trusted", "hops", "ipv6_prefix")}


def client_ip(request: Request) -> Answer:
    peer, lines = request.text("peer"), request.texts("lines")
    proxies = donjon.Proxies.from_config(request.config(_PROXIES_MEMBERS))
    client = proxies.client(peer, lines)
    return {"ip": client.ip, "bucket": client.bucket, "from_header": client.from_header}


class SessionRules:
    """What is asked about sessions."""

    def __init__(self, request: Request) -> None:
        self.keyring, self.config = request.raw("keyring"), request.raw("config")

    def sessions(self) -> Sessions:
        return Sessions(donjon.Keyring.from_jwks(self.keyring), self.config)


class Stored:
    """A user's record, and when it is looked at."""

    def __init__(self, request: Request) -> None:
        self.record, self.entropy = request.hex("record_hex"), request.optional_hex("entropy_hex")
        self.times = {name: request.integer(name) for name in ("now_ms", "store_since_ms")}


def _client(request: Request) -> dict[str, str]:
    return {name: request.text(name) for name in ("address", "user_agent")}


_WHY = (
    "",
    "unknown",
    "malformed",
    "idle",
    "absolute",
    "address",
    "user_agent",
    "store",
    "foreign",
)
_WRITE = ("", "must", "may")
_CHANGES = ("address", "user_agent")


def _told(session: Session | None, *more: str) -> Answer | None:
    """A session as the kernel tells it."""
    if session is None:
        return None
    told = {
        "handle": session.handle,
        "subject": session.subject,
        "kind": session.kind,
        "label": session.label,
        "data": base64.urlsafe_b64encode(session.data).rstrip(b"=").decode(),
        "created_ms": session.created_ms,
        "seen_ms": session.seen_ms,
        "expires_ms": session.expires_ms,
        "network": session.network,
    }
    if "current" in more:
        told["current"] = session.current
    if "evicted" in more:
        told["evicted"] = [each._asdict() for each in session.evicted]
    return told


def _decided(verdict: SessionVerdict) -> Answer:
    return {
        "status": verdict.status,
        "reason": _WHY.index(verdict.why),
        "write": _WRITE.index(verdict.write),
        "changes": sum(1 << _CHANGES.index(each) for each in verdict.changes),
        "keep_ms": verdict.keep_ms,
        "record_hex": verdict.record.hex(),
    }


def session_diagnose(request: Request) -> Answer:
    keys, config = request.raw("keyring"), request.text("config")
    keyring = donjon.Keyring.from_jwks(keys)
    try:
        Sessions(keyring, config)
    except donjon.DonjonError as error:
        assert error.diagnosis
        path, message = error.diagnosis["path"], error.diagnosis["message"]
        return {"status": error.reason, "path": path, "message": message}
    return {"status": "ok", "path": None, "message": None}


def session_keys(request: Request) -> Answer:
    rules, subject = SessionRules(request), request.text("subject")
    return {"keys": rules.sessions().keys(subject)}


def session_key(request: Request) -> Answer:
    rules, id = SessionRules(request), request.text("session_id")
    return {"key": rules.sessions().key(id)}


class LogIn:
    """Somebody who logs in."""

    def __init__(self, request: Request) -> None:
        self.rules, self.stored = SessionRules(request), Stored(request)
        self.subject, self.client = request.text("subject"), _client(request)
        self.more: Any = {"label": request.text("label"), "data": request.hex("data_hex")}

    def carry_out(self, how: str) -> SessionVerdict:
        operation, stored = getattr(self.rules.sessions(), how), self.stored
        options = self.client | self.more | stored.times
        with drawing(stored.entropy):
            verdict: SessionVerdict = operation(stored.record, self.subject, **options)
        return verdict


def session_create(request: Request) -> Answer:
    verdict = LogIn(request).carry_out("create")
    session = _told(verdict.session, "evicted")
    return {"session_id": verdict.id, **_decided(verdict), "session": session}


def session_begin_family(request: Request) -> Answer:
    verdict = LogIn(request).carry_out("begin_family")
    state, session = verdict.state or b"", _told(verdict.session, "evicted")
    return {"state_hex": state.hex(), **_decided(verdict), "session": session}


def session_check(request: Request) -> Answer:
    rules, stored, client = SessionRules(request), Stored(request), _client(request)
    id, sessions = request.text("session_id"), rules.sessions()
    with drawing(stored.entropy):
        verdict = sessions.check(stored.record, id, **client, **stored.times)
    return {**_decided(verdict), "session": _told(verdict.session)}


def session_rotate(request: Request) -> Answer:
    rules, stored, client = SessionRules(request), Stored(request), _client(request)
    id, data, sessions = request.text("session_id"), request.hex("data_hex"), rules.sessions()
    with drawing(stored.entropy):
        verdict = sessions.rotate(stored.record, id, **client, data=data, **stored.times)
    return {"session_id": verdict.id, **_decided(verdict), "session": _told(verdict.session)}


def session_refresh(request: Request) -> Answer:
    rules, stored, client = SessionRules(request), Stored(request), _client(request)
    subject, family = request.text("subject"), request.text("family")
    generation, issued_at = request.integer("generation"), request.moment("issued_at_s")
    sessions, used = rules.sessions(), (stored.record, subject, family, generation)
    with drawing(stored.entropy):
        verdict = sessions.refresh(*used, issued_at=issued_at, **client, **stored.times)
    state = verdict.state or b""
    return {"state_hex": state.hex(), **_decided(verdict), "session": _told(verdict.session)}


def session_list(request: Request) -> Answer:
    rules, stored = SessionRules(request), Stored(request)
    subject, current = request.text("subject"), request.text("current")
    found = rules.sessions().list(stored.record, subject, current=current, **stored.times)
    return {"sessions": [_told(session, "current") for session in found]}


def session_revoke(request: Request) -> Answer:
    rules, stored = SessionRules(request), Stored(request)
    subject, handle, which = request.text("subject"), request.text("handle"), request.text("which")
    if which not in {"one", "others", "all"}:
        raise BadRequest
    sessions, ended = rules.sessions(), {"subject": subject, "handle": handle}
    scope: Any = which
    with drawing(stored.entropy):
        verdict = sessions.revoke(stored.record, scope, **ended, **stored.times)
    return {**_decided(verdict), "revoked": [_told(session) for session in verdict.revoked]}


def session_csrf_token(request: Request) -> Answer:
    rules, id = SessionRules(request), request.text("session_id")
    entropy, sessions = request.hex("entropy_hex"), rules.sessions()
    with drawing(entropy):
        return {"token": sessions.csrf_token(id)}


_REQUEST = ("method", "sec_fetch_site", "origin", "host", "csrf_token")


def session_check_request(request: Request) -> Answer:
    rules, id = SessionRules(request), request.text("session_id")
    asked = {name: request.text(name) for name in _REQUEST}
    rules.sessions().check_request(id, **asked)
    return {}


def session_cookie(request: Request) -> Answer:
    rules, id = SessionRules(request), request.text("session_id")
    return {"header": rules.sessions().cookie(id)}


def session_csrf_cookie(request: Request) -> Answer:
    rules, token = SessionRules(request), request.text("token")
    return {"header": rules.sessions().csrf_cookie(token)}


def session_read_cookie(request: Request) -> Answer:
    rules, header = SessionRules(request), request.text("header")
    return {"session_id": rules.sessions().read_cookie(header) or None}


class RevocationRules:
    """What is asked about revocations."""

    def __init__(self, request: Request) -> None:
        self.keyring, self.config = request.raw("keyring"), request.optional_raw("config")

    def rules(self) -> revocation.RevocationRules:
        keyring = donjon.Keyring.from_jwks(self.keyring)
        return revocation.RevocationRules(keyring, self.config or None)


def _token(request: Request) -> dict[str, str]:
    return {name: request.text(name) for name in ("subject", "token_id", "family", "key_id")}


def _kind(request: Request) -> Any:
    kind = request.text("kind")
    if kind not in {"token", "family", "subject", "key"}:
        raise BadRequest
    return kind


def revocation_keys(request: Request) -> Answer:
    rules, token = RevocationRules(request), _token(request)
    return {"keys": rules.rules().keys(**token)}


def revocation_record_check(request: Request) -> Answer:
    rules, token = RevocationRules(request), _token(request)
    issued_at, values = request.moment("issued_at_s"), request.hexes("values_hex")
    since_ms = request.integer("store_since_ms")
    rules.rules().check(values, **token, issued_at=issued_at, store_since_ms=since_ms)
    return {}


def revocation_issue_since(request: Request) -> Answer:
    rules, subject = RevocationRules(request), request.text("subject")
    values, since_ms = request.hexes("values_hex"), request.integer("store_since_ms")
    return {"since_s": rules.rules().issue_since(subject, values, store_since_ms=since_ms)}


def revocation_key(request: Request) -> Answer:
    rules, kind = RevocationRules(request), _kind(request)
    subject, name = request.text("subject"), request.text("name")
    return {"key": rules.rules().key(kind, subject=subject, id=name)}


def revocation_revoke(request: Request) -> Answer:
    rules, kind, stored = RevocationRules(request), _kind(request), request.hex("stored_hex")
    subject, name = request.text("subject"), request.text("name")
    until, now_ms = request.moment("until_s"), request.integer("now_ms")
    since_ms, named = request.integer("store_since_ms"), {"subject": subject, "id": name}
    value, keep_ms = rules.rules().revoke(
        kind, stored, **named, until=until, now_ms=now_ms, store_since_ms=since_ms
    )
    return {"value_hex": value.hex(), "keep_ms": keep_ms}


_REASONS = ("", "missing", "damaged", "rolled_back", "silent")


def store_marker(request: Request) -> Answer:
    stored, seen = request.hex("stored_hex"), request.hex("seen_hex")
    silence, now_ms = request.integer("max_silence_ms"), request.integer("now_ms")
    verdict = revocation.store_marker(stored, seen, max_silence_ms=silence, now_ms=now_ms)
    return {
        "marker_hex": verdict.marker.hex(),
        "since_ms": verdict.since_ms,
        "keep_ms": verdict.keep_ms,
        "write": _WRITE.index(verdict.write),
        "reason": _REASONS.index(verdict.reason),
    }


def revocation_set_sign(request: Request) -> Answer:
    keys, records = request.raw("keyring"), request.hexes("records_hex")
    terms: Any = {
        "sequence": request.size("sequence"),
        "store_since_ms": request.integer("store_since_ms"),
        "skew": request.integer("skew_s"),
        "issued_at": request.integer("issued_at_s"),
        "valid_until": request.integer("valid_until_s"),
    }
    entropy, keyring = request.hex("entropy_hex"), donjon.Keyring.from_jwks(keys)
    with drawing(entropy):
        return {"set_hex": revocation.sign_revocation_set(keyring, records, **terms).hex()}


class SignedSet:
    """A set, and what it is opened with."""

    def __init__(self, request: Request) -> None:
        self.keyring, self.bytes = request.raw("keyring"), request.hex("set_hex")
        self.last_sequence, self.now = request.size("last_sequence"), request.integer("now_s")

    def open(self) -> revocation.RevocationSet:
        keyring = donjon.Keyring.from_jwks(self.keyring)
        return revocation.RevocationSet.open(
            self.bytes, keyring, last_sequence=self.last_sequence, now=self.now
        )


def revocation_set_open(request: Request) -> Answer:
    SignedSet(request).open()
    return {}


def revocation_set_info(request: Request) -> Answer:
    info: Any = SignedSet(request).open().info()
    rate = f"{Decimal(info['false_positive_rate']):f}"
    members = (
        f'"{name}":{rate if value.__class__ is float else value}' for name, value in info.items()
    )
    return {"info": Raw("{" + ",".join(members) + "}")}


def revocation_set_check(request: Request) -> Answer:
    fields, token = SignedSet(request), _token(request)
    issued_at, at = request.moment("issued_at_s"), request.integer("at_s")
    opened = fields.open()
    try:
        found = opened.check(**token, issued_at=issued_at, now=at)
    except donjon.DonjonError as error:
        return {"status": error.reason, "probable": False}
    status = {"good": "ok"}.get(found, "revoked")
    return {"status": status, "probable": found == "probably_revoked"}


OPERATIONS: dict[str, Callable[[Request], Answer]] = {
    operation.__name__: operation
    for operation in (
        jws_verify,
        token_verify,
        token_sign,
        jwks_parse,
        purpose_mint,
        purpose_check,
        refresh_rotate,
        revocation_check,
        jwks_refresh,
        password_hash,
        password_verify,
        password_unknown_user,
        password_needs_rehash,
        password_strength,
        breach_prefix,
        breach_count,
        permission_implies,
        rbac_check,
        rbac_explain,
        what_can,
        who_can,
        has_role,
        check_permission,
        check_role,
        policy_assign,
        policy_document,
        policy_shipped,
        policy_diagnose,
        policy_diff,
        policy_lint,
        policy_matrix,
        casbin_import,
        chunked_seal,
        chunked_open,
        envelope_seal,
        envelope_open,
        envelope_rewrap,
        envelope_needs_rewrap,
        envelope_inspect,
        passphrase_seal,
        passphrase_open,
        external_seal,
        external_open,
        data_key_new,
        data_key_rewrap,
        cell_seal,
        cell_open,
        stream_seal,
        stream_open,
        reader_read,
        blind_index,
        setting_seal,
        setting_open,
        erasure,
        fernet_encrypt,
        fernet_decrypt,
        fernet_rotate,
        fernet_timestamp,
        fernet_derive_key,
        aes_engine_open,
        limit_parse,
        limit_apply,
        limits_describe,
        limits_diagnose,
        limits_spend,
        limits_give_back,
        limits_headers,
        limits_refusal,
        limits_script,
        limits_script_args,
        compare_and_set_script,
        limit_profiles,
        lockout_counters,
        lockout_device_token,
        client_ip,
        session_diagnose,
        session_keys,
        session_key,
        session_create,
        session_check,
        session_rotate,
        session_begin_family,
        session_refresh,
        session_list,
        session_revoke,
        session_csrf_token,
        session_check_request,
        session_cookie,
        session_csrf_cookie,
        session_read_cookie,
        revocation_keys,
        revocation_record_check,
        revocation_issue_since,
        revocation_key,
        revocation_revoke,
        store_marker,
        revocation_set_sign,
        revocation_set_open,
        revocation_set_info,
        revocation_set_check,
    )
}


def answer(line: str) -> str:
    """Answer one request."""
    try:
        request = Request(line)
    except BadRequest:
        return _written({"id": None, "ok": False, "error": "bad_request"})
    return _written({"id": Raw(request.optional_raw("id") or "null"), **_dispatch(request)})


def _dispatch(request: Request) -> Answer:
    try:
        operation = OPERATIONS.get(request.text("op"))
        if operation is None:
            return {"ok": False, "error": "unsupported_op"}
        return {"ok": True, **operation(request)}
    except BadRequest:
        return {"ok": False, "error": "bad_request"}
    except donjon.DonjonError as error:
        return {"ok": False, "error": error.reason}


def _written(answer: Answer) -> str:
    members = (f"{json.dumps(name)}:{_json(value)}" for name, value in answer.items())
    return "{" + ",".join(members) + "}"


def _json(value: Any) -> str:
    if isinstance(value, Raw):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Answer the requests on standard input, in order, each before the next is read."""
    for line in sys.stdin.buffer:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = ""
        sys.stdout.buffer.write(answer(text.rstrip("\n")).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
