"""The offline revocation set: its bytes, who may have signed it, and what it says (FORMATS.md, Offline revocation set; ATTACKS.md 52a)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from . import keys
from .jose import b64u
from .keys import (
    ATTACKER,
    EDDSA,
    ES256,
    HS256,
    P256_ORDER,
    EdwardsKey,
    Key,
    Secret,
    public_texts,
    stream,
)
from .offline_set import (
    AHEAD_S,
    RevocationSet,
    bucket_of,
    hashed,
    key_list,
    named,
    sign,
    table,
)
from .revoking import LATEST, Token, record
from .suite import NOW, Case, Suite, refusal

SEED = stream("revocation set seed", 16)
DAY_S = 86_400
VALID_UNTIL = NOW + 3600
SEQUENCE = 41
SIZES = (0, 1, 16, 17, 1000)
NOBODY = Token("", "", "", "")

Set = dict[str, Any]


def ring(signer: Key, *more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The signer as the primary token key; a change to `...` leaves the member out."""
    assert not isinstance(signer, keys.RsaKey)
    jwk = {name: value for name, value in (signer.private_jwk(purpose="token", status="primary") | changes).items() if value is not ...}
    return {"keys": [jwk, *more]}


def tokens(count: int, until_s: int = VALID_UNTIL) -> list[bytes]:
    """As many revoked tokens; every third one is a family."""
    return [record("family" if n % 3 == 2 else "token", id_of(n), until_s) for n in range(count)]


def id_of(n: int) -> str:
    return b64u(stream(f"revoked {n}", 16))


def subjects(count: int, until_s: int = VALID_UNTIL) -> list[bytes]:
    return [record("subject", f"user-{n}", until_s, NOW - 60 + n) for n in range(count)]


def twins(kind: str) -> tuple[str, str]:
    """Two ids with one remainder, in a table of one bucket."""
    met: dict[int, str] = {}
    for n in range(100_000):
        _, remainder = bucket_of(hashed(SEED, kind, f"twin-{n}"), 0)
        if remainder in met:
            return met[remainder], f"twin-{n}"
        met[remainder] = f"twin-{n}"
    raise AssertionError(kind)


REVOKED = Token("ann", "token-1", "family-1", "key-1")
RECORDS = [record("token", REVOKED.token_id, VALID_UNTIL), record("family", REVOKED.family, VALID_UNTIL), record("subject", REVOKED.subject, VALID_UNTIL, NOW - 100), record("key", REVOKED.key_id, VALID_UNTIL)]


def made(records: list[bytes] | None = None, **changes: int) -> RevocationSet:
    times = {"sequence": SEQUENCE, "store_since_ms": 0, "skew_s": 2, "issued_at_s": NOW, "valid_until_s": VALID_UNTIL}
    return RevocationSet.of(RECORDS if records is None else records, SEED, **(times | changes))


def suites() -> Iterator[Suite]:
    yield signing()
    yield opening()
    yield checking()


def signing() -> Suite:
    suite = Suite("revocation-set-signing", "Sets as they are published, to the byte.", "FORMATS.md, Offline revocation set; SipHash-2-4 of its authors; Ed25519, ECDSA (RFC 6979) and HMAC of Python's libraries")
    times = {"sequence": SEQUENCE, "store_since_ms": 0, "skew_s": 2, "issued_at_s": NOW, "valid_until_s": VALID_UNTIL}

    def request(records: list[bytes], keyring: Case, entropy: bytes, changes: dict[str, int]) -> Case:
        return {"op": "revocation_set_sign", "keyring": keyring, **(times | changes), "records_hex": [each.hex() for each in records], "entropy_hex": entropy.hex()}

    def signs(name: str, records: list[bytes], signer: Key = EDDSA, keyring: Case | None = None, **changes: int) -> None:
        made = RevocationSet.of(records, SEED, **(times | changes))
        suite.add(name, request(records, keyring or ring(signer), SEED, changes), {"ok": True, "set_hex": made.signed(signer).hex()}, 52)

    def refuses(name: str, error: str, records: list[bytes] | None = None, keyring: Case | None = None, entropy: bytes = SEED, **changes: int) -> None:
        suite.add(f"refused: {name}", request(RECORDS if records is None else records, keyring or ring(EDDSA), entropy, changes), refusal(error), 52)

    for signer in (EDDSA, ES256, HS256):
        signs(f"one of each under {signer.alg}", RECORDS, signer)
        signs(f"nothing under {signer.alg}", [], signer)
    signs("by the primary, and there is a next one", RECORDS, EDDSA, ring(EDDSA, ES256.private_jwk(purpose="token", status="active")))
    bare = EdwardsKey(EDDSA.kid, "Ed25519", EDDSA.seed)
    signs("by a key of the algorithm Ed25519", RECORDS, bare)
    for count in SIZES:
        signs(f"{count} tokens and families", tokens(count))
        signs(f"{count} subjects", subjects(count))
        signs(f"{min(count, 40)} keys", [record("key", f"key-{n}", VALID_UNTIL) for n in range(min(count, 40))])
    signs("17 of each", tokens(17) + subjects(17))
    signs("in another order, the same set", list(reversed(tokens(17) + subjects(17) + RECORDS)))
    signs("33 tokens and families: the buckets double once more", tokens(33))
    one, other = twins("token")
    assert one != other
    signs("two tokens with one remainder are one entry", [record("token", name, VALID_UNTIL) for name in (one, other)])
    signs("17 tokens of which two have one remainder stay in one bucket", [record("token", name, VALID_UNTIL) for name in (one, other)] + [record("token", id_of(n), VALID_UNTIL) for n in range(15)])
    one, other = twins("subject")
    for name, times_of in {"the first": (NOW - 5, NOW - 9), "the second": (NOW - 9, NOW - 5)}.items():
        signs(f"two subjects with one remainder are one entry, with the later time of {name}", [record("subject", each, VALID_UNTIL, since_s) for each, since_s in zip((one, other), times_of)])
    signs("a token twice", [RECORDS[0], RECORDS[0]])
    signs("a token twice, and once it is over", [record("token", "x", NOW - 1), record("token", "x", VALID_UNTIL)])
    signs("a subject twice, with two times", [record("subject", "ann", VALID_UNTIL, NOW - 9), record("subject", "ann", VALID_UNTIL, NOW - 5)])
    signs("a key twice", [RECORDS[3], RECORDS[3]])
    signs("a token and a family of one name are two entries", [record("token", "x", VALID_UNTIL), record("family", "x", VALID_UNTIL)])
    signs("keys are sorted by their bytes", [record("key", name, VALID_UNTIL) for name in ("b", "a", "\u00e9", "B", "aa", "\U0001f600", "\uffee")])
    signs("what is over is left out", [record(kind, f"{kind} that is over", NOW - 1) for kind in ("token", "family", "subject", "key")] + RECORDS)
    signs("what ends this second is in it", [record(kind, f"{kind} that ends", NOW) for kind in ("token", "family", "subject", "key")])
    signs("what never ends is in it", [record(kind, "forever", LATEST) for kind in ("token", "family", "subject", "key")])
    signs("a subject since the end of time", [record("subject", "ann", LATEST, LATEST)])
    signs("a subject since before time", [record("subject", "ann", LATEST, -(2**63))])
    signs("an id of 1,024 bytes", [record("token", "a" * 1024, VALID_UNTIL)])
    signs("the first sequence", RECORDS, sequence=0)
    signs("a sequence of 63 bits", RECORDS, sequence=2**63 - 1)
    for skew in (0, 300):
        signs(f"a skew of {skew}", RECORDS, skew_s=skew)
    signs("a store that began now", RECORDS, store_since_ms=NOW * 1000)
    signs("a store that began in its first millisecond", RECORDS, store_since_ms=1)
    signs("good for a second", RECORDS, valid_until_s=NOW + 1)
    signs("good for a day", RECORDS, valid_until_s=NOW + DAY_S)
    signs("issued in 1970", RECORDS, issued_at_s=0, valid_until_s=DAY_S)

    invalid = "invalid_argument"
    refuses("good for longer than a day", invalid, valid_until_s=NOW + DAY_S + 1)
    refuses("good for no time", invalid, valid_until_s=NOW)
    refuses("over before it was issued", invalid, valid_until_s=NOW - 1)
    refuses("good until the end of time", invalid, valid_until_s=LATEST)
    refuses("from before time until after it", invalid, issued_at_s=-(2**63), valid_until_s=LATEST)
    refuses("issued before 1970", invalid, issued_at_s=-1, valid_until_s=100)
    refuses("a negative skew", invalid, skew_s=-1)
    refuses("a skew over 300", invalid, skew_s=301)
    refuses("a skew that 16 bits would cut to 2", invalid, skew_s=65_538)
    refuses("a store from before 1970", invalid, store_since_ms=-1)
    refuses("too little entropy", "entropy_unavailable", entropy=SEED[:15])
    refuses("no entropy", "entropy_unavailable", entropy=b"")
    refuses("no primary token key", "config_error", keyring={"keys": [EDDSA.private_jwk(purpose="token", status="active")]})
    refuses("a primary that only verifies", "config_error", keyring={"keys": [EDDSA.jwk(purpose="token", status="primary")]})
    refuses("no token key at all", "config_error", keyring={"keys": [keys.DEVICE.jwk(purpose="device", status="primary")]})
    refuses("a primary whose time is over", "key_expired", keyring=ring(EDDSA, not_after_s=NOW))
    for name, stored in {"cut": RECORDS[0][:17], "of another version": b"\x02" + RECORDS[0][1:], "of no kind": b"\x01\x05" + RECORDS[0][2:], "without an id": RECORDS[0][:18], "with a time that its kind has not": RECORDS[0][:17] + b"\x01" + RECORDS[0][18:], "of 1,025 bytes": record("token", "a" * 1025, VALID_UNTIL), "that is empty": b"", "that is a marker": bytes([1]) + bytes(23)}.items():
        refuses(f"a record {name}", "malformed", records=[*RECORDS, stored])
    refuses("a key id over 128 bytes", "malformed", records=[record("key", "k" * 129, VALID_UNTIL)])
    return suite


def opening() -> Suite:
    suite = Suite("revocation-set", "Which sets are taken: forged, cut, replayed and withheld ones are not.", "FORMATS.md, Offline revocation set; ATTACKS.md 52a")
    good = made().signed(EDDSA)
    both = ring(EDDSA, ES256.private_jwk(purpose="token", status="active"))

    def opens(name: str, text: bytes, error: str | None = None, *, keyring: Case | None = None, last: int = 0, now_s: int = NOW, golden: bool = False) -> None:
        request = {"op": "revocation_set_open", "keyring": keyring or ring(EDDSA), "set_hex": text.hex(), "last_sequence": last, "now_s": now_s}
        suite.add(name, request, refusal(error) if error else {"ok": True}, 52, golden=golden)

    def info(name: str, revoked: RevocationSet, signer: Key = EDDSA) -> None:
        text = revoked.signed(signer)
        ids, subjects_of = revoked.ids, revoked.subjects
        told = {
            "sequence": revoked.sequence, "issued_at_s": revoked.issued_at_s, "valid_until_s": revoked.valid_until_s, "store_since_s": revoked.store_since_s, "ids": len(ids.entries), "subjects": len(subjects_of.entries), "keys": len(revoked.keys), "bytes": len(text),
            "false_positive_rate": len(ids.entries) / 2 ** (ids.bits + 24) or 0,
        }  # fmt: skip
        assert told["false_positive_rate"] <= 2**-20
        request = {"op": "revocation_set_info", "keyring": ring(signer), "set_hex": text.hex(), "last_sequence": 0, "now_s": NOW}
        suite.add(f"told of {name}", request, {"ok": True, "info": told})

    info("an empty set", made([]))
    info("one of each", made())
    info("16 tokens and families", made(tokens(16)))
    info("17 tokens and families", made(tokens(17)))
    info("1,000 tokens and families", made(tokens(1000)))
    info("17 subjects", made(subjects(17)))
    info("a store that began now", made(store_since_ms=NOW * 1000))
    assert len(made(tokens(1000)).ids.to_bytes()) < 3.5 * 1000

    for signer in (EDDSA, ES256, HS256):
        text = made().signed(signer)
        opens(f"signed with {signer.alg}", text, keyring=ring(signer), golden=True)
        opens(f"signed with {signer.alg}, one bit of the signature changed", text[:-1] + bytes([text[-1] ^ 1]), "bad_signature", keyring=ring(signer))
        opens(f"signed with {signer.alg}, the signature all zero", text[: -signature_len(text, signer)] + bytes(signature_len(text, signer)), "bad_signature", keyring=ring(signer))
    for count in SIZES:
        opens(f"of {count} tokens and families", made(tokens(count)).signed(EDDSA))
        opens(f"of {count} subjects", made(subjects(count)).signed(EDDSA))
    public = {"keys": [EDDSA.jwk(purpose="token", status="verify-only")]}
    opens("with the public key alone", good, keyring=public)
    opens("with the public key of a key set", good, keyring={"keys": [EDDSA.jwk()]})
    opens("under a key of the algorithm Ed25519", good, keyring={"keys": [EDDSA.jwk(alg="Ed25519")]})
    opens("by the primary", good, keyring=both)
    opens("by the next one", made().signed(ES256), keyring=both)
    opens("by the one before", good, keyring=ring(ES256, EDDSA.jwk(purpose="token", status="verify-only", not_after_s=NOW + 1)))

    head = 4 + 1 + len(EDDSA.kid or "")
    for name, at in {"sequence": head + 7, "issue time": head + 15, "end": head + 23, "store's time": head + 31, "skew": head + 33, "seed": head + 34, "count of ids": head + 53, "first offset": head + 58, "last byte before the signature": len(good) - 67}.items():
        opens(f"forged: one bit of the {name} changed", good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], "bad_signature|malformed")
    empty = made([])
    opens("forged: the tables of another set", good[:-66] + empty.signed(EDDSA)[-66:], "bad_signature")
    opens("forged: the signature of another time", made(valid_until_s=VALID_UNTIL + 1).signed(EDDSA)[:-66] + good[-66:], "bad_signature")
    opens("forged by another key under this one's id", made().signed(ATTACKER, EDDSA.kid), "bad_signature")
    opens("forged by a key that nobody has", made().signed(ATTACKER), "unknown_key")
    opens("signed by one of the keys, and the id of another", made().signed(EDDSA, ES256.kid), "bad_signature", keyring=both)
    opens("signed under an id of another case", made().signed(EDDSA, (EDDSA.kid or "").upper()), "unknown_key")
    opens("signed under a key id of 255 bytes", made().signed(EDDSA, "k" * 255), "unknown_key|malformed")
    opens("signed without a key id", made().signed(EDDSA, ""), "unknown_key|malformed")
    for name, text in {"DER": "SPKI DER", "PEM": "SPKI PEM"}.items():
        confused = Secret(EDDSA.kid, "HS256", public_texts(EDDSA)[text])
        opens(f"an HMAC under the public key's {name}", made().signed(confused), "bad_signature")
    opens("an HMAC under the public key's bytes", made().signed(Secret(EDDSA.kid, "HS256", EDDSA.public_bytes)), "bad_signature")
    es256 = made().signed(ES256)
    r, s = es256[-64:-32], int.from_bytes(es256[-32:], "big")
    assert s < P256_ORDER
    opens("ES256: s over the order", es256[:-32] + b"\xff" * 32, "bad_signature", keyring=ring(ES256))
    opens("ES256: r and s in each other's place", es256[:-64] + es256[-32:] + r, "bad_signature", keyring=ring(ES256))
    jws_like = b"eyJhbGciOiJFZERTQSJ9.e30"
    opens("a token's signature over a token", jws_like + (64).to_bytes(2, "big") + EDDSA.private.sign(jws_like), "malformed")
    opens("a signature over the bytes alone, without what they are for", made().body(EDDSA.kid or "") + (64).to_bytes(2, "big") + EDDSA.private.sign(made().body(EDDSA.kid or "")), "bad_signature")
    opens("a signature over the bytes of another purpose", (body := made().body(EDDSA.kid or "")) + (64).to_bytes(2, "big") + EDDSA.private.sign((26).to_bytes(4, "big") + b"donjon/revocation-set/v2\0\0" + body), "bad_signature")
    for name, status, error in (("disabled", "disabled", "key_disabled"), ("over", "verify-only", "key_expired")):
        jwk = EDDSA.jwk(purpose="token", status=status) | ({"not_after_s": NOW} if status == "verify-only" else {})
        opens(f"the key is {name}", good, error, keyring={"keys": [jwk]})
        opens(f"the key is {name}, and another would do", good, error, keyring={"keys": [jwk, EDDSA.jwk() | {"kid": "spare"}]})
    opens("the key is destroyed", good, "key_destroyed", keyring={"keys": [{"kid": EDDSA.kid, "purpose": "token", "status": "destroyed"}]})
    opens("no key at all", good, "unknown_key", keyring={"keys": []})
    for purpose in ("device", "csrf", "audit", "state-binding", "settings"):
        other = Secret("other", "HS256", stream(purpose, 32))
        opens(f"signed with the {purpose} key", made().signed(other), "unknown_key", keyring=ring(EDDSA, other.jwk(purpose=purpose, status="primary")))

    opens("the sequence that was seen last", good, last=SEQUENCE)
    opens("a later sequence", good, last=SEQUENCE - 1)
    opens("the first sequence of all", made(sequence=0).signed(EDDSA))
    opens("rolled back by one", good, "state_stale", last=SEQUENCE + 1)
    opens("rolled back from the greatest of 63 bits", good, "state_stale", last=2**63 - 1)
    opens("a sequence of 63 bits", made(sequence=2**63 - 1).signed(EDDSA), last=2**63 - 1)
    opens("a sequence of 64 bits", made(sequence=2**64 - 1).signed(EDDSA), last=2**63 - 1)
    stale = "revocation_set_stale"
    opens("a second before its end", good, now_s=VALID_UNTIL - 1)
    opens("withheld: at its end", good, stale, now_s=VALID_UNTIL)
    opens("withheld: a day after its end", good, stale, now_s=VALID_UNTIL + DAY_S)
    opens("withheld: at the end of time", good, stale, now_s=LATEST)
    opens("from a clock that is five minutes ahead", good, now_s=NOW - AHEAD_S)
    opens("from a clock that is more than five minutes ahead", good, stale, now_s=NOW - AHEAD_S - 1)
    opens("from the future", good, stale, now_s=0)
    opens("rolled back and withheld", good, "state_stale|revocation_set_stale", last=SEQUENCE + 1, now_s=VALID_UNTIL)
    opens("forged and withheld: it is forged", good[:-1] + bytes([good[-1] ^ 1]), "bad_signature", now_s=VALID_UNTIL)
    opens("forged and rolled back: it is forged", good[:-1] + bytes([good[-1] ^ 1]), "bad_signature", last=SEQUENCE + 1)
    opens("good for a day", made(valid_until_s=NOW + DAY_S).signed(EDDSA))

    for length in sorted({0, 1, 3, 4, 5, head - 1, head, head + 8, head + 34, head + 50, head + 54, head + 55, len(good) - 66, len(good) - 65, len(good) - 64, len(good) - 1}):
        opens(f"cut to {length} bytes", good[:length], "malformed|bad_signature")
    opens("a byte long", good + b"\0", "malformed")
    opens("twice", good + good, "malformed|bad_signature")
    opens("text", b64u(good).encode(), "malformed")
    opens("JSON", b'{"revoked":[]}', "malformed")
    kid = EDDSA.kid or ""
    signature = sign(b"", EDDSA)[2:]
    opens("a signature of no bytes", made().body(kid) + bytes(2), "bad_signature|malformed")
    opens("a signature of 65 bytes", made().body(kid) + (65).to_bytes(2, "big") + signature + b"\0", "bad_signature|malformed")
    opens("a signature that says that it is longer", made().body(kid) + (65).to_bytes(2, "big") + signature, "malformed|bad_signature")

    def ill(name: str, body: bytes) -> None:
        """Signed by the right key, and yet no set."""
        opens(f"signed, but {name}", sign(body, EDDSA), "malformed")

    base = made([])
    for magic in (b"DJR0", b"DJR2", b"djr1", b"DJN1"):
        ill(f"of the magic {magic.decode()}", base.body(kid, magic=magic))
    ill("trailing bytes before the signature", base.body(kid) + b"\0")
    ill("no list of keys", base.body(kid, keys=b""))
    ill("good for longer than a day", replace(base, valid_until_s=NOW + DAY_S + 1).body(kid))
    ill("good for no time", replace(base, valid_until_s=NOW).body(kid))
    ill("over before it was issued", replace(base, issued_at_s=NOW + 10, valid_until_s=NOW + 5).body(kid))
    ill("issued before 1970", replace(base, issued_at_s=-1, valid_until_s=10).body(kid))
    ill("a store from before 1970", replace(base, store_since_s=-1).body(kid))
    ill("a skew over 300", replace(base, skew_s=301).body(kid))
    row, later = b"\0\0\1", b"\0\0\2"
    ill("more ids than there are", base.body(kid, ids=table(2, 0, [0, 2], [row])))
    ill("fewer ids than there are", base.body(kid, ids=table(1, 0, [0, 1], [row, later])))
    ill("the greatest count", base.body(kid, ids=table(2**32 - 1, 0, [0, 2**32 - 1], [])))
    ill("a count over what a set may have", base.body(kid, ids=table(2**26 + 1, 23, [0], [])))
    ill("ids that are not sorted", base.body(kid, ids=table(2, 0, [0, 2], [later, row])))
    ill("an id twice", base.body(kid, ids=table(2, 0, [0, 2], [row, row])))
    ill("offsets that do not begin at 0", base.body(kid, ids=table(1, 0, [1, 1], [row])))
    ill("offsets that do not end at the count", base.body(kid, ids=table(1, 0, [0, 0], [row])))
    ill("an offset over the count", base.body(kid, ids=table(1, 0, [0, 2], [row])))
    wide = made(tokens(17)).ids
    rows = [at[1].to_bytes(3, "big") for at in wide.entries]
    ill("offsets that decrease", base.body(kid, ids=table(40, 2, [0, 30, 20, 40, 40], [n.to_bytes(3, "big") for n in range(40)])))
    ill("more buckets than its count wants", base.body(kid, ids=table(1, 1, [0, 1, 1], [row])))
    ill("buckets where there is nothing", base.body(kid, ids=table(0, 1, [0, 0, 0], [])))
    ill("fewer buckets than its count wants", base.body(kid, ids=table(17, 0, [0, 17], sorted(rows))))
    for bits in (23, 40, 64, 255):
        ill(f"2 to the {bits} buckets", base.body(kid, ids=table(0, bits, [0], [])))
    ill("subjects without their times", base.body(kid, subjects=table(1, 0, [0, 1], [row])))
    ill("subjects that are not sorted", base.body(kid, subjects=table(2, 0, [0, 2], [later + bytes(8), row + bytes(8)])))
    ill("a subject twice", base.body(kid, subjects=table(2, 0, [0, 2], [row + bytes(8), row + (1).to_bytes(8, "big")])))
    ill("keys that are not sorted", base.body(kid, keys=key_list(["b", "a"])))
    ill("a key twice", base.body(kid, keys=key_list(["a", "a"])))
    ill("more keys than there are", base.body(kid, keys=(2).to_bytes(2, "big") + named("a")))
    ill("fewer keys than there are", base.body(kid, keys=(0).to_bytes(2, "big") + named("a")))
    ill("a key id that is longer than what is left", base.body(kid, keys=(1).to_bytes(2, "big") + b"\x05a"))
    ill("a key without an id", base.body(kid, keys=(1).to_bytes(2, "big") + b"\0"))
    return suite


def signature_len(text: bytes, signer: Key) -> int:
    return 32 if isinstance(signer, Secret) else 64


def checking() -> Suite:
    suite = Suite("revocation-set-checking", "What a set says of a token, and whether it is certain.", "FORMATS.md, Offline revocation set; ATTACKS.md 13, 20 and 52a")

    def check(name: str, revoked: RevocationSet, token: Token, status: str = "ok", *, probable: bool = False, issued_at_s: int | None = NOW, at_s: int = NOW, attack: int | None = 52, golden: bool = False) -> None:
        given = revoked.check(token, issued_at_s, at_s)
        assert given == (status, probable), (name, given)
        request = {"op": "revocation_set_check", "keyring": ring(EDDSA), "set_hex": revoked.signed(EDDSA).hex(), "last_sequence": 0, "now_s": NOW, **asdict(token), "issued_at_s": issued_at_s, "at_s": at_s}
        suite.add(name, request, {"ok": True, "status": status, "probable": probable}, attack, golden=golden)

    usual = made()
    other = Token("bob", "token-2", "family-2", "key-2")
    check("nothing speaks against it", usual, other)
    check("everything speaks against it", usual, REVOKED, "revoked")
    check("the token is revoked", usual, replace(other, token_id=REVOKED.token_id), "revoked", probable=True, attack=13)
    check("its family is revoked", usual, replace(other, family=REVOKED.family), "revoked", probable=True, attack=20)
    check("its key is revoked", usual, replace(other, key_id=REVOKED.key_id), "revoked")
    check("its key and its id are revoked: that is certain", usual, replace(other, key_id=REVOKED.key_id, token_id=REVOKED.token_id), "revoked")
    check("its subject is logged out everywhere", usual, replace(other, subject="ann"), "revoked", probable=True, issued_at_s=NOW - 100)
    check("nothing is named", usual, NOBODY)
    check("the names of a token and a family in each other's place", usual, Token("", REVOKED.family, REVOKED.token_id, ""))
    check("a revoked subject's name as a token id", usual, Token("", "ann", "", ""))
    check("a revoked token's id as a subject", usual, Token("token-1", "", "", ""))
    check("a key id of another case", usual, replace(other, key_id="KEY-1"))
    check("the beginning of a key id", usual, replace(other, key_id="key-"))
    for skew in (0, 2, 300):
        revoked = made(skew_s=skew)
        for name, issued_at_s, status in (("long before", NOW - 9000, "revoked"), ("in the same second", NOW - 100, "revoked"), ("at the end of the skew", NOW - 100 + skew, "revoked"), ("a second after the skew", NOW - 99 + skew, "ok"), ("long after", NOW + 9000, "ok")):
            check(f"skew {skew}: issued {name} of the log-out", revoked, replace(other, subject="ann"), status, probable=status == "revoked", issued_at_s=issued_at_s)
    check("a log-out at the end of time", made([record("subject", "ann", LATEST, LATEST)]), replace(other, subject="ann"), "revoked", probable=True, issued_at_s=LATEST)
    check("a log-out before time", made([record("subject", "ann", LATEST, -(2**63))]), replace(other, subject="ann"), issued_at_s=0)
    begun = made(store_since_ms=NOW * 1000)
    check("issued before the store began", begun, other, "revoked", issued_at_s=NOW - 1)
    check("issued in the second in which the store began", begun, other, "revoked", issued_at_s=NOW)
    check("issued at the end of the skew after the store began", begun, other, "revoked", issued_at_s=NOW + 2)
    check("issued a second after the skew, as the issuer stamps it", begun, other, issued_at_s=NOW + 3)
    check("issued before the store began, and the token is revoked: that is certain", begun, replace(other, token_id=REVOKED.token_id), "revoked", issued_at_s=NOW - 1)
    check("no issue time", usual, other, "missing_claim", issued_at_s=None)
    check("no issue time, and the token is revoked", usual, replace(other, token_id=REVOKED.token_id), "revoked", probable=True, issued_at_s=None)
    check("no issue time, and the key is revoked", usual, replace(other, key_id=REVOKED.key_id), "revoked", issued_at_s=None)
    check("no issue time, and the subject is logged out everywhere", usual, replace(other, subject="ann"), "revoked", probable=True, issued_at_s=None)
    stale = "revocation_set_stale"
    check("a second before the end of the set", usual, other, at_s=VALID_UNTIL - 1)
    check("withheld: at the end of the set", usual, other, stale, at_s=VALID_UNTIL)
    check("withheld: long after the end of the set", usual, REVOKED, stale, at_s=LATEST)
    check("a clock that went back five minutes", usual, other, at_s=NOW - AHEAD_S)
    check("a clock that went back more than five minutes", usual, other, stale, at_s=NOW - AHEAD_S - 1)
    check("a clock at its beginning", usual, other, stale, at_s=0)

    def is_in(revoked: RevocationSet, name: str, kind: str) -> str:
        token = replace(NOBODY, **{"token_id" if kind == "token" else kind: name})
        return revoked.check(token, NOW, NOW)[0]

    for count in SIZES:
        revoked = made(tokens(count))
        assert all(is_in(revoked, id_of(n), "family" if n % 3 == 2 else "token") == "revoked" for n in range(count))
        for n in sorted({0, count // 2, count - 1} & set(range(count))):
            member = "family" if n % 3 == 2 else "token_id"
            check(f"{count} tokens and families: number {n} is one", revoked, replace(other, **{member: id_of(n)}), "revoked", probable=True, golden=True)
        check(f"{count} tokens and families: the next token is none", revoked, replace(other, token_id=id_of(count + 1)))
        check(f"{count} tokens and families: a family's id is no token's", revoked, replace(other, token_id=id_of(2)) if count > 2 else other)
        revoked = made(subjects(count))
        for n in sorted({0, count // 2, count - 1} & set(range(count))):
            for issued_at_s, status in ((NOW - 58 + n, "revoked"), (NOW - 57 + n, "ok")):
                check(f"{count} subjects: number {n}, {'until' if status == 'revoked' else 'after'} the end of the skew", revoked, replace(other, subject=f"user-{n}"), status, probable=status == "revoked", issued_at_s=issued_at_s)
        check(f"{count} subjects: the next one is none", revoked, replace(other, subject=f"user-{count}"), issued_at_s=1)
    one, twin = twins("token")
    check("one that has the remainder of a revoked token is taken for it, and it is said that this is not certain", made([record("token", one, VALID_UNTIL)]), replace(other, token_id=twin), "revoked", probable=True)
    one, twin = twins("subject")
    for first, second in ((NOW - 5, NOW - 9), (NOW - 9, NOW - 5)):
        revoked = made([record("subject", one, VALID_UNTIL, first), record("subject", twin, VALID_UNTIL, second)])
        for name in (one, twin):
            check(f"subjects with one remainder, out since {first - NOW} and {second - NOW}: {name} until the later time", revoked, replace(other, subject=name), "revoked", probable=True, issued_at_s=NOW - 3)
            check(f"subjects with one remainder, out since {first - NOW} and {second - NOW}: {name} after the later time", revoked, replace(other, subject=name), issued_at_s=NOW - 2)
    return suite
