"""Revocation in a store: what is read, what it means, what is written (FORMATS.md, Revocation; ATTACKS.md 13, 20 and 52a)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import revoking
from .jose import b64u
from .keys import DEVICE, HS256, Secret, stream
from .revoking import Token, record, tag
from .suite import NOW, Case, Suite, refusal

NOW_MS = NOW * 1000
SOURCE = "FORMATS.md, Revocation and Stores"
OLDER = Secret("older-device", "HS256", stream("older device", 32))
NEXT = Secret("next-device", "HS256", stream("next device", 32))
GONE = Secret("gone-device", "HS256", stream("gone device", 32))

FAMILY = b64u(stream("family", 16))
TOKEN_ID = b64u(stream("token id", 16))
WHOLE = Token("ann", TOKEN_ID, FAMILY, "ed25519")
SUBJECTS = {"of one letter": "a", "of many scripts": "zo\u00eb \u4e2d\U0001f600", "that JSON escapes": 'a"b\\c\n', "that looks like a key": "{x}:revoked:since", "of 1,024 bytes": "a" * 1024}
# One byte, or one member, from the right one.
CENTURY_S = 3_155_760_000


def ring(*more: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [DEVICE.jwk(purpose="device", status="primary"), *more]}


ONE = ring()
ROTATED = {"keys": [OLDER.jwk(purpose="device", status="verify-only"), DEVICE.jwk(purpose="device", status="primary"), {"kid": GONE.kid, "purpose": "device", "status": "destroyed"}]}
ROTATED_SECRETS = [DEVICE.secret, OLDER.secret]


def asked(token: Token) -> Case:
    return {"subject": token.subject, "token_id": token.token_id, "family": token.family, "key_id": token.key_id}


def suites() -> Iterator[Suite]:
    yield keys()
    yield checks()
    yield issuing()
    yield revoking_()
    yield configurations()


def keys() -> Suite:
    suite = Suite("revocation-keys", "Where revocation records lie: what is read for a token, and where a revocation is written.", f"{SOURCE}; HMAC and SHA-256 of Python's hashlib")

    def reads(name: str, token: Token, keyring: Case = ONE, secrets: list[bytes] | None = None) -> None:
        places = [at for at, _, _ in token.lookups(secrets or [DEVICE.secret])]
        suite.add(f"read: {name}", {"op": "revocation_keys", "keyring": keyring, **asked(token)}, {"ok": True, "keys": places}, golden=True)

    def written(title: str, kind: str, subject: str, name: str, answer: Case) -> None:
        suite.add(f"written: {title}", {"op": "revocation_key", "keyring": ONE, "kind": kind, "subject": subject, "name": name}, answer, golden=answer["ok"])

    def at(kind: str, subject: str, name: str) -> Case:
        return {"ok": True, "key": revoking.place(tag(DEVICE.secret, subject), kind, name)}

    reads("everything", WHOLE)
    for member in ("subject", "token_id", "family", "key_id"):
        reads(f"everything but the {member}", Token(**(asked(WHOLE) | {member: ""})))
        reads(f"nothing but the {member}", Token(**({name: "" for name in asked(WHOLE)} | {member: getattr(WHOLE, member)})))
    reads("nothing at all", Token("", "", "", ""))
    reads("under two secrets, the primary first", WHOLE, ROTATED, ROTATED_SECRETS)
    reads("under two secrets, of a token without an id", Token("ann", "", FAMILY, ""), ROTATED, ROTATED_SECRETS)
    disabled = ring(GONE.jwk(purpose="device", status="disabled"))
    reads("what was revoked under a secret that was disabled since is found", WHOLE, disabled, [DEVICE.secret, GONE.secret])
    active = ring(NEXT.jwk(purpose="device", status="active"))
    reads("the next secret is read under as well", WHOLE, active, [DEVICE.secret, NEXT.secret])
    for name, subject in SUBJECTS.items():
        reads(f"a subject {name}", Token(subject, TOKEN_ID, "", ""))
        written(f"a subject {name}", "subject", subject, "", at("subject", subject, ""))
    reads("a token id like a path", Token("ann", "../../x", "", "k"))
    reads("a key id of another script", Token("ann", "", "", "\u9375"))
    written("a token", "token", "ann", TOKEN_ID, at("token", "ann", TOKEN_ID))
    written("a family", "family", "ann", FAMILY, at("family", "ann", FAMILY))
    written("a subject", "subject", "ann", "", at("subject", "ann", ""))
    written("a key", "key", "", "ed25519", at("key", "", "ed25519"))
    written("a key, whoever is named", "key", "ann", "ed25519", at("key", "", "ed25519"))
    written("a token without a subject", "token", "", TOKEN_ID, at("token", "", TOKEN_ID))
    written("a token id of 1,024 bytes", "token", "ann", "a" * 1024, at("token", "ann", "a" * 1024))
    written("a token without an id", "token", "ann", "", refusal("invalid_argument"))
    written("a family without an id", "family", "ann", "", refusal("invalid_argument"))
    written("a key without an id", "key", "ann", "", refusal("invalid_argument"))
    written("nobody", "subject", "", "", refusal("invalid_argument"))
    written("a token id of 1,025 bytes", "token", "ann", "a" * 1025, refusal("invalid_argument|too_large"))
    written("a subject of 1,025 bytes", "subject", "a" * 1025, "", refusal("invalid_argument|too_large"))
    written("a kind that there is not", "session", "ann", "x", refusal("bad_request"))
    return suite


def checks() -> Suite:
    suite = Suite("revocation-records", "What the records that were found say of a token: damaged ones and those of something else count as revoked.", f"{SOURCE}; ATTACKS.md 13, 20 and 52a")

    def check(name: str, found: dict[str, bytes], *, token: Token = WHOLE, issued_at_s: int | None = NOW, since_ms: int = 0, error: str | None = None, attack: int | None = None, two: bool = False, golden: bool = False, **config: int) -> None:
        """`found` is by kind: under the primary secret, or with a + before the kind under the older one."""
        secrets = ROTATED_SECRETS if two else [DEVICE.secret]
        values, met = [], set()
        for place, kind, _ in token.lookups(secrets):
            is_older = two and kind != "key" and tag(OLDER.secret, token.subject) in place
            named = f"+{kind}" if is_older else kind
            values.append(found.get(named, b""))
            met.add(named)
        assert found.keys() <= met, name
        if issued_at_s is not None:
            expected = "revoked" if revoking.is_revoked(token, secrets, values, issued_at_s, since_ms, config.get("skew_s", 2)) else None
            assert error == expected, name
        request = {"op": "revocation_record_check", "keyring": ROTATED if two else ONE, **({"config": config} if config else {}), **asked(token), "issued_at_s": issued_at_s, "values_hex": [value.hex() for value in values], "store_since_ms": since_ms}
        suite.add(name, request, refusal(error) if error else {"ok": True}, attack, golden=golden)

    def good(kind: str) -> bytes:
        name = {"token": TOKEN_ID, "family": FAMILY, "key": "ed25519", "subject": "ann"}[kind]
        return record(kind, name, NOW + 3600, NOW if kind == "subject" else 0)

    check("nothing is there", {})
    check("the token is revoked", {"token": good("token")}, error="revoked", attack=13, golden=True)
    check("its family is revoked", {"family": good("family")}, error="revoked", attack=20, golden=True)
    check("its key is revoked", {"key": good("key")}, error="revoked", golden=True)
    check("its subject is logged out everywhere", {"subject": good("subject")}, error="revoked", golden=True)
    check("all four", {kind: good(kind) for kind in revoking.KINDS}, error="revoked")
    check("a record whose time is over counts for as long as it is there", {"token": record("token", TOKEN_ID, 1)}, error="revoked")
    check("a record that is never over", {"token": record("token", TOKEN_ID, revoking.LATEST)}, error="revoked")
    for kind in ("token", "family", "subject"):
        check(f"the {kind}'s record lies under the older secret", {f"+{kind}": good(kind)}, two=True, error="revoked")
        check(f"the {kind}'s record lies under the new secret, and there is an older one", {kind: good(kind)}, two=True, error="revoked")
    later, earlier = record("subject", "ann", NOW + 3600, NOW), record("subject", "ann", NOW + 3600, NOW - 1000)
    check("of two log-outs the later one counts, which lies under the new secret", {"subject": later, "+subject": earlier}, two=True, error="revoked")
    check("of two log-outs the later one counts, which lies under the older secret", {"subject": earlier, "+subject": later}, two=True, error="revoked")
    check("both log-outs are long ago", {"subject": earlier, "+subject": earlier}, two=True, golden=True)
    for skew in (0, 2, 300):
        for name, since_s, error in (("in the same second", NOW, "revoked"), ("at the end of the skew", NOW - skew, "revoked"), ("a second after the skew", NOW - skew - 1, None), ("long before", NOW + 10_000, "revoked"), ("long after", NOW - 10_000, None)):
            check(f"skew {skew}: issued {name} of the log-out", {"subject": record("subject", "ann", NOW + 3600, since_s)}, error=error, attack=52, skew_s=skew)
    check("a log-out at the end of time", {"subject": record("subject", "ann", revoking.LATEST, revoking.LATEST)}, issued_at_s=revoking.LATEST, error="revoked")
    check("a log-out before time", {"subject": record("subject", "ann", revoking.LATEST, revoking.NEVER)})
    check("issued at the end of time", {"subject": good("subject")}, issued_at_s=revoking.LATEST)
    check("issued before 1970", {}, issued_at_s=-1, error="revoked")

    for kind in revoking.KINDS:
        whole, other = good(kind), {"token": "subject", "family": "token", "subject": "token", "key": "token"}[kind]
        damaged = {
            "one byte": whole[:1], "cut at its id": whole[:18], "cut within its times": whole[:17], "a byte short": whole[:-1], "a byte long": whole + b"x", "another version": b"\x02" + whole[1:], "version 0": b"\x00" + whole[1:],
            "of another kind": whole[:1] + bytes([revoking.KINDS[other]]) + whole[2:], "of no kind": whole[:1] + b"\x05" + whole[2:], "of another id": whole[:18] + b"x" + whole[19:], "an id in upper case": whole[:18] + whole[18:].swapcase(), "that is no text": whole[:-1] + b"\xff", "JSON": b'{"revoked":false}', "zeros": bytes(len(whole)), "a marker": revoking.marker(41, 0, NOW_MS),
        }  # fmt: skip
        for name, stored in damaged.items():
            check(f"the {kind}'s record is damaged: {name}", {kind: stored}, error="revoked", attack=52, issued_at_s=NOW + 10_000)
    for kind in ("token", "family", "key"):
        whole = good(kind)
        check(f"the {kind}'s record has a time since when", {kind: whole[:10] + (1).to_bytes(8, "big") + whole[18:]}, error="revoked", attack=52)

    check("no marker was ever rewritten: the store is from the beginning", {}, issued_at_s=0, since_ms=0)
    check("the store is younger than the token", {}, since_ms=NOW_MS + 1000, error="revoked", attack=52)
    check("the store began in the token's second", {}, since_ms=NOW_MS, error="revoked", attack=52)
    check("the store began at the end of the second before the token's", {}, since_ms=NOW_MS - 1, error="revoked", attack=52)
    for skew in (0, 2, 300):
        first_ms = NOW_MS - skew * 1000
        check(f"skew {skew}: the token may have been issued before the store began, by a clock that is ahead", {}, since_ms=first_ms, error="revoked", attack=52, skew_s=skew)
        check(f"skew {skew}: no token from before the store began has this time", {}, since_ms=first_ms - 1, skew_s=skew)
    check("the store began in its first millisecond, and the token in its first second", {}, issued_at_s=0, since_ms=1, error="revoked", attack=52)
    check("the store began at the end of time", {}, since_ms=revoking.LATEST, error="revoked", attack=52)
    check("a token of nobody, and nothing is looked up", {}, token=Token("", "", "", ""))
    check("a token of nobody before the store", {}, token=Token("", "", "", ""), since_ms=NOW_MS + 1000, error="revoked", attack=52)
    check("no issue time", {}, issued_at_s=None, error="missing_claim")
    check("no issue time, and the token is revoked", {"token": good("token")}, issued_at_s=None, error="revoked")
    check("no issue time, and the subject is logged out everywhere", {"subject": good("subject")}, issued_at_s=None, error="revoked|missing_claim")

    request = {"op": "revocation_record_check", "keyring": ONE, **asked(WHOLE), "issued_at_s": NOW, "values_hex": [""] * 4, "store_since_ms": 0}
    suite.add("three values for four keys", request | {"values_hex": [""] * 3}, refusal("invalid_argument"))
    suite.add("five values for four keys", request | {"values_hex": [""] * 5}, refusal("invalid_argument"))
    suite.add("no values for four keys", request | {"values_hex": []}, refusal("invalid_argument"))
    suite.add("a store from before 1970", request | {"store_since_ms": -1}, refusal("invalid_argument"))
    return suite


def issuing() -> Suite:
    suite = Suite("revocation-issuing", "What an issuer is told, so that a log-in in the second of \"log out everywhere\" lives.", f"{SOURCE}; ATTACKS.md 52a")

    def tells(name: str, values: list[bytes], since_ms: int = 0, *, error: str | None = None, subject: str = "ann", two: bool = False, **config: int) -> None:
        skew_s = config.get("skew_s", 2)
        request = {"op": "revocation_issue_since", "keyring": ROTATED if two else ONE, **({"config": config} if config else {}), "subject": subject, "values_hex": [value.hex() for value in values], "store_since_ms": since_ms}
        if error:
            suite.add(name, request, refusal(error), 52)
            return
        since_s = revoking.issue_since(subject, values, since_ms, skew_s)
        if since_s is not None and since_s < revoking.LATEST - 10:
            # The issuer's stamp, and what the check says of it.
            stamped = max(since_s + 3, 0)
            assert not revoking.is_revoked(Token(subject, "", "", ""), ROTATED_SECRETS if two else [DEVICE.secret], values, stamped, since_ms, skew_s), name
        suite.add(name, request, {"ok": True, "since_s": since_s}, 52)

    def since(since_s: int, subject: str = "ann") -> bytes:
        return record("subject", subject, NOW + 3600, since_s)

    tells("never logged out", [b""])
    tells("logged out now", [since(NOW)])
    tells("logged out long ago", [since(1)])
    tells("the second log-out of one second", [since(NOW + 1)])
    for skew in (0, 1, 2, 3, 300):
        tells(f"skew {skew}: logged out now", [since(NOW)], skew_s=skew)
        tells(f"skew {skew}: never logged out, and the store began now", [b""], NOW_MS, skew_s=skew)
        tells(f"skew {skew}: logged out now, and the store began now", [since(NOW)], NOW_MS, skew_s=skew)
    tells("the store began now", [b""], NOW_MS)
    tells("the store began a millisecond ago", [b""], NOW_MS - 1)
    tells("the store began in its first millisecond", [b""], 1)
    tells("the store began long after the log-out", [since(NOW - 1000)], NOW_MS)
    tells("the store began just before the log-out", [since(NOW)], NOW_MS - 5000)
    tells("under two secrets, neither", [b"", b""], two=True)
    tells("under two secrets, the older one's", [b"", since(NOW)], two=True)
    tells("under two secrets, the later one", [since(NOW - 7), since(NOW)], two=True)
    tells("under two secrets, the later one first", [since(NOW), since(NOW - 7)], two=True)
    tells("another subject", [since(NOW, "zo\u00eb")], subject="zo\u00eb")
    tells("a log-out at the end of time", [since(revoking.LATEST)])
    tells("a damaged record", [since(NOW)[:-1]], error="revoked")
    tells("a record of another subject", [since(NOW, "bob")], error="revoked")
    tells("a record of another kind", [record("token", "ann", NOW)], error="revoked")
    tells("a damaged record beside a good one", [since(NOW), b"x"], two=True, error="revoked")
    tells("no values", [], error="invalid_argument")
    tells("a value too many", [b"", b""], error="invalid_argument")
    tells("a store from before 1970", [b""], -1, error="invalid_argument")
    return suite


def revoking_() -> Suite:
    suite = Suite("revocation-writes", "What a revocation writes, and how long it is kept.", f"{SOURCE}; ATTACKS.md 13, 20 and 52a")
    names = {"token": TOKEN_ID, "family": FAMILY, "key": "ed25519", "subject": ""}

    def writes(title: str, kind: str, *, subject: str = "ann", name: str | None = None, stored: bytes = b"", until_s: int | None = None, now_ms: int = NOW_MS, since_ms: int = 0, error: str | None = None, **config: int) -> None:
        given = names[kind] if name is None else name
        request = {"op": "revocation_revoke", "keyring": ONE, **({"config": config} if config else {}), "kind": kind, "subject": subject, "name": given, "stored_hex": stored.hex(), "until_s": until_s, "now_ms": now_ms, "store_since_ms": since_ms}
        whose = subject if kind == "subject" else given
        answer = refusal(error) if error else {"ok": True, **revoking.revoke(kind, whose, stored, until_s, now_ms, since_ms, **config)}
        suite.add(title, request, answer)

    for kind in ("token", "family", "key"):
        whole = record(kind, names[kind], NOW + 900)
        writes(f"a {kind} until it would be over anyway", kind, until_s=NOW + 1800)
        writes(f"a {kind} whose end nobody knows", kind)
        writes(f"a {kind} whose end nobody knows, where tokens live for an hour", kind, longest_ttl_s=3600)
        writes(f"a {kind} that is over already", kind, until_s=NOW - 1000)
        writes(f"a {kind} that never ends", kind, until_s=revoking.LATEST)
        writes(f"a {kind} once more, for longer", kind, stored=whole, until_s=NOW + 3600)
        writes(f"a {kind} once more, for less", kind, stored=record(kind, names[kind], NOW + 9000), until_s=NOW + 60)
        writes(f"a {kind} over the record of another", kind, stored=record(kind, "other", NOW + 9000), until_s=NOW + 60)
        writes(f"a {kind} over a damaged record", kind, stored=whole[:-1] + b"\xff", until_s=NOW + 60)
        writes(f"a {kind} over junk", kind, stored=b"junk", until_s=NOW + 60)
        writes(f"a {kind} without an id", kind, name="", error="invalid_argument")
        writes(f"a {kind} with an id of 1,025 bytes", kind, name="a" * 1025, error="invalid_argument|too_large")
    writes("a token without a subject", "token", subject="", until_s=NOW + 60)
    writes("a token id of 1,024 bytes", "token", name="a" * 1024, until_s=NOW + 60)
    writes("a token id of another script", "token", name="\u4e2d\U0001f600", until_s=NOW + 60)

    def logged_out(since_s: int, subject: str = "ann", until_s: int | None = None) -> bytes:
        return record("subject", subject, since_s + 2 + revoking.DEFAULT_LONGEST_TTL_S + 300 if until_s is None else until_s, since_s)

    writes("log out everywhere", "subject")
    writes("log out everywhere in the middle of a second", "subject", now_ms=NOW_MS + 999)
    writes("log out everywhere, at the next second", "subject", now_ms=NOW_MS + 1000)
    writes("log out everywhere, twice in one second: who came in between is out too", "subject", stored=logged_out(NOW))
    writes("log out everywhere, three times in one second", "subject", stored=logged_out(NOW + 1))
    writes("log out everywhere, a second later", "subject", stored=logged_out(NOW), now_ms=NOW_MS + 1000)
    writes("log out everywhere, long after", "subject", stored=logged_out(NOW), now_ms=NOW_MS + 10**9)
    writes("log out everywhere, and the clock went back", "subject", stored=logged_out(NOW + 5000))
    writes("log out everywhere, and the record is at the end of time", "subject", stored=logged_out(revoking.LATEST, until_s=revoking.LATEST))
    writes("log out everywhere, where tokens live for an hour", "subject", longest_ttl_s=3600)
    writes("log out everywhere, where tokens lived for longer before", "subject", longest_ttl_s=3600, stored=logged_out(NOW - 10))
    writes("log out everywhere, with another skew", "subject", skew_s=300, stored=logged_out(NOW - 10, until_s=NOW))
    for skew in (0, 2, 300):
        for name, since_ms in {"in the second of the log-out": NOW_MS, "a millisecond before that second": NOW_MS - 1, "two seconds before": NOW_MS - 2000, "long before": NOW_MS - 10**9, "a second after, by another clock": NOW_MS + 1000}.items():
            writes(f"log out everywhere, skew {skew}, and the store began {name}", "subject", since_ms=since_ms, skew_s=skew)
            now_s, written = NOW, revoking.revoke("subject", "ann", b"", None, NOW_MS, since_ms, skew)
            stamped = max(now_s, (revoking.issue_since("ann", [b""], since_ms, skew) or 0) + 3)
            assert revoking.is_revoked(Token("ann", "", "", ""), [DEVICE.secret], [bytes.fromhex(written["value_hex"])], stamped, since_ms, skew), name
    writes("log out everywhere, twice in the second in which the store began", "subject", since_ms=NOW_MS, stored=logged_out(NOW + 2))
    writes("log out everywhere, and the store began at the end of time", "subject", since_ms=revoking.LATEST)
    writes("log out everywhere, and the store began before 1970", "subject", since_ms=-1, error="invalid_argument")
    for kind in ("token", "family", "key"):
        writes(f"a {kind}, and the store began now: that is of no matter", kind, until_s=NOW + 60, since_ms=NOW_MS)
    writes("log out everywhere, over a damaged record", "subject", stored=logged_out(NOW + 5000)[:17])
    writes("log out everywhere, over the record of another subject", "subject", stored=logged_out(NOW + 5000, "bob"))
    writes("log out everywhere: an end that is given is of no matter", "subject", until_s=NOW + 1)
    writes("log out everywhere, in 1970", "subject", now_ms=0)
    writes("log out everywhere, at the end of time", "subject", now_ms=revoking.LATEST)
    for name, subject in SUBJECTS.items():
        writes(f"log out everywhere a subject {name}", "subject", subject=subject)
    writes("log out everywhere: nobody", "subject", subject="", error="invalid_argument")
    writes("log out everywhere: a subject of 1,025 bytes", "subject", subject="a" * 1025, error="invalid_argument|too_large")
    request = {"op": "revocation_revoke", "keyring": ONE, "kind": "session", "subject": "ann", "name": "x", "stored_hex": "", "until_s": None, "now_ms": NOW_MS, "store_since_ms": 0}
    suite.add("a kind that there is not", request, refusal("bad_request"))
    return suite


def configurations() -> Suite:
    suite = Suite("revocation-configuration", "What rules of revocation are made of.", SOURCE)

    def made(name: str, answer: Case, keyring: Case = ONE, config: Any = ...) -> None:
        request = {"op": "revocation_key", "keyring": keyring, **({} if config is ... else {"config": config}), "kind": "subject", "subject": "ann", "name": ""}
        suite.add(name, request, answer)

    good = {"ok": True, "key": revoking.place(tag(DEVICE.secret, "ann"), "subject")}
    made("nothing is said", good)
    made("an empty object", good, config={})
    made("the defaults", good, config={"skew_s": 2, "longest_ttl_s": 2592000})
    for name, config in {"no skew": {"skew_s": 0}, "the largest skew": {"skew_s": 300}, "the shortest life": {"longest_ttl_s": 1}, "the longest life": {"longest_ttl_s": CENTURY_S}}.items():
        made(name, good, config=config)
    refused = refusal("config_error")
    for name, config in {
        "a negative skew": {"skew_s": -1}, "a skew over 300": {"skew_s": 301}, "a skew that is text": {"skew_s": "2"}, "a skew that is null": {"skew_s": None}, "a skew with a fraction": {"skew_s": 1.5}, "no life": {"longest_ttl_s": 0}, "a negative life": {"longest_ttl_s": -1}, "a life over 100 years": {"longest_ttl_s": CENTURY_S + 1}, "a life of the greatest of 64 bits": {"longest_ttl_s": 2**63 - 1},
        "an unknown member": {"skew": 2}, "a list": [], "text": "{}", "a number": 2,
    }.items():  # fmt: skip
        made(f"refused: {name}", refused, config=config)
    made("refused: no device secret", refused, keyring={"keys": [HS256.jwk()]})
    made("refused: no key at all", refused, keyring={"keys": []})
    made("refused: a device secret that is not the primary", refused, keyring={"keys": [DEVICE.jwk(purpose="device", status="active")]})
    made("refused: a device secret that is disabled", refused, keyring={"keys": [DEVICE.jwk(purpose="device", status="disabled")]})
    return suite
