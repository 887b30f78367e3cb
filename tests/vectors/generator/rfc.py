"""The published examples of RFC 7515, 7520, 7638 and 8037, each checked against `cryptography` before it is written."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .jose import b64u, compact, parts, unb64u
from .keys import _RSA
from .suite import Case, Suite, refusal

JOE = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

A1_KEY = {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
A1 = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

A2_KEY = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
}
A2 = f"eyJhbGciOiJSUzI1NiJ9.{JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
A3 = f"eyJhbGciOiJFUzI1NiJ9.{JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

A4_KEY = {
    "kty": "EC",
    "crv": "P-521",
    "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
    "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
}
A4 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"

A5 = f"eyJhbGciOiJub25lIn0.{JOE}."

COOKBOOK = (
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5k"
    "IGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
)
BILBO = {"kty": "RSA", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "n": _RSA["n"], "e": "AQAB"}
BILBO_EC = {
    "kty": "EC",
    "kid": "bilbo.baggins@hobbiton.example",
    "use": "sig",
    "crv": "P-521",
    "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
    "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
}
COOKBOOK_SECRET = {
    "kty": "oct",
    "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037",
    "use": "sig",
    "alg": "HS256",
    "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
}
C41 = f"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{COOKBOOK}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
C42 = f"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{COOKBOOK}.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"
C43 = f"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{COOKBOOK}.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"
C44 = f"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.{COOKBOOK}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"

ED_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
ED_SEED = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
ED = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

THUMBPRINT_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}


def integer(text: str) -> int:
    return int.from_bytes(unb64u(text), "big")


def check(jwk: dict[str, Any], token: str) -> None:
    """Raises unless the published signature holds: a slip of the pen here would test nothing."""
    head, body, sig = parts(token)
    message, signature = f"{head}.{body}".encode(), unb64u(sig)
    if jwk["kty"] == "oct":
        assert hmac.compare_digest(hmac.digest(unb64u(jwk["k"]), message, "sha256"), signature)
    elif jwk["kty"] == "OKP":
        ed25519.Ed25519PublicKey.from_public_bytes(unb64u(jwk["x"])).verify(signature, message)
    elif jwk["kty"] == "EC":
        curve, digest = {"P-256": (ec.SECP256R1(), hashes.SHA256()), "P-521": (ec.SECP521R1(), hashes.SHA512())}[jwk["crv"]]
        half = len(signature) // 2
        der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        public = ec.EllipticCurvePublicNumbers(integer(jwk["x"]), integer(jwk["y"]), curve).public_key()
        public.verify(der, message, ec.ECDSA(digest))
    else:
        public_rsa = rsa.RSAPublicNumbers(integer(jwk["e"]), integer(jwk["n"])).public_key()
        if b"PS384" in unb64u(head):
            pss = padding.PSS(padding.MGF1(hashes.SHA384()), salt_length=48)
            public_rsa.verify(signature, message, pss, hashes.SHA384())
        else:
            public_rsa.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638 §3: the required members in lexicographic order."""
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    return b64u(hashlib.sha256(compact({name: jwk[name] for name in members}).encode()).digest())


def verify(suite: Suite, name: str, jwk: Any, algorithms: list[str], token: str, *, error: str | None = None) -> None:
    keys = {"keys": jwk if isinstance(jwk, list) else [jwk]}
    request = {"op": "jws_verify", "keys": keys, "algorithms": algorithms, "jws": token}
    if error:
        answer: Case = refusal(error)
    else:
        payload = unb64u(parts(token)[1]).hex()
        answer = {"ok": True, "payload_hex": payload, "alg": algorithms[0], "kid": keys["keys"][0].get("kid")}
    suite.add(name, request, answer)


def tampered(token: str, segment: int) -> str:
    """The token with one bit of the first character's sextet flipped: the text stays canonical."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    segments = parts(token)
    first = segments[segment][0]
    segments[segment] = alphabet[alphabet.index(first) ^ 1] + segments[segment][1:]
    return ".".join(segments)


def rfc7515() -> Suite:
    for jwk, token in ((A1_KEY, A1), (A2_KEY, A2), (A3_KEY, A3), (A4_KEY, A4)):
        check(jwk, token)
    suite = Suite("rfc7515", "The examples of RFC 7515 appendix A, and what they become one step aside.", "RFC 7515 appendix A")
    verify(suite, "A.1 HS256", A1_KEY, ["HS256"], A1)
    verify(suite, "A.2 RS256", A2_KEY, ["RS256"], A2)
    verify(suite, "A.3 ES256", A3_KEY, ["ES256"], A3)
    examples = {"A.1 HS256": (A1_KEY, "HS256", A1), "A.2 RS256": (A2_KEY, "RS256", A2), "A.3 ES256": (A3_KEY, "ES256", A3)}
    for name, (jwk, alg, token) in examples.items():
        verify(suite, f"{name} with another payload", jwk, [alg], tampered(token, 1), error="bad_signature")
        verify(suite, f"{name} with another signature", jwk, [alg], tampered(token, 2), error="bad_signature")
        verify(suite, f"{name} with the signature cut off", jwk, [alg], token.rpartition(".")[0] + ".", error="bad_signature|malformed")
        verify(suite, f"{name} where its algorithm is not allowed", [jwk, ED_KEY], ["EdDSA"], token, error="alg_not_allowed")
    verify(suite, "A.1 HS256 under the secret of another", COOKBOOK_SECRET, ["HS256"], A1, error="bad_signature")
    verify(suite, "A.2 RS256 under the key of another", BILBO, ["RS256"], A2, error="bad_signature")
    other_point = {"kty": "EC", "crv": "P-256", **p256_generator()}
    verify(suite, "A.3 ES256 under the key of another", other_point, ["ES256"], A3, error="bad_signature")
    verify(suite, "A.4 ES512, which is not on the list", [A3_KEY, A4_KEY], ["ES256"], A4, error="alg_not_allowed")
    verify(suite, "A.4 ES512 cannot be put on the list", [A3_KEY, A4_KEY], ["ES512"], A4, error="config_error|unsupported")
    verify(suite, "A.5 unsecured", A1_KEY, ["HS256"], A5, error="alg_not_allowed")
    verify(suite, "A.5 unsecured cannot be put on the list", A1_KEY, ["none"], A5, error="config_error")
    general = compact({"payload": JOE, "signatures": [{"protected": parts(A2)[0], "signature": parts(A2)[2]}]})
    flattened = compact({"payload": JOE, "protected": parts(A3)[0], "signature": parts(A3)[2]})
    verify(suite, "A.6 general JSON serialisation", A2_KEY, ["RS256"], general, error="unsupported")
    verify(suite, "A.7 flattened JSON serialisation", A3_KEY, ["ES256"], flattened, error="unsupported")
    request = {
        "op": "token_verify", "keys": {"keys": [A1_KEY]}, "algorithms": ["HS256"], "token": A1,
        "now_s": 1300819379, "issuer": "joe", "audience": None, "typ": None, "leeway_s": 0, "require": [],
    }
    payload = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    suite.add("A.1 as a token, a second before it expires", request, {"ok": True, "claims": payload})
    suite.add("A.1 as a token, expired", request | {"now_s": 1300819380}, refusal("expired"))
    suite.add("A.1 as a token where an access token is expected", request | {"typ": "at+jwt"}, refusal("wrong_token_type"))
    suite.add("A.2 as a token without a type, where a type is expected", request | {
        "keys": {"keys": [A2_KEY]}, "algorithms": ["RS256"], "token": A2, "typ": "at+jwt"}, refusal("wrong_token_type"))
    return suite


def p256_generator() -> dict[str, str]:
    numbers = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    return {"x": b64u(numbers.x.to_bytes(32, "big")), "y": b64u(numbers.y.to_bytes(32, "big"))}


def rfc7520() -> Suite:
    for jwk, token in ((BILBO, C41), (BILBO, C42), (BILBO_EC, C43), (COOKBOOK_SECRET, C44)):
        check(jwk, token)
    suite = Suite("rfc7520", "The signature examples of the JOSE cookbook that apply.", "RFC 7520 section 4, RFC 7797 section 4.2")
    verify(suite, "4.1 RSA v1.5 signature", BILBO, ["RS256"], C41)
    verify(suite, "4.4 HMAC-SHA2 integrity protection", COOKBOOK_SECRET, ["HS256"], C44)
    verify(suite, "4.2 RSA-PSS with SHA-384 is not on the list", BILBO, ["PS256"], C42, error="alg_not_allowed")
    verify(suite, "4.2 RSA-PSS with SHA-384 cannot be put on the list", BILBO, ["PS384"], C42, error="config_error|unsupported")
    verify(suite, "4.3 ES512 among keys for ES256", [A3_KEY, BILBO_EC], ["ES256"], C43, error="alg_not_allowed")
    head, _, sig = parts(C44)
    verify(suite, "4.5 detached content", COOKBOOK_SECRET, ["HS256"], f"{head}..{sig}", error="bad_signature|malformed")
    flattened = compact({"payload": COOKBOOK, "protected": head, "signature": sig})
    verify(suite, "4.4 as flattened JSON", COOKBOOK_SECRET, ["HS256"], flattened, error="unsupported")
    content_only = compact({"payload": COOKBOOK, "signatures": [{"header": {"alg": "HS256"}, "signature": sig}]})
    verify(suite, "4.7 protecting content only", COOKBOOK_SECRET, ["HS256"], content_only, error="unsupported")
    b64_head = b64u(b'{"alg":"HS256","b64":false,"crit":["b64"]}')
    b64_tag = "A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"
    assert hmac.digest(unb64u(A1_KEY["k"]), f"{b64_head}.$.02".encode(), "sha256") == unb64u(b64_tag)
    unencoded = f"{b64_head}..{b64_tag}"
    verify(suite, "RFC 7797 section 4.2, an unencoded detached payload", A1_KEY, ["HS256"], unencoded, error="unsupported_critical")
    for name, jwk, alg, token in (("4.1", BILBO, "RS256", C41), ("4.4", COOKBOOK_SECRET, "HS256", C44)):
        verify(suite, f"{name} with another payload", jwk, [alg], tampered(token, 1), error="bad_signature")
        verify(suite, f"{name} with another signature", jwk, [alg], tampered(token, 2), error="bad_signature")
    hidden = {**BILBO, "use": "enc"}
    verify(suite, "4.1 where the key is for encryption", hidden, ["RS256"], C41, error="alg_not_allowed|unknown_key")
    request = {
        "op": "token_verify", "keys": {"keys": [COOKBOOK_SECRET]}, "algorithms": ["HS256"], "token": C44,
        "now_s": 0, "issuer": None, "audience": None, "typ": None, "leeway_s": 0, "require": None,
    }
    suite.add("4.4 as a token: its payload is prose", request, refusal("malformed"))
    return suite


def rfc8037() -> Suite:
    check(ED_KEY, ED)
    assert ed25519.Ed25519PrivateKey.from_private_bytes(unb64u(ED_SEED)).public_key().public_bytes_raw() == unb64u(ED_KEY["x"])
    assert thumbprint(ED_KEY) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    suite = Suite("rfc8037", "The Ed25519 examples of RFC 8037, and RFC 9864's name for the algorithm.", "RFC 8037 appendix A, RFC 9864")
    verify(suite, "A.5 Ed25519 validation", ED_KEY, ["EdDSA"], ED)
    verify(suite, "A.5 with another payload", ED_KEY, ["EdDSA"], tampered(ED, 1), error="bad_signature")
    verify(suite, "A.5 with another R", ED_KEY, ["EdDSA"], tampered(ED, 2), error="bad_signature")
    verify(suite, "A.5 where ES256 is allowed", [ED_KEY, A3_KEY], ["ES256"], ED, error="alg_not_allowed")
    private = ED_KEY | {"d": ED_SEED}
    named = {"alg": "EdDSA", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}
    full = {"kid": named["kid"], "kty": "OKP", "alg": "EdDSA", "thumbprint": named["kid"]}
    suite.add("A.3 the thumbprint of the public key", {"op": "jwks_parse", "jwks": {"keys": [ED_KEY | named]}}, {"ok": True, "keys": [full]})
    suite.add("A.3 the thumbprint of the key pair is that of its public key", {"op": "jwks_parse", "jwks": {"keys": [private | named]}}, {"ok": True, "keys": [full]})
    mismatched = {**ED_KEY, "d": b64u(hashlib.sha256(b"another seed").digest())}
    suite.add("A.1 with the private half of another key", {"op": "jwks_parse", "jwks": {"keys": [mismatched]}}, refusal("config_error"))
    from . import keys
    from .jose import jws

    pair = keys.EdwardsKey("rfc8037", "EdDSA", unb64u(ED_SEED))
    payload = b"Example of Ed25519 signing"
    for spelling in ("EdDSA", "Ed25519"):
        token = jws({"alg": spelling, "kid": "rfc8037"}, payload, pair, "EdDSA")
        for key_alg in ("EdDSA", "Ed25519", None):
            jwk = keys.EdwardsKey("rfc8037", key_alg, pair.seed).jwk()
            named_key = f"a key for {key_alg}" if key_alg else "a key for no algorithm in particular"
            for allowed in ("EdDSA", "Ed25519"):
                request = {"op": "jws_verify", "keys": {"keys": [jwk]}, "algorithms": [allowed], "jws": token}
                answer = {"ok": True, "payload_hex": payload.hex(), "kid": "rfc8037"}
                suite.add(f"header {spelling}, {named_key}, {allowed} allowed", request, answer)
    return suite


def rfc7638() -> Suite:
    assert thumbprint(THUMBPRINT_KEY) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    suite = Suite("rfc7638", "JWK thumbprints: RFC 7638's example, and one per key type.", "RFC 7638 section 3.1, RFC 8037 section 2")

    def parse(name: str, jwk: dict[str, Any], print_of: str | None) -> None:
        row = {"kid": jwk.get("kid"), "kty": jwk["kty"], "alg": jwk.get("alg"), "thumbprint": print_of}
        suite.add(name, {"op": "jwks_parse", "jwks": {"keys": [jwk]}}, {"ok": True, "keys": [row]})

    from . import keys

    parse("3.1 RSA", THUMBPRINT_KEY, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    decorated = {"use": "sig", "x-ours": [1], "key_ops": ["verify"]} | THUMBPRINT_KEY
    parse("further members do not change it", decorated, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    for key in (keys.ES256, keys.ES384, keys.EDDSA, keys.RS256):
        parse(f"{key.alg}", key.jwk(), thumbprint(key.jwk()))
    for key in (keys.ES256, keys.EDDSA):
        parse(f"{key.alg}, a key pair", key.private_jwk(), thumbprint(key.jwk()))
    for key in (keys.HS256, keys.HS384, keys.HS512):
        parse(f"{key.alg} has none: it would be a hash of the secret", key.jwk(), None)
    return suite


def suites() -> Iterator[Suite]:
    yield rfc7515()
    yield rfc7520()
    yield rfc8037()
    yield rfc7638()
