"""`Sessions`, the decisions by themselves: records in, records out; cookies, and requests."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOW
from donjon import (
    ConfigError,
    CrossSite,
    CsrfFailed,
    ExpiredToken,
    InvalidArgument,
    InvalidSession,
    Keyring,
    ReuseDetected,
    SessionExpired,
    SessionInputRefused,
    Sessions,
    StepUpRequired,
    TokenRevoked,
)

KEYRING = Keyring.generate(purposes=["device", "csrf"])
SESSIONS = Sessions(KEYRING)
NOW_MS = NOW * 1000
SITE: dict[str, Any] = {"origin": "https://app.example", "host": "app.example"}


def begun(**options: Any) -> tuple[str, bytes]:
    verdict = SESSIONS.create(b"", "ann", now_ms=NOW_MS, **options)
    assert verdict.id is not None
    return verdict.id, verdict.record


def test_a_verdict_has_what_is_to_be_done() -> None:
    created = SESSIONS.create(b"", "ann", label="phone", data=b"d", now_ms=NOW_MS)
    assert (created.status, created.why, created.write) == ("ok", "", "must")
    assert created.keep_ms == 8 * 3_600_000 + 60_000
    assert created.refusal() is None
    assert created.state is None
    assert created.revoked == created.changes == ()
    assert created.id is not None
    assert created.session is not None
    assert (created.session.created_ms, created.session.expires_ms) == (
        NOW_MS,
        NOW_MS + 8 * 3_600_000,
    )
    checked = SESSIONS.check(created.record, created.id, now_ms=NOW_MS)
    assert (checked.write, checked.record, checked.id) == ("", b"", None)
    assert checked.session == created.session
    late = SESSIONS.check(created.record, created.id, now_ms=NOW_MS + 9 * 3_600_000)
    assert (late.status, late.why, late.write, late.session) == ("expired", "idle", "may", None)
    refusal = late.refusal()
    assert isinstance(refusal, SessionExpired)
    assert isinstance(refusal, InvalidSession)
    assert (refusal.why, refusal.session) == ("idle", None)
    ended = SESSIONS.revoke(created.record, "one", handle=created.id, now_ms=NOW_MS)
    assert (ended.write, ended.record) == ("must", b"")
    assert [one.handle for one in ended.revoked] == [created.session.handle]


def test_a_step_up_says_whose_session_it_is() -> None:
    strict = Sessions(KEYRING, {"address": {"on_change": "step_up"}})
    created = strict.create(b"", "ann", address="192.0.2.1", now_ms=NOW_MS)
    asked = strict.check(created.record, created.id or "", address="10.0.0.1", now_ms=NOW_MS)
    refusal = asked.refusal()
    assert isinstance(refusal, StepUpRequired)
    assert refusal.session is not None
    assert (refusal.session.subject, refusal.why, asked.changes) == ("ann", "address", ("address",))


def test_families_by_themselves() -> None:
    begun = SESSIONS.begin_family(b"", "ann", now_ms=NOW_MS)
    assert begun.state is not None
    assert len(begun.state) == 32
    assert begun.session is not None
    family = begun.session.handle

    def refresh(record: bytes, generation: int, later_ms: int = 0, who: str = family) -> Any:
        now_ms = NOW_MS + later_ms
        return SESSIONS.refresh(record, "ann", who, generation, issued_at=NOW, now_ms=now_ms)

    first = refresh(begun.record, 0)
    assert (first.status, first.write) == ("ok", "must")
    again = refresh(first.record, 0, 5000)
    assert (again.status, again.write, again.state) == ("ok", "", first.state)
    replayed = refresh(first.record, 0, 20_000)
    assert (replayed.write, replayed.record) == ("must", b"")
    assert isinstance(replayed.refusal(), ReuseDetected)
    assert isinstance(refresh(begun.record, 0, who="A" * 22).refusal(), TokenRevoked)
    assert isinstance(refresh(begun.record, 0, 8 * 86_400_000).refusal(), ExpiredToken)


def test_lists_and_handles() -> None:
    _, record = begun(label="a")
    verdict = SESSIONS.create(record, "ann", label="b", now_ms=NOW_MS)
    listed = SESSIONS.list(verdict.record, "ann", current=verdict.id or "", now_ms=NOW_MS)
    assert [(one.label, one.current) for one in listed] == [("a", False), ("b", True)]
    assert SESSIONS.list(verdict.record, "bob", now_ms=NOW_MS) == []
    others = SESSIONS.revoke(
        verdict.record, "others", subject="ann", handle=listed[0].handle, now_ms=NOW_MS
    )
    assert [one.label for one in others.revoked] == ["b"]
    missing = SESSIONS.revoke(record, "one", subject="ann", handle="x", now_ms=NOW_MS)
    assert isinstance(missing.refusal(), InvalidSession)
    assert missing.write == ""


def test_keys_lead_to_a_users_record() -> None:
    token, _ = begun()
    keys = SESSIONS.keys("ann")
    assert SESSIONS.key(token) == keys[0]
    assert "ann" not in keys[0]
    assert keys[0].startswith("{")
    assert SESSIONS.keys("bob")[0] != keys[0]
    for bad in ("", "x", token + "A", token[:-1] + "=", "\ud800", b"\xff" * 64):
        with pytest.raises(InvalidSession) as caught:
            SESSIONS.key(bad)
        assert caught.value.why == "malformed"


def test_cookies() -> None:
    token, _ = begun()
    value = SESSIONS.cookie(token)
    assert value == (
        f"__Host-session={token}; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"
    )
    assert "Max-Age=0" in SESSIONS.cookie()
    csrf = SESSIONS.csrf_token(token)
    assert csrf != SESSIONS.csrf_token(token)
    assert SESSIONS.csrf_cookie(csrf).startswith(f"__Host-session-csrf={csrf}; ")
    assert "HttpOnly" not in SESSIONS.csrf_cookie(csrf)
    assert "Max-Age=0" in SESSIONS.csrf_cookie()
    assert SESSIONS.read_cookie(f"a=b; __Host-session={token}; c=d") == token
    assert SESSIONS.read_cookie(f"a=b; __Host-session={token}".encode()) == token
    assert SESSIONS.read_cookie("") == SESSIONS.read_cookie("a=b") == ""
    for twice in (f"__Host-session={token}; __Host-session={token}", "__Host-session=x"):
        with pytest.raises(InvalidSession):
            SESSIONS.read_cookie(twice)
    with pytest.raises(SessionInputRefused) as caught:
        SESSIONS.read_cookie("a" * 17_000)
    assert caught.value.http_status == 400
    with pytest.raises(InvalidSession):
        SESSIONS.cookie("x; Domain=evil.example")
    with pytest.raises(InvalidArgument):
        SESSIONS.csrf_cookie("x; Domain=evil.example")


def test_requests_from_other_sites_and_without_a_token() -> None:
    token, _ = begun()
    csrf = SESSIONS.csrf_token(token)
    good: list[dict[str, Any]] = [
        {"method": "GET", "sec_fetch_site": "cross-site"},
        {"method": "POST", "sec_fetch_site": "same-origin", "csrf_token": csrf},
        {"method": "POST", "csrf_token": csrf, **SITE},
        {"method": "POST", "csrf_token": csrf.encode()},
    ]
    for request in good:
        SESSIONS.check_request(token, **request)
    for method in ("POST", "PUT", "DELETE", "get", "", "\ud800"):
        with pytest.raises(CrossSite):
            SESSIONS.check_request(token, method=method, sec_fetch_site="cross-site")
        with pytest.raises(CrossSite):
            SESSIONS.check_request("", method=method, **{**SITE, "origin": "null"})
        with pytest.raises(CsrfFailed):
            SESSIONS.check_request(token, method=method, sec_fetch_site="same-origin")
        SESSIONS.check_request("", method=method, sec_fetch_site="same-origin")
    other, _ = begun()
    for bad in (SESSIONS.csrf_token(other), csrf[:-1], "", "\ud800", csrf + "A"):
        with pytest.raises(CsrfFailed):
            SESSIONS.check_request(token, method="POST", csrf_token=bad)


def test_wrong_types_are_said() -> None:
    token, record = begun()
    wrong: list[Callable[[Any], Any]] = [
        lambda bad: SESSIONS.keys(bad),
        lambda bad: SESSIONS.key(bad),
        lambda bad: SESSIONS.create(bad, "ann"),
        lambda bad: SESSIONS.create(b"", bad),
        lambda bad: SESSIONS.create(b"", "ann", address=bad),
        lambda bad: SESSIONS.create(b"", "ann", user_agent=bad),
        lambda bad: SESSIONS.create(b"", "ann", label=bad),
        lambda bad: SESSIONS.create(b"", "ann", data=bad),
        lambda bad: SESSIONS.check(record, bad),
        lambda bad: SESSIONS.check(record, token, now_ms=bad),
        lambda bad: SESSIONS.check(record, token, store_since_ms=bad),
        lambda bad: SESSIONS.refresh(record, "ann", "f", bad, issued_at=1),
        lambda bad: SESSIONS.revoke(record, bad),
        lambda bad: SESSIONS.cookie(bad),
        lambda bad: SESSIONS.check_request("", method=bad),
    ]
    for call in wrong:
        for bad in (1.5, True, [], object()):
            with pytest.raises(TypeError):
                call(bad)
    refused: list[Callable[[], Any]] = [
        lambda: SESSIONS.revoke(record, "some"),  # type: ignore[arg-type]
        lambda: SESSIONS.check(record, token, now_ms=-1),
        lambda: SESSIONS.check(record, token, now_ms=2**70),
        lambda: SESSIONS.create(b"", "\ud800"),
        lambda: SESSIONS.create(record, ""),
        lambda: SESSIONS.keys(""),
        lambda: SESSIONS.create(b"", "ann", address="no address"),
    ]
    for refuse in refused:
        with pytest.raises(InvalidArgument):
            refuse()
    with pytest.raises(SessionInputRefused):
        SESSIONS.create(b"", "ann", data=b"x" * 513)
    labelled = SESSIONS.create(b"", "ann", label="x" * 10**6).session
    assert labelled is not None
    assert labelled.label == "x" * 64


def test_records_are_any_buffer() -> None:
    token, record = begun()
    for buffer in (record, bytearray(record), memoryview(record)):
        assert SESSIONS.check(buffer, token, now_ms=NOW_MS).status == "ok"


@pytest.mark.parametrize("config", [None, {}, b"", "", '{"max_per_user":1}', {"max_per_user": 1}])
def test_a_configuration_is_a_dict_or_json(config: Any) -> None:
    assert Sessions(KEYRING, config).keys("ann") == SESSIONS.keys("ann")


def test_what_is_refused_when_it_is_configured() -> None:
    for config in ("{", {"idle": 1}, {"idle_timeout_s": 0}, {"cookie": {"domain": "a b"}}):
        with pytest.raises(ConfigError) as caught:
            Sessions(KEYRING, config)
        assert caught.value.diagnosis is not None
    for purposes in (["device"], ["csrf"]):
        with pytest.raises(ConfigError):
            Sessions(Keyring.generate(purposes=purposes))
    with pytest.raises(ConfigError):
        Sessions(KEYRING, {"sealed": True})


def test_help_shows_the_defaults() -> None:
    assert str(inspect.signature(Sessions.list)) == (
        "(self, /, record, subject, *, current='', now_ms=None, store_since_ms=0)"
    )
    assert inspect.signature(Sessions.rotate).parameters["data"].default is None
