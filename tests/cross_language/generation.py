"""Requests for the conformance shims, random but the same for the same seed: good ones, mutated ones, and no requests at all.

Lines are made as text, not as objects: duplicate members, spellings of numbers and of strings are the point. Tokens are
signed here with HMAC, so that odd headers and claims get past the signature; those under other algorithms come from the
vectors. Requests about sessions and revocation build on what the first host answered to earlier ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from envelopes import Envelopes
from limits import Limits
from passwords import Passwords
from playing import Player
from revocations import Revocations
from roles import Roles
from sessions import Sessions
from texts import NAMES, NUMBERS, STRINGS, Members, dump, line_of

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
NOW = 1_700_000_000

def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# How often each operation is asked for.
WEIGHTS = {
    "token_verify": 38, "jws_verify": 12, "token_sign": 14, "jwks_parse": 10, "purpose_mint": 6, "purpose_check": 5, "refresh_rotate": 7, "revocation_check": 4, "jwks_refresh": 4,
    "password_hash": 5, "password_verify": 8, "password_needs_rehash": 5, "password_strength": 8, "breach_prefix": 1, "breach_count": 2,
    "permission_implies": 8, "rbac_check": 16, "rbac_explain": 6, "what_can": 4, "who_can": 2, "has_role": 2, "check_permission": 2, "check_role": 1, "policy_assign": 3,
    "policy_document": 5, "policy_shipped": 1, "policy_diagnose": 5, "policy_diff": 3, "policy_lint": 3, "policy_matrix": 3, "casbin_import": 3,
    "chunked_seal": 3, "chunked_open": 4, "envelope_seal": 8, "envelope_open": 12, "envelope_rewrap": 4, "envelope_needs_rewrap": 2, "envelope_inspect": 4, "passphrase_seal": 2, "passphrase_open": 4, "external_seal": 2, "external_open": 4,
    "data_key_new": 3, "data_key_rewrap": 3, "cell_seal": 5, "cell_open": 8, "stream_seal": 5, "stream_open": 8, "reader_read": 5, "blind_index": 5, "setting_seal": 4, "setting_open": 6, "erasure": 3,
    "limit_parse": 4, "limit_apply": 10, "limits_describe": 3, "limits_diagnose": 4, "limits_spend": 14, "limits_give_back": 8, "limits_headers": 4, "limits_refusal": 3, "limits_script": 1, "limits_script_args": 2, "compare_and_set_script": 1, "limit_profiles": 1, "lockout_counters": 4, "lockout_device_token": 3, "client_ip": 12,
    "session_diagnose": 2, "session_keys": 1, "session_key": 1, "session_create": 9, "session_check": 12, "session_rotate": 5, "session_begin_family": 6, "session_refresh": 9, "session_list": 4, "session_revoke": 5, "session_csrf_token": 3, "session_check_request": 8, "session_cookie": 2, "session_csrf_cookie": 2, "session_read_cookie": 4,
    "revocation_keys": 3, "revocation_record_check": 8, "revocation_issue_since": 4, "revocation_key": 3, "revocation_revoke": 8, "store_marker": 6, "revocation_set_sign": 4, "revocation_set_open": 3, "revocation_set_info": 3, "revocation_set_check": 8,
    "fernet_encrypt": 3, "fernet_decrypt": 6, "fernet_rotate": 3, "fernet_timestamp": 2, "fernet_derive_key": 2, "aes_engine_open": 4,
}  # fmt: skip


class Generator(Passwords, Roles, Envelopes, Limits, Sessions, Revocations):
    """An endless, seeded source of request lines."""

    def __init__(self, seed: int, player: Player) -> None:
        super().__init__(seed)
        self.player = player
        self.good: dict[str, list[dict[str, Any]]] = {}
        self.every: list[dict[str, Any]] = []
        for path in sorted(VECTORS.glob("*.json")):
            for case in json.loads(path.read_text())["cases"]:
                if len(dump(case["request"])) < 8_000:
                    self.every.append(case["request"])
                    if case["answer"]["ok"]:
                        self.good.setdefault(case["request"]["op"], []).append(case["request"])
        self.keys = self._keys()
        self.secrets = [key for key in self.keys if key["kty"] == "oct" and key.get("alg", "").startswith("HS")]

    def _keys(self) -> list[dict[str, Any]]:
        distinct: dict[str, dict[str, Any]] = {}
        for requests in self.good.values():
            for request in requests:
                for field in ("keys", "jwks", "keyring"):
                    for key in request.get(field, {}).get("keys", []):
                        if "kty" in key:
                            distinct[dump(key)] = key
        return [distinct[text] for text in sorted(distinct)]

    # ---- tokens ----

    def secret_for(self, key: dict[str, Any], header: str, payload: str) -> str:
        """The compact token of these texts, signed with the HMAC that the key is for."""
        signed = f"{b64u(header.encode('utf-8', 'surrogatepass'))}.{b64u(payload.encode('utf-8', 'surrogatepass'))}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[key["alg"]]
        return f"{signed}.{b64u(hmac.new(unb64u(key['k']), signed.encode(), digest).digest())}"

    def claims(self) -> Members:
        members = [
            ("iss", '"https://issuer.example"'), ("sub", str(self.pick(STRINGS[1:]))), ("aud", str(self.pick(['"api"', '["web","api"]', '["api"]']))),
            ("iat", str(NOW - self.random.randrange(3600))), ("exp", str(NOW + self.random.randrange(1, 3600))), ("jti", f'"{self.random.randrange(10**9)}"'),
        ]  # fmt: skip
        if self.chance(0.4):
            members.append(("permissions", str(self.pick(["[]", '["document:read"]', '["a:*","b"]']))))
        if self.chance(0.3):
            members.append(("roles", str(self.pick(['["editor"]', '["\\u0061"]']))))
        for _ in range(self.random.randrange(3)):
            members.append((str(self.pick(["x", "y", "tenant", "\u00e9", ""])) + str(len(members)), self.value(1)))
        return members

    def odd_claims(self) -> Members:
        members = self.claims()
        for _ in range(self.random.randrange(1, 3)):
            at = self.random.randrange(len(members))
            what = self.random.random()
            if what < 0.5:
                members[at] = (members[at][0], self.value())
            elif what < 0.7:
                del members[at]
            else:
                members.append((str(self.pick(NAMES)), self.value()))
        return members

    def header(self, key: dict[str, Any]) -> Members:
        members = [("alg", dump(key["alg"]))]
        if "kid" in key:
            members.append(("kid", dump(key["kid"])))
        members.append(("typ", '"at+jwt"'))
        return members

    def odd_header(self, key: dict[str, Any]) -> Members:
        members = self.header(key)
        extra = [
            ("crit", '["x"]'), ("b64", "false"), ("zip", '"DEF"'), ("jwk", '{"kty":"oct"}'), ("x", self.value()), ("alg", '"none"'), ("kid", self.value()), ("typ", str(self.pick(STRINGS))),
            ("cty", '"JWT"'), ("x5c", '["MII"]'), ("enc", '"A128GCM"'), ("typ", '"application/at+jwt"'),
        ]  # fmt: skip
        if self.chance(0.5):
            members = [member for member in members if not self.chance(0.3)]
        members += [self.pick(extra) for _ in range(self.random.randrange(3))]
        return members

    def mutated_token(self, token: str) -> str:
        at = self.random.randrange(len(token) + 1)
        parts = token.split(".")
        done: list[Callable[[], str]] = [
            lambda: token[:at] + str(self.pick(list("ABab01-_.=+/ \n\u00e9"))) + token[at + 1 :],
            lambda: token[:at] + token[at + 1 :],
            lambda: token[:at],
            lambda: token + str(self.pick(["=", "A", ".", "\n", "\u0000", " "])),
            lambda: ".".join(reversed(parts)),
            lambda: ".".join(parts[:2]),
            lambda: ".".join(parts + parts[:2]),
            lambda: ".".join([*parts[:2], ""]),
            lambda: str(self.pick(["", ".", "..", "....", "{}", '{"payload":""}', "a.b.c", "." * 300])),
        ]
        return self.chosen(done)

    # ---- operations ----

    def own_token(self) -> tuple[dict[str, Any], str]:
        key = self.pick(self.secrets)
        header, payload = line_of(self.header(key)), line_of(self.claims())
        if self.chance(0.15):
            header = line_of(self.odd_header(key))
        if self.chance(0.35):
            payload = line_of(self.odd_claims())
        if self.chance(0.06):
            header = self.mutated_json(header)
        if self.chance(0.1):
            payload = self.mutated_json(payload)
        if self.chance(0.1):
            payload = self.respaced(payload)
        return key, self.secret_for(key, header, payload)

    def token_verify(self) -> Members:
        if self.chance(0.35):
            members = self.members(self.pick(self.good["token_verify"]))
        else:
            key, token = self.own_token()
            members = [
                ("op", '"token_verify"'), ("keys", self.key_set(key)), ("algorithms", dump([key["alg"]])), ("token", dump(token)), ("now_s", str(NOW)),
                ("issuer", '"https://issuer.example"'), ("audience", str(self.pick(['"api"', '["billing","api"]', "null"]))), ("typ", str(self.pick(['"at+jwt"', "null"]))),
                ("leeway_s", str(self.pick([0, 0, 10, 300]))), ("require", str(self.pick(["[]", '["sub"]', "null", '["sub","jti"]']))),
            ]  # fmt: skip
        if self.chance(0.15):
            members = [(name, dump(self.mutated_token(json.loads(text))) if name == "token" else text) for name, text in members]
        if self.chance(0.2):
            expectations: dict[str, list[Any]] = {
                "now_s": [NOW - 86_400, NOW - 3_600, NOW + 1_800, NOW + 86_400], "issuer": ['"https://issuer.example.evil"', '"https://issuer"', '""', "null"], "audience": ['"web"', '["x","y"]', "[]"],
                "typ": ['"rt+jwt"', '"reset+jwt"', '"at"', "null"], "require": ['["tenant"]', '["sub","roles"]', "null"], "leeway_s": ["300", "301", "-1", "1e2"], "legacy_type_claim": ['"token_type"', "null", '""'],
            }  # fmt: skip
            name = self.pick(sorted(expectations))
            members = [*(member for member in members if member[0] != name), (name, str(self.pick(expectations[name])))]
        return members

    def jws_verify(self) -> Members:
        if self.chance(0.6):
            members = self.members(self.pick(self.good["jws_verify"]))
        else:
            key, token = self.own_token()
            members = [("op", '"jws_verify"'), ("keys", self.key_set(key)), ("algorithms", dump([key["alg"]])), ("jws", dump(token))]
        if self.chance(0.2):
            members = [(name, dump(self.mutated_token(json.loads(text))) if name == "jws" else text) for name, text in members]
        return members

    def token_sign(self) -> Members:
        members = self.members(self.pick(self.good["token_sign"]))
        claims = line_of(self.odd_claims() if self.chance(0.3) else self.claims())
        claims = self.respaced(claims) if self.chance(0.3) else claims
        claims = self.mutated_json(claims) if self.chance(0.08) else claims
        return [(name, claims if name == "claims" else text) for name, text in members]

    def jwks_parse(self) -> Members:
        keys = self.random.sample(self.keys, self.random.randrange(4))
        texts = []
        for index, key in enumerate(keys):
            changed = dict(key)
            if self.chance(0.6):
                changed["kid"] = f"k{index}"
            members = [(name, dump(value)) for name, value in changed.items()]
            if self.chance(0.3):
                members.append((str(self.pick(["use", "key_ops", "x5c", "created_s", "not_after_s", "status", "purpose", "alg", "kid"])), str(self.pick([self.value(), '"sig"', '"active"', '"token"', "0"]))))
            texts.append(line_of(members))
        text = '{"keys":[' + ",".join(texts) + "]}"
        text = self.mutated_json(text) if self.chance(0.15) else text
        return [("op", '"jwks_parse"'), ("jwks", text)]

    def purpose_mint(self) -> Members:
        changes = {
            "subject": str(self.pick(STRINGS)), "state": str(self.pick(STRINGS)), "ttl_s": str(self.pick(["60", "3600", "0", "-1", "9223372036854775807"])), "now_s": str(NOW + self.random.randrange(1000)),
            "entropy_hex": dump(self.random.randbytes(self.pick([16, 16, 16, 16, 32, 15, 0])).hex()),
        }  # fmt: skip
        return [(name, changes.get(name, text) if self.chance(0.7) else text) for name, text in self.members(self.pick(self.good["purpose_mint"]))]

    def purpose_check(self) -> Members:
        members = self.members(self.pick(self.good["purpose_check"]))
        changes = {"subject": str(self.pick(STRINGS)), "state": str(self.pick(STRINGS)), "purpose": str(self.pick(STRINGS + ['"reset"', '"invite"'])), "now_s": str(NOW + self.random.randrange(10_000))}
        return [(name, changes.get(name, text) if self.chance(0.15) else text) for name, text in members]

    def refresh_rotate(self) -> Members:
        family, generation = self.random.randbytes(16), self.pick([0, 1, 7, 2**32 - 1])
        rotated_ms = NOW * 1000 + self.random.randrange(20_000)
        state = bytes([1, self.chance(0.15), 0, 0]) + generation.to_bytes(4, "big") + rotated_ms.to_bytes(8, "big") + family
        if self.chance(0.1):
            state = state[: self.random.randrange(33)]
        if self.chance(0.05):
            state = self.random.randbytes(32)
        return [
            ("op", '"refresh_rotate"'), ("state_hex", "null" if self.chance(0.05) else dump(state.hex())), ("family", dump(b64u(family)) if self.chance(0.95) else str(self.pick(STRINGS))),
            ("generation", str(max(0, generation + self.pick([0, 0, -1, -1, -2, 1])) if self.chance(0.95) else self.pick(NUMBERS))), ("now_ms", str(NOW * 1000 + self.random.randrange(40_000))), ("grace_ms", str(self.pick([0, 10_000, 10_000, 300_000, 300_001, -1]))),
        ]  # fmt: skip

    def revocation_check(self) -> Members:
        times = ["null", str(NOW), str(NOW - 3), str(NOW + 1), "0", "-1", "9223372036854775807", "-9223372036854775808"]
        often = [str(NOW)] * 8
        return [
            ("op", '"revocation_check"'), ("issued_at_s", str(self.pick(often + times))), ("subject_since_s", str(self.pick(["null"] * 6 + times))), ("store_since_s", str(self.pick(["0"] * 8 + times))),
            ("skew_s", str(self.pick(["2"] * 8 + ["0", "300", "301", "-1"]))), *((name, "true" if self.chance(0.1) else "false") for name in ("token_revoked", "family_revoked", "key_revoked")),
        ]  # fmt: skip

    def jwks_refresh(self) -> Members:
        attempted, fetched = (self.pick([-1, NOW * 1000 - self.random.randrange(700_000)]) for _ in range(2))
        state = bytes([1, self.pick([0, 1, 5, 255]), 0, 0, 0, 0, 0, 0]) + attempted.to_bytes(8, "big", signed=True) + fetched.to_bytes(8, "big", signed=True)
        if self.chance(0.1):
            state = state[: self.random.randrange(25)]
        return [
            ("op", '"jwks_refresh"'), ("state_hex", str(self.pick(["null", dump(state.hex()), dump(state.hex())]))), ("event", dump(self.pick(["unknown_key", "periodic", "fetched", "failed"]))),
            ("now_ms", str(NOW * 1000)), ("cooldown_ms", str(self.pick([1, 30_000, 30_000, 9223372036854775807, 0]))), ("max_age_ms", str(self.pick([1, 600_000, 600_000, -1]))),
        ]  # fmt: skip

    # ---- requests ----

    def key_set(self, key: dict[str, Any]) -> str:
        others = [other for other in self.random.sample(self.secrets, self.random.randrange(2)) if other.get("kid") != key.get("kid")]
        if "kid" not in key:
            others = []
        keys = [dump(other) for other in [key, *others]]
        self.random.shuffle(keys)
        return '{"keys":[' + ",".join(keys) + "]}"

    def broken(self, members: Members) -> Members:
        """One field of the wrong type, missing, twice, or put through the wringer as text."""
        at = self.random.randrange(len(members))
        name, text = members[at]
        what = self.random.random()
        if what < 0.3:
            return [*members[:at], (name, self.value()), *members[at + 1 :]]
        if what < 0.5:
            return members[:at] + members[at + 1 :]
        if what < 0.65:
            return [*members, (name, self.value())]
        if what < 0.75:
            return [*members, (str(self.pick(["extra", "OP", "Token", "", "now_ms"])), self.value())]
        if what < 0.85:
            return [*members[:at], (name, self.mutated_json(text)), *members[at + 1 :]]
        return [*members[:at], (name, str(self.pick(NUMBERS + ["null", "true"]))), *members[at + 1 :]]

    def identity(self, number: int) -> str:
        return str(self.pick([str(number)] * 6 + [dump(f"r{number}"), "null", '{"a":[1, 2]}', '"\\u0041\\ud83d\\ude00"', "1.0", "-0", "1e3", "[]"]))

    def junk(self, number: int) -> bytes:
        junk: list[bytes] = [
            b"", b" ", b"null", b"[]", b"7", b'"x"', b"{", b"{}", b'{"id":1}', b'{"id":1,"op":null}', b'{"op":"nothing"}', b'{"id":2,"op":"rbac_check"}', b"{'op':1}", b'{"op":"jwks_parse"}', b'{"id":3,"op":"jwks_parse","jwks":{"keys":[]}}x',
            b'{"id":4,"op":"jwks_parse","jwks":{"keys":[]},}', b'{"id":5,"op":"jwks_parse","jwks":NaN}', b'{"id":6,"op":"jwks_parse","jwks":"\xff"}', b"\xff\xfe", b'\xef\xbb\xbf{"id":7,"op":"x"}', b'{"id":8,"op":"x"}\x00', b"nonsense",
            b'{"id":9,"op":"signature_verify_"}', b'{"ID":10,"OP":"jwks_parse"}', b'{"id":11,"op":["jwks_parse"]}', b'{"id":01,"op":"jwks_parse"}', b'{"id":12 "op":"jwks_parse"}', b'{"id":"\\ud800","op":"x"}', b'{"id":13,"op":"\\ud800"}',
        ]  # fmt: skip
        return bytes(self.pick(junk)) if number % 2 else self.pick(junk[3:])

    def line(self, number: int) -> bytes:
        if self.chance(0.02):
            return self.junk(number)
        if self.chance(0.08):
            members = self.members(self.pick(self.every))
        else:
            members = getattr(self, self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])()
        if self.chance(0.1):
            members = self.broken(members)
        members.insert(0, ("id", self.identity(number)))
        if self.chance(0.1):
            self.random.shuffle(members)
        text = line_of(members)
        if self.chance(0.02):
            text = self.mutated_json(text)
        # A request is one line: what would end it is taken out, wherever the mutation put it.
        return text.replace("\n", " ").encode("utf-8", "surrogatepass")

    def lines(self, count: int) -> Iterator[bytes]:
        return (self.line(number) for number in range(count))
