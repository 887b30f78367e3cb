"""ATTACKS.md 1 to 5, 8, 10 and 12: everything by which a token or a key argues about the algorithm."""

from __future__ import annotations

from collections.abc import Iterator

from . import keys
from .jose import b64u, compact, jws, parts, signature, unb64u
from .keys import (
    ATTACKER,
    ATTACKER_ES256,
    ED25519_ORDER,
    EDDSA,
    ES256,
    ES384,
    HS256,
    HS384,
    HS512,
    P256_ORDER,
    P384_ORDER,
    PS256,
    RS256,
)
from .suite import Suite, claims, header, key_set, token


def suites() -> Iterator[Suite]:
    yield algorithms()
    yield critical()
    yield signatures()


def algorithms() -> Suite:
    suite = Suite("attacks-algorithms", "The keys decide the algorithm; a token never does.", "ATTACKS.md 1 to 5 and 10, RFC 8725")
    _control(suite)
    _none(suite)
    _confusion(suite)
    _allow_list(suite)
    _disagreement(suite)
    _header_keys(suite)
    _other_formats(suite)
    return suite


def _control(suite: Suite) -> None:
    for key in (HS256, HS384, HS512, ES256, ES384, EDDSA, RS256, PS256):
        suite.verify(f"{key.alg} verifies", token(key), key, [key.alg])
    every = [HS256, HS384, HS512, ES256, ES384, EDDSA, RS256, PS256]
    for key in every:
        suite.verify(f"{key.alg} verifies among keys for everything", token(key), every, [other.alg for other in every])
        anonymous = jws(header(key, kid=...), claims(), key)
        suite.verify(f"{key.alg} without a key id, one key for each algorithm", anonymous, every, [other.alg for other in every])


def _none(suite: Suite) -> None:
    spellings = ["none", "nOnE", "None", "NONE", "", "none ", "\u0000none", "no\u0274e"]
    for alg in spellings:
        shown = ascii(alg).strip("'") or "empty"
        head = {"alg": alg, "kid": HS256.kid, "typ": "at+jwt"}
        suite.verify(f"alg {shown} without a signature", jws(head, claims(), None), HS256, ["HS256"], error="alg_not_allowed", attack=1)
        suite.verify(f"alg {shown} with a signature that holds", jws(head, claims(), HS256, "HS256"), HS256, ["HS256"], error="alg_not_allowed", attack=1)
    missing = {"kid": HS256.kid, "typ": "at+jwt"}
    suite.verify("alg missing", jws(missing, claims(), HS256, "HS256"), HS256, ["HS256"], error="alg_not_allowed", attack=1)
    suite.verify("alg missing and no signature", jws(missing, claims(), None), HS256, ["HS256"], error="alg_not_allowed", attack=1)
    suite.verify("an empty header", jws({}, claims(), HS256, "HS256"), HS256, ["HS256"], error="alg_not_allowed", attack=1)
    suite.verify("alg none under a public key", jws({"alg": "none", "kid": RS256.kid, "typ": "at+jwt"}, claims(), None), RS256, ["RS256"], error="alg_not_allowed", attack=1)
    for name, value in {"null": None, "a number": 0, "a list": ["HS256"], "an object": {"alg": "HS256"}, "false": False}.items():
        head = {"alg": value, "kid": HS256.kid, "typ": "at+jwt"}
        suite.verify(f"alg that is {name}", jws(head, claims(), HS256, "HS256"), HS256, ["HS256"], error="alg_not_allowed|malformed", attack=1)
    for alg in ("hs256", "HS256 ", " HS256", "Hs256", "HS-256", "HS2566", "HS25", "SHA256", "HS256\u0000", "\uff28S256"):
        suite.verify(f"alg spelled {alg!a}", token(HS256, {"alg": alg}, alg="HS256"), HS256, ["HS256"], error="alg_not_allowed", attack=1)
    suite.verify("HS256 without a signature", jws(header(HS256), claims(), None), HS256, ["HS256"], error="bad_signature|malformed", attack=1)


def _confusion(suite: Suite) -> None:
    for key in (RS256, ES256, EDDSA):
        texts = keys.public_texts(key) | {
            "JWK JSON": compact(key.jwk()).encode(),
            "JWK Set JSON": compact(key_set(key)).encode(),
            "raw public key": parts_of_public(key),
        }
        for name, text in texts.items():
            forged = keys.Secret(key.kid, "HS256", text)
            named, anonymous = token(forged), jws(header(forged, kid=...), claims(), forged)
            what = f"HS256 signed with the {name} of the {key.alg} key"
            suite.verify(what, named, key, [key.alg], error="alg_not_allowed|bad_signature", attack=2)
            suite.verify(f"{what}, HS256 allowed for another key", named, [key, HS256], [key.alg, "HS256"], error="alg_not_allowed|bad_signature", attack=2)
            suite.verify(f"{what}, no key id", anonymous, [key, HS256], [key.alg, "HS256"], error="alg_not_allowed|bad_signature", attack=2)
    forged = keys.Secret(RS256.kid, "HS256", keys.public_texts(RS256)["SPKI PEM"])
    fixed = token(forged, {"kid": HS256.kid})
    suite.verify("HS256 signed with a PEM, naming the HMAC key", fixed, [RS256, HS256], ["RS256", "HS256"], error="bad_signature", attack=2)


def parts_of_public(key: keys.RsaKey | keys.EllipticKey | keys.EdwardsKey) -> bytes:
    jwk = key.jwk()
    return unb64u(jwk["n"] if "n" in jwk else jwk["x"])


def _allow_list(suite: Suite) -> None:
    good = token(HS256)
    bad_lists = {
        "absent": ..., "null": None, "empty": [], "a string": "HS256", "with none": ["HS256", "none"], "only none": ["none"],
        "with an unknown name": ["HS256", "HS1024"], "with a number": ["HS256", 256], "an object": {"HS256": True}, "with null": [None],
    }
    for name, value in bad_lists.items():
        suite.verify(f"an allow-list that is {name}" if value is ... else f"an allow-list: {name}", good, HS256, value, error="config_error", attack=3)
    # One key cannot serve both families, so a verifier for both needs a key for each.
    for key in (RS256, ES256, EDDSA):
        suite.verify(f"HS256 and {key.alg} where only the {key.alg} key is there", token(key), key, [key.alg, "HS256"], error="config_error", attack=3)
        suite.verify(f"HS256 and {key.alg} where only the HMAC key is there", good, HS256, ["HS256", key.alg], error="config_error", attack=3)
        suite.verify(f"HS256 and {key.alg}, a key for each", good, [HS256, key], ["HS256", key.alg], attack=3)
        suite.verify(f"{key.alg} and HS256, a key for each", token(key), [HS256, key], [key.alg, "HS256"], attack=3)
    shared = [HS256.jwk() | {"kid": "shared"}, RS256.jwk() | {"kid": "shared"}]
    suite.verify("HS256 and RS256 under one key id", good, {"keys": shared}, ["HS256", "RS256"], error="config_error", attack=3)


def _disagreement(suite: Suite) -> None:
    # (the key named, the algorithm in the header and of the signature, what is allowed besides)
    pairs = [(RS256, "PS256"), (PS256, "RS256"), (HS256, "HS384"), (HS512, "HS256"), (HS384, "HS256"), (ES256, "EdDSA"), (EDDSA, "ES256"), (ES256, "HS256"), (RS256, "ES256")]
    makers = {"PS256": PS256, "RS256": RS256, "HS384": HS384, "HS256": HS256, "ES256": ES256, "EdDSA": EDDSA}
    for key, alg in pairs:
        maker = keys.Secret(None, alg, key.secret) if isinstance(key, keys.Secret) and alg.startswith("HS") else makers[alg]
        text = jws(header(key, alg=alg), claims(), maker, alg)
        suite.verify(f"a key for {key.alg} under {alg}", text, [key, makers[alg]], [key.alg, alg], error="alg_not_allowed", attack=4)
    suite.verify("a P-256 key under ES384", jws(header(ES256, alg="ES384"), claims(), ES384, "ES384"), [ES256, ES384], ["ES256", "ES384"], error="alg_not_allowed", attack=4)
    suite.verify("a P-384 key under ES256", jws(header(ES384, alg="ES256"), claims(), ES256, "ES256"), [ES256, ES384], ["ES256", "ES384"], error="alg_not_allowed", attack=4)
    any_rsa = keys.RsaKey("any-rsa", None, RS256.private)
    for key in (RS256, PS256):
        text = jws(header(any_rsa, alg=key.alg), claims(), key)
        suite.verify(f"an RSA key for no algorithm in particular under {key.alg}", text, any_rsa, ["RS256", "PS256"], attack=4)
        other = "PS256" if key is RS256 else "RS256"
        suite.verify(f"an RSA key for no algorithm in particular under {key.alg}, which is not allowed", text, any_rsa, [other], error="alg_not_allowed", attack=4)
    for key in (RS256, ES256, EDDSA, HS256):
        text = token(key)
        # The verifier has another key, so that its configuration stands; this one is out because of its use.
        spare = keys.without(key, kid=True).jwk() | {"kid": "spare"}
        suite.verify(f"a {key.alg} key for encryption", text, {"keys": [key.jwk(use="enc"), spare]}, [key.alg], error="alg_not_allowed|unknown_key", attack=4)
        suite.verify(f"a {key.alg} key for signatures", text, {"keys": [key.jwk(use="sig")]}, [key.alg], attack=4)
        suite.verify(f"a {key.alg} key whose operations are encryption", text, {"keys": [key.jwk(key_ops=["encrypt", "wrapKey"]), spare]}, [key.alg], error="alg_not_allowed|unknown_key", attack=4)
        suite.verify(f"a {key.alg} key whose operations include verify", text, {"keys": [key.jwk(key_ops=["verify"])]}, [key.alg], attack=4)
    wrong = RS256.jwk() | {"alg": "RSA-OAEP"}
    spare = RS256.jwk() | {"kid": "spare"}
    suite.verify("an RSA key for RSA-OAEP", token(RS256), {"keys": [wrong, spare]}, ["RS256"], error="alg_not_allowed|unknown_key", attack=4)
    suite.verify("a good signature under an algorithm that is not on the list", token(RS256), [RS256, PS256], ["PS256"], error="alg_not_allowed", attack=4)


def _header_keys(suite: Suite) -> None:
    planted = {
        "jwk": ATTACKER.jwk(),
        "jku": "https://attacker.example/jwks.json",
        "x5u": "https://attacker.example/chain.pem",
        "x5c": ["MIIBszCCAVmgAwIBAgIUAttacker"],
        "x5t": "dGh1bWJwcmludA",
    }
    for member, value in planted.items():
        forged = jws({"alg": "EdDSA", "typ": "at+jwt", member: value}, claims(), ATTACKER)
        suite.verify(f"{member} with the forger's key, no key id", forged, EDDSA, ["EdDSA"], error="bad_signature|unknown_key", attack=5)
        forged = jws({"alg": "EdDSA", "kid": ATTACKER.kid, "typ": "at+jwt", member: value}, claims(), ATTACKER)
        suite.verify(f"{member} with the forger's key and key id", forged, EDDSA, ["EdDSA"], error="unknown_key", attack=5)
        forged = jws({"alg": "EdDSA", "kid": EDDSA.kid, "typ": "at+jwt", member: value}, claims(), ATTACKER)
        suite.verify(f"{member} with the forger's key under our key id", forged, EDDSA, ["EdDSA"], error="bad_signature", attack=5)
        suite.verify(f"{member} beside a signature of ours is not looked at", token(EDDSA, {member: value}), EDDSA, ["EdDSA"], attack=5)
    suite.verify("jwk with an HMAC secret", jws({"alg": "HS256", "typ": "at+jwt", "jwk": keys.Secret(None, None, bytes(32)).jwk()}, claims(), keys.Secret(None, "HS256", bytes(32))), HS256, ["HS256"], error="bad_signature", attack=5)
    suite.verify("two keys fit and no key id tells them apart", jws(header(EDDSA, kid=...), claims(), EDDSA), [EDDSA, ATTACKER], ["EdDSA"], error="unknown_key")
    suite.verify("two keys fit and the key id tells them apart", token(EDDSA), [ATTACKER, EDDSA], ["EdDSA"])
    suite.verify("an empty key set", token(EDDSA), {"keys": []}, ["EdDSA"], error="unknown_key|config_error", attack=5)


def _other_formats(suite: Suite) -> None:
    ring, allowed = [HS256, RS256], ["HS256", "RS256"]

    def jwe(head: dict[str, object]) -> str:
        return ".".join([b64u(compact(head).encode()), b64u(bytes(32)), b64u(bytes(12)), b64u(bytes(40)), b64u(bytes(16))])

    encrypted = {
        "dir": {"alg": "dir", "enc": "A256GCM"},
        "RSA1_5": {"alg": "RSA1_5", "enc": "A128CBC-HS256", "kid": RS256.kid},
        "RSA-OAEP": {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": RS256.kid},
        "PBES2 with a huge p2c": {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2147483647, "p2s": "c2FsdA"},
        "zip": {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},
    }
    for name, head in encrypted.items():
        suite.verify(f"a JWE in five parts: {name}", jwe(head), ring, allowed, error="unsupported", attack=10)
    suite.verify("a JWE whose key part is empty", f"{jwe(encrypted['dir']).split('.')[0]}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", ring, allowed, error="unsupported", attack=10)
    suite.verify("zip in the header of a JWS", token(HS256, {"zip": "DEF"}), ring, allowed, error="unsupported", attack=10)
    for alg in ("RSA1_5", "RSA-OAEP", "PBES2-HS256+A128KW", "dir", "A128KW", "ECDH-ES"):
        suite.verify(f"{alg} in a JWS", token(HS256, {"alg": alg}, alg="HS256"), ring, allowed, error="alg_not_allowed|unsupported", attack=10)
    suite.verify("PBES2 with a huge p2c in a JWS", token(HS256, {"alg": "PBES2-HS256+A128KW", "p2c": 2147483647, "p2s": "c2FsdA", "enc": "A128GCM"}, alg="HS256"), ring, allowed, error="alg_not_allowed|unsupported", attack=10)
    head, body, tag = parts(token(HS256))
    serialised = {
        "flattened": {"payload": body, "protected": head, "signature": tag},
        "general": {"payload": body, "signatures": [{"protected": head, "signature": tag}]},
        "with an unprotected header": {"payload": body, "header": header(HS256), "signature": tag},
        "as a JWE": {"protected": head, "ciphertext": body, "iv": "AAAA", "tag": tag},
    }
    for name, value in serialised.items():
        suite.verify(f"JSON serialisation: {name}", compact(value), ring, allowed, error="unsupported", attack=10)
    blended = '{"payload":"' + body + '","protected":"' + head + f'","signature":"{tag}","x":"{head}.{body}.{tag}"' + "}"
    suite.verify("JSON serialisation with a compact token inside (CVE-2024-33664's cousin)", blended, ring, allowed, error="unsupported|malformed", attack=10)


def critical() -> Suite:
    suite = Suite("attacks-critical", "Extensions that a token marks as critical, and the unencoded payload.", "ATTACKS.md 8, RFC 7515 section 4.1.11, RFC 7797")
    both = "unsupported_critical|malformed"
    heads = {
        "an unknown extension": {"crit": ["exp"], "exp": 1},
        "an unknown extension of ours": {"crit": ["https://example.com/x"], "https://example.com/x": True},
        "an extension that is not in the header": {"crit": ["bork"]},
        "an empty list": {"crit": []},
        "a string": {"crit": "exp", "exp": 1},
        "null": {"crit": None},
        "an object": {"crit": {"exp": 1}},
        "a number": {"crit": 0},
        "true": {"crit": True},
        "an empty name": {"crit": [""], "": 1},
        "a number in the list": {"crit": [1], "1": 1},
        "a duplicate name": {"crit": ["bork", "bork"], "bork": 1},
        "a known and an unknown one": {"crit": ["b64", "bork"], "b64": True, "bork": 1},
        "a registered header": {"crit": ["alg"]},
        "crit itself": {"crit": ["crit"]},
        "the key id": {"crit": ["kid"]},
        "the type": {"crit": ["typ"]},
        "b64 false": {"crit": ["b64"], "b64": False},
        "b64 true": {"crit": ["b64"], "b64": True},
        "b64 missing": {"crit": ["b64"]},
        "a case variant of a known name": {"crit": ["B64"], "B64": True},
    }
    for key in (HS256, EDDSA):
        for name, head in heads.items():
            suite.verify(f"crit: {name}, {key.alg}", token(key, head), key, [key.alg], error=both, attack=8)
    suite.verify("b64 false that is not critical", token(HS256, {"b64": False}), HS256, ["HS256"], error=both, attack=8)
    head = b64u(compact(header(HS256, b64=False, crit=["b64"])).encode())
    body = compact(claims())
    raw = f"{head}.{body}.{b64u(signature('HS256', HS256, f'{head}.{body}'.encode()))}"
    suite.verify("b64 false with the payload in the clear", raw, HS256, ["HS256"], error=both, attack=8)
    detached = f"{head}..{b64u(signature('HS256', HS256, f'{head}.{body}'.encode()))}"
    suite.verify("b64 false with a detached payload", detached, HS256, ["HS256"], error=both, attack=8)
    suite.verify("crit in the claims is a claim", token(HS256, {}, {"crit": ["exp"]}), HS256, ["HS256"], ok=claims(crit=["exp"]), attack=8)
    return suite


def signatures() -> Suite:
    suite = Suite("attacks-signatures", "Signatures that some verifier once took.", "ATTACKS.md 12 and 13, CVE-2022-21449, RFC 8032 section 5.1.7")
    _ecdsa(suite)
    _twins(suite)
    _edwards(suite)
    _rsa(suite)
    _hmac(suite)
    return suite


def _ecdsa(suite: Suite) -> None:
    for key, order in ((ES256, P256_ORDER), (ES384, P384_ORDER)):
        good = token(key)
        raw = unb64u(parts(good)[2])
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        unsigned = good.rpartition(".")[0]

        pairs = {
            "r and s zero": (0, 0),
            "r zero": (0, s),
            "s zero": (r, 0),
            "r one and s one": (1, 1),
            "r the order": (order, s),
            "s the order": (r, order),
            "both the order": (order, order),
            "r and s all ones": (256**half - 1, 256**half - 1),
            "s just over the order": (r, order + 1),
            "r and s swapped": (s, r),
            "r negated": (order - r, s),
        }
        for name, pair in pairs.items():
            text = b64u(b"".join(number.to_bytes(half, "big") for number in pair))
            suite.verify(f"{key.alg}: {name}", f"{unsigned}.{text}", key, [key.alg], error="bad_signature", attack=12)
        texts = {
            "DER": _der(r, s),
            "one byte short": raw[:-1],
            "one byte long": raw + b"\0",
            "a leading zero byte": b"\0" + raw,
            "r and s each with a leading zero": b"\0" + raw[:half] + b"\0" + raw[half:],
            "only r": raw[:half],
            "empty": b"",
            "one byte": b"\0",
            "twice the signature": raw + raw,
        }
        for name, signature_bytes in texts.items():
            error = "bad_signature|malformed" if name == "empty" else "bad_signature"
            suite.verify(f"{key.alg}: {name}", f"{unsigned}.{b64u(signature_bytes)}", key, [key.alg], error=error, attack=12)
        other = ATTACKER_ES256 if key is ES256 else None
        if other is not None:
            suite.verify(f"{key.alg}: another key's signature", jws(header(key), claims(), other), key, [key.alg], error="bad_signature", attack=12)
    short = unb64u(parts(token(ES256))[2])
    suite.verify("ES384 with a signature of ES256's length", f"{token(ES384).rpartition('.')[0]}.{b64u(short)}", ES384, ["ES384"], error="bad_signature", attack=12)


def _der(r: int, s: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    return encode_dss_signature(r, s)


def _twins(suite: Suite) -> None:
    good = token(ES256)
    raw = unb64u(parts(good)[2])
    s = int.from_bytes(raw[32:], "big")
    twin = f"{good.rpartition('.')[0]}.{b64u(raw[:32] + (P256_ORDER - s).to_bytes(32, 'big'))}"
    # JWS does not ask for a low s (RFC 7518 section 3.4), so both verify. Their jti is one: revoking it revokes both.
    suite.verify("the token as it was signed", good, ES256, ["ES256"], attack=13)
    suite.verify("its twin (r, n-s) has the same claims, so the same jti is revoked", twin, ES256, ["ES256"], attack=13)


def _edwards(suite: Suite) -> None:
    good = token(EDDSA)
    raw = unb64u(parts(good)[2])
    unsigned = good.rpartition(".")[0]
    s = int.from_bytes(raw[32:], "little")

    def with_signature(name: str, text: bytes, error: str = "bad_signature") -> None:
        suite.verify(f"EdDSA: {name}", f"{unsigned}.{b64u(text)}", EDDSA, ["EdDSA"], error=error, attack=12)

    with_signature("S plus the order (the malleable twin)", raw[:32] + (s + ED25519_ORDER).to_bytes(32, "little"))
    with_signature("S the order", raw[:32] + ED25519_ORDER.to_bytes(32, "little"))
    with_signature("S all ones", raw[:32] + b"\xff" * 32)
    with_signature("S with its top bit set", raw[:63] + bytes([raw[63] | 0x80]))
    with_signature("all zero", bytes(64))
    with_signature("R the identity, S zero", b"\x01" + bytes(63))
    with_signature("one byte short", raw[:-1])
    with_signature("one byte long", raw + b"\0")
    with_signature("empty", b"", "bad_signature|malformed")
    with_signature("R and S swapped", raw[32:] + raw[:32])
    suite.verify("EdDSA: another key's signature", jws(header(EDDSA), claims(), ATTACKER), EDDSA, ["EdDSA"], error="bad_signature", attack=12)
    for name, point in SMALL_ORDER.items():
        weak = {"kty": "OKP", "crv": "Ed25519", "kid": "weak", "alg": "EdDSA", "x": point_text(point)}
        head = {"alg": "EdDSA", "kid": "weak", "typ": "at+jwt"}
        # R the identity and S zero is a signature of everything under the identity, for a verifier that is not strict.
        text = jws(head, claims(), None, sig=b"\x01" + bytes(63))
        suite.verify(f"EdDSA: a key of small order, {name}", text, {"keys": [weak]}, ["EdDSA"], error="bad_signature|config_error", attack=12)
        text = jws(head, claims(), None, sig=bytes.fromhex(point) + bytes(32))
        suite.verify(f"EdDSA: a key of small order as its own signature, {name}", text, {"keys": [weak]}, ["EdDSA"], error="bad_signature|config_error", attack=12)


def point_text(point: str) -> str:
    return b64u(bytes.fromhex(point))


# The eight points of small order and the encodings of them that are not canonical (RFC 8032 section 5.1.3).
SMALL_ORDER = {
    "the identity": "01" + "00" * 31,
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "00" * 32,
    "order 4, negated": "00" * 31 + "80",
    "order 8, first": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, second": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, third": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, fourth": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "the identity, not canonical": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4, not canonical": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "the identity with a sign": "01" + "00" * 30 + "80",
}


def _rsa(suite: Suite) -> None:
    numbers = RS256.private.private_numbers()
    n = numbers.public_numbers.n
    for key in (RS256, PS256):
        good = token(key)
        raw = unb64u(parts(good)[2])
        unsigned = good.rpartition(".")[0]
        texts = {
            "zero": bytes(256),
            "one": bytes(255) + b"\x01",
            "the modulus": n.to_bytes(256, "big"),
            "one less than the modulus": (n - 1).to_bytes(256, "big"),
            "one byte short": raw[:-1],
            "one byte long": b"\0" + raw,
            "a bit flipped": raw[:-1] + bytes([raw[-1] ^ 1]),
            "all ones": b"\xff" * 256,
        }
        for name, text in texts.items():
            suite.verify(f"{key.alg}: {name}", f"{unsigned}.{b64u(text)}", key, [key.alg], error="bad_signature", attack=12)
        value = int.from_bytes(raw, "big") + n
        if value < 256**256:
            suite.verify(f"{key.alg}: the signature plus the modulus", f"{unsigned}.{b64u(value.to_bytes(256, 'big'))}", key, [key.alg], error="bad_signature", attack=12)
    message = token(RS256).rpartition(".")[0]
    import hashlib

    digest = hashlib.sha256(message.encode()).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420")
    paddings = {
        "short padding": b"\0\x01" + b"\xff" * 8 + b"\0" + info + digest + b"\0" * (256 - 11 - len(info) - 32),
        "block type 2": b"\0\x02" + b"\xff" * (256 - 3 - len(info) - 32) + b"\0" + info + digest,
        "no DigestInfo": b"\0\x01" + b"\xff" * (256 - 3 - 32) + b"\0" + digest,
        "no NULL parameter": b"\0\x01" + b"\xff" * (256 - 3 - 17 - 32) + b"\0" + bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest,
        "SHA-512's identifier": b"\0\x01" + b"\xff" * (256 - 3 - len(info) - 32) + b"\0" + info.replace(b"\x02\x01\x05", b"\x02\x03\x05") + digest,
    }
    for name, block in paddings.items():
        assert len(block) == 256, name
        forged = pow(int.from_bytes(block, "big"), numbers.d, n).to_bytes(256, "big")
        suite.verify(f"RS256: {name}", f"{message}.{b64u(forged)}", RS256, ["RS256"], error="bad_signature", attack=12)
    for size in ("384", "512"):
        maker = keys.RsaKey(RS256.kid, f"RS{size}", RS256.private)
        suite.verify(f"RS256 whose signature is RS{size}", jws(header(RS256), claims(), maker), RS256, ["RS256"], error="bad_signature", attack=12)
    suite.verify("RS256 whose signature is PS256", jws(header(RS256), claims(), PS256), RS256, ["RS256"], error="bad_signature", attack=12)
    suite.verify("PS256 whose signature is RS256", jws(header(PS256), claims(), RS256), PS256, ["PS256"], error="bad_signature", attack=12)


def _hmac(suite: Suite) -> None:
    for key in (HS256, HS384, HS512):
        good = token(key)
        raw = unb64u(parts(good)[2])
        unsigned = good.rpartition(".")[0]
        texts = {
            "cut to half": raw[: len(raw) // 2],
            "one byte short": raw[:-1],
            "one byte": raw[:1],
            "one byte long": raw + b"\0",
            "all zero": bytes(len(raw)),
            "the last bit flipped": raw[:-1] + bytes([raw[-1] ^ 1]),
            "the first bit flipped": bytes([raw[0] ^ 0x80]) + raw[1:],
        }
        for name, text in texts.items():
            suite.verify(f"{key.alg}: {name}", f"{unsigned}.{b64u(text)}", key, [key.alg], error="bad_signature", attack=12)
        suite.verify(f"{key.alg}: under the empty secret", jws(header(key), claims(), keys.Secret(key.kid, key.alg, b"")), key, [key.alg], error="bad_signature", attack=12)
