"""ATTACKS.md 2, 6, 12 and 21 where keys are loaded and looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import serialization

from . import keys
from .algorithms import SMALL_ORDER, parts_of_public, point_text
from .jose import b64u, compact, jws, unb64u
from .keys import EDDSA, ES256, ES384, HS256, HS384, HS512, RS256, stream
from .rfc import thumbprint
from .suite import Suite, claims, header, key_set, token


def suites() -> Iterator[Suite]:
    suite = Suite("attacks-keys", "Keys that are refused when they are loaded, and key ids that are looked up and nothing else.", "ATTACKS.md 2, 6, 12 and 21, RFC 7517, RFC 7518 section 6, RFC 8725 section 3.5")
    _public_text_as_secret(suite)
    _weak_secrets(suite)
    _bad_points(suite)
    _bad_rsa(suite)
    _bad_members(suite)
    _skipped(suite)
    _key_ids(suite)
    yield suite


def _secret(material: bytes, alg: str | None = "HS256", **more: Any) -> dict[str, Any]:
    return keys.Secret("k", alg, material).jwk(**more)


def _public_text_as_secret(suite: Suite) -> None:
    for key in (RS256, ES256, EDDSA):
        texts = keys.public_texts(key) | {"JWK JSON": compact(key.jwk()).encode(), "JWK Set JSON": compact(key_set(key)).encode()}
        texts["SPKI PEM after white space"] = b"\n  " + texts["SPKI PEM"]
        texts["OpenSSH text with a comment"] = texts["OpenSSH text"] + b" ann@example.com"
        texts["JWK JSON with white space"] = b" " + compact(key.jwk()).replace(",", ", ").encode() + b"\n"
        texts["private PEM"] = key.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for name, text in texts.items():
            suite.load(f"{key.alg} {name} as an HMAC secret", _secret(text), error="config_error", attack=2)
        raw = parts_of_public(key)
        suite.load(f"{key.alg} raw public key as an HMAC secret in the same set", [key, _secret(raw)], error="config_error", attack=2)
        suite.load(f"{key.alg} raw public key as an HMAC secret before it in the set", [_secret(raw), key], error="config_error", attack=2)
    for alg, key in (("HS384", RS256), ("HS512", RS256), (None, RS256)):
        suite.load(f"a PEM as a secret for {alg}", _secret(keys.public_texts(key)["SPKI PEM"], alg), error="config_error", attack=2)
    certificate = b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUAAAAAAAAAAAAAAAAAAAAAAAAAAAwCgYIKoZIzj0EAwIw\n-----END CERTIFICATE-----\n"
    suite.load("a certificate as an HMAC secret", _secret(certificate), error="config_error", attack=2)


def _weak_secrets(suite: Suite) -> None:
    for key, size in ((HS256, 32), (HS384, 48), (HS512, 64)):
        assert isinstance(key, keys.Secret)
        suite.load(f"{key.alg} with {size} bytes", _secret(stream("fit", size), key.alg), attack=21)
        suite.load(f"{key.alg} with {size * 2} bytes", _secret(stream("fit", size * 2), key.alg), attack=21)
        suite.load(f"{key.alg} with {size - 1} bytes", _secret(stream("short", size - 1), key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} with 16 bytes", _secret(stream("short", 16), key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} with one byte", _secret(b"k", key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} with the empty secret", _secret(b"", key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} all zero", _secret(bytes(size), key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} all 0xff", _secret(b"\xff" * size, key.alg), error="config_error", attack=21)
        suite.load(f"{key.alg} all the letter a", _secret(b"a" * (size + 5), key.alg), error="config_error", attack=21)
        for word in ("changeme", "secret"):
            repeated = (word * 16).encode()
            suite.load(f"{key.alg}: {word} repeated", _secret(repeated[: len(word) * (-(-size // len(word)))], key.alg), error="config_error", attack=21)
            suite.load(f"{key.alg}: {word} repeated and cut off", _secret(repeated[: size + 3], key.alg), error="config_error", attack=21)
    suite.load("a secret without an algorithm, 31 bytes", _secret(stream("short", 31), None), error="config_error", attack=21)
    suite.load("a secret that only ends in changeme is not a placeholder", _secret(stream("random", 32) + b"changeme"), attack=21)
    suite.load("two bytes differ from all the rest", _secret(b"a" * 30 + stream("random", 34)), attack=21)
    suite.verify("a token under a short secret is not verified", jws(header(HS256), claims(), keys.Secret(HS256.kid, "HS256", b"short")), keys.Secret(HS256.kid, "HS256", b"short"), ["HS256"], error="config_error", attack=21)
    suite.verify("a token under changeme repeated is not verified", jws(header(HS256), claims(), keys.Secret(HS256.kid, "HS256", b"changeme" * 4)), keys.Secret(HS256.kid, "HS256", b"changeme" * 4), ["HS256"], error="config_error", attack=21)


def _bad_points(suite: Suite) -> None:
    p256, p384, edwards = ES256.jwk(), ES384.jwk(), EDDSA.jwk()
    x, y = unb64u(p256["x"]), unb64u(p256["y"])
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    points = {
        "not on the curve": {"y": b64u(y[:-1] + bytes([y[-1] ^ 1]))},
        "x and y zero": {"x": b64u(bytes(32)), "y": b64u(bytes(32))},
        "x over the prime": {"x": b64u((prime + 5).to_bytes(32, "big"))},
        "x all ones": {"x": b64u(b"\xff" * 32)},
        "y missing": {"y": ...},
        "x missing": {"x": ...},
        "x one byte short": {"x": b64u(x[1:])},
        "x with a leading zero byte": {"x": b64u(b"\0" + x)},
        "x empty": {"x": ""},
        "x padded": {"x": p256["x"] + "="},
        "x not base64url": {"x": "!" * 43},
        "x a number": {"x": 5},
        "x null": {"x": None},
    }
    for name, change in points.items():
        jwk = {member: value for member, value in (p256 | change).items() if value is not ...}
        suite.load(f"P-256: {name}", jwk, error="config_error", attack=12)
    suite.load("P-384: not on the curve", p384 | {"x": p384["y"]}, error="config_error", attack=12)
    suite.load("P-384 named P-256", p384 | {"crv": "P-256", "alg": "ES256"}, error="config_error", attack=12)
    suite.load("P-256 named P-384", p256 | {"crv": "P-384", "alg": "ES384"}, error="config_error", attack=12)
    suite.load("P-256 with the private half of another key", ES256.private_jwk() | {"d": keys.ATTACKER_ES256.private_jwk()["d"]}, error="config_error", attack=12)
    suite.load("P-256 with a private half of zero", p256 | {"d": b64u(bytes(32))}, error="config_error", attack=12)
    suite.load("P-256 with a private half of the order", p256 | {"d": b64u(keys.P256_ORDER.to_bytes(32, "big"))}, error="config_error", attack=12)
    for name, point in SMALL_ORDER.items():
        suite.load(f"Ed25519 of small order: {name}", edwards | {"x": point_text(point)}, error="config_error", attack=12)
    raw = unb64u(edwards["x"])
    for name, text in {"one byte short": b64u(raw[1:]), "one byte long": b64u(raw + b"\0"), "empty": "", "padded": edwards["x"] + "=", "not on the curve": b64u(_off_curve())}.items():
        suite.load(f"Ed25519: {name}", edwards | {"x": text}, error="config_error", attack=12)
    suite.load("Ed25519: x missing", {member: value for member, value in edwards.items() if member != "x"}, error="config_error", attack=12)
    suite.load("Ed25519 with the private half of another key", EDDSA.private_jwk() | {"d": keys.ATTACKER.private_jwk()["d"]}, error="config_error", attack=12)
    suite.load("Ed25519 with a short private half", edwards | {"d": b64u(stream("d", 31))}, error="config_error", attack=12)


def _off_curve() -> bytes:
    """The first y whose x² = (y² − 1) / (d·y² + 1) is no square (RFC 8032 section 5.1.3)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    y = 2
    while True:
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        if pow(square, (p - 1) // 2, p) == p - 1:
            return y.to_bytes(32, "little")
        y += 1


def _bad_rsa(suite: Suite) -> None:
    good = RS256.jwk()
    n = int.from_bytes(unb64u(good["n"]), "big")

    def modulus(bits: int) -> str:
        odd = int.from_bytes(stream(f"modulus {bits}", bits // 8), "big") | 1 | 1 << (bits - 1)
        return b64u(odd.to_bytes(bits // 8, "big"))

    bad = {
        "512 bits": {"n": modulus(512)},
        "1,024 bits": {"n": modulus(1024)},
        "2,040 bits": {"n": modulus(2040)},
        "8,200 bits": {"n": modulus(8200)},
        "16,384 bits": {"n": modulus(16384)},
        "an even modulus": {"n": b64u((n - 1).to_bytes(256, "big"))},
        "a modulus of zero": {"n": b64u(bytes(256))},
        "no modulus": {"n": ...},
        "an empty modulus": {"n": ""},
        "an exponent of one": {"e": "AQ"},
        "an exponent of zero": {"e": "AA"},
        "an even exponent": {"e": b64u(b"\x01\x00\x00")},
        "an empty exponent": {"e": ""},
        "no exponent": {"e": ...},
        "a huge exponent": {"e": b64u(b"\x01" + bytes(31) + b"\x01")},
        "a padded modulus": {"n": good["n"] + "=="},
        "a modulus in plain base64": {"n": good["n"].replace("-", "+").replace("_", "/")},
    }
    for name, change in bad.items():
        jwk = {member: value for member, value in (good | change).items() if value is not ...}
        suite.load(f"RSA with {name}", jwk, error="config_error", attack=12)
    suite.load("RSA with 8,192 bits", good | {"n": modulus(8192)}, attack=12)
    suite.load("RSA with 2,048 bits", good, attack=12)


def _bad_members(suite: Suite) -> None:
    good = EDDSA.jwk()
    for name, value in {"a number": 7, "null": None, "a list": ["a"], "true": True}.items():
        suite.load(f"a key id that is {name}", good | {"kid": value}, error="config_error")
    suite.load("two keys with one id", [EDDSA, HS256.jwk() | {"kid": EDDSA.kid}], error="config_error")
    suite.load("two public keys with one id", [EDDSA, keys.ATTACKER.jwk() | {"kid": EDDSA.kid}], error="config_error")
    suite.load("a key id of 129 bytes", good | {"kid": "k" * 129}, error="config_error", attack=6)
    suite.load("a key id of 129 bytes in 65 characters", good | {"kid": "\u00e9" * 64 + "k"}, error="config_error", attack=6)
    suite.load("a key id of 128 bytes", good | {"kid": "k" * 128}, summary=[{"kid": "k" * 128, "kty": "OKP", "alg": "EdDSA", "thumbprint": thumbprint(good)}], attack=6)
    suite.load("no key type", {member: value for member, value in good.items() if member != "kty"}, error="config_error")
    suite.load("a secret without k", {"kty": "oct", "kid": "k", "alg": "HS256"}, error="config_error")
    suite.load("a secret whose k is padded", HS256.jwk() | {"k": HS256.jwk()["k"] + "="}, error="config_error")
    suite.load("a secret whose k has trailing bits", HS256.jwk() | {"k": HS256.jwk()["k"][:-1] + "B"}, error="config_error")
    suite.load("a secret for a public-key algorithm", HS256.jwk() | {"alg": "RS256"}, error="config_error")
    suite.load("a public key for an HMAC algorithm", RS256.jwk() | {"alg": "HS256"}, error="config_error", attack=2)
    suite.load("an Ed25519 key for ES256", good | {"alg": "ES256"}, error="config_error")
    for name, document in {"keys missing": {"key": []}, "keys an object": {"keys": {}}, "keys null": {"keys": None}, "keys a string": {"keys": "x"}, "a key that is a string": {"keys": ["x"]}, "a key that is null": {"keys": [None]}, "a key that is a list": {"keys": [[good]]}}.items():
        suite.add(f"a set with {name}", {"op": "jwks_parse", "jwks": document}, {"ok": False, "error_in": ["config_error", "malformed"]})
    for name, value in {"a list": [good], "null": None, "a string": "keys", "a number": 1, "one key instead of a set": good}.items():
        suite.add(f"a set that is {name}", {"op": "jwks_parse", "jwks": value}, {"ok": False, "error_in": ["config_error", "malformed", "bad_request"]})


def _skipped(suite: Suite) -> None:
    row = {"kid": EDDSA.kid, "kty": "OKP", "alg": "EdDSA", "thumbprint": thumbprint(EDDSA.jwk())}
    foreign = {
        "P-521": {"kty": "EC", "crv": "P-521", "kid": "a", "x": "AA", "y": "AA"},
        "X25519": {"kty": "OKP", "crv": "X25519", "kid": "a", "x": b64u(stream("x", 32))},
        "Ed448": {"kty": "OKP", "crv": "Ed448", "kid": "a", "x": b64u(stream("x", 57))},
        "secp256k1": {"kty": "EC", "crv": "secp256k1", "kid": "a", "x": b64u(stream("x", 32)), "y": b64u(stream("y", 32))},
        "an unknown key type": {"kty": "AKP", "alg": "ML-DSA-44", "kid": "a", "pub": "AA"},
    }
    for name, jwk in foreign.items():
        suite.load(f"{name} is skipped, the rest is loaded", [jwk, EDDSA], summary=[row])
        suite.verify(f"a token of ours beside {name}", token(EDDSA), [jwk, EDDSA], ["EdDSA"])
    for alg in ("RS1", "RSA-OAEP", "RSA-OAEP-256", "PS512", "RS384", "ECDH-ES"):
        jwk = RS256.jwk() | {"alg": alg, "kid": "a"}
        suite.verify(f"a token of ours beside a key for {alg}", token(EDDSA), [jwk, EDDSA], ["EdDSA"])
        forged = jws({"alg": "RS256", "kid": "a", "typ": "at+jwt"}, claims(), RS256)
        suite.verify(f"a key for {alg} verifies nothing", forged, [jwk, RS256], ["RS256"], error="unknown_key|alg_not_allowed", attack=4)
    suite.load("an identity provider's decorations are ignored", EDDSA.jwk(use="sig", key_ops=["verify"], x5c=["MIIB"], x5t="dGh1bWI", ext=True), summary=[row])
    suite.load("an empty set", {"keys": []}, summary=[])
    suite.load("further members of the set are ignored", {"keys": [EDDSA.jwk()], "version": 3}, summary=[row])
    anonymous = keys.without(EDDSA, kid=True, alg=True)
    suite.load("neither id nor algorithm", anonymous, summary=[{"kid": None, "kty": "OKP", "alg": None, "thumbprint": thumbprint(EDDSA.jwk())}])


def _key_ids(suite: Suite) -> None:
    strange = {
        "a path": "../../../../etc/passwd",
        "/dev/null": "/dev/null",
        "SQL": "' OR '1'='1",
        "a UNION": "x' UNION SELECT 'c2VjcmV0",
        "a NUL": f"{HS256.kid}\u0000",
        "only a NUL": "\u0000",
        "a command": "$(id)",
        "a URL": "https://attacker.example/key",
        "a template": "{{7*7}}",
        "a header split": "hmac-256\r\nX: y",
        "our id in upper case": HS256.kid.upper() if HS256.kid else "",
        "our id with a space after it": f"{HS256.kid} ",
        "our id with a space before it": f" {HS256.kid}",
        "our id and more": f"{HS256.kid}6",
        "our id cut short": (HS256.kid or "")[:-1],
        "our id with a combining accent": f"{HS256.kid}\u0301",
        "our id in full width": "\uff48mac-256",
        "the empty id": "",
        "128 bytes": "k" * 128,
        "129 bytes": "k" * 129,
        "1,000 bytes": "k" * 1000,
        "a prototype's member": "__proto__",
    }
    for name, kid in strange.items():
        for maker, by in ((HS256, "ours"), (keys.Secret(None, "HS256", b""), "the empty secret")):
            text = jws({"alg": "HS256", "kid": kid, "typ": "at+jwt"}, claims(), maker)
            suite.verify(f"kid: {name}, signed with {by}", text, HS256, ["HS256"], error="unknown_key", attack=6)
    for name, value in {"a number": 1, "null": None, "a list": [HS256.kid], "an object": {}, "true": True}.items():
        text = jws({"alg": "HS256", "kid": value, "typ": "at+jwt"}, claims(), HS256)
        suite.verify(f"kid that is {name}", text, HS256, ["HS256"], error="malformed|unknown_key", attack=6)
    for name, kid in {"a path": "../keys/1", "SQL": "' OR 1=1 --", "128 bytes": "k" * 128, "an emoji": "\U0001f511", "quotes": "\"\\\"", "a space": " "}.items():
        key = keys.Secret(kid, "HS256", stream(f"kid {kid}", 32))
        suite.verify(f"a configured kid with {name} is found as it is", token(key), [key, HS256], ["HS256"], attack=6)
    suite.verify("an escaped kid is the same kid", jws('{"alg":"HS256","kid":"\\u0068mac-256","typ":"at+jwt"}', claims(), HS256), HS256, ["HS256"], attack=6)
