"""Requests with cookies: tokens against forgery, where a request comes from, the headers (docs/sessions.md, Cookies and CSRF)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any

from .envelopes import flipped
from .jose import b64u, lp, unb64u
from .keys import Secret, stream
from .session_records import CSRF_1, CSRF_2, PLAIN_RING, Ring, id_text
from .session_users import no_ids
from .suite import Case, Suite, refusal

SOURCE = "docs/sessions.md, Cookies and CSRF"
ID = id_text(PLAIN_RING.tags("ann")[0], stream("a session of requests", 32))
OTHER = id_text(PLAIN_RING.tags("ann")[0], stream("another session of requests", 32))
SALT = stream("csrf salt", 16)
APP = "https://app.example.com"
HOST = "app.example.com"
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE = {"name": "__Host-session", "same_site": "lax", "domain": None, "path": "/", "persistent": True, "insecure": False}


def suites() -> Iterator[Suite]:
    yield tokens()
    yield requests()
    yield cookies()


def token(text: str, salt: bytes = SALT, key: Secret = CSRF_1) -> str:
    return b64u(salt + hmac.digest(key.secret, lp("donjon/csrf/v1") + lp(unb64u(text)) + lp(salt), "sha256"))


def request(op: str, ring: Ring = PLAIN_RING, config: Case | None = None, **more: Any) -> Case:
    return {"op": op, "keyring": ring.jwks(), "config": config or {}} | more


def tokens() -> Suite:
    suite = Suite("session-csrf", "Tokens that show that a request comes from the session's own pages.", SOURCE)
    rotated = Ring(csrf=((CSRF_1, "verify-only"), (CSRF_2, "primary")))
    for name, text, salt, ring, key in (("one", ID, SALT, PLAIN_RING, CSRF_1), ("another session's", OTHER, SALT, PLAIN_RING, CSRF_1), ("another salt", ID, bytes(16), PLAIN_RING, CSRF_1), ("after a rotation", ID, SALT, rotated, CSRF_2)):
        suite.add(f"made: {name}", request("session_csrf_token", ring, session_id=text, entropy_hex=salt.hex()), {"ok": True, "token": token(text, salt, key)})
    for length in (0, 15):
        suite.add(f"{length} bytes of entropy", request("session_csrf_token", session_id=ID, entropy_hex=SALT[:length].hex()), refusal("entropy_unavailable"))
    for name, text in no_ids(ID).items():
        suite.add(f"for an id that is none: {name}", request("session_csrf_token", session_id=text, entropy_hex=SALT.hex()), refusal("invalid_session"))

    def check(name: str, given: str, error: str | None, ring: Ring = PLAIN_RING, text: str = ID, config: Case | None = None, **more: Any) -> None:
        asked = {"session_id": text, "method": "POST", "sec_fetch_site": "same-origin", "origin": "", "host": HOST, "csrf_token": given} | more
        suite.add(name, request("session_check_request", ring, config, **asked), refusal(error) if error else {"ok": True})

    good = token(ID)
    check("a good one", good, None)
    check("with another salt", token(ID, bytes(16)), None)
    check("without a session none is needed", "", None, text="")
    check("without a session, and some text", "nonsense", None, text="")
    check("none is needed as configured", "", None, config={"csrf_token": "not_required"})
    check("a bad one does no harm as configured", "nonsense", None, config={"csrf_token": "not_required"})
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "Get", "QUERY", "M-SEARCH", ""):
        check(f"{method or 'an empty method'} without one", "", "csrf_failed", method=method)
        check(f"{method or 'an empty method'} with one", good, None, method=method)
    for method in SAFE:
        check(f"{method} without one", "", None, method=method)
    bad = {
        "none": "", "another session's": token(OTHER), "the id": ID, "of another key": token(ID, key=CSRF_2), "its salt alone": good[:22], "its end cut": good[:-1], "a character long": good + "A", "twice": good * 2, "padded": good[:-1] + "=", "in the other alphabet": good[:-1] + "+", "a blank behind": good + " ", "of zeros": "A" * 64, "with a letter that is none": good[:-2] + "\u00e9", "4 KiB": "A" * 4096,
    }  # fmt: skip
    for name, given in bad.items():
        check(f"a bad one: {name}", given, "csrf_failed")
    raw = unb64u(good)
    for at in range(48):
        check(f"bit {at % 8} of byte {at} flipped", b64u(flipped(raw, at, at % 8)), "csrf_failed")
    for name, text in no_ids(ID).items():
        if text:
            check(f"with an id that is none: {name}", good, "csrf_failed", text=text)
    for status, error in {"verify-only": None, "active": None, "disabled": "csrf_failed", "destroyed": "csrf_failed"}.items():
        check(f"of a key that is now {status}", good, error, Ring(csrf=((CSRF_1, status), (CSRF_2, "primary"))))
    ended = Ring(csrf=((CSRF_1, "verify-only"), (CSRF_2, "primary"))).jwks()
    ended["keys"][1]["not_after_s"] = 1
    suite.add("of a key whose time is over", request("session_check_request", session_id=ID, method="POST", sec_fetch_site="same-origin", origin="", host=HOST, csrf_token=good) | {"keyring": ended}, {"ok": True})
    # Tokens of other constructions with the same key.
    other = b64u(SALT + hmac.digest(CSRF_1.secret, lp("donjon/csrf/v1") + lp(ID) + lp(SALT), "sha256"))
    check("over the id's text", other, "csrf_failed")
    check("over the salt first", b64u(SALT + hmac.digest(CSRF_1.secret, lp("donjon/csrf/v1") + lp(SALT) + lp(unb64u(ID)), "sha256")), "csrf_failed")
    return suite


def requests() -> Suite:
    suite = Suite("session-requests", "Where a request comes from, by what browsers say of it.", f"{SOURCE}; net/http.CrossOriginProtection of Go 1.25")
    trusting = {"trusted_origins": [APP, "https://admin.example.com:8443", "http://localhost:3000"]}

    def check(name: str, error: str | None, config: Case | None = None, **more: Any) -> None:
        asked = {"session_id": "", "method": "POST", "sec_fetch_site": "", "origin": "", "host": HOST, "csrf_token": ""} | more
        suite.add(name, request("session_check_request", config=config, **asked), refusal(error) if error else {"ok": True})

    cross = "cross_site"
    for site, error in {"same-origin": None, "none": None, "same-site": cross, "cross-site": cross, "Same-Origin": cross, "SAME-ORIGIN": cross, " same-origin": cross, "same-origin,none": cross, "same-origin, cross-site": cross, "none ": cross, "null": cross, "unknown": cross, "\u0000": cross, "same-origi": cross}.items():
        check(f"Sec-Fetch-Site: {site!r}", error, sec_fetch_site=site)
        check(f"Sec-Fetch-Site: {site!r}, Origin is the host", error, sec_fetch_site=site, origin=APP)
        check(f"Sec-Fetch-Site: {site!r}, Origin is evil", error, sec_fetch_site=site, origin="https://evil.example.net")
        check(f"Sec-Fetch-Site: {site!r}, Origin is trusted", None, trusting, sec_fetch_site=site, origin=APP, host="api.example.com")
        for method in SAFE:
            check(f"Sec-Fetch-Site: {site!r}, {method}", None, method=method, sec_fetch_site=site)
    for method in ("PUT", "PATCH", "DELETE", "get", "TRACE", ""):
        check(f"cross-site, {method or 'an empty method'}", cross, method=method, sec_fetch_site="cross-site")
    for method in SAFE:
        check(f"{method} with an Origin that is evil", None, method=method, origin="https://evil.example.net")
    check("neither header", None)
    check("neither header, and no host", None, host="")
    for origin, host, error in (
        (APP, HOST, None), ("http://app.example.com", HOST, None), ("https://APP.example.com", HOST, None), (APP, "App.Example.COM", None), ("https://app.example.com:8443", "app.example.com:8443", None), ("http://localhost:3000", "localhost:3000", None), ("http://127.0.0.1:8000", "127.0.0.1:8000", None),
        ("https://app.example.com:8443", HOST, cross), (APP, "app.example.com:8443", cross), (APP, "app.example.com:443", cross), ("https://app.example.com:8443", "app.example.com:8444", cross), ("https://evil.example.net", HOST, cross), ("https://app.example.com.evil.net", HOST, cross), ("https://evilapp.example.com", HOST, cross), ("https://example.com", HOST, cross),
        ("https://sub.app.example.com", HOST, cross), ("null", HOST, cross), ("NULL", HOST, cross), ("null", "null", cross), ("https://", HOST, cross), ("https://", "", cross), ("app.example.com", HOST, cross), ("//app.example.com", HOST, cross), ("https:app.example.com", HOST, cross), ("https:/app.example.com", HOST, cross), ("://app.example.com", HOST, cross),
        ("https://app.example.com/", HOST, cross), ("https://app.example.com/path", HOST, cross), ("https://evil.net/app.example.com", HOST, cross), ("https://evil.net#app.example.com", HOST, cross), ("https://evil.net?app.example.com", HOST, cross), ("https://user@app.example.com", HOST, cross), ("https://app.example.com@evil.net", HOST, cross), ("https://user@app.example.com", "user@app.example.com", cross), ("https://evil.net\\@app.example.com", HOST, cross),
        ("https://app.example.com https://evil.net", HOST, cross), ("https://evil.net https://app.example.com", HOST, cross), ("https://app.example.com, https://evil.net", HOST, cross), (" https://app.example.com", HOST, cross), ("https://app.example.com ", HOST, cross), ("https://app.example.com\t", HOST, cross), ("https://*", "*", cross), ("*", HOST, cross), ("https://app.example.com.", HOST, cross), ("https://app\u3002example.com", HOST, cross), (APP, "", cross),
        ("https://app.example.com:", HOST, cross), ("https://app.example.com:https", HOST, cross), ("https://app.example.com:99999", "app.example.com:99999", cross), ("https://app.example.com:0", "app.example.com:0", cross),
    ):  # fmt: skip
        check(f"Origin {origin!r} at {host!r}", error, origin=origin, host=host)
    for origin, error in {APP: None, "https://admin.example.com:8443": None, "http://localhost:3000": None, "http://app.example.com": cross, "https://app.example.com:443": cross, "https://app.example.com:8443": cross, "https://admin.example.com": cross, "http://localhost": cross, "https://localhost:3000": cross, "https://app.example.com/": cross, "https://app.example.com.evil.net": cross, "https://evil.net": cross, "null": cross, "": cross}.items():
        check(f"trusted? {origin!r} by Sec-Fetch-Site", error, trusting, sec_fetch_site="cross-site", origin=origin, host="api.example.com")
        if origin:
            check(f"trusted? {origin!r} by Origin alone", error, trusting, origin=origin, host="api.example.com")
    good = token(ID)
    for name, more, error in (
        ("a trusted origin needs a token", {"origin": APP}, "csrf_failed"), ("a trusted origin with a token", {"origin": APP, "csrf_token": good}, None), ("another origin with a token", {"origin": "https://evil.net", "csrf_token": good}, cross), ("another origin without a token", {"origin": "https://evil.net"}, cross),
        ("another origin that gets", {"origin": "https://evil.net", "method": "GET"}, None),
    ):  # fmt: skip
        check(name, error, trusting, **({"session_id": ID, "sec_fetch_site": "cross-site", "host": "api.example.com"} | more))

    for name, origins in {
        "none": [], "one": [APP], "a port": ["https://app.example.com:8443"], "two": [APP, "http://localhost:3000"], "an address": ["http://192.0.2.7:8080"],
    }.items():  # fmt: skip
        suite.add(f"trusted origins: {name}", diagnosed({"trusted_origins": origins}), {"ok": True, "status": "ok"})
    for name, origins in {
        "a star": ["*"], "a star of hosts": ["https://*.example.com"], "null": ["null"], "JSON's null": [None], "an empty text": [""], "a host": ["app.example.com"], "a slash": [APP + "/"], "a path": [APP + "/app"], "a query": [APP + "?a"], "a fragment": [APP + "#a"], "a user": ["https://ann@app.example.com"], "upper case": ["https://App.example.com"], "a scheme in upper case": ["HTTPS://app.example.com"],
        "no scheme": ["//app.example.com"], "no host": ["https://"], "only a port": ["https://:8443"], "a port that is none": ["https://app.example.com:https"], "a port that is too great": ["https://app.example.com:65536"], "an empty port": ["https://app.example.com:"], "port 0": ["https://app.example.com:0"], "the scheme's own port": ["https://app.example.com:443"], "a blank": [f" {APP}"], "two in one": [f"{APP} {APP}"], "a line feed": [APP + "\n"], "a NUL": [APP + "\u0000"],
        "another script": ["https://b\u00fccher.example"], "a number": [5], "no list": APP, "an object": {}, "no list at all": None, "a good one and a bad one": [APP, "*"], "a regular expression": ["https://.*\\.example\\.com"],
    }.items():  # fmt: skip
        suite.add(f"trusted origins refused: {name}", diagnosed({"trusted_origins": origins}), {"ok": True, "status": "config_error"})
    for value, status in {"required": "ok", "not_required": "ok", "optional": "config_error", "": "config_error", "Required": "config_error"}.items():
        suite.add(f"csrf_token: {value!r}", diagnosed({"csrf_token": value}), {"ok": True, "status": status})
    for other in (None, True, False, 1):
        suite.add(f"csrf_token: {other!r}", diagnosed({"csrf_token": other}), {"ok": True, "status": "config_error"})
    return suite


def diagnosed(config: Case) -> Case:
    return {"op": "session_diagnose", "keyring": PLAIN_RING.jwks(), "config": json.dumps(config)}


def attributes(cookie: Case, age: int, *, is_script: bool) -> str:
    """What follows the value."""
    parts = [f"Path={cookie['path']}"]
    parts += [f"Domain={cookie['domain']}"] if cookie["domain"] else []
    parts += [f"Max-Age={age}"] if cookie["persistent"] or age == 0 else []
    parts += [] if cookie["insecure"] else ["Secure"]
    parts += [] if is_script else ["HttpOnly"]
    parts += [f"SameSite={cookie['same_site'].capitalize()}"]
    return "".join(f"; {part}" for part in parts)


def cookies() -> Suite:
    suite = Suite("session-cookies", "Set-Cookie as it is written, Cookie as it is read.", f"{SOURCE}; RFC 6265; draft-ietf-httpbis-rfc6265bis, cookie name prefixes")
    by_hand = f"__Host-session={ID}; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"
    assert "__Host-session=" + ID + attributes(COOKIE, 86_400, is_script=False) == by_hand
    configs: dict[str, Case] = {
        "as configured by default": {}, "strict": {"same_site": "strict"}, "none": {"same_site": "none"}, "another name": {"name": "__Host-s"}, "of the domain": {"name": "__Secure-session", "domain": "example.com"}, "of a path": {"name": "__Secure-session", "path": "/app"}, "of a domain and a path": {"name": "__Secure-session", "domain": "app.example.com", "path": "/app/"},
        "until the browser ends": {"persistent": False}, "for development": {"name": "session", "insecure": True}, "for development, strict and not persistent": {"name": "session", "insecure": True, "same_site": "strict", "persistent": False},
    }  # fmt: skip
    for what, cookie in configs.items():
        whole = COOKIE | cookie
        for age in (86_400, 3_600):
            config: Case = ({"cookie": cookie} if cookie else {}) | ({} if age == 86_400 else {"absolute_timeout_s": age, "idle_timeout_s": 600})
            for op, argument, value, suffix, is_script in (("session_cookie", "session_id", ID, "", False), ("session_csrf_cookie", "token", token(ID), "-csrf", True)):
                name = f"{op}, {what}, {age} s"
                suite.add(name, request(op, config=config, **{argument: value}), {"ok": True, "header": f"{whole['name']}{suffix}={value}{attributes(whole, age, is_script=is_script)}"})
                suite.add(f"{name}, cleared", request(op, config=config, **{argument: ""}), {"ok": True, "header": f"{whole['name']}{suffix}={attributes(whole, 0, is_script=is_script)}"})
    for name, text in no_ids(ID).items():
        if text:
            suite.add(f"a cookie of an id that is none: {name}", request("session_cookie", session_id=text), refusal("invalid_session"))
            suite.add(f"a cookie of a token that is none: {name}", request("session_csrf_cookie", token=text), refusal("invalid_argument"))
    suite.add("a cookie with more in it", request("session_cookie", session_id=ID + "; Domain=evil.net"), refusal("invalid_session"))

    for name, cookie in {
        "empty": {"name": ""}, "without a prefix": {"name": "session"}, "half a prefix": {"name": "__Hos-session"}, "a prefix in lower case": {"name": "__host-session"}, "another prefix in lower case": {"name": "__secure-session"}, "a prefix for development": {"name": "__Host-session", "insecure": True}, "another prefix for development": {"name": "__Secure-session", "insecure": True}, "a prefix in lower case for development": {"name": "__host-session", "insecure": True}, "the default's name for development": {"insecure": True},
        "a blank": {"name": "__Host-a b"}, "an equals sign": {"name": "__Host-a=b"}, "a semicolon": {"name": "__Host-a;b"}, "a comma": {"name": "__Host-a,b"}, "a line feed": {"name": "__Host-a\n"}, "a NUL": {"name": "__Host-a\u0000"}, "a quote": {"name": '__Host-"a"'}, "another script": {"name": "__Host-\u00e9"}, "a slash": {"name": "__Host-a/b"}, "a number": {"name": 5}, "null": {"name": None}, "only a prefix": {"name": "__Host-"}, "a domain of the host alone": {"domain": "example.com"}, "a path of the host alone": {"path": "/app"},
    }.items():  # fmt: skip
        suite.add(f"a cookie's name refused: {name}", diagnosed({"cookie": cookie}), {"ok": True, "status": "config_error"})
    secure = {"name": "__Secure-session"}
    for name, cookie in {
        "a path of nothing": {"path": ""}, "a path without a slash": {"path": "app"}, "a path with more in it": {"path": "/; Domain=evil.net"}, "a path with a line feed": {"path": "/\n"}, "a path with a blank": {"path": "/a b"}, "a path of another script": {"path": "/\u00e9"}, "a domain with more in it": {"domain": "example.com; Path=/"}, "an empty domain": {"domain": ""}, "a domain with a dot before": {"domain": ".example.com"}, "a domain with a dot behind": {"domain": "example.com."}, "a domain with a port": {"domain": "example.com:443"},
        "a domain with a line feed": {"domain": "example.com\n"}, "a domain of another script": {"domain": "b\u00fccher.example"}, "a domain that is an address": {"domain": "192.0.2.7"}, "a domain that is an address of IPv6": {"domain": "2001:db8::1"}, "a domain that is a star": {"domain": "*.example.com"}, "a domain that is a number": {"domain": 5}, "another same_site": {"same_site": "Lax"}, "a same_site of nothing": {"same_site": ""}, "a same_site of null": {"same_site": None}, "a same_site of false": {"same_site": False},
        "persistent that is a text": {"persistent": "yes"}, "persistent that is null": {"persistent": None}, "insecure that is a number": {"insecure": 1}, "none without Secure": {"name": "session", "insecure": True, "same_site": "none"}, "a max_age": {"max_age": 60}, "http_only": {"http_only": False},
    }.items():  # fmt: skip
        suite.add(f"a cookie refused: {name}", diagnosed({"cookie": secure | cookie}), {"ok": True, "status": "config_error"})
    for name, cookie in configs.items():
        suite.add(f"a cookie accepted: {name}", diagnosed({"cookie": cookie}), {"ok": True, "status": "ok"})

    def read(name: str, header: str, answer: str | None, error: str | None = None, cookie: Case | None = None) -> None:
        suite.add(f"read: {name}", request("session_read_cookie", config={"cookie": cookie} if cookie else {}, header=header), refusal(error) if error else {"ok": True, "session_id": answer})

    mine = f"__Host-session={ID}"
    bad = "invalid_session"
    for name, header in {
        "alone": mine, "first": f"{mine}; a=b", "last": f"a=b; {mine}", "between": f"a=b; {mine}; c=d", "without blanks": f"a=b;{mine};c=d", "with blanks around": f"  \t{mine}\t ; a=b", "many blanks": f"a=b;  \t  {mine}", "empty pieces": f";; ;{mine};;", "a piece without an equals sign": f"a; {mine}; b", "others' values with equals signs": f"a=b=c; {mine}", "others with nothing": f"a=; =b; {mine}", "beside its token": f"{mine}; __Host-session-csrf={token(ID)}", "beside other sessions": f"session={OTHER}; __Secure-session={OTHER}; {mine}; __Host-session2={OTHER}; x__Host-session={OTHER}",
        "beside another case": f"__HOST-SESSION={OTHER}; {mine}; __host-session={OTHER}", "beside a quoted text": f'a="b"; {mine}', "beside quotes with it in them": f'a="x; {mine}', "beside other scripts": f"a=\u00e9\u4e2d; {mine}", "beside controls": f"a=\u0001\u0000; {mine}", "in 16 KiB": (mine + "; a=").ljust(16_384, "x"), "at the end of 16 KiB": "a=".ljust(16_384 - len(mine) - 1, "x") + ";" + mine,
    }.items():  # fmt: skip
        read(name, header, ID)
    for name, header in {
        "nothing": "", "blanks": "  ", "another": "a=b", "another case": f"__host-session={ID}", "a longer name": f"__Host-session2={ID}", "a shorter name": f"__Host-sessio={ID}", "its token alone": f"__Host-session-csrf={token(ID)}", "its name alone": "__Host-session", "no prefix": f"session={ID}", "in another's value": f"a={mine}", "an empty name": f"={ID}", "a blank within the name": f"__Host- session={ID}",
    }.items():  # fmt: skip
        read(f"there is none: {name}", header, None)
    for name, header in {
        "twice the same": f"{mine}; {mine}", "twice": f"{mine}; __Host-session={OTHER}", "twice, one of them nothing": f"{mine}; __Host-session=", "twice, nothing first": f"__Host-session=; {mine}", "twice, one of them not an id": f"{mine}; a=b; __Host-session=x", "nothing in it": "__Host-session=", "blanks in it": "__Host-session=  ", "quoted": f'__Host-session="{ID}"', "an equals sign more": f"__Host-session=={ID}", "a comma and another": f"{mine}, __Host-session={OTHER}", "a blank before its value": f"__Host-session= {ID}", "percent-encoded": "__Host-session=" + ID.replace(ID[0], f"%{ord(ID[0]):02X}"),
        **{name: f"__Host-session={text}" for name, text in no_ids(ID).items() if text and not text.endswith("\n") and text[0] != " " and len(text) < 16_384},
    }.items():  # fmt: skip
        read(f"refused: {name}", header, None, bad)
    read("a byte over 16 KiB", (mine + "; a=").ljust(16_385, "x"), None, "too_large")
    read("100 KB", "a=b; " * 20_000, None, "too_large")
    for name, cookie in {"__Secure-session": {"name": "__Secure-session"}, "session": {"name": "session", "insecure": True}}.items():
        read(f"the cookie {name}", f"{name}={ID}", ID, cookie=cookie)
        read(f"the cookie {name} and not the default's", mine, None, cookie=cookie)
    return suite
