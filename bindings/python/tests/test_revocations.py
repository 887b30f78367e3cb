"""Revocations in every store, and in signed sets for verifiers without one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conftest import AUDIENCE, ISSUER, verifier_of
from donjon import (
    BadSignature,
    Claims,
    ConfigError,
    InvalidArgument,
    Keyring,
    MalformedToken,
    MissingClaim,
    RevocationSetStale,
    StoreUnavailable,
    TokenIssuer,
    TokenRevoked,
    UnknownKey,
    _clock,
    sign_token,
)
from donjon.records import CachedRecords, MemoryRecords, RecordStore
from donjon.revocation import (
    AsyncOfflineRevocations,
    AsyncRevocations,
    OfflineRevocations,
    RevocationRules,
    Revocations,
    RevocationSet,
    sign_revocation_set,
    store_marker,
)
from stores import KINDS, Stores, revocations

pytestmark = pytest.mark.anyio

DAY_S = 86_400
LONG = 400 * DAY_S
KEYRING = Keyring.generate(purposes=["device"])
TOKENS = TokenIssuer(KEYRING, issuer=ISSUER, audience=AUDIENCE)
VERIFIER = verifier_of(KEYRING)


class Clock:
    """What revocations take for the time. It stands still."""

    def __init__(self) -> None:
        self.s = _clock.now_ms() // 1000

    def __call__(self) -> int:
        return self.s * 1000

    def claims(self, subject: str = "ann", **options: Any) -> Claims:
        """A token that was issued now, as its verifier sees it in a moment."""
        minted = TOKENS.access(subject, now=self.s, **options)
        return VERIFIER.verify(minted, now=self.s + 3)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(_clock, "now_ms", made)
    return made


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, stores: Stores) -> RecordStore:
    return stores.store(request.param)


def revocations_in(store: RecordStore, **options: Any) -> Any:
    return revocations(KEYRING, store, **{"max_silence": LONG, **options})


def is_revoked(checked: Any, claims: Claims) -> bool:
    try:
        checked.check(claims)
    except TokenRevoked:
        return True
    return False


# ---- in a store ----


def test_a_token_is_taken_back_alone(store: RecordStore, clock: Clock) -> None:
    revoked = revocations_in(store)
    revoked.keep_alive()  # The store begins, and tokens from before that are dead.
    clock.s += 10
    one, two, bobs = clock.claims(), clock.claims(), clock.claims("bob")
    assert not is_revoked(revoked, one)
    revoked.revoke(one)
    revoked.revoke(one)
    assert is_revoked(revoked, one)
    assert not is_revoked(revoked, two)
    assert not is_revoked(revoked, bobs)
    assert two.token_id is not None
    revoked.revoke_token("ann", two.token_id, until=clock.s + 60)
    assert is_revoked(revoked, two)
    assert not is_revoked(revoked, bobs)


def test_a_family_a_key_and_a_subject_are_taken_back(store: RecordStore, clock: Clock) -> None:
    revoked = revocations_in(store)
    revoked.keep_alive()
    clock.s += 10
    family = "f" * 21 + "A"
    in_family = clock.claims(claims={"family": family})
    assert not is_revoked(revoked, in_family)
    revoked.revoke_family("ann", family)
    assert is_revoked(revoked, in_family)
    assert not is_revoked(revoked, clock.claims("bob", claims={"family": family}))
    plain, bobs = clock.claims(), clock.claims("bob")
    revoked.revoke_subject("ann")
    assert is_revoked(revoked, plain)
    assert not is_revoked(revoked, bobs)
    assert bobs.key_id is not None
    revoked.revoke_key(bobs.key_id)
    assert is_revoked(revoked, bobs)
    # Nobody can get a good one from that key any more.
    assert is_revoked(revoked, clock.claims("eve"))


def test_new_tokens_outlive_a_revocation_of_the_same_second(
    store: RecordStore, clock: Clock
) -> None:
    revoked = revocations_in(store)
    for _ in range(3):
        old = clock.claims(revoked_since=revoked.issue_since("ann"))
        assert not is_revoked(revoked, old)
        revoked.revoke_subject("ann")
        assert is_revoked(revoked, old)
        new = clock.claims(revoked_since=revoked.issue_since("ann"))
        assert not is_revoked(revoked, new)
        revoked.revoke_subject("ann")
        assert is_revoked(revoked, new)
        assert revoked.issue_since("bob") is not None
        clock.s += 20


def test_what_was_minted_while_a_subject_was_revoked_is_revoked(clock: Clock) -> None:
    """As slow as the store may be: `revoke_subject` has taken back all until it returns."""
    minted: list[Claims] = []

    class Slow(MemoryRecords):
        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            if key.endswith(":since") and not minted:
                clock.s += 5
                minted.append(clock.claims())
            return super().replace(key, before, after, keep_ms)

    revoked = revocations_in(Slow())
    revoked.keep_alive()
    clock.s += 10
    revoked.revoke_subject("ann")
    assert len(minted) == 1
    assert is_revoked(revoked, minted[0])


def test_a_subject_is_revoked_in_a_store_that_reads_slowly(clock: Clock) -> None:
    """It is enough that the writing is quick: the time is that of after the reading."""
    minted: list[Claims] = []
    written: list[str] = []

    class Slow(MemoryRecords):
        def get_many(self, keys: Sequence[str]) -> list[bytes]:
            if minted:
                clock.s += 2
            return super().get_many(keys)

        def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            written.append(key)
            return super().replace(key, before, after, keep_ms)

    revoked = revocations_in(Slow())
    revoked.keep_alive()
    clock.s += 10
    minted.append(clock.claims())
    written.clear()
    revoked.revoke_subject("ann")
    assert is_revoked(revoked, minted[0])
    assert len([key for key in written if key.endswith(":since")]) == 1


def test_threads_that_revoke_a_subject_at_once_all_do(store: RecordStore, clock: Clock) -> None:
    revoked = revocations_in(store)
    old = clock.claims(revoked_since=revoked.issue_since("ann"))
    failures: list[BaseException] = []

    def revoke() -> None:
        try:
            revoked.revoke_subject("ann")
        except BaseException as error:  # noqa: BLE001  there is to be none
            failures.append(error)

    threads = [threading.Thread(target=revoke) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert is_revoked(revoked, old)
    assert not is_revoked(revoked, clock_later(clock, revoked))


def clock_later(clock: Clock, revoked: Any) -> Claims:
    minted = TOKENS.access("ann", now=clock.s, revoked_since=revoked.issue_since("ann"))
    return VERIFIER.verify(minted, now=clock.s + 60)


def test_a_token_that_is_looked_up_by_nothing_but_its_key(clock: Clock) -> None:
    revoked = revocations_in(MemoryRecords())
    revoked.keep_alive()
    verifier = verifier_of(KEYRING, "plain+jwt")

    def token(**claims: Any) -> Claims:
        base = {"iss": ISSUER, "aud": AUDIENCE, "exp": clock.s + 60, "iat": clock.s + 5}
        base.update(claims)
        signed = sign_token(KEYRING, base, type="plain+jwt")
        return verifier.verify(signed, now=clock.s + 6)

    revoked.check(token())
    with pytest.raises(MissingClaim, match="jti"):
        revoked.revoke(token())
    revoked.check(token(sub="ann", jti="1"))
    revoked.revoke(token(sub="ann", jti="1"))
    assert is_revoked(revoked, token(sub="ann", jti="1"))
    assert not is_revoked(revoked, token(sub="bob", jti="1"))
    with pytest.raises(InvalidArgument):
        revoked.revoke_subject("")


def set_back(store: RecordStore, to: dict[str, bytes]) -> None:
    fresh = getattr(store, "get_fresh", store.get_many)
    for key, value in to.items():
        assert store.replace(key, fresh([key])[0], value, 10**9)


def test_a_store_that_was_flushed_or_set_back_refuses_what_it_may_have_forgotten(
    store: RecordStore, clock: Clock
) -> None:
    revoked, rules = revocations_in(store), RevocationRules(KEYRING)
    revoked.keep_alive()
    clock.s += 20
    taken, other = clock.claims(), clock.claims()
    revoked.check(taken)
    fresh = getattr(store, "get_fresh", store.get_many)
    backup = fresh(["epoch"])[0]
    clock.s += 20
    revoked.revoke(taken)
    assert is_revoked(revoked, taken)
    key = rules.key("token", subject="ann", id=taken.token_id or "")
    for marker in (b"", backup, b"damaged"):
        set_back(store, {key: b"", "epoch": marker})
        clock.s += 20
        assert is_revoked(revoked, taken)
        assert is_revoked(revoked, other)
        other = clock.claims(revoked_since=revoked.issue_since("ann"))
        assert not is_revoked(revoked, other)
        # And another process, that had not seen it before.
        assert is_revoked(revocations_in(store), taken)


@pytest.mark.parametrize(
    "record", [b"x", b"\1", b"\1\1" + bytes(16) + b"other", b"\2" * 40], ids=range(4)
)
def test_a_record_that_is_damaged_counts_as_revoked(store: RecordStore, record: bytes) -> None:
    revoked, rules = revocations_in(store), RevocationRules(KEYRING)
    revoked.keep_alive()
    later = _clock.now_ms() // 1000 + 60
    claims = VERIFIER.verify(TOKENS.access("ann", now=later), now=later)
    assert not is_revoked(revoked, claims)
    suspect = {"token_id": claims.token_id or "", "key_id": claims.key_id or ""}
    for key in rules.keys(subject="ann", **suspect):
        set_back(store, {key: record})
        assert is_revoked(revoked, claims)
        set_back(store, {key: b""})
    set_back(store, {rules.key("subject", subject="ann"): record})
    with pytest.raises(TokenRevoked):
        revoked.issue_since("ann")
    revoked.revoke_subject("ann")  # That mends it.
    assert revoked.issue_since("ann") is not None


def test_behind_a_cache_a_revocation_is_noticed_within_its_age(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: float(clock.s))
    shared = MemoryRecords()
    here = revocations_in(CachedRecords(shared, max_age=5))
    there = revocations_in(shared)
    there.keep_alive()
    clock.s += 10
    one, two = clock.claims(), clock.claims()
    assert not is_revoked(here, one)
    assert not is_revoked(here, two)
    there.revoke(one)
    here.revoke(two)
    assert is_revoked(here, two)
    clock.s += 5
    assert is_revoked(here, one)


# ---- where the store fails ----


class Failing(MemoryRecords):
    fails = False

    def get_many(self, keys: Any) -> list[bytes]:
        if self.fails:
            raise OSError("no route")
        return super().get_many(keys)


def test_where_the_store_fails_tokens_are_refused_or_accepted_as_configured(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store = Failing()
    refusing = revocations_in(store)
    accepting = revocations_in(store, on_failure="accept")
    accepting.keep_alive()
    clock.s += 10
    claims = clock.claims()
    store.fails = True
    with pytest.raises(StoreUnavailable) as caught:
        refusing.check(claims)
    assert caught.value.http_status == 503
    for _ in range(3):
        accepting.check(claims)
    for call in (
        lambda: accepting.revoke(claims),
        lambda: accepting.issue_since("ann"),
        lambda: accepting.publish(KEYRING, 60),
        accepting.keep_alive,
    ):
        with pytest.raises(StoreUnavailable):
            call()
    assert caplog.text.count("tokens are refused") == 1
    assert caplog.text.count("tokens are accepted") == 1
    store.fails = False
    accepting.revoke(claims)
    assert is_revoked(accepting, claims)
    assert caplog.text.count("answers again") == 1
    with pytest.raises(InvalidArgument, match="on_failure"):
        Revocations(KEYRING, store, on_failure="allow")  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        Revocations(Keyring.generate(), store)


# ---- without a store ----


def offline_of(revoked: Any, **options: Any) -> OfflineRevocations:
    made = OfflineRevocations(KEYRING, **options)
    assert made.update(revoked.publish(KEYRING, 300)) is True
    return made


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> int:
    """The kernel's clock goes on by itself; of the store's, this is when it began."""
    began = _clock.now_ms() - 100_000
    monkeypatch.setattr(_clock, "now_ms", lambda: began)
    return began // 1000 + 100


def test_a_published_set_says_what_the_store_says(
    store: RecordStore, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked = revocations_in(store)
    revoked.keep_alive()
    monkeypatch.setattr(_clock, "now_ms", lambda: now * 1000)
    family = "f" * 21 + "A"
    tokens = {
        "token": TOKENS.access("ann", now=now),
        "family": TOKENS.access("ann", now=now, claims={"family": family}),
        "subject": TOKENS.access("bob", now=now),
        "good": TOKENS.access("ann", now=now),
    }
    claims = {name: VERIFIER.verify(token, now=now) for name, token in tokens.items()}
    offline = offline_of(revoked)
    assert not any(is_revoked(offline, one) for one in claims.values())
    revoked.revoke(claims["token"])
    revoked.revoke_family("ann", family)
    revoked.revoke_subject("bob")
    assert not any(is_revoked(offline, one) for one in claims.values())
    assert offline.update(revoked.publish(KEYRING, 300)) is True
    assert [name for name, one in claims.items() if is_revoked(offline, one)] == [
        "token",
        "family",
        "subject",
    ]
    info = offline.info
    assert info is not None
    assert (info["ids"], info["subjects"], info["keys"]) == (2, 1, 0)
    assert info["issued_at_s"] == now
    assert 0 < info["false_positive_rate"] < 1e-5
    revoked.revoke_key(claims["good"].key_id or "")
    assert offline.update(revoked.publish(KEYRING, 300)) is True
    assert is_revoked(offline, claims["good"])


def test_a_set_that_is_withheld_replayed_or_forged_fails_closed(now: int) -> None:
    store = MemoryRecords()
    revoked = revocations_in(store)
    claims = VERIFIER.verify(TOKENS.access("ann", now=now), now=now)
    offline = OfflineRevocations(KEYRING)
    with pytest.raises(RevocationSetStale) as caught:
        offline.check(claims)
    assert caught.value.http_status == 503
    assert isinstance(caught.value, StoreUnavailable)
    assert offline.info is None
    first, second = revoked.publish(KEYRING, 600), revoked.publish(KEYRING, 600)
    assert offline.update(second) is True
    assert offline.update(first) is False
    assert offline.update(second) is True
    offline.check(claims)
    assert offline.info is not None
    for at in range(0, len(second), 7):
        forged = second[:at] + bytes([second[at] ^ 1]) + second[at + 1 :]
        with pytest.raises((BadSignature, MalformedToken, UnknownKey)):
            offline.update(forged)
    for cut in (0, 1, len(second) - 1):
        with pytest.raises(MalformedToken):
            offline.update(second[:cut])
    other = Keyring.generate(purposes=["device"])
    with pytest.raises(UnknownKey):
        offline.update(revoked.publish(other, 600))
    offline.check(claims)
    # Its time over, it refuses everything.
    stale = RevocationSet.open(second, KEYRING, now=now)
    assert stale.check(subject="ann", token_id="x", issued_at=now, now=now) == "good"
    for later in (600, 10**6):
        with pytest.raises(RevocationSetStale):
            stale.check(subject="ann", token_id="x", issued_at=now, now=now + later)
        with pytest.raises(RevocationSetStale):
            RevocationSet.open(second, KEYRING, now=now + later)


def test_keyrings_that_rotate(now: int) -> None:
    revoked = revocations_in(MemoryRecords())
    keyrings = [KEYRING]
    offline = OfflineRevocations(lambda: keyrings[-1])
    rotated = KEYRING.rotate("token", overlap=3600)
    assert offline.update(revoked.publish(KEYRING, 600))
    keyrings.append(Keyring.from_jwks(rotated.export_secret_jwks()))
    assert offline.update(revoked.publish(rotated, 600))
    assert offline.info is not None
    assert offline.info["issued_at_s"] <= now


async def test_a_hit_of_the_table_is_confirmed_where_the_store_can_be_reached(now: int) -> None:
    store = Failing()
    revoked = AsyncRevocations(KEYRING, store, max_silence=LONG, on_failure="accept")
    taken = VERIFIER.verify(TOKENS.access("ann", now=now), now=now)
    good = VERIFIER.verify(TOKENS.access("ann", now=now), now=now)
    await revoked.keep_alive()
    # What another store has, this one does not confirm: as a hit that is chance.
    elsewhere = Revocations(KEYRING, MemoryRecords(), max_silence=LONG)
    elsewhere.revoke(taken)
    document = elsewhere.publish(KEYRING, 600)
    alone, confirming = (
        OfflineRevocations(KEYRING),
        AsyncOfflineRevocations(KEYRING, confirm=revoked),
    )
    alone.update(document)
    confirming.update(document)
    assert is_revoked(alone, taken)
    await confirming.check(taken)
    await confirming.check(good)
    await revoked.revoke(taken)
    with pytest.raises(TokenRevoked):
        await confirming.check(taken)
    store.fails = True
    with pytest.raises(TokenRevoked):  # It cannot be known, and `accept` is not for those.
        await confirming.check(taken)
    await confirming.check(good)


async def test_asynchronous_revocations(now: int, monkeypatch: pytest.MonkeyPatch) -> None:
    revoked = AsyncRevocations(KEYRING, MemoryRecords(), max_silence=LONG)
    await revoked.keep_alive()
    monkeypatch.setattr(_clock, "now_ms", lambda: now * 1000)
    claims = VERIFIER.verify(TOKENS.access("ann", now=now), now=now)
    await revoked.check(claims)
    await revoked.revoke_token("ann", "other")
    await revoked.revoke_family("ann", "other")
    await revoked.revoke_key("other")
    await revoked.check(claims)
    await revoked.revoke_subject("ann")
    with pytest.raises(TokenRevoked):
        await revoked.check(claims)
    assert await revoked.issue_since("ann")
    offline = AsyncOfflineRevocations(KEYRING)
    assert offline.update(await revoked.publish(KEYRING, 60))
    with pytest.raises(TokenRevoked):
        await offline.check(claims)


def test_publishers_at_once_have_sequences_of_their_own(store: RecordStore) -> None:
    revoked = revocations_in(store)
    sets: list[bytes] = []

    def publish() -> None:
        sets.extend(revoked.publish(KEYRING, 600) for _ in range(2))

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequences = {RevocationSet.open(one, KEYRING).info()["sequence"] for one in sets}
    assert len(sequences) == 8
    # A store that was flushed goes on above them.
    set_back(store, {"revocation-set": b""})
    last = RevocationSet.open(revoked.publish(KEYRING, 600), KEYRING).info()["sequence"]
    assert last > min(sequences)


def test_a_set_of_many(now: int) -> None:
    rules = RevocationRules(KEYRING)
    records = [
        rules.revoke("token", b"", subject="ann", id=f"t{index}")[0] for index in range(5000)
    ]
    signed = sign_revocation_set(
        KEYRING, records * 2, sequence=1, store_since_ms=0, issued_at=now, valid_until=now + 60
    )
    opened = RevocationSet.open(signed, KEYRING, now=now)
    assert opened.info()["ids"] == 5000
    assert len(signed) < 5000 * 3.6 + 300
    assert all(
        opened.check(subject="ann", token_id=f"t{index}", issued_at=now, now=now)
        == "probably_revoked"
        for index in range(0, 5000, 50)
    )
    hits = [
        opened.check(subject="ann", token_id=f"u{index}", issued_at=now, now=now)
        for index in range(2000)
    ]
    assert hits.count("good") >= 1999
    with pytest.raises(InvalidArgument):
        sign_revocation_set(
            KEYRING, [], sequence=1, store_since_ms=0, issued_at=now, valid_until=now + DAY_S + 1
        )
    with pytest.raises(MalformedToken):
        sign_revocation_set(
            KEYRING, [b"x"], sequence=1, store_since_ms=0, issued_at=now, valid_until=now + 60
        )


# ---- the decisions by themselves ----


def test_rules_take_what_they_are_asked_about() -> None:
    rules = RevocationRules(KEYRING, json.dumps({"skew_s": 2}))
    keys = rules.keys(subject="ann", token_id="t", family="f", key_id="k")
    # Under the secret that is in use, and under the next one.
    assert keys[:2] == rules.keys(subject="ann")
    assert keys[::2] == [
        rules.key("subject", subject="ann"),
        rules.key("token", subject="ann", id="t"),
        rules.key("family", subject="ann", id="f"),
        rules.key("key", id="k"),
    ]
    assert all("ann" not in key for key in keys)
    rules.check(
        [b""] * len(keys),
        subject="ann",
        token_id="t",
        family="f",
        key_id="k",
        issued_at=9,
        store_since_ms=0,
    )
    with pytest.raises(InvalidArgument):
        rules.check([b""], subject="ann", token_id="t", issued_at=9, store_since_ms=0)
    with pytest.raises(MissingClaim):
        rules.check([b""] * 2, subject="ann", issued_at=None, store_since_ms=0)
    wrong: list[Callable[[], Any]] = [
        lambda: rules.key("user", subject="ann"),  # type: ignore[arg-type]
        lambda: rules.key("token", subject="ann"),
        lambda: rules.key("token", subject="ann", id="x" * 1025),
        lambda: rules.revoke("subject", b""),
    ]
    for call in wrong:
        with pytest.raises(InvalidArgument):
            call()
    with pytest.raises(TypeError):
        rules.issue_since("ann", ["text"], store_since_ms=0)  # type: ignore[list-item]
    for config in ({"skew": 2}, {"skew_s": 301}, "{"):
        with pytest.raises(ConfigError):
            RevocationRules(KEYRING, config)


def test_a_marker_says_what_became_of_the_store() -> None:
    first = store_marker(b"", b"", max_silence_ms=1000, now_ms=5000)
    assert (first.write, first.reason, first.since_ms) == ("must", "missing", 5000)
    assert len(first.marker) == 24
    again = store_marker(first.marker, first.marker, max_silence_ms=1000, now_ms=5500)
    assert (again.write, again.reason, again.marker) == ("", "", first.marker)
    silent = store_marker(first.marker, b"", max_silence_ms=1000, now_ms=6001)
    assert (silent.write, silent.reason) == ("must", "silent")
    alive = store_marker(first.marker, b"", max_silence_ms=10**6, now_ms=25_000)
    assert (alive.write, alive.since_ms) == ("may", 5000)
    back = store_marker(first.marker, alive.marker, max_silence_ms=10**6, now_ms=26_000)
    assert (back.write, back.reason) == ("must", "rolled_back")
    assert store_marker(b"x", b"", max_silence_ms=1000, now_ms=5000).reason == "damaged"
    with pytest.raises(InvalidArgument):
        store_marker(b"", b"x", max_silence_ms=1000, now_ms=5000)
    assert "marker" not in repr(first).lower().replace("markerverdict", "")
