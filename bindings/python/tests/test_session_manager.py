"""Managers of sessions, on every store: what they promise, in races, and in trouble."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import redis
from server import Server

from conftest import AUDIENCE, ISSUER, verifier_of
from donjon import (
    Claims,
    ConfigError,
    ExpiredToken,
    InvalidArgument,
    InvalidSession,
    Keyring,
    ReuseDetected,
    SessionExpired,
    SessionInputRefused,
    SessionLimitReached,
    StateStale,
    StepUpRequired,
    StoreUnavailable,
    TokenIssuer,
    TokenRevoked,
    WrongTokenType,
    _clock,
)
from donjon.records import (
    AsyncCachedRecords,
    AsyncRecordStore,
    CachedRecords,
    MemoryRecords,
    RecordStore,
)
from donjon.redis import AsyncRedisRecords, RedisRecords
from donjon.revocation import RevocationSet
from donjon.sessions import AsyncSessionManager, Session, SessionManager
from stores import KINDS, Stores, session_manager

pytestmark = pytest.mark.anyio

DAY_S = 86_400
HOUR_S = 3600
LONG = 400 * DAY_S
PURPOSES = ["device", "csrf", "envelope"]
KEYRING = Keyring.generate(purposes=PURPOSES)
TOKENS = TokenIssuer(KEYRING, issuer=ISSUER, audience=AUDIENCE)


class Clock:
    """What the managers take for the time. It stands still."""

    def __init__(self) -> None:
        self.ms = _clock.now_ms()

    def __call__(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)

    @property
    def s(self) -> int:
        return self.ms // 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(_clock, "now_ms", made)
    return made


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, stores: Stores) -> RecordStore:
    return stores.store(request.param)


@pytest.fixture
def memory() -> MemoryRecords:
    return MemoryRecords()


def manager_of(store: RecordStore, **config: Any) -> Any:
    return session_manager(KEYRING, store, config=config, max_silence=LONG)


def access_of(pair: Any, now: int) -> Claims:
    return verifier_of(KEYRING).verify(pair.access_token, now=now)


def refresh_of(pair: Any, now: int) -> Claims:
    return verifier_of(KEYRING, "rt+jwt").verify(pair.refresh_token, now=now)


class Hanging:
    """A store to await, which does not answer while it `hangs`."""

    def __init__(self, store: MemoryRecords) -> None:
        self.store = store
        self.hangs = False

    async def get_many(self, keys: Sequence[str]) -> list[bytes]:
        if self.hangs:
            await asyncio.sleep(60)
        return self.store.get_many(keys)

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        if self.hangs:
            await asyncio.sleep(60)
        return self.store.replace(key, before, after, keep_ms)

    async def scan(self, part: str) -> AsyncIterator[bytes]:
        for value in self.store.scan(part):
            yield value


def is_dead(manager: Any, token: str, why: str | None = None) -> bool:
    """Tell whether nobody comes in with this id, for that reason."""
    with pytest.raises(InvalidSession) as caught:
        manager.check(token)
    return why is None or caught.value.why == why


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Act in a thread each, and return what came of it, exceptions too."""
    outcomes: dict[int, Any] = {}
    start = threading.Barrier(len(acts))

    def run(index: int) -> None:
        start.wait()
        try:
            outcomes[index] = acts[index]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[index] for index in range(len(acts))]


# ---- log-in, log-out ----


@pytest.mark.usefixtures("clock")
def test_a_session_is_good_until_it_is_logged_out(store: RecordStore) -> None:
    manager = manager_of(store)
    one = manager.log_in("ann", label="Firefox", data=b"\0data", address="192.0.2.7")
    two = manager.log_in("bob")
    assert len(one.id) == 64
    session = manager.check(one.id, address="192.0.2.7")
    assert (session.subject, session.kind, session.label) == ("ann", "cookie", "Firefox")
    assert (session.data, session.network, session.changes) == (b"\0data", "192.0.2.0/24", ())
    assert session == one.session
    manager.log_out(one.id)
    assert is_dead(manager, one.id, "unknown")
    manager.log_out(one.id)
    assert manager.check(two.id).subject == "bob"


@pytest.mark.usefixtures("clock")
def test_the_id_from_before_the_log_in_is_dead_after_it(store: RecordStore) -> None:
    manager = manager_of(store)
    before = manager.begin_anonymous(data=b"cart")
    assert manager.check(before.id).subject == ""
    assert manager.check(before.id).data == b"cart"
    after = manager.log_in("ann", previous=before.id)
    assert after.id != before.id
    assert is_dead(manager, before.id)
    assert manager.check(after.id).subject == "ann"
    # Whatever the browser brought, another's session too.
    other = manager.log_in("bob")
    again = manager.log_in("ann", previous=other.id)
    assert is_dead(manager, other.id)
    assert manager.check(again.id)
    for previous in (other.id, "", "x", "A" * 64, "\ud800", None):
        assert manager.log_in("ann", previous=previous).id


def test_an_id_that_others_chose_is_never_good(memory: MemoryRecords) -> None:
    manager = manager_of(memory)
    mine = manager.log_in("ann").id
    for token in (
        "",
        "x",
        mine[:-1],
        mine + "A",
        mine[:22] + "A" * 42,
        "A" * 64,
        "\ud800",
        mine[::-1],
    ):
        assert is_dead(manager, token)
    with pytest.raises(InvalidArgument):
        manager.log_in("")
    with pytest.raises(SessionInputRefused):
        manager.log_in("ann", data=b"x" * 513)


@pytest.mark.usefixtures("clock")
def test_rotation_gives_another_id_and_the_old_one_is_dead(store: RecordStore) -> None:
    manager = manager_of(store, address={"on_change": "invalidate"})
    first = manager.log_in("ann", address="192.0.2.1", data=b"data", label="phone")
    second = manager.rotate(first.id, address="198.51.100.1")
    assert is_dead(manager, first.id)
    session = manager.check(second.id, address="198.51.100.9")
    assert (session.data, session.label) == (b"data", "phone")
    assert session.created_ms == first.session.created_ms
    third = manager.rotate(second.id, address="198.51.100.1", data=b"other")
    assert manager.check(third.id, address="198.51.100.1").data == b"other"
    with pytest.raises(InvalidSession):
        manager.rotate(second.id)
    assert len(manager.list("ann")) == 1


def test_the_store_has_no_id(store: RecordStore) -> None:
    manager = manager_of(store)
    ids = [manager.log_in("ann").id, manager.begin_anonymous().id]
    ids.append(manager.rotate(ids[0]).id)
    kept = b"".join(store.scan(""))
    assert len(kept) > 100
    for token in ids:
        secret = base64.urlsafe_b64decode(token)
        assert len(secret) == 48
        assert secret[16:] not in kept
        assert token[22:].encode() not in kept
    assert len({token[22:] for token in ids}) == 3


# ---- time-outs ----


def test_sessions_end_when_they_are_idle_or_old_whichever_is_first(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    idle = manager.log_in("ann")
    clock.advance(8 * HOUR_S - 0.001)
    assert manager.check(idle.id)
    clock.advance(8 * HOUR_S)
    with pytest.raises(SessionExpired) as caught:
        manager.check(idle.id)
    assert (caught.value.why, caught.value.reason, caught.value.http_status) == (
        "idle",
        "expired",
        401,
    )
    busy = manager.log_in("ann")
    for _ in range(3):
        clock.advance(7 * HOUR_S)
        manager.check(busy.id)
    clock.advance(3 * HOUR_S - 0.001)
    manager.check(busy.id)
    clock.advance(0.001)
    assert is_dead(manager, busy.id, "absolute")
    assert manager.list("ann") == []


def test_reading_is_not_writing_within_the_touch_interval(clock: Clock) -> None:
    class Counted(MemoryRecords):
        written: list[str]

        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            if key != "epoch":
                self.written.append(key)
            return super().replace(key, before, after, keep_ms)

    counted = Counted()
    counted.written = []
    manager = manager_of(counted, touch_interval_s=60)
    token = manager.log_in("ann").id
    counted.written.clear()
    clock.advance(14)
    manager.check(token)
    assert counted.written == []
    clock.advance(45.999)
    assert manager.check(token).seen_ms == clock.ms - 59_999
    assert counted.written == []
    clock.advance(0.001)
    assert manager.check(token).seen_ms == clock.ms
    assert counted.written == [manager.sessions.key(token)]


# ---- how many ----


def test_the_sixth_log_in_ends_the_oldest(store: RecordStore, clock: Clock) -> None:
    manager = manager_of(store)
    signed_in = []
    for index in range(8):
        clock.advance(1)
        one = manager.log_in("ann", label=str(index))
        signed_in.append(one)
        gone = [signed_in[index - 5].session.handle] if index >= 5 else []
        assert [handle for handle, _ in one.session.evicted] == gone
        for older in signed_in[:-1]:  # To be used lately saves none.
            with suppress(InvalidSession):
                manager.check(older.id)
    assert [session.label for session in manager.list("ann")] == list("34567")
    for one in signed_in[:3]:
        assert is_dead(manager, one.id, "unknown")
    assert all(manager.check(one.id) for one in signed_in[3:])
    assert manager.log_in("bob").session.evicted == ()


def test_or_is_refused(store: RecordStore, clock: Clock) -> None:
    manager = manager_of(store, at_limit="refuse", max_per_user=2, idle_timeout_s=600)
    ids = [manager.log_in("ann").id for _ in range(2)]
    for _ in range(2):
        with pytest.raises(SessionLimitReached) as caught:
            manager.log_in("ann")
        assert caught.value.http_status == 409
        with pytest.raises(SessionLimitReached):
            manager.begin_tokens(TOKENS, "ann")
    assert [manager.check(token).subject for token in ids] == ["ann"] * 2
    # From the same browser it is no further one, and what is over makes room.
    ids[0] = manager.log_in("ann", previous=ids[0]).id
    assert len(manager.list("ann")) == 2
    clock.advance(600)
    assert manager.log_in("ann")


def test_log_ins_that_race_leave_five_and_the_oldest_are_gone(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    old = []
    for _ in range(5):
        clock.advance(1)
        old.append(manager.log_in("ann"))
    clock.advance(1)
    outcomes = at_once(*[lambda: manager.log_in("ann") for _ in range(8)])
    assert [type(one).__name__ for one in outcomes] == ["LoggedIn"] * 8
    alive = {session.handle for session in manager.list("ann")}
    assert len(alive) == 5
    assert all(is_dead(manager, one.id, "unknown") for one in old)
    assert alive <= {one.session.handle for one in outcomes}
    evicted = [handle for one in outcomes for handle, _ in one.session.evicted]
    assert len(evicted) == len(set(evicted)) == 8
    assert {one.session.handle for one in old} <= set(evicted)
    for one in outcomes:
        if one.session.handle not in alive:
            assert is_dead(manager, one.id, "unknown")


# ---- address and user agent ----

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
UPDATED = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.mark.parametrize("what", ["address", "user_agent"])
@pytest.mark.parametrize("answer", ["report", "step_up", "invalidate"])
def test_what_changes_is_reported_or_asks_again_or_ends_it(
    store: RecordStore, what: str, answer: str
) -> None:
    rules = {"address": {"on_change": "report"}, "user_agent": {"on_change": "report"}}
    rules[what] = {"on_change": answer}
    manager = manager_of(store, **rules)
    here: dict[str, Any] = {"address": "192.0.2.1", "user_agent": FIREFOX}
    token = manager.log_in("ann", data=b"kept", **here).id
    same = manager.check(token, address="192.0.2.254", user_agent=UPDATED)
    assert same.changes == ()
    there = here | ({"address": "192.0.3.1"} if what == "address" else {"user_agent": b"curl"})
    if answer == "report":
        assert manager.check(token, **there).changes == (what,)
        assert manager.check(token, **here).changes == ()
    elif answer == "step_up":
        for _ in range(2):
            with pytest.raises(StepUpRequired) as caught:
                manager.check(token, **there)
            assert (caught.value.why, caught.value.http_status) == (what, 401)
            assert caught.value.session is not None
            assert caught.value.session.subject == "ann"
        assert manager.check(token, **here)
        rotated = manager.rotate(token, **there)
        assert manager.check(rotated.id, **there).data == b"kept"
        with pytest.raises(StepUpRequired):
            manager.check(rotated.id, **here)
    else:
        with pytest.raises(InvalidSession) as refused:
            manager.check(token, **there)
        assert refused.value.why == what
        with pytest.raises(InvalidSession) as gone:
            manager.check(token, **here)
        assert gone.value.why == "unknown"


def test_addresses_of_version_6_by_their_prefix(memory: MemoryRecords) -> None:
    manager = manager_of(memory)
    token = manager.log_in("ann", address="2001:db8:1:2::1").id
    assert manager.check(token, address="2001:db8:1:ffff::9").network == "2001:db8:1::/48"
    with pytest.raises(InvalidSession):
        manager.check(token, address="2001:db8:2::1")
    with pytest.raises(InvalidArgument):
        manager.log_in("ann", address="no address")


# ---- lists, and ending what is in them ----


@pytest.mark.usefixtures("clock")
def test_sign_ins_are_listed_and_ended_one_by_one(store: RecordStore) -> None:
    manager = manager_of(store)
    assert manager.list("ann") == []
    ids = [manager.log_in("ann", label=label).id for label in ("a", "b", "c")]
    pair = manager.begin_tokens(TOKENS, "ann", label="d")
    listed = manager.list("ann", ids[1])
    assert [one.label for one in listed] == ["a", "b", "c", "d"]
    assert [one.current for one in listed] == [False, True, False, False]
    assert [one.kind for one in listed] == ["cookie"] * 3 + ["tokens"]
    assert [one.current for one in manager.list("ann", listed[3].handle)] == [False] * 3 + [True]
    [ended] = manager.revoke("ann", listed[0].handle)
    assert ended.label == "a"
    assert is_dead(manager, ids[0], "unknown")
    for subject, handle in (("ann", listed[0].handle), ("bob", listed[1].handle), ("ann", "x")):
        with pytest.raises(InvalidSession):
            manager.revoke(subject, handle)
        with pytest.raises(InvalidSession):
            manager.revoke_others(subject, handle)
    assert [one.label for one in manager.revoke_others("ann", ids[1])] == ["c", "d"]
    assert [one.label for one in manager.list("ann")] == ["b"]
    assert manager.check(ids[1])
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, _clock.now_ms() // 1000))
    assert manager.revoke_others("ann", listed[1].handle) == []


@pytest.mark.usefixtures("clock")
def test_ending_a_sign_in_by_tokens_ends_its_access_tokens(store: RecordStore) -> None:
    manager = manager_of(store)
    one, two = (manager.begin_tokens(TOKENS, "ann") for _ in range(2))
    now = _clock.now_ms() // 1000
    for pair in (one, two):
        claims = access_of(pair, now)
        assert claims.family == pair.session.handle
        manager.revocations.check(claims)
    manager.revoke("ann", one.session.handle)
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(one, now))
    with pytest.raises(TokenRevoked):
        manager.refresh_tokens(TOKENS, refresh_of(one, now))
    manager.revocations.check(access_of(two, now))
    assert manager.refresh_tokens(TOKENS, refresh_of(two, now))


def test_log_out_everywhere_and_a_log_in_in_the_same_second(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    cookie, pair = manager.log_in("ann"), manager.begin_tokens(TOKENS, "ann")
    bob = manager.begin_tokens(TOKENS, "bob")
    old = access_of(pair, clock.s), refresh_of(pair, clock.s)
    of_no_family = TOKENS.access("ann", revoked_since=manager.revocations.issue_since("ann"))
    ended = manager.log_out_everywhere("ann")
    assert [one.kind for one in ended] == ["cookie", "tokens"]
    assert is_dead(manager, cookie.id)
    new_cookie, new_pair = manager.log_in("ann"), manager.begin_tokens(TOKENS, "ann")
    for taken in (old[0], verifier_of(KEYRING).verify(of_no_family)):
        with pytest.raises(TokenRevoked):
            manager.revocations.check(taken)
    with pytest.raises((TokenRevoked, StateStale)):
        manager.refresh_tokens(TOKENS, old[1])
    assert manager.check(new_cookie.id)
    later = clock.s + 3
    manager.revocations.check(access_of(new_pair, later))
    manager.revocations.check(access_of(bob, later))
    assert manager.refresh_tokens(TOKENS, refresh_of(new_pair, later))
    # And again, in that second.
    assert len(manager.log_out_everywhere("ann")) == 2
    assert is_dead(manager, new_cookie.id)
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(new_pair, later))


# ---- refresh families ----


def test_a_refresh_token_is_used_once_and_its_replay_ends_the_family(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    first = manager.begin_tokens(TOKENS, "ann", roles=["viewer"], claims={"tenant": "t"})
    assert access_of(first, clock.s).roles == ("viewer",)
    assert access_of(first, clock.s)["tenant"] == "t"
    assert refresh_of(first, clock.s).roles == ()
    second = manager.refresh_tokens(TOKENS, refresh_of(first, clock.s), roles=["editor"])
    assert access_of(second, clock.s).roles == ("editor",)
    assert second.session.handle == first.session.handle
    third = manager.refresh_tokens(TOKENS, refresh_of(second, clock.s))
    clock.advance(11)
    with pytest.raises(ReuseDetected) as caught:
        manager.refresh_tokens(TOKENS, refresh_of(first, clock.s))
    assert caught.value.state == b""
    for pair in (first, second, third):
        with pytest.raises(TokenRevoked):
            manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
        with pytest.raises(TokenRevoked):
            manager.revocations.check(access_of(pair, clock.s))
    assert manager.list("ann") == []
    assert manager.begin_tokens(TOKENS, "ann")


def test_refreshes_at_once_have_one_successor_and_log_nobody_out(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    used = refresh_of(manager.begin_tokens(TOKENS, "ann"), clock.s)
    pairs = at_once(*[lambda: manager.refresh_tokens(TOKENS, used) for _ in range(8)])
    assert [type(pair).__name__ for pair in pairs] == ["TokenPair"] * 8
    successors = [refresh_of(pair, clock.s) for pair in pairs]
    assert {(one.token_id, one.generation) for one in successors} == {
        (successors[0].token_id, (used.generation or 0) + 1)
    }
    again = manager.refresh_tokens(TOKENS, used)  # within the grace, an answer that was lost
    assert refresh_of(again, clock.s).token_id == successors[0].token_id
    assert manager.refresh_tokens(TOKENS, successors[0])
    assert len(manager.list("ann")) == 1


def test_families_end_by_their_own_deadlines(store: RecordStore, clock: Clock) -> None:
    manager = manager_of(store, family_lifetime_s=20 * DAY_S, family_idle_timeout_s=5 * DAY_S)
    pair = manager.begin_tokens(TOKENS, "ann")
    for _ in range(4):
        clock.advance(4.5 * DAY_S)
        pair = manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    clock.advance(2 * DAY_S)
    with pytest.raises(ExpiredToken):
        manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    idle = manager.begin_tokens(TOKENS, "ann")
    used = refresh_of(idle, clock.s)
    clock.advance(5 * DAY_S)
    with pytest.raises(ExpiredToken):
        manager.refresh_tokens(TOKENS, used)


def test_tokens_count_among_the_sign_ins(store: RecordStore, clock: Clock) -> None:
    manager = manager_of(store, max_per_user=2)
    pair = manager.begin_tokens(TOKENS, "ann")
    manager.log_in("ann")
    last = manager.log_in("ann")
    assert last.session.evicted == ((pair.session.handle, "tokens"),)
    with pytest.raises(TokenRevoked):
        manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, clock.s))


def test_only_refresh_tokens_refresh(memory: MemoryRecords, clock: Clock) -> None:
    manager = manager_of(memory)
    pair = manager.begin_tokens(TOKENS, "ann")
    with pytest.raises(WrongTokenType):
        manager.refresh_tokens(TOKENS, access_of(pair, clock.s))
    with pytest.raises(InvalidArgument):
        manager.begin_tokens(TOKENS, "")
    # What cannot be minted begins nothing.
    with pytest.raises(InvalidArgument):
        manager.begin_tokens(TOKENS, "ann", claims={"exp": 1})
    assert len(manager.list("ann")) == 1


@pytest.mark.parametrize("how", ["token", "family", "subject", "key"])
def test_a_refresh_token_that_was_taken_back_refreshes_nothing(
    memory: MemoryRecords, clock: Clock, how: str
) -> None:
    manager = manager_of(memory)
    pair, other = manager.begin_tokens(TOKENS, "ann"), manager.begin_tokens(TOKENS, "bob")
    used = refresh_of(pair, clock.s)
    match how:
        case "token":
            manager.revocations.revoke(used)
        case "family":
            manager.revocations.revoke_family("ann", pair.session.handle)
        case "subject":
            manager.revocations.revoke_subject("ann")
        case "key":
            manager.revocations.revoke_key(used.key_id)
    with pytest.raises(TokenRevoked):
        manager.refresh_tokens(TOKENS, used)
    if how != "key":
        assert manager.refresh_tokens(TOKENS, refresh_of(other, clock.s))


def test_a_refresh_that_races_a_log_out_everywhere_leaves_nothing_alive(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    for _ in range(5):
        pair = manager.begin_tokens(TOKENS, "ann")
        used = refresh_of(pair, clock.s + 3)
        outcome, *_ = at_once(
            lambda used=used: manager.refresh_tokens(TOKENS, used),  # type: ignore[misc]
            lambda: manager.log_out_everywhere("ann"),
        )
        assert manager.list("ann") == []
        for minted in (pair, outcome):
            if isinstance(minted, Exception):
                assert isinstance(minted, TokenRevoked | StateStale)
                continue
            with pytest.raises(TokenRevoked):
                manager.revocations.check(access_of(minted, clock.s + 3))
            with pytest.raises((TokenRevoked, StateStale)):
                manager.refresh_tokens(TOKENS, refresh_of(minted, clock.s + 3))
        clock.advance(10)


# ---- a store that forgets ----


def everything(store: RecordStore, keys: list[str]) -> dict[str, bytes]:
    return dict(zip(keys, store.get_many(keys), strict=True))


def set_back(store: RecordStore, to: dict[str, bytes]) -> None:
    """Have the store as it was, or empty."""
    fresh = getattr(store, "get_fresh", store.get_many)
    for key, value in to.items():
        assert store.replace(key, fresh([key])[0], value, 10**9)


def test_a_store_that_was_flushed_lets_nobody_in_from_before(
    store: RecordStore, clock: Clock
) -> None:
    manager = manager_of(store)
    token, pair = manager.log_in("ann").id, manager.begin_tokens(TOKENS, "ann")
    clock.advance(20)
    keys = ["epoch", manager.sessions.key(token)]
    set_back(store, dict.fromkeys(keys, b""))
    clock.advance(5)
    assert is_dead(manager, token, "unknown")
    with pytest.raises(StateStale):
        manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, clock.s))
    new, new_pair = manager.log_in("ann"), manager.begin_tokens(TOKENS, "ann")
    assert manager.check(new.id)
    manager.revocations.check(access_of(new_pair, clock.s + 3))


def test_a_store_that_was_set_back_lets_nobody_in_from_before(
    store: RecordStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    manager = manager_of(store)
    token, pair = manager.log_in("ann").id, manager.begin_tokens(TOKENS, "ann")
    backup = everything(store, ["epoch", manager.sessions.key(token)])
    clock.advance(20)
    manager.log_out(token)
    manager.log_out_everywhere("ann")
    revoked = manager.revocations._rules.key("subject", subject="ann")
    set_back(store, backup | {revoked: b""})
    clock.advance(5)
    assert is_dead(manager, token, "store")
    assert "begins anew: rolled_back" in caplog.text
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, clock.s))
    with pytest.raises(StateStale):
        manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    assert manager.check(manager.log_in("ann").id)


def test_a_store_that_nobody_asked_for_long_counts_as_set_back(
    memory: MemoryRecords, clock: Clock
) -> None:
    manager = session_manager(
        KEYRING, memory, config={"idle_timeout_s": 3 * DAY_S, "absolute_timeout_s": 90 * DAY_S}
    )
    token = manager.log_in("ann").id
    for days in range(1, 8):
        clock.advance(DAY_S - 1)
        manager.keep_alive()
        assert manager.check(token).expires_ms > clock.ms, days
    clock.advance(DAY_S + 0.001)
    assert is_dead(manager, token, "store")


# ---- in trouble ----


class Failing(MemoryRecords):
    """Records that fail when told so."""

    reads = writes = False

    def get_many(self, keys: Any) -> list[bytes]:
        if self.reads:
            raise OSError("no route")
        return super().get_many(keys)

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        if self.writes:
            raise OSError("no route")
        return super().replace(key, before, after, keep_ms)


def calls(manager: Any, token: str, used: Claims) -> dict[str, Callable[[], Any]]:
    return {
        "log_in": lambda: manager.log_in("ann"),
        "log_in with previous": lambda: manager.log_in("bob", previous=token),
        "begin_anonymous": manager.begin_anonymous,
        "check": lambda: manager.check(token),
        "rotate": lambda: manager.rotate(token),
        "log_out": lambda: manager.log_out(token),
        "list": lambda: manager.list("ann"),
        "revoke": lambda: manager.revoke("ann", token),
        "revoke_others": lambda: manager.revoke_others("ann", token),
        "log_out_everywhere": lambda: manager.log_out_everywhere("ann"),
        "begin_tokens": lambda: manager.begin_tokens(TOKENS, "ann"),
        "refresh_tokens": lambda: manager.refresh_tokens(TOKENS, used),
        "keep_alive": manager.keep_alive,
    }


READ_ONLY = {"check", "list", "keep_alive"}


def test_a_store_that_fails_lets_nobody_in(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    store = Failing()
    manager = manager_of(store)
    token, pair = manager.log_in("ann").id, manager.begin_tokens(TOKENS, "ann")
    every = calls(manager, token, refresh_of(pair, clock.s))
    store.reads = True
    for call in every.values():
        with pytest.raises(StoreUnavailable):
            call()
    assert caplog.text.count("the store of records fails (OSError: no route)") == 1
    assert "nobody is let in" in caplog.text
    store.reads, store.writes = False, True
    for name, call in every.items():
        if name in READ_ONLY:
            call()
            continue
        with pytest.raises(StoreUnavailable):
            call()
    store.writes = False
    assert manager.check(token)
    assert len(manager.list("ann")) == 2
    assert "the store of records answers again" in caplog.text


def test_a_touch_that_fails_is_of_no_matter(clock: Clock) -> None:
    store = Failing()
    manager = manager_of(store)
    token = manager.log_in("ann").id
    clock.advance(120)
    store.writes = True
    assert manager.check(token).subject == "ann"


def test_a_record_that_never_stays_the_same_ends_in_a_failure(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Restless(MemoryRecords):
        restless = False

        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            return not self.restless and super().replace(key, before, after, keep_ms)

    monkeypatch.setattr("donjon._marked._PAUSE_S", 0.0001)
    store = Restless()
    manager = manager_of(store)
    token, pair = manager.log_in("ann").id, manager.begin_tokens(TOKENS, "ann")
    store.restless = True
    for name, call in calls(manager, token, refresh_of(pair, clock.s)).items():
        if name not in READ_ONLY:
            with pytest.raises(StoreUnavailable, match="others keep changing"):
                call()


class Beaten(MemoryRecords):
    """Records that somebody else changes just before they would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        self.before.pop(key, lambda: None)()
        return super().replace(key, before, after, keep_ms)


def test_a_rotation_that_lost_a_round_is_taken_again(clock: Clock) -> None:
    store = Beaten()
    manager = manager_of(store)
    token = manager.log_in("ann").id
    store.before[manager.sessions.key(token)] = lambda: manager.log_in("ann", label="other")
    rotated = manager.rotate(token)
    assert manager.check(rotated.id).created_ms == clock.ms
    assert is_dead(manager, token)
    assert [one.label for one in manager.list("ann")] == ["", "other"]
    # So is what ends a session.
    strict = manager_of(store)
    mine = strict.log_in("ann", address="192.0.2.1").id
    store.before[manager.sessions.key(token)] = lambda: manager.log_in("ann", label="third")
    with pytest.raises(InvalidSession):
        strict.check(mine, address="10.0.0.1")
    assert is_dead(strict, mine, "unknown")


@pytest.mark.parametrize("begin", ["log_in", "begin_tokens"])
def test_a_family_that_has_to_go_has_no_access_tokens_even_if_the_store_fails_then(
    clock: Clock, begin: str
) -> None:
    class FailsAtLast(MemoryRecords):
        fails = False

        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            if self.fails and key in manager.sessions.keys("ann"):
                raise OSError("no route")
            return super().replace(key, before, after, keep_ms)

    store = FailsAtLast()
    manager = manager_of(store, max_per_user=1)
    pair = manager.begin_tokens(TOKENS, "ann")
    manager.revocations.check(access_of(pair, clock.s))
    call = calls(manager, "", refresh_of(pair, clock.s))[begin]
    store.fails = True
    with pytest.raises(StoreUnavailable):
        call()
    for used in access_of(pair, clock.s), refresh_of(pair, clock.s):
        with pytest.raises(TokenRevoked):
            manager.revocations.check(used)
    store.fails = False
    assert call().session.evicted == ((pair.session.handle, "tokens"),)


def test_a_family_that_was_to_go_when_others_made_room_goes(clock: Clock) -> None:
    store = Beaten()
    manager = manager_of(store, max_per_user=2)
    pair, other = manager.begin_tokens(TOKENS, "ann"), manager.log_in("ann")
    store.before[manager.sessions.keys("ann")[0]] = lambda: manager.log_out(other.id)
    mine = manager.log_in("ann")
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, clock.s))
    # It has no access tokens, so it is no sign-in.
    assert [one.handle for one in manager.list("ann")] == [mine.session.handle]
    with pytest.raises(TokenRevoked):
        manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))


class Repeating(MemoryRecords):
    """Records behind a client that repeats what was not answered, as Redis's do."""

    waits_for_replicas = False
    written: tuple[str, ...] = ()

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        self.written += (key,)
        super().replace(key, before, after, keep_ms)
        return super().replace(key, before, after, keep_ms)


def test_what_is_repeated_since_its_answer_was_lost_is_done_once(clock: Clock) -> None:
    manager = manager_of(Repeating(), refresh_grace_ms=0)
    first = manager.log_in("ann")
    rotated = manager.rotate(first.id)
    assert manager.check(rotated.id)
    assert is_dead(manager, first.id)
    pair = manager.begin_tokens(TOKENS, "ann")
    assert [one.kind for one in manager.list("ann")] == ["cookie", "tokens"]
    clock.advance(5)
    again = manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    manager.revocations.check(access_of(again, clock.s))
    assert [one.handle for one in manager.revoke("ann", pair.session.handle)]
    assert [one.handle for one in manager.revoke("ann", rotated.session.handle)]
    visitor = manager.begin_anonymous()
    assert manager.check(visitor.id).subject == ""
    # What is not there was not ended by anybody.
    with pytest.raises(InvalidSession):
        manager.revoke("ann", pair.session.handle)
    assert len(manager.log_in("ann").session.evicted) == 0


@pytest.mark.usefixtures("clock")
def test_sets_of_two_publishers_have_two_sequences_though_their_clocks_agree() -> None:
    store = Beaten()
    one, other = manager_of(store).revocations, manager_of(store).revocations
    published: list[bytes] = []
    store.before["revocation-set"] = lambda: published.append(other.publish(KEYRING, 300))
    published.append(one.publish(KEYRING, 300))
    sequences = {RevocationSet.open(each, KEYRING).info()["sequence"] for each in published}
    assert len(sequences) == 2


def test_replicas_are_asked_about_the_record_itself(clock: Clock) -> None:
    store = Repeating()
    store.waits_for_replicas = True
    manager = manager_of(store)
    first = manager.log_in("ann")
    clock.advance(5)
    # In a cluster they are on one server, by the part in braces.
    key = f"{manager.sessions.key(first.id)}:confirmed"
    ends: list[Callable[[], object]] = [lambda: manager.log_out(first.id)] * 2
    ends.append(lambda: manager.revoke("ann", first.session.handle))
    for end in ends:
        store.written = ()
        with suppress(InvalidSession):
            end()
        assert key in store.written
        assert store.get_many([key]) == [b"\1"]
    store.written = ()
    manager.log_out("no id")
    assert store.written == ()


def test_of_two_rotations_at_once_one_is_done(store: RecordStore) -> None:
    manager = manager_of(store)
    token = manager.log_in("ann").id
    outcomes = at_once(*[lambda: manager.rotate(token) for _ in range(4)])
    [rotated] = [one for one in outcomes if not isinstance(one, Exception)]
    assert [type(one) for one in outcomes].count(InvalidSession) == 3
    assert manager.check(rotated.id)
    assert len(manager.list("ann")) == 1


def test_of_two_that_begin_a_store_at_once_both_know_since_when_it_knows(clock: Clock) -> None:
    store = Beaten()
    mine, other = manager_of(store), manager_of(store)

    def begins_later() -> None:
        clock.advance(30)
        other.keep_alive()
        clock.advance(-30)

    store.before["epoch"] = begins_later
    token = mine.log_in("ann").id
    assert mine.check(token)
    assert other.check(token).created_ms > clock.ms


@pytest.mark.parametrize("record", [b"x", b"\1", b"\1\0\3ann\1" + bytes(40), b"\2" + bytes(90)])
def test_a_record_that_is_damaged_is_as_none(store: RecordStore, record: bytes) -> None:
    manager = manager_of(store)
    token = manager.log_in("ann").id
    key = manager.sessions.key(token)
    set_back(store, {key: record})
    assert is_dead(manager, token, "foreign")
    assert manager.list("ann") == []
    again = manager.log_in("ann")
    assert manager.check(again.id)
    set_back(store, {key: record})
    manager.log_out_everywhere("ann")
    assert list(getattr(store, "get_fresh", store.get_many)([key])) == [b""]


def test_a_record_of_another_user_is_foreign(memory: MemoryRecords) -> None:
    manager = manager_of(memory)
    ann, bob = manager.log_in("ann").id, manager.log_in("bob").id
    ann_key, bob_key = manager.sessions.key(ann), manager.sessions.key(bob)
    set_back(memory, {ann_key: memory.get_many([bob_key])[0]})
    assert is_dead(manager, ann)
    assert manager.list("ann") == []


# ---- behind a cache ----


def test_a_cache_keeps_nobody_out_and_lets_nobody_in_for_longer_than_its_age(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: clock.ms / 1000)
    shared = MemoryRecords()
    here = manager_of(CachedRecords(shared, max_age=5))
    there = manager_of(shared)
    first = here.log_in("ann")
    assert here.check(first.id)
    # What was begun elsewhere since is good at once.
    second = there.log_in("ann")
    assert here.check(second.id)
    there.log_out(first.id)
    here.check(first.id)  # not known here yet
    clock.advance(5)
    assert is_dead(here, first.id, "unknown")
    # What is ended by way of the cache is ended at once.
    assert here.check(second.id)
    here.log_out(second.id)
    assert is_dead(here, second.id, "unknown")


def test_a_cache_serves_its_sessions_while_the_store_fails_for_as_long_as_it_is_told(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: clock.ms / 1000)
    store = Failing()
    manager = manager_of(CachedRecords(store, max_age=5, stale_if_error=300))
    known, unknown = manager.log_in("ann"), manager.log_in("bob")
    assert manager.check(known.id)
    store.reads = store.writes = True
    for _ in range(30):  # Touches are due among them, of the session and of the marker.
        clock.advance(10)
        assert manager.check(known.id).subject == "ann"
        with pytest.raises(StoreUnavailable):
            manager.check(unknown.id)
    clock.advance(5)
    with pytest.raises(StoreUnavailable):
        manager.check(known.id)
    assert caplog.text.count("the store behind a cache fails") == 1
    assert caplog.text.count("the store of records fails") == 1
    store.reads = store.writes = False
    clock.advance(1)
    assert manager.check(known.id)
    assert manager.check(unknown.id)
    assert caplog.text.count("the store of records answers again") == 1


async def test_a_cache_serves_its_sessions_while_the_store_hangs(memory: MemoryRecords) -> None:
    store = Hanging(memory)
    cached = AsyncCachedRecords(store, max_age=timedelta(milliseconds=1), stale_if_error=300)
    manager = AsyncSessionManager(KEYRING, cached, timeout_s=0.05)
    known, unknown = await manager.log_in("ann"), await manager.log_in("bob")
    assert await manager.check(known.id)
    store.hangs = True
    for _ in range(2):
        assert (await manager.check(known.id)).subject == "ann"
        with pytest.raises(StoreUnavailable):
            await manager.check(unknown.id)
    # What is not to be of a while ago is not.
    with pytest.raises(StoreUnavailable):
        await manager.list("ann")


def test_behind_a_cache_sessions_are_touched(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: clock.ms / 1000)
    shared = MemoryRecords()
    manager = manager_of(CachedRecords(shared, max_age=3600), idle_timeout_s=600)
    token = manager.log_in("ann").id
    marker = shared.get_many(["epoch"])
    for _ in range(20):
        clock.advance(500)
        assert manager.check(token)
    assert shared.get_many(["epoch"]) != marker
    assert [one.seen_ms for one in manager_of(shared).list("ann")] == [clock.ms]


# ---- configuration ----


def test_sealed_records_hide_who_is_signed_in(store: RecordStore, clock: Clock) -> None:
    manager = manager_of(store, sealed=True)
    token = manager.log_in("ann@example.com", label="a phone").id
    pair = manager.begin_tokens(TOKENS, "ann@example.com")
    kept = b"".join(store.scan(""))
    assert b"ann@example.com" not in kept
    assert b"a phone" not in kept
    assert manager.check(token).label == "a phone"
    assert manager.refresh_tokens(TOKENS, refresh_of(pair, clock.s))
    assert len(manager.list("ann@example.com")) == 2
    assert is_dead(manager_of(store), token, "foreign")
    manager.log_out(token)
    assert len(manager.log_out_everywhere("ann@example.com")) == 1


@pytest.mark.usefixtures("clock")
def test_after_a_rotation_of_the_device_secret_sessions_go_on_until_the_next_log_in(
    store: RecordStore,
) -> None:
    before = session_manager(KEYRING, store, max_silence=LONG)
    old = [before.log_in("ann", label=str(index)) for index in range(3)]
    tokens = before.begin_tokens(TOKENS, "ann", label="tokens")
    after = session_manager(KEYRING.rotate("device", overlap=30 * DAY_S), store, max_silence=LONG)
    assert after.check(old[0].id).label == "0"
    assert [one.label for one in after.list("ann")] == ["0", "1", "2", "tokens"]
    after.revoke("ann", old[1].session.handle)
    assert is_dead(after, old[1].id)
    now = _clock.now_ms() // 1000
    tokens = after.refresh_tokens(TOKENS, refresh_of(tokens, now))
    assert [one.label for one in after.revoke_others("ann", old[2].id)] == ["0", "tokens"]
    new = after.log_in("ann", label="new")
    assert [one.label for one in after.list("ann")] == ["new"]
    assert is_dead(after, old[2].id)
    assert len(after.log_out_everywhere("ann")) == 1
    assert is_dead(after, new.id)


def test_configurations_that_are_refused_say_where() -> None:
    for config, path in (
        ({"max_per_user": 0}, "max_per_user"),
        ({"cookie": {"name": "a b"}}, "cookie"),
    ):
        with pytest.raises(ConfigError) as caught:
            SessionManager(KEYRING, MemoryRecords(), config=config)
        assert caught.value.path.startswith(path)
    with pytest.raises(ConfigError):
        SessionManager(Keyring.generate(), MemoryRecords())
    with pytest.raises(InvalidArgument, match="max_silence"):
        SessionManager(KEYRING, MemoryRecords(), max_silence=0)


def test_a_manager_has_a_store_of_its_kind(redis_server: Server) -> None:
    awaited: AsyncRecordStore = AsyncRedisRecords(redis.asyncio.Redis(port=redis_server.port))
    plain = RedisRecords(redis.Redis(port=redis_server.port))
    with pytest.raises(TypeError, match="asynchronous kind"):
        SessionManager(KEYRING, awaited)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="asynchronous kind"):
        AsyncSessionManager(KEYRING, plain)  # type: ignore[arg-type]


async def test_an_asynchronous_manager_over_memory(memory: MemoryRecords) -> None:
    manager = AsyncSessionManager(KEYRING, memory)
    signed_in = await manager.log_in("ann")
    assert (await manager.check(signed_in.id)).subject == "ann"
    assert [one.current for one in await manager.list("ann", signed_in.id)] == [True]
    await manager.log_out(signed_in.id)
    with pytest.raises(InvalidSession):
        await manager.check(signed_in.id)


async def test_a_store_that_hangs_is_not_waited_for() -> None:
    with Server() as server:
        client = redis.asyncio.Redis(port=server.port)
        manager = AsyncSessionManager(KEYRING, AsyncRedisRecords(client), timeout_s=0.2)
        token = (await manager.log_in("ann")).id
        server.pause()
        with pytest.raises(StoreUnavailable):
            await manager.check(token)
        server.resume()
        assert await manager.check(token)
        await client.aclose()


def test_secrets_are_in_no_repr(memory: MemoryRecords) -> None:
    manager = manager_of(memory)
    signed_in, pair = manager.log_in("ann"), manager.begin_tokens(TOKENS, "ann")
    record = memory.get_many([manager.sessions.key(signed_in.id)])[0]
    verdict = manager.sessions.create(record, "ann", data=b"private")
    shown = repr([signed_in, pair, verdict, verdict.session, manager.sessions, manager])
    assert verdict.id not in shown
    for secret in (
        signed_in.id,
        signed_in.id[22:],
        pair.access_token,
        pair.refresh_token,
        "private",
    ):
        assert secret not in shown
    assert "Session(handle=" in shown


def test_sessions_are_the_same_if_all_of_them_is(memory: MemoryRecords, clock: Clock) -> None:
    manager = manager_of(memory)
    one = manager.log_in("ann", data=b"a")
    same: Session = manager.check(one.id)
    assert same == one.session
    clock.advance(61)
    assert manager.check(one.id) != same
    assert same != "ann"
    with pytest.raises(TypeError):
        hash(same)


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


# ---- what others do to it ----


def test_silence_is_confirmed_before_everybody_is_logged_out(
    memory: MemoryRecords, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose clock is ahead ends nothing while others keep the store alive."""
    healthy, ahead = manager_of(memory), session_manager(KEYRING, memory, max_silence=DAY_S)
    token = healthy.log_in("ann").id
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(-2 * DAY_S + 2)
        healthy.keep_alive()
        clock.advance(2 * DAY_S)

    monkeypatch.setattr(ahead._store, "_sleep", sleep)
    clock.advance(2 * DAY_S)
    with pytest.raises(StoreUnavailable, match="clock"):
        ahead.check(token)
    assert waited[0] == 2.5
    assert all(seconds < 1 for seconds in waited[1:])
    clock.advance(-2 * DAY_S)
    assert healthy.check(token)


def test_a_clock_that_is_behind_is_what_the_log_says_once(
    memory: MemoryRecords, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    manager = manager_of(memory)
    token = manager.log_in("ann").id
    clock.advance(-3600)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="clock is behind"):
            manager.check(token)
    assert caplog.text.count("clock is behind") == 1
    assert "answers again" not in caplog.text
    clock.advance(3600)
    assert manager.check(token)
    assert caplog.text.count("answers again") == 1


def test_of_two_that_find_it_silent_one_begins_anew_and_the_other_goes_on(
    memory: MemoryRecords, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (session_manager(KEYRING, memory, max_silence=DAY_S) for _ in range(2))
    token = first.log_in("ann").id
    clock.advance(2 * DAY_S)
    monkeypatch.setattr(first._store, "_sleep", lambda _: None)

    def sleep(seconds: float) -> None:
        if seconds == 2.5:
            first.log_in("bob")

    monkeypatch.setattr(second._store, "_sleep", sleep)
    # Nobody's clock is wrong, so neither is told that the store fails.
    assert is_dead(second, token)
    assert [one.subject for one in second.list("bob")] == ["bob"]


@pytest.mark.usefixtures("clock")
def test_what_a_lone_server_has_is_not_said_to_be_acknowledged_when_it_is_asked_again(
    redis_server: Server,
) -> None:
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
        plain = manager_of(RedisRecords(client))
        token, pair = plain.log_in("ann").id, plain.begin_tokens(TOKENS, "ann")
        claims = access_of(pair, _clock.now_ms() // 1000 + 3)
        options: dict[str, Any] = {"wait_replicas": 1, "wait_timeout": timedelta(milliseconds=10)}
        waiting = manager_of(RedisRecords(client, **options))
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                waiting.log_out(token)
            with pytest.raises(StoreUnavailable):
                waiting.revocations.revoke(claims)
            with pytest.raises(StoreUnavailable):
                waiting.log_out_everywhere("ann")
        assert is_dead(plain, token)


@pytest.mark.parametrize("answer", [1, "0", b"0", None, object()])
def test_a_store_that_does_not_say_whether_it_wrote_fails(answer: Any) -> None:
    class Vague(MemoryRecords):
        vague = ""

        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Any:
            return answer if self.vague else super().replace(key, before, after, keep_ms)

        def get_many(self, keys: Any) -> Any:
            found = super().get_many(keys)
            return [bytearray(value) for value in found] if self.vague == "read" else found

    store = Vague()
    manager = manager_of(store)
    token = manager.log_in("ann").id
    store.vague = "write"
    with pytest.raises(StoreUnavailable):
        manager.log_out(token)
    store.vague = "read"
    with pytest.raises(StoreUnavailable):
        manager.check(token)


@pytest.mark.usefixtures("clock")
def test_families_under_an_older_secret_end_with_their_access_tokens(
    memory: MemoryRecords,
) -> None:
    pair = manager_of(memory).begin_tokens(TOKENS, "ann")
    claims = access_of(pair, _clock.now_ms() // 1000 + 3)
    rotated = KEYRING.rotate("device", overlap=30 * DAY_S)
    after = session_manager(rotated, memory, max_silence=LONG)
    after.revocations.check(claims)
    after.log_in("ann")
    with pytest.raises(TokenRevoked):
        after.revocations.check(claims)


@pytest.mark.usefixtures("clock")
def test_a_refresh_token_that_is_revoked_ends_its_family(memory: MemoryRecords) -> None:
    manager = manager_of(memory)
    pair = manager.begin_tokens(TOKENS, "ann")
    now = _clock.now_ms() // 1000 + 3
    manager.revocations.revoke(refresh_of(pair, now))
    with pytest.raises(TokenRevoked):
        manager.revocations.check(access_of(pair, now))


def test_errors_of_a_database_have_no_records_in_them(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    store: Any = stores.store("postgresql")
    manager = manager_of(store)
    with store._engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE donjon_records")
    secret = b"a secret of the service"
    with pytest.raises(Exception, match="donjon_records") as caught:
        store.replace("k", b"", secret, 1000)
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreUnavailable):
        manager.log_in("ann")
    assert "the store of records fails" in caplog.text
